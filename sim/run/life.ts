/**
 * One manager process between its start and its death. It may die at any call to the outside: everything that it still
 * does afterwards reaches nobody. Owns the moment of death.
 */

export class Life {
  readonly #mourners = new Set<() => void>();
  #alive = true;
  #doom: { left: number; readonly sent: boolean } | undefined;

  get alive(): boolean {
    return this.#alive;
  }

  /** It dies at its `io`-th call from now; `sent`: that one still goes out. */
  doom(io: number, sent: boolean): void {
    if (this.#alive) this.#doom = { left: io, sent };
  }

  /** Asked before each call to the outside: false when it reaches nobody. */
  goesOut(): boolean {
    if (!this.#alive) return false;
    if (!this.#doom || this.#doom.left-- > 0) return true;
    const { sent } = this.#doom;
    this.end();
    return sent;
  }

  /** kill -9. */
  end(): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const mourn of [...this.#mourners]) mourn();
    this.#mourners.clear();
  }

  /** Calls back at its death; the answer takes it back. */
  onEnd(fn: () => void): () => void {
    this.#mourners.add(fn);
    return () => this.#mourners.delete(fn);
  }
}

/** What a dead process waits for. */
export const never = <T>(): Promise<T> => new Promise<T>(() => {});
