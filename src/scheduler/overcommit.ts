/** Integer arithmetic of capacity: totals with overcommit and percentages, exact for every safe integer. */

const PARTS = 1_000_000;

/**
 * `total` × (1 + `ratio`), rounded down. The ratio counts in millionths, so that 0.05 is five hundredths and not the
 * nearest binary fraction. A negative ratio holds capacity back.
 */
export function withOvercommit(total: number, ratio: number): number {
  const parts = Math.round(ratio * PARTS);
  const rest = total % PARTS;
  // In two steps, so that no product leaves the safe integers: total = whole × PARTS + rest.
  return total + ((total - rest) / PARTS) * parts + Math.floor((rest * parts) / PARTS);
}

/** `used` × 100 / `total` rounded down, as Go's integers divide. 100 when there is no total. */
export function percent(used: number, total: number): number {
  if (total <= 0) return 100;
  const hundredfold = used * 100;
  if (!Number.isSafeInteger(hundredfold)) return Number((BigInt(Math.trunc(used)) * 100n) / BigInt(total));
  return (hundredfold - (hundredfold % total)) / total;
}
