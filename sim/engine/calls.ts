/** Counts of calls by route, so that tests can bound how often an engine is asked. */

export class CallCounts {
  readonly #counts = new Map<string, number>();

  add(route: string): void {
    this.#counts.set(route, (this.#counts.get(route) ?? 0) + 1);
  }

  /** Of one route, such as `POST /containers/{name}/start`. */
  of(route: string): number {
    return this.#counts.get(route) ?? 0;
  }

  /** All calls but those to the named routes. */
  total(except: readonly string[] = []): number {
    let sum = 0;
    for (const [route, count] of this.#counts) if (!except.includes(route)) sum += count;
    return sum;
  }

  snapshot(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  reset(): void {
    this.#counts.clear();
  }
}
