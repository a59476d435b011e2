/**
 * The framing of stdout and stderr in one stream (attach, logs and exec without a terminal): eight bytes of header, the
 * stream's number, three zeros and the payload's length (big endian), then the payload.
 * Source: Engine API, "Stream format" of ContainerAttach. Must not know where the bytes come from.
 */

/** 0 stdin, 1 stdout, 2 stderr, 3 an error of the engine itself. */
export type StreamNumber = 0 | 1 | 2 | 3;

export const STDOUT: StreamNumber = 1;
export const STDERR: StreamNumber = 2;

export const FRAME_HEADER_BYTES = 8;

/** One frame, header included. */
export function encodeFrame(stream: StreamNumber, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.length);
  frame.fill(0, 0, 4);
  frame[0] = stream;
  frame.writeUInt32BE(payload.length, 4);
  frame.set(payload, FRAME_HEADER_BYTES);
  return frame;
}

/** A piece of one frame's payload. */
export interface FramePiece {
  readonly stream: StreamNumber;
  /** A view of the bytes that were pushed, not a copy. */
  readonly payload: Buffer;
  /** Whether the frame ends here. */
  readonly last: boolean;
}

/**
 * Takes a framed stream apart as its bytes come, however they are cut. A frame may say that it has 4 GiB, so payloads are
 * handed on in pieces and nothing but a header is ever held back.
 */
export class FrameDecoder {
  readonly #header = Buffer.alloc(FRAME_HEADER_BYTES);
  #headerBytes = 0;
  #payloadLeft = 0;
  #stream: StreamNumber = 0;

  /** The pieces in `chunk`; an empty frame is one empty piece. @throws Error when the bytes are no frames */
  push(chunk: Buffer): FramePiece[] {
    const pieces: FramePiece[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (this.#payloadLeft > 0) {
        const payload = chunk.subarray(at, at + this.#payloadLeft);
        this.#payloadLeft -= payload.length;
        at += payload.length;
        pieces.push({ stream: this.#stream, payload, last: this.#payloadLeft === 0 });
        continue;
      }
      const copied = chunk.copy(this.#header, this.#headerBytes, at, at + FRAME_HEADER_BYTES - this.#headerBytes);
      this.#headerBytes += copied;
      at += copied;
      if (this.#headerBytes < FRAME_HEADER_BYTES) break;
      this.#readHeader();
      if (this.#payloadLeft === 0) pieces.push({ stream: this.#stream, payload: Buffer.alloc(0), last: true });
    }
    return pieces;
  }

  /** Whether the stream may end here: between two frames. */
  get isBetweenFrames(): boolean {
    return this.#headerBytes === 0 && this.#payloadLeft === 0;
  }

  #readHeader(): void {
    const [stream, ...zeros] = this.#header.subarray(0, 4);
    if (!isStreamNumber(stream) || zeros.some((byte) => byte !== 0)) {
      throw new Error(`not a multiplexed stream: header ${this.#header.toString("hex")}`);
    }
    this.#stream = stream;
    this.#payloadLeft = this.#header.readUInt32BE(4);
    this.#headerBytes = 0;
  }
}

function isStreamNumber(byte: number | undefined): byte is StreamNumber {
  return byte !== undefined && byte <= 3;
}
