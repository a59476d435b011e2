/** Sizes in the words of explanations: `1 GiB`, `0.5`. Rounded down, so that a free amount is never overstated. */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** Bytes as Docker writes them, four significant digits at most. Below zero is `0 B`. */
export function bytesText(bytes: number): string {
  let amount = Math.max(0, bytes);
  let unit = 0;
  while (amount >= 1024 && unit < UNITS.length - 1) {
    amount /= 1024;
    unit++;
  }
  return `${roundDown(amount)} ${UNITS[unit] ?? ""}`;
}

/** CPUs × 10⁹ as CPUs. */
export function cpusText(nanoCpus: number): string {
  return roundDown(Math.max(0, nanoCpus) / 1e9);
}

function roundDown(amount: number): string {
  const decimals = amount >= 1000 ? 1 : amount >= 100 ? 10 : amount >= 10 ? 100 : 1000;
  return String(Math.floor(amount * decimals) / decimals);
}
