/**
 * Ways through the network between any two of a world's machines, each of which can be cut: nothing gets through then, in
 * neither direction, and nobody is told. Must not know what goes over them.
 */

export class Path {
  #cuts = 0;
  readonly #healing: (() => void)[] = [];
  readonly #cutting = new Set<() => void>();

  get isCut(): boolean {
    return this.#cuts > 0;
  }

  /** @returns what heals it; whole again when every cut is healed */
  cut(): () => void {
    this.#cuts++;
    for (const told of [...this.#cutting]) told();
    return () => {
      this.#cuts--;
      if (this.#cuts === 0) for (const go of this.#healing.splice(0)) go();
    };
  }

  /** At once, or when it is healed. */
  whenWhole(go: () => void): void {
    if (this.isCut) this.#healing.push(go);
    else go();
  }

  /** Called at each cut; the answer takes it back. */
  onCut(told: () => void): () => void {
    this.#cutting.add(told);
    return () => this.#cutting.delete(told);
  }
}

/** Between every pair, by name. */
export class Network {
  readonly #paths = new Map<string, Path>();

  between(one: string, other: string): Path {
    const pair = [one, other].sort().join(" ");
    const path = this.#paths.get(pair) ?? new Path();
    this.#paths.set(pair, path);
    return path;
  }
}
