/**
 * One simulated engine on its machine: what state the machine and the network to it are in, and every call that is under
 * way. Owns the switches of its faults; must not know managers or clients.
 */
import type { Random } from "../../src/kit/random.ts";
import type { Answer } from "../engine/call.ts";
import { SimEngine } from "../engine/engine.ts";
import type { RawCall } from "../engine/handler.ts";
import { MB, type NodePlan, randomFor } from "./plan.ts";
import { MachineClock, type VirtualTime } from "./time.ts";

/** What a full disk says to creates and starts. */
const NO_SPACE = "failed to create prepare snapshot dir: mkdir /var/lib/docker/overlay2/x: no space left on device";

/** Told of every call that an engine has carried out. */
export type OnCall = (host: Host, call: { readonly method: string; readonly target: string }, status: number) => void;

export class Host {
  readonly name: string;
  /** The entry of a discovery list. */
  readonly entry: string;
  readonly engine: SimEngine;
  readonly clock: MachineClock;
  /** Of the network to it. */
  readonly random: Random;
  readonly memory: number;
  readonly nanoCpus: number;
  /** Nothing gets through, in neither direction; nobody is told. */
  partitioned = false;
  /** Percent of calls whose connection breaks, before or after they were carried out. */
  unstable = 0;
  /** Milliseconds added to each way, drawn anew for each call. */
  slowMs = 0;
  /** Percent of events that vanish on their way. */
  losing = 0;
  #diskFull = false;
  #down = false;
  #silent = false;
  readonly #onCall: OnCall;
  readonly #cuts = new Set<() => void>();
  readonly #healing: (() => void)[] = [];

  constructor(time: VirtualTime, seed: number, index: number, plan: NodePlan, onCall: OnCall) {
    this.name = `node-${index + 1}`;
    this.entry = `10.0.${index >> 8}.${(index & 255) + 1}:2375`;
    this.#onCall = onCall;
    this.random = randomFor(seed, `network of ${this.name}`);
    const random = randomFor(seed, this.name);
    this.clock = new MachineClock(time, random.int(2_000) - 1_000);
    this.memory = plan.memoryMb * MB;
    this.nanoCpus = plan.cpus * 1e9;
    this.engine = new SimEngine({
      clock: this.clock,
      random,
      name: this.name,
      cpus: plan.cpus,
      memory: this.memory,
      pullable: "any",
    });
  }

  get down(): boolean {
    return this.#down;
  }

  /** Without power: not even its kernel says that nobody listens. */
  get silent(): boolean {
    return this.#silent;
  }

  /** No fault is on: whoever asks is answered. */
  get well(): boolean {
    return (
      !this.#down &&
      !this.partitioned &&
      !this.engine.faults.isHung &&
      !this.#diskFull &&
      this.unstable === 0 &&
      this.losing === 0
    );
  }

  /** The power fails: connections break, processes end without an event. */
  fail(): void {
    this.#down = true;
    this.engine.faults.hung(false);
    for (const cut of [...this.#cuts]) cut();
    this.engine.daemon.events.forgetAll();
  }

  /** The same without a word to anybody: connections stay open, and nothing comes on them. */
  powerOff(): void {
    this.#down = true;
    this.#silent = true;
    this.engine.faults.hung(false);
    this.engine.daemon.events.forgetAll();
  }

  /** dockerd has started what it starts by itself before it answers anybody. */
  boot(): void {
    this.engine.daemon.lifecycle.powerCycle();
    this.#down = false;
    this.#silent = false;
    // Its kernel knows nothing of connections of before.
    for (const cut of [...this.#cuts]) cut();
  }

  heal(): void {
    this.partitioned = false;
    for (const heal of this.#healing.splice(0)) heal();
  }

  /** Called when the partition is over; at once without one. */
  whenHealed(fn: () => void): void {
    if (this.partitioned) this.#healing.push(fn);
    else fn();
  }

  diskFull(full: boolean): void {
    this.#diskFull = full;
    const { faults } = this.engine;
    if (!full) {
      faults.clear();
      return;
    }
    faults.failNext("create", 500, NO_SPACE, Number.POSITIVE_INFINITY);
    faults.failNext("start", 500, NO_SPACE, Number.POSITIVE_INFINITY);
  }

  /** Breaks every event stream. */
  cutEvents(): void {
    this.engine.faults.cutEvents();
  }

  /** `cut` is called when the machine fails; the answer takes it back. */
  onFail(cut: () => void): () => void {
    this.#cuts.add(cut);
    return () => this.#cuts.delete(cut);
  }

  /** One way over the network, milliseconds. Now and then a packet is sent again. */
  delay(): number {
    const { random } = this;
    const usual = 0.1 + random.int(3_000) / 1_000;
    const again = random.int(200) === 0 ? 200 + random.int(800) : 0;
    return usual + again + (this.slowMs > 0 ? random.int(this.slowMs) : 0);
  }

  /** Carries a call out, however long the engine hangs. */
  async carryOut(call: RawCall): Promise<Answer> {
    const answer = await this.engine.answer(call);
    this.#onCall(this, call, answer.status);
    return answer;
  }
}
