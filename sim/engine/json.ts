/** Reading of posted JSON: accessors that never throw. Must not know what the fields mean. */

export type Json = Record<string, unknown>;

export const obj = (value: unknown): Json =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
export const str = (value: unknown): string => (typeof value === "string" ? value : "");
export const num = (value: unknown): number => (typeof value === "number" ? value : 0);
export const bool = (value: unknown): boolean => value === true;
export const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
export const strings = (value: unknown): string[] => list(value).map(String);

/** A string map such as labels. */
export function stringMap(value: unknown): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [key, item] of Object.entries(obj(value))) out[key] = String(item);
  return out;
}

/** A query's boolean as dockerd reads it: everything but "", "0", "no", "false" and "none" is true. */
export function flag(value: string | null): boolean {
  return !["", "0", "no", "false", "none"].includes((value ?? "").trim().toLowerCase());
}

/** Go's time format with nanoseconds; 0 is Go's zero time. */
export function goTime(ms: number): string {
  return ms === 0 ? "0001-01-01T00:00:00Z" : new Date(ms).toISOString().replace(/Z$/, "000000Z");
}
