/** Go's durations (`20s`, `1m30s`, `1.5h`), which classic Swarm's flags take. Grammar: Go's time.ParseDuration. */

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds. Throws an Error in Go's words: `time: invalid duration "x"`, `time: missing unit in duration "20"`. */
export function parseGoDuration(text: string): number {
  const quoted = JSON.stringify(text);
  const sign = text.startsWith("-") ? -1 : 1;
  const rest = text.replace(/^[+-]/, "");
  if (rest === "0") return 0;
  if (!/^(\d+\.?\d*|\.\d+)/.test(rest)) throw new Error(`time: invalid duration ${quoted}`);
  let total = 0;
  let at = 0;
  const part = /(\d+\.?\d*|\.\d+)([^\d.]*)/y;
  while (at < rest.length) {
    part.lastIndex = at;
    const match = part.exec(rest);
    if (!match) throw new Error(`time: invalid duration ${quoted}`);
    const [whole, number = "", unit = ""] = match;
    if (unit === "") throw new Error(`time: missing unit in duration ${quoted}`);
    const ms = UNIT_MS[unit];
    if (ms === undefined) throw new Error(`time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`);
    total += Number(number) * ms;
    at += whole.length;
  }
  return sign * total;
}
