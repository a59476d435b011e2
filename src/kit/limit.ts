/** At most `width` pieces of asynchronous work at once; the rest wait in order, and no more than `most` of them. */
export class Limit {
  readonly #width: number;
  readonly #most: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(width: number, most: number) {
    this.#width = width;
    this.#most = most;
  }

  /** The outcome of `work`. Rejects with QueueFull at once when too many wait. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#width) {
      if (this.#waiting.length >= this.#most) throw new QueueFull(this.#most);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running++;
    try {
      return await work();
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }
}

/** As many wait as may. */
export class QueueFull extends Error {
  constructor(waiting: number) {
    super(`${waiting} wait already`);
    this.name = "QueueFull";
  }
}

/** The outcomes of `work` on each of `all`, in their order, at most `width` under way at once. Rejects as Promise.all does. */
export function mapAtMost<T, R>(width: number, all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const limit = new Limit(width, all.length);
  return Promise.all(all.map((one) => limit.run(() => work(one))));
}
