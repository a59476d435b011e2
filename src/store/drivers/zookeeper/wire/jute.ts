/** Jute, the form of ZooKeeper's messages: big-endian numbers, and buffers and texts after their length. Owns no message. */

export class JuteWriter {
  readonly #parts: Buffer[] = [];

  int(value: number): this {
    const part = Buffer.allocUnsafe(4);
    part.writeInt32BE(value);
    return this.#push(part);
  }

  long(value: bigint): this {
    const part = Buffer.allocUnsafe(8);
    part.writeBigInt64BE(value);
    return this.#push(part);
  }

  boolean(value: boolean): this {
    return this.#push(Buffer.of(value ? 1 : 0));
  }

  buffer(value: Buffer): this {
    return this.int(value.length).#push(value);
  }

  text(value: string): this {
    return this.buffer(Buffer.from(value));
  }

  /** All of it, after its length. */
  framed(): Buffer {
    const length = this.#parts.reduce((sum, part) => sum + part.length, 0);
    const head = Buffer.allocUnsafe(4);
    head.writeInt32BE(length);
    return Buffer.concat([head, ...this.#parts]);
  }

  #push(part: Buffer): this {
    this.#parts.push(part);
    return this;
  }
}

/** Reads in order; throws RangeError beyond the end. */
export class JuteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int(): number {
    const value = this.#bytes.readInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  long(): bigint {
    const value = this.#bytes.readBigInt64BE(this.#at);
    this.#at += 8;
    return value;
  }

  boolean(): boolean {
    return this.#bytes.readInt8(this.#at++) !== 0;
  }

  /** An absent one is empty. */
  buffer(): Buffer {
    const length = Math.max(0, this.int());
    if (this.#at + length > this.#bytes.length) throw new RangeError("a message of ZooKeeper ends too early");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  text(): string {
    return this.buffer().toString("utf8");
  }

  list<T>(read: () => T): readonly T[] {
    return Array.from({ length: Math.max(0, this.int()) }, read);
  }
}
