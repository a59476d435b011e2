/**
 * Points in time as the Engine API writes and reads them, exact to the nanosecond (a JavaScript number holds no such time).
 * Pure; "now" is passed in.
 */

import { DURATION_CHARS } from "../kit/limits.ts";
import { badRequest } from "./errors.ts";

/** Seconds since the Unix epoch, rounded down, and 0 to 999,999,999 nanoseconds more. */
export interface Moment {
  readonly seconds: number;
  readonly nanos: number;
}

const NANOS = 1_000_000_000n;

/** Negative, zero or positive as `a` is before, at or after `b`. */
export function compareMoments(a: Moment, b: Moment): number {
  return a.seconds - b.seconds || a.nanos - b.nanos;
}

export function momentFromMs(ms: number): Moment {
  return momentFromNanos(BigInt(Math.floor(ms * 1000)) * 1000n);
}

/** Whole milliseconds since the epoch, rounded down. */
export function momentToMs({ seconds, nanos }: Moment): number {
  return seconds * 1000 + Math.floor(nanos / 1_000_000);
}

/** Nanoseconds since the epoch, such as an event's timeNano (which JSON.parse rounds: take it from the text). */
export function momentFromNanos(total: bigint): Moment {
  const nanos = ((total % NANOS) + NANOS) % NANOS;
  return { seconds: Number((total - nanos) / NANOS), nanos: Number(nanos) };
}

export function momentToNanos({ seconds, nanos }: Moment): bigint {
  return BigInt(seconds) * NANOS + BigInt(nanos);
}

/**
 * What `since`, `until` and their filters take: Unix seconds with up to nine digits behind a point, RFC 3339 in full or cut
 * short (`2006-01-02T15:04`, `2006-01-02`; without a zone: UTC), or a Go duration before now (`10m`, `1h30m`).
 *
 * @param nowMs what a duration counts back from, milliseconds since the epoch
 * @throws DockerError 400
 */
export function parseTimestamp(text: string, nowMs: number): Moment {
  // Go's ParseDuration takes a bare 0 as well; here it is the epoch.
  const ago = text === "0" ? undefined : parseGoDuration(text);
  if (ago !== undefined) return momentFromNanos(momentToNanos(momentFromMs(nowMs)) - ago);
  const moment = parseUnix(text) ?? parseDate(text);
  if (moment === undefined) throw badRequest(`failed to parse value as time or duration: ${JSON.stringify(text)}`);
  return moment;
}

/** `1700000000`, `1700000000.000000001`, also negative. */
export function parseUnix(text: string): Moment | undefined {
  const [, sign, seconds, fraction = ""] = /^(-?)(\d{1,12})(?:\.(\d{0,9}))?$/.exec(text) ?? [];
  if (seconds === undefined) return undefined;
  const total = BigInt(seconds) * NANOS + BigInt(fraction.padEnd(9, "0"));
  return momentFromNanos(sign === "-" ? -total : total);
}

const DATE = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d{1,9})\d*)?)?)?)?(Z|z|[+-]\d\d:\d\d)?$/;

/** RFC 3339, whole or cut short behind the date, the hour or the minute; UTC when no zone is given. */
export function parseDate(text: string): Moment | undefined {
  const match = DATE.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const offset = zoneSeconds(match[8] ?? "Z");
  if (offset === undefined) return undefined;
  // setUTCFullYear, because Date.UTC takes the years 0 to 99 for 1900 to 1999.
  const midnight = new Date(0);
  midnight.setUTCFullYear(year, month - 1, day);
  // The 31st of a shorter month rolls over into the next.
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return undefined;
  const seconds = midnight.getTime() / 1000 + hour * 3600 + minute * 60 + second - offset;
  return { seconds, nanos: Number((match[7] ?? "").padEnd(9, "0")) };
}

function zoneSeconds(zone: string): number | undefined {
  if (zone === "Z" || zone === "z") return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 3600 + minutes * 60);
}

const UNITS: Record<string, bigint> = {
  ns: 1n,
  us: 1_000n,
  "\u00b5s": 1_000n,
  "\u03bcs": 1_000n,
  ms: 1_000_000n,
  s: NANOS,
  m: 60n * NANOS,
  h: 3600n * NANOS,
};
const DURATION = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)$/;

/** Nanoseconds of a duration as Go writes it: `1h30m`, `-1.5s`, `300ms`; undefined when it is none. Fractions of a nanosecond are cut off. */
export function parseGoDuration(text: string): bigint | undefined {
  if (text === "0") return 0n;
  if (text.length > DURATION_CHARS) return undefined;
  const [, sign, parts] = DURATION.exec(text) ?? [];
  if (parts === undefined) return undefined;
  let total = 0n;
  for (const [, whole = "", fraction = "", unit = ""] of parts.matchAll(/(\d*)(?:\.(\d*))?([a-z\u00b5\u03bc]+)/g)) {
    const factor = UNITS[unit] ?? 0n;
    total += BigInt(whole || "0") * factor + (BigInt(fraction || "0") * factor) / 10n ** BigInt(fraction.length);
  }
  return sign === "-" ? -total : total;
}

/** RFC3339Nano as Go prints it in UTC: trailing zeros of the fraction are dropped, and the point with the last. */
export function formatMoment({ seconds, nanos }: Moment): string {
  const whole = new Date(seconds * 1000).toISOString().slice(0, -5);
  const fraction = nanos === 0 ? "" : `.${String(nanos).padStart(9, "0").replace(/0+$/, "")}`;
  return `${whole}${fraction}Z`;
}

/** As queries and `parseUnix` take it: `1700000000.000000001`. */
export function formatUnix(moment: Moment): string {
  const total = momentToNanos(moment);
  const size = total < 0n ? -total : total;
  return `${total < 0n ? "-" : ""}${size / NANOS}.${String(size % NANOS).padStart(9, "0")}`;
}
