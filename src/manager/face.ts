/**
 * What clients see of this manager, whatever it is at the moment: the API of its own cluster, or another manager's. Owns
 * which of them answers now; must not know why.
 */
import type { Api } from "../api/api.ts";
import { noLeader } from "../api/by-leader.ts";

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

  /** Undefined: nobody; what comes is refused until somebody does. */
  answerBy(api: Api | undefined): void {
    this.#now = api;
  }
}
