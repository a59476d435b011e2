/** Finds by a prefix of a hexadecimal ID without a scan of all: buckets by the first four characters. */
const BUCKET = 4;

export class PrefixIndex<T> {
  readonly #buckets = new Map<string, Map<string, T>>();

  add(id: string, value: T): void {
    const key = id.slice(0, BUCKET);
    let bucket = this.#buckets.get(key);
    if (!bucket) {
      bucket = new Map();
      this.#buckets.set(key, bucket);
    }
    bucket.set(id, value);
  }

  delete(id: string): void {
    const key = id.slice(0, BUCKET);
    const bucket = this.#buckets.get(key);
    bucket?.delete(id);
    if (bucket?.size === 0) this.#buckets.delete(key);
  }

  /** Up to `most` values whose ID begins with `prefix`. */
  find(prefix: string, most = 2): T[] {
    const found: T[] = [];
    const take = (bucket: Map<string, T> | undefined): void => {
      for (const [id, value] of bucket ?? []) {
        if (found.length >= most) return;
        if (id.startsWith(prefix)) found.push(value);
      }
    };
    if (prefix.length >= BUCKET) {
      take(this.#buckets.get(prefix.slice(0, BUCKET)));
      return found;
    }
    for (const [key, bucket] of this.#buckets) {
      if (key.startsWith(prefix)) take(bucket);
      if (found.length >= most) break;
    }
    return found;
  }
}
