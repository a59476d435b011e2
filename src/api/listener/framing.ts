/**
 * The end of an HTTP/1.1 body on a raw connection, where node's parser has already let go. Owns the two framings, length
 * and chunked, read strictly and within bounds; must not know what the body is for.
 */
import { badRequest, DockerError } from "../../docker/errors.ts";

/** A length in bytes, or chunked (RFC 9112 §7.1). */
export type Framing = { readonly length: number } | "chunked";

/** One line of framing (a chunk's size with its extensions, a trailer). */
const LINE_BYTES = 4 << 10;
const TRAILERS = 64;

/** Reads one body; what follows it belongs to whatever comes next on the connection. */
export class BodyDecoder {
  readonly #limit: number;
  readonly #chunked: boolean;
  readonly #parts: Buffer[] = [];
  #size = 0;
  /** Bytes of the body, or of the current chunk, still to come. */
  #pending: number;
  #state: "size" | "data" | "data-end" | "trailer" | "done";
  #line = "";
  #trailers = 0;

  /** @param limit bytes of a body at most; beyond it `push` throws 413 */
  constructor(framing: Framing, limit: number) {
    this.#limit = limit;
    this.#chunked = framing === "chunked";
    this.#pending = framing === "chunked" ? 0 : framing.length;
    this.#state = framing === "chunked" ? "size" : "data";
    if (this.#pending > limit) throw bodyTooLarge(limit);
    if (framing !== "chunked" && framing.length === 0) this.#state = "done";
  }

  get done(): boolean {
    return this.#state === "done";
  }

  get body(): Buffer {
    return Buffer.concat(this.#parts, this.#size);
  }

  /** Takes what came in; returns what lies behind the body's end (empty before). Throws DockerError 400 or 413. */
  push(input: Buffer): Buffer {
    let at = 0;
    while (at < input.length && this.#state !== "done") {
      at = this.#state === "data" ? this.#takeData(input, at) : this.#takeLine(input, at);
    }
    return input.subarray(at);
  }

  #takeData(input: Buffer, at: number): number {
    const part = input.subarray(at, at + this.#pending);
    this.#size += part.length;
    if (this.#size > this.#limit) throw bodyTooLarge(this.#limit);
    this.#parts.push(part);
    this.#pending -= part.length;
    if (this.#pending === 0) this.#state = this.#chunked ? "data-end" : "done";
    return at + part.length;
  }

  #takeLine(input: Buffer, at: number): number {
    const newline = input.indexOf(0x0a, at);
    const end = newline < 0 ? input.length : newline + 1;
    this.#line += input.toString("latin1", at, end);
    if (this.#line.length > LINE_BYTES) throw malformed();
    if (newline < 0) return end;
    if (!this.#line.endsWith("\r\n")) throw malformed();
    const line = this.#line.slice(0, -2);
    this.#line = "";
    this.#onLine(line);
    return end;
  }

  #onLine(line: string): void {
    if (this.#state === "data-end") {
      if (line !== "") throw malformed();
      this.#state = "size";
    } else if (this.#state === "size") {
      const digits = /^([0-9a-fA-F]{1,8})(?:[\t ]*;[\t\x20-\x7e]*)?$/.exec(line)?.[1];
      if (digits === undefined) throw malformed();
      this.#pending = Number.parseInt(digits, 16);
      this.#state = this.#pending === 0 ? "trailer" : "data";
    } else if (line === "") {
      this.#state = "done";
    } else if (++this.#trailers > TRAILERS) {
      throw malformed();
    }
  }
}

function malformed(): DockerError {
  return badRequest("malformed chunked encoding");
}

/** The refusal of a body beyond `limit` bytes. */
export function bodyTooLarge(limit: number): DockerError {
  return new DockerError(413, `request body too large: at most ${limit} bytes are accepted here`);
}
