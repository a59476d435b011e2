/**
 * Cuts a stream of bytes into JSON texts. Engines put a newline after each, but nothing promises it, so the cut is at
 * the closing bracket. Must not know what the texts mean.
 */

/** The stream is not a sequence of JSON objects or arrays, or one of them is too long. */
export class JsonLinesError extends Error {}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** Works on bytes, never on characters, so that a chunk may end inside one: all that it looks for is ASCII. */
export class JsonLines {
  readonly #limit: number;
  #parts: Buffer[] = [];
  #length = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;

  /** @param limit bytes of one text */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes of a text that has begun and not ended. */
  get pending(): number {
    return this.#length;
  }

  /** The texts that end in this chunk, in order. Throws JsonLinesError; the splitter is then of no more use. */
  push(chunk: Buffer): string[] {
    const texts: string[] = [];
    let start = this.#depth > 0 ? 0 : -1;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i] ?? 0;
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) this.#inString = false;
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        if (this.#depth++ === 0) start = i;
      } else if (this.#depth === 0) {
        if (byte > 0x20) throw new JsonLinesError("the stream is not JSON");
      } else if (byte === QUOTE) this.#inString = true;
      else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && --this.#depth === 0) {
        this.#add(chunk.subarray(start, i + 1));
        texts.push(this.#take());
        start = -1;
      }
    }
    if (start >= 0) this.#add(chunk.subarray(start));
    return texts;
  }

  #add(part: Buffer): void {
    this.#length += part.length;
    if (this.#length > this.#limit) throw new JsonLinesError(`one JSON text exceeds ${this.#limit} bytes`);
    this.#parts.push(part);
  }

  #take(): string {
    const [only] = this.#parts;
    const text = this.#parts.length === 1 && only ? only.toString("utf8") : Buffer.concat(this.#parts).toString("utf8");
    this.#parts = [];
    this.#length = 0;
    return text;
  }
}
