/** Engine API versions: `1.41` compares as (1, 41), never as a number. */

/** What shoal itself speaks to clients, unless `--api-version` pins another. */
export const API_VERSION = "1.51";
/** The oldest version that a client may ask for. */
export const MIN_API_VERSION = "1.24";

/**
 * What shoal calls its version: clients read a Docker version off its start (cAdvisor refuses one below 1.0.0), so it begins
 * with the release of Docker whose API shoal speaks; shoal's own follows as build metadata (semver.org, 10).
 */
export function serverVersion(own: string): string {
  return `28.5.0+shoal.${own}`;
}

const SHAPE = /^(\d{1,3})\.(\d{1,3})$/;

export function isVersion(text: string): boolean {
  return SHAPE.test(text);
}

/** Negative, zero or positive as `a` is older than, equal to or newer than `b`. */
export function compareVersions(a: string, b: string): number {
  const [, aMajor = "0", aMinor = "0"] = SHAPE.exec(a) ?? [];
  const [, bMajor = "0", bMinor = "0"] = SHAPE.exec(b) ?? [];
  return Number(aMajor) - Number(bMajor) || Number(aMinor) - Number(bMinor);
}

/** The version nearest to `wanted` within [min, max]. */
export function clampVersion(wanted: string, min: string, max: string): string {
  if (compareVersions(wanted, min) < 0) return min;
  return compareVersions(wanted, max) > 0 ? max : wanted;
}
