/** Sizes in the words of explanations: `2.1 GiB`, `0.5`. */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** Bytes as Docker writes them, four significant digits at most. Below zero is `0 B`. */
export function bytesText(bytes: number): string {
  let amount = Math.max(0, bytes);
  let unit = 0;
  while (amount >= 1024 && unit < UNITS.length - 1) {
    amount /= 1024;
    unit++;
  }
  return `${rounded(amount)} ${UNITS[unit] ?? ""}`;
}

/** What is free when more was asked: never in the same words as what was asked. */
export function freeText(text: (amount: number) => string, free: number, asked: number): string {
  return text(free) === text(asked) ? `just under ${text(asked)}` : text(free);
}

/** CPUs × 10⁹ as CPUs. */
export function cpusText(nanoCpus: number): string {
  return rounded(Math.max(0, nanoCpus) / 1e9);
}

function rounded(amount: number): string {
  const decimals = amount >= 1000 ? 1 : amount >= 100 ? 10 : amount >= 10 ? 100 : 1000;
  return String(Math.round(amount * decimals) / decimals);
}
