/** Numbers as people read them, in docker's words. Must not know where they come from. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** An age in milliseconds as docker words it: `3 minutes`, `About an hour`, `2 weeks`. */
export function age(ms: number): string {
  if (ms < SECOND) return "Less than a second";
  const seconds = Math.floor(ms / SECOND);
  if (seconds === 1) return "1 second";
  if (ms < MINUTE) return `${seconds} seconds`;
  const minutes = Math.floor(ms / MINUTE);
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.round(ms / HOUR);
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  const days = Math.floor(ms / DAY);
  if (days < 14) return `${days} days`;
  if (days < 60) return `${Math.floor(days / 7)} weeks`;
  if (days < 730) return `${Math.floor(days / 30)} months`;
  return `${Math.floor(days / 365)} years`;
}

/** A text of several lines, such as a refusal, on one. */
export function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, "; ");
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** Bytes in binary units with at most three digits: `512MiB`, `1.95GiB`. */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toPrecision(3))}${UNITS[unit] ?? ""}`;
}

/** CPUs × 10⁹ as CPUs with at most two decimals: `1`, `0.35`. */
export function cpus(nano: number): string {
  return String(Math.round(nano / 1e7) / 100);
}
