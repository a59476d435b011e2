/**
 * A board as one party reaches it: late, or not at all. A request that nobody waits for any more may still arrive, and one
 * that arrived may go without an answer.
 */
import type { FenceBoard } from "../../src/discovery/fences.ts";
import type { Clock } from "../../src/kit/clock.ts";
import { orAbort } from "../../src/kit/deadline.ts";
import type { Random } from "../../src/kit/random.ts";

export class FlakyBoard implements FenceBoard {
  /** Requests get lost, or their answers. */
  cut = false;
  readonly #board: FenceBoard;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #slowMs: number;

  constructor(board: FenceBoard, clock: Clock, random: Random, slowMs: number) {
    this.#board = board;
    this.#clock = clock;
    this.#random = random;
    this.#slowMs = slowMs;
  }

  readonly list: FenceBoard["list"] = (signal) => this.#call(signal, () => this.#board.list());
  readonly get: FenceBoard["get"] = (node, signal) => this.#call(signal, () => this.#board.get(node));
  readonly write: FenceBoard["write"] = (node, record, version, signal) =>
    this.#call(signal, () => this.#board.write(node, record, version));

  async #call<T>(signal: AbortSignal | undefined, ask: () => Promise<T>): Promise<T> {
    const call = this.#both(ask);
    call.catch(() => undefined);
    return signal ? orAbort(call, signal) : call;
  }

  async #both<T>(ask: () => Promise<T>): Promise<T> {
    await this.#way();
    const answer = await ask();
    await this.#way();
    return answer;
  }

  async #way(): Promise<void> {
    await this.#clock.sleep(this.#random.int(this.#slowMs + 1));
    if (!this.cut) return;
    await this.#clock.sleep(3_000);
    // What was on its way when the link broke may be delivered late; more often it is lost.
    if (this.#random.int(3) > 0) throw new Error("cut off");
  }
}
