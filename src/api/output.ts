/**
 * A container's output on its way to a client, as far as it must be known to say something into it: where its frames
 * begin and end. Owns the form of what is said; must not know nodes.
 */
import { encodeFrame, FrameDecoder, STDERR } from "../docker/frames.ts";

export class Output {
  readonly #frames = new FrameDecoder();
  #raw: boolean;

  /** @param tty whether the output has no frames; undefined when nobody knows: the first bytes tell then */
  constructor(tty: boolean | undefined) {
    this.#raw = tty === true;
  }

  watch(chunk: Buffer): void {
    if (this.#raw) return;
    try {
      this.#frames.push(chunk);
    } catch {
      this.#raw = true;
    }
  }

  /** The sentence as the client's terminal or standard error shows it; undefined in the middle of a frame. */
  lastWords(sentence: string): Buffer | undefined {
    if (this.#raw) return Buffer.from(`\r\n${sentence}\r\n`);
    if (!this.#frames.isBetweenFrames) return undefined;
    return encodeFrame(STDERR, Buffer.from(`${sentence}\n`));
  }
}
