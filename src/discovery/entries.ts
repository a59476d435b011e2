/**
 * Discovery entries as users write them: `host`, `host:port`, `tcp://host:port`, `unix:///path`, with ranges such as
 * `10.0.0.[10:20]`. Owns their grammar; must not know where they were written.
 */

import { DISCOVERY_ENTRIES } from "../kit/limits.ts";

const DEFAULT_PORT = 2375;
const RANGE = /\[(\d{1,10}):(\d{1,10})\]/;
const HOST = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/;
const IPV6 = /^\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9._-]+)?\]$/;

/**
 * All addresses that `texts` stand for, in order, ranges expanded, each once. Empty texts are left out.
 * @throws Error one sentence that names the text at fault, or DISCOVERY_ENTRIES when there are more
 */
export function expandEntries(texts: readonly string[]): readonly string[] {
  const entries = new Set<string>();
  for (const text of texts) {
    const trimmed = text.trim();
    if (trimmed === "") continue;
    for (const expanded of expandRanges(trimmed)) {
      entries.add(parseEntry(expanded));
      if (entries.size > DISCOVERY_ENTRIES) throw tooMany(trimmed);
    }
  }
  return [...entries];
}

/** Every combination of the ranges in `text`; a first number such as 01 keeps its width: `node-[01:12]`. */
function expandRanges(text: string): string[] {
  const pieces: string[][] = [];
  let combinations = 1;
  let rest = text;
  for (let match = RANGE.exec(rest); match !== null; match = RANGE.exec(rest)) {
    const [whole, first = "", last = ""] = match;
    const count = Number(last) - Number(first) + 1;
    if (count < 1)
      throw new Error(`bad range ${whole} in discovery entry "${text}": the first number is above the last`);
    combinations *= count;
    if (combinations > DISCOVERY_ENTRIES) throw tooMany(text);
    const width = first.startsWith("0") ? first.length : 0;
    const numbers = Array.from({ length: count }, (_, i) => String(Number(first) + i).padStart(width, "0"));
    pieces.push([rest.slice(0, match.index)], numbers);
    rest = rest.slice(match.index + whole.length);
  }
  pieces.push([rest]);
  return pieces.reduce((heads, tails) => heads.flatMap((head) => tails.map((tail) => head + tail)), [""]);
}

function tooMany(text: string): Error {
  return new Error(`discovery entry "${text}" makes more than ${DISCOVERY_ENTRIES} entries`);
}

/**
 * The address of one entry without ranges in its normal form, `host:port` or `unix:///path`; the port is 2375 when none is given.
 * @throws Error one sentence
 */
export function parseEntry(text: string): string {
  if (text.startsWith("unix://")) {
    const path = text.slice("unix://".length);
    if (!path.startsWith("/"))
      throw new Error(`bad discovery entry "${text}": a unix socket's path begins with a slash`);
    return text;
  }
  const address = text.startsWith("tcp://") ? text.slice("tcp://".length).replace(/\/$/, "") : text;
  if (address.includes("://")) throw new Error(`bad discovery entry "${text}": expected host:port or unix:///path`);
  if (RANGE_LIKE.test(address)) throw new Error(`bad range in discovery entry "${text}": expected [first:last]`);
  const [, host = "", port] = /^(\[[^\]]*\]|[^:]*)(?::([^:]*))?$/.exec(address) ?? [];
  if (!HOST.test(host) && !IPV6.test(host)) {
    const hint =
      address.split(":").length > 2 && !address.startsWith("[") ? " (an IPv6 address stands in brackets)" : "";
    throw new Error(`bad host in discovery entry "${text}": expected host:port or unix:///path${hint}`);
  }
  if (port === undefined) return `${host}:${DEFAULT_PORT}`;
  const number = /^\d{1,5}$/.test(port) ? Number(port) : 0;
  if (number < 1 || number > 65535) throw new Error(`bad port in discovery entry "${text}": expected 1 to 65535`);
  return `${host}:${number}`;
}

/** Brackets that are neither a range nor, at the beginning, an IPv6 address. */
const RANGE_LIKE = /^.+\[|^\[[^\]]*\][^:]|^\[[^\]]*$|^\[[^:]*\]/;
