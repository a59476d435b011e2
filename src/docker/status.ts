/**
 * Docker's words for spans of time, and the Status column that holds one ("Up 3 minutes (healthy)").
 * Pure text; must not know the clock.
 */

const MINUTE = 60;
const HOUR = 3600;

/**
 * A span as Docker prints it: `Less than a second`, `About a minute`, `3 weeks`. Thresholds as in docker/go-units.
 * @param seconds fractions are cut off below an hour; hours are rounded to the nearest
 */
export function humanDuration(seconds: number): string {
  const whole = Math.trunc(seconds);
  if (whole < 1) return "Less than a second";
  if (whole === 1) return "1 second";
  if (whole < MINUTE) return `${whole} seconds`;
  const minutes = Math.trunc(seconds / MINUTE);
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.trunc(seconds / HOUR + 0.5);
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`;
  // Years alone are counted from hours cut off, not rounded.
  return `${Math.trunc(Math.trunc(seconds / HOUR) / 24 / 365)} years`;
}

/** The fixed parts around a status's duration. */
export interface StatusParts {
  readonly before: string;
  /** Undefined when the status has none, such as `Created`; `before` is the whole text then. */
  readonly duration: string | undefined;
  readonly after: string;
}

const DURATION =
  "Less than a second|About a minute|About an hour|1 second|\\d+ (?:seconds|minutes|hours|days|weeks|months|years)";
const UP = new RegExp(`^(Up )(${DURATION})((?: \\([^)]*\\))?)$`);
const AGO = new RegExp(`^((?:Exited|Restarting) \\(-?\\d+\\) )(${DURATION})( ago)$`);

/** Cuts a listed container's Status so that its duration can be written anew: `Up `, `3 minutes`, ` (healthy)`. */
export function splitStatus(status: string): StatusParts {
  const [, before, duration, after] = UP.exec(status) ?? AGO.exec(status) ?? [];
  if (before === undefined) return { before: status, duration: undefined, after: "" };
  return { before, duration, after: after ?? "" };
}

const UNIT_HOURS: Record<string, number> = { hours: 1, days: 24, weeks: 24 * 7, months: 24 * 30, years: 24 * 365 };

/**
 * The shortest span, in seconds, that `humanDuration` prints so: what is known of an age when only its words are.
 * Undefined when `text` is no such duration.
 */
export function durationSeconds(text: string): number | undefined {
  switch (text) {
    case "Less than a second":
      return 0;
    case "1 second":
      return 1;
    case "About a minute":
      return MINUTE;
    case "About an hour":
      return HOUR;
  }
  const [, digits, unit = ""] = /^(\d+) (seconds|minutes|hours|days|weeks|months|years)$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const count = Number(digits);
  if (unit === "seconds") return count;
  if (unit === "minutes") return count * MINUTE;
  const hours = count * (UNIT_HOURS[unit] ?? 0);
  // Rounding to the nearest hour: from half an hour before; years begin with the whole hour, but not before two years less half.
  if (unit === "years") return count < 2 ? (24 * 365 * 2 - 0.5) * HOUR : hours * HOUR;
  return (hours - 0.5) * HOUR;
}
