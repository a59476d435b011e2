/**
 * What a tag means in the cluster: the one image that it was last pulled, loaded, made or given to through shoal. A node
 * that has another image under it counts as not having it. Owns these notes, kept in the store for the next manager; a
 * note that a crash loses leaves the tag to whatever the nodes have under it.
 */
import type { NodeImage } from "./image-index.ts";
import type { StoreWriter } from "./store-writer.ts";

export const TAGS = "tags/";

interface Meaning {
  /** Different image stores give one image different IDs. */
  readonly ids: readonly string[];
  readonly digests: readonly string[];
}

export class Tags {
  readonly #writer: StoreWriter;
  readonly #meanings = new Map<string, Meaning>();
  /** An earlier manager's, not held against what the nodes have yet. */
  #unchecked: string[] = [];

  constructor(writer: StoreWriter) {
    this.#writer = writer;
  }

  /** @param tag as engines list it; @param images the same one as several nodes have it, at least one */
  set(tag: string, images: readonly NodeImage[]): void {
    const meaning = {
      ids: [...new Set(images.map(({ id }) => id))],
      digests: [...new Set(images.flatMap(({ repoDigests }) => repoDigests))],
    };
    const value = JSON.stringify(meaning);
    if (JSON.stringify(this.#meanings.get(tag)) === value) return;
    this.#meanings.set(tag, meaning);
    this.#writer.later([{ key: TAGS + tag, value }]);
  }

  has(tag: string): boolean {
    return this.#meanings.has(tag);
  }

  /** Whether the tag may stand on the image: nothing is known of it, or this is the one. */
  allows(tag: string, { id, repoDigests }: NodeImage): boolean {
    const meaning = this.#meanings.get(tag);
    if (!meaning) return true;
    return meaning.ids.includes(id) || repoDigests.some((digest) => meaning.digests.includes(digest));
  }

  delete(tag: string): void {
    if (this.#meanings.delete(tag)) this.#writer.later([{ key: TAGS + tag, value: undefined }]);
  }

  /** Takes in an entry of the store. @returns false when it is none of these */
  restore(key: string, value: string): boolean {
    if (!key.startsWith(TAGS)) return false;
    const tag = key.slice(TAGS.length);
    const { ids = [], digests = [] } = JSON.parse(value) as Partial<Meaning>;
    this.#meanings.set(tag, { ids, digests });
    this.#unchecked.push(tag);
    return true;
  }

  /** One of these entries, which may be gone. */
  take(key: string, value: string | undefined): void {
    if (value === undefined) this.#meanings.delete(key.slice(TAGS.length));
    else this.restore(key, value);
  }

  /** Tags of an earlier manager that somebody may have removed meanwhile; each is told once. */
  takeUnchecked(): readonly string[] {
    const unchecked = this.#unchecked;
    this.#unchecked = [];
    return unchecked;
  }

  get someUnchecked(): boolean {
    return this.#unchecked.length > 0;
  }

  /** Into a store that lost them. */
  writeAgain(): void {
    for (const [tag, meaning] of this.#meanings) {
      this.#writer.later([{ key: TAGS + tag, value: JSON.stringify(meaning) }]);
    }
  }
}
