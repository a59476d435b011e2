/** A compiled pattern over names, IDs, tags or label values. */
export interface Matcher {
  /** Set when only this very string can match: an index look-up then answers without a scan. */
  readonly exact?: string;
  test(value: string): boolean;
}
