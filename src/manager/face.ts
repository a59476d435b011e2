/**
 * What clients see of this manager, whatever it is at the moment: the API of its own cluster, or another manager's. Owns
 * which of them answers now; must not know why.
 */
import type { Api } from "../api/api.ts";
import { noLeader } from "../api/by-leader.ts";
import type { Clock } from "../kit/clock.ts";
import { orAbort, withDeadline } from "../kit/deadline.ts";

export class Face {
  /** For the listeners: what it hands on to changes with `answerBy`. */
  readonly api: Api;
  #now: Api | undefined;

  /** @param headers name, value, … of every answer, whoever gives it */
  constructor(headers: readonly string[]) {
    const now = (): Api => {
      if (!this.#now) throw noLeader();
      return this.#now;
    };
    this.api = {
      headers,
      handler: async (request, answer) => now().handler(request, answer),
      takesUpgrade: (request) => this.#now?.takesUpgrade(request) ?? false,
      upgrade: async (upgrade) => now().upgrade(upgrade),
    };
  }

  /** Nobody answers from now on; resolves when what is under way is over, or `ms` have passed. */
  async rest(quiet: () => Promise<void>, clock: Clock, ms: number): Promise<void> {
    this.answerBy(undefined);
    if (ms <= 0) return;
    await withDeadline(clock, ms, "hand-over", (signal) => orAbort(quiet(), signal)).catch(() => undefined);
  }

  isBy(api: Api): boolean {
    return this.#now === api;
  }

  /** Undefined: nobody; what comes is refused until somebody does. */
  answerBy(api: Api | undefined): void {
    this.#now = api;
  }
}
