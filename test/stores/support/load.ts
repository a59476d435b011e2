/**
 * Writers that never stop, whatever becomes of the server, and that know what they were told: which transactions were done,
 * which were certainly not, and which may have been. Afterwards the store has to agree.
 */
import { expect } from "vitest";
import type { Entry, Store, TxnResult, Version } from "../../../src/store/store.ts";
import { StoreError } from "../../../src/store/store.ts";
import { sleep } from "../../e2e/support/exec.ts";

/** No call may take longer. */
const CALL_MS = 1_500;
const PAUSE_MS = 10;
/** A call that outlives its signal by this much hangs. */
const HANG_MS = 30_000;

type Fate = { readonly version: Version | undefined } | "refused" | "uncertain";

export class Load {
  readonly #store: Store;
  readonly #prefix: string;
  readonly #value: string;
  /** Of each transaction, by the key that it alone wrote. */
  readonly #fates = new Map<string, Fate>();
  readonly #writers: Promise<void>[] = [];
  #stopped = false;
  #done = 0;
  #failed = 0;

  /** @param size characters of each value */
  constructor(store: Store, prefix: string, { writers = 4, size = 100 } = {}) {
    this.#store = store;
    this.#prefix = prefix;
    this.#value = "x".repeat(size);
    for (let writer = 0; writer < writers; writer++) this.#writers.push(this.#write(`${prefix}${writer}/`));
  }

  /** Calls that were answered. */
  get done(): number {
    return this.#done;
  }

  /** Calls that were not. */
  get failed(): number {
    return this.#failed;
  }

  /** Rejects when a call hangs. */
  async stop(): Promise<void> {
    this.#stopped = true;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error("a call to the store hangs")), HANG_MS);
    });
    await Promise.race([Promise.all(this.#writers), late]).finally(() => clearTimeout(timer));
  }

  /** Of what the store holds now: nothing that was done is lost, nothing was done twice or in part. */
  async verify(): Promise<readonly Entry[]> {
    const entries = await this.#store.list(this.#prefix);
    const held = new Map(entries.map((entry) => [entry.key, entry]));
    const wrong: string[] = [];
    const applied = new Map<string, number>();
    for (const [key, fate] of this.#fates) {
      const [first, second] = [held.get(`${key}/a`), held.get(`${key}/b`)];
      if ((first === undefined) !== (second === undefined)) wrong.push(`${key} was done in part`);
      if (fate === "refused" && first) wrong.push(`${key} was done although it was refused`);
      if (typeof fate === "object" && !first) wrong.push(`${key} is lost`);
      if (typeof fate === "object" && first && first.version !== fate.version) wrong.push(`${key} was done again`);
      const counter = key.slice(0, key.lastIndexOf("/"));
      if (first) applied.set(counter, (applied.get(counter) ?? 0) + 1);
    }
    for (const [counter, count] of applied) {
      const counted = Number(held.get(`${counter}/count`)?.value ?? 0);
      if (counted !== count) wrong.push(`${counter} counted ${counted}, and ${count} of its transactions are there`);
    }
    expect(wrong).toEqual([]);
    return entries;
  }

  /** Counts up: each transaction depends on the last, and leaves two keys of its own. */
  async #write(own: string): Promise<void> {
    for (let at = 1; !this.#stopped; at++) {
      const counter = await this.#ask((signal) => this.#store.get(`${own}count`, { signal }));
      if (counter === "failed") continue;
      const key = `${own}${at}`;
      this.#fates.set(key, "uncertain");
      const value = String(Number(counter?.value ?? 0) + 1);
      const result = await this.#ask(
        (signal) =>
          this.#store.txn(
            {
              conditions: [{ key: `${own}count`, version: counter?.version }],
              writes: [
                { key: `${own}count`, value },
                { key: `${key}/a`, value: this.#value },
                { key: `${key}/b`, value: this.#value },
              ],
            },
            { signal },
          ),
        (error) => this.#fates.set(key, error.uncertain ? "uncertain" : "refused"),
      );
      if (result !== "failed") this.#fates.set(key, fateOf(result));
      await sleep(PAUSE_MS);
    }
  }

  async #ask<T>(
    call: (signal: AbortSignal) => Promise<T>,
    onError?: (error: StoreError) => void,
  ): Promise<T | "failed"> {
    try {
      const answer = await call(AbortSignal.timeout(CALL_MS));
      this.#done++;
      return answer;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#failed++;
      onError?.(error);
      await sleep(PAUSE_MS);
      return "failed";
    }
  }
}

function fateOf(result: TxnResult): Fate {
  return result.ok ? { version: result.versions[1] } : "refused";
}
