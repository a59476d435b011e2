/** Who is in the cluster: a driver turns a URL into a list of entries, and says when the list changes. */

/** One engine's address: `host:port` or `unix:///path`. */
export type Entry = string;

export interface Discovery {
  /** The URL as given. */
  readonly url: string;
  /**
   * Calls `onEntries` with the whole list at once and after every change until the signal aborts; a failed reading calls
   * `onError` and keeps the last list. Resolves when the signal aborts.
   */
  watch(
    onEntries: (entries: readonly Entry[]) => void,
    onError: (error: Error) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** The list now. */
  list(): Promise<readonly Entry[]>;
}
