/** One body for several readers. Must not know what is in it. */
import { PassThrough, type Readable } from "node:stream";

/**
 * As many readers as asked for, each of all that comes: as fast as the slowest, so that nothing piles up. One that is
 * destroyed holds nobody back; when all are, the source is destroyed too. An error of the source is each reader's.
 */
export function tee(source: Readable, count: number): Readable[] {
  const readers = Array.from({ length: count }, () => new PassThrough());
  // Whoever reads learns of it as well; without a listener it would end the process.
  for (const reader of readers) reader.on("error", () => {});
  void pump(source, readers);
  return readers;
}

async function pump(source: Readable, readers: readonly PassThrough[]): Promise<void> {
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      const open = readers.filter((reader) => !reader.destroyed);
      if (open.length === 0) return;
      await Promise.all(open.map((reader) => written(reader, chunk)));
    }
    for (const reader of readers) reader.end();
  } catch (error) {
    for (const reader of readers) reader.destroy(error as Error);
  }
}

/** Resolves when the reader takes more, or is gone. */
function written(reader: PassThrough, chunk: Buffer): Promise<void> {
  if (reader.write(chunk)) return Promise.resolve();
  return new Promise((resolve) => {
    const settle = (): void => {
      reader.off("drain", settle).off("close", settle);
      resolve();
    };
    reader.on("drain", settle).on("close", settle);
    if (reader.destroyed) settle();
  });
}
