/**
 * Sizes as Docker reads and prints them: `2g`, `1.5GiB`, `2.053 GiB`, `133MB`. Rules of docker/go-units.
 * Pure text; must not know what is measured.
 */

import { badRequest } from "./errors.ts";

const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"] as const;
const DECIMAL = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"] as const;
const PREFIXES = "kmgtp";

/**
 * Bytes of a memory size: a decimal number and an optional suffix b, k, kb, kib … p, pb, pib in any letter case, all powers
 * of 1024; fractions of a byte are cut off.
 * @throws DockerError 400 `invalid size: '…'` or `invalid suffix: '…'`
 */
export function parseMemory(text: string): number {
  const [, number, suffix = ""] = /^(\+?(?:\d+\.?\d*|\.\d+))( ?[^0-9. ]*)$/.exec(text) ?? [];
  if (number === undefined) throw badRequest(`invalid size: '${text}'`);
  const unit = suffix.trimStart().toLowerCase();
  if (unit === "" || unit === "b") return Math.trunc(Number(number));
  const power = PREFIXES.indexOf(unit[0] ?? "") + 1;
  const rest = unit.slice(1);
  if (power === 0 || (rest !== "" && rest !== "b" && rest !== "ib")) throw badRequest(`invalid suffix: '${unit}'`);
  return Math.trunc(Number(number) * 1024 ** power);
}

/**
 * Bytes in powers of 1024 with four digits: `1 GiB`, `2.053 GiB`, as in `docker info`'s node lines.
 * @param separator between number and unit; `docker stats` and `docker info` themselves print none
 */
export function bytesSize(bytes: number, separator = " "): string {
  return scaled(bytes, 1024, BINARY, 4, separator);
}

/** Bytes in powers of 1000: `133MB`. @param digits 3 as in `docker images`, 4 as in most other places */
export function humanSize(bytes: number, digits: 3 | 4 = 4): string {
  return scaled(bytes, 1000, DECIMAL, digits, "");
}

function scaled(bytes: number, base: number, units: readonly string[], digits: number, separator: string): string {
  let size = bytes;
  let power = 0;
  while (size >= base && power < units.length - 1) {
    size /= base;
    power++;
  }
  return `${formatG(size, digits)}${separator}${units[power]}`;
}

/** C's and Go's `%.<digits>g` for numbers that are zero or at least 10⁻⁴. */
function formatG(value: number, digits: number): string {
  if (value === 0) return "0";
  const text = value.toPrecision(digits);
  const [mantissa = "", exponent] = text.split("e");
  const short = mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
  return exponent === undefined ? short : `${short}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
}
