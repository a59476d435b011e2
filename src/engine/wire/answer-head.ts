/** Reads the head of one HTTP/1.1 answer from bytes. Must not know sockets. */

export interface AnswerHead {
  readonly status: number;
  readonly statusText: string;
  /** Name, value, name, value …, as they came. */
  readonly rawHeaders: readonly string[];
}

/** The bytes are not the head of an HTTP/1 answer, or it exceeds its bound. */
export class AnswerHeadError extends Error {}

const END = Buffer.from("\r\n\r\n");

/** Collects chunks until a head is whole; what follows the head is handed back untouched. */
export class AnswerHeadReader {
  readonly #limit: number;
  #bytes: Buffer = Buffer.alloc(0);

  /** @param limit bytes that heads (interim ones included) may take */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Returns the final head (101 is final, `100 Continue` and other 1xx are skipped) and the bytes after it, or undefined
   * when more is needed. Throws AnswerHeadError.
   */
  push(chunk: Buffer): { head: AnswerHead; rest: Buffer } | undefined {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    for (;;) {
      if (!looksLikeHttp(this.#bytes)) throw new AnswerHeadError("the answer is not HTTP");
      const end = this.#bytes.indexOf(END);
      if ((end < 0 ? this.#bytes.length : end) > this.#limit) {
        throw new AnswerHeadError("the answer's headers are too large");
      }
      if (end < 0) return undefined;
      const head = parseHead(this.#bytes.toString("latin1", 0, end));
      const rest = this.#bytes.subarray(end + END.length);
      if (head.status === 101 || head.status >= 200) return { head, rest };
      this.#bytes = rest;
    }
  }
}

const PREFIX = Buffer.from("HTTP/1.");

/** Says so at the first wrong byte instead of collecting up to the bound. */
function looksLikeHttp(bytes: Buffer): boolean {
  const length = Math.min(bytes.length, PREFIX.length);
  return bytes.subarray(0, length).equals(PREFIX.subarray(0, length));
}

function parseHead(text: string): AnswerHead {
  const [first = "", ...lines] = text.split("\r\n");
  const [, status, statusText = ""] = /^HTTP\/1\.[01] ([1-9]\d\d)(?: (.*))?$/.exec(first) ?? [];
  if (status === undefined) throw new AnswerHeadError("the answer is not HTTP");
  const rawHeaders: string[] = [];
  for (const line of lines) {
    const [, name, value = ""] = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined) throw new AnswerHeadError("the answer has an invalid header");
    rawHeaders.push(name, value);
  }
  return { status: Number(status), statusText, rawHeaders };
}

/** The first value of a header, its name in any letter case. */
export function headerValue(rawHeaders: readonly string[], name: string): string | undefined {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() === name) return rawHeaders[i + 1];
  }
  return undefined;
}
