/** The memory that all request bodies held at one time may take together. Owns the sum; must not know what they hold. */
import { overloaded } from "../../docker/errors.ts";
import { BODIES_BYTES } from "../../kit/limits.ts";

/** What one request holds. */
export interface HeldMemory {
  /** Throws DockerError 503 when all requests together would hold too much. */
  take(bytes: number): void;
  /** Gives everything back; calling it again is harmless. */
  release(): void;
}

export class BodyMemory {
  readonly #limit: number;
  #taken = 0;

  constructor(limit = BODIES_BYTES) {
    this.#limit = limit;
  }

  get taken(): number {
    return this.#taken;
  }

  hold(): HeldMemory {
    let own = 0;
    return {
      take: (bytes) => {
        if (this.#taken + bytes > this.#limit) throw overloaded("the manager holds as many request bodies as it can");
        own += bytes;
        this.#taken += bytes;
      },
      release: () => {
        this.#taken -= own;
        own = 0;
      },
    };
  }
}
