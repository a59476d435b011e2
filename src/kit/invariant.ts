/** Assertions that stay on: a broken invariant is a bug in shoal, and is said so. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`shoal bug: ${message}`);
}

/** For the `default:` of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new Error(`shoal bug: unexpected ${String(value)}`);
}
