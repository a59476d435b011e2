/**
 * One container on one fenced node, an agent and a manager, each with its own clock, and what comes between them. The
 * agent's half and the manager's half of the fence are the real ones; the engine, and moving, are as simple as can be.
 */
import { type FencedHost, FenceHolder } from "../../src/agent/fence/holder.ts";
import type { NotedFence } from "../../src/agent/fence/note.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import type { ClusterNode } from "../../src/cluster/node.ts";
import { Fences } from "../../src/cluster/reschedule/fences.ts";
import { StoredFences } from "../../src/discovery/stored-fences.ts";
import type { Clock } from "../../src/kit/clock.ts";
import { silentLog } from "../../src/kit/log.ts";
import { type Random, seededRandom } from "../../src/kit/random.ts";
import { MemoryStore } from "../../src/store/drivers/memory.ts";
import { SimClock } from "../clock.ts";
import { FlakyBoard } from "./flaky-board.ts";
import { RateClock } from "./rate-clock.ts";

const NODE = "0123456789abcdef";
const ADDRESS = "10.0.0.1:2375";
export const TTL_MS = 5_000;
/** After a link to the node broke, until its manager finds it lost. */
const FOUND_LOST_MS = 3_000;

interface Manager {
  readonly stop: AbortController;
  readonly over: Promise<void>;
  readonly fences: Fences;
}

type State = "runs" | "frozen" | "ended";

export interface SceneOptions {
  readonly seed: number;
  /** The agent's and the manager's seconds in one second. */
  readonly rates?: readonly [number, number];
  /** How late requests to the board and their answers are, at most. */
  readonly slowMs?: number;
}

export class Scene {
  readonly clock = new SimClock();
  readonly random: Random;
  readonly board: StoredFences;
  readonly agentsBoard: FlakyBoard;
  readonly managersBoard: FlakyBoard;
  /** The engine stands still: it answers nobody, and starts nothing. */
  hung = false;
  /** The manager does not reach the node. */
  apart = false;
  /** Two copies ran at once, in plain words. */
  readonly twice: string[] = [];
  moves = 0;
  #here: State = "runs";
  #there = false;
  /** The manager has given the copy here up. */
  #replaced = false;
  #startsAgain = false;
  #cutSince: number | undefined;
  #note: NotedFence | undefined;
  readonly #agentClock: Clock;
  readonly #managerClock: Clock;
  #agent: { readonly stop: AbortController; readonly over: Promise<void> } | undefined;
  #manager: Manager;
  readonly #node: ClusterNode;
  readonly #stop = new AbortController();
  readonly #acting: Promise<void>;

  constructor({ seed, rates = [1, 1], slowMs = 20 }: SceneOptions) {
    this.random = seededRandom(seed);
    this.#agentClock = new RateClock(this.clock, rates[0], 500);
    this.#managerClock = new RateClock(this.clock, rates[1], 77_000);
    const store = new MemoryStore();
    const boardOf = (clock: Clock) => new StoredFences(store, clock, "fences/nodes/");
    this.board = boardOf(this.clock);
    this.agentsBoard = new FlakyBoard(boardOf(this.#agentClock), this.clock, this.random, slowMs);
    this.managersBoard = new FlakyBoard(boardOf(this.#managerClock), this.clock, this.random, slowMs);
    this.#node = this.#makeNode();
    this.#manager = this.#startManager();
    this.#acting = this.#act();
  }

  get copies(): { readonly here: State; readonly there: boolean } {
    return { here: this.#here, there: this.#there };
  }

  get fences(): Fences {
    return this.#manager.fences;
  }

  get node(): ClusterNode {
    return this.#node;
  }

  startAgent(): void {
    const stop = new AbortController();
    const holder = new FenceHolder({
      board: this.agentsBoard,
      host: this.#host(),
      note: { read: () => this.#note, write: (fence) => (this.#note = fence) },
      node: NODE,
      address: ADDRESS,
      ttlMs: TTL_MS,
      clock: this.#agentClock,
      random: this.random,
      log: silentLog,
    });
    this.#agent = { stop, over: holder.run(stop.signal) };
  }

  /** It ends in good order. */
  async stopAgent(): Promise<void> {
    this.#agent?.stop.abort();
    let ended = false;
    void this.#agent?.over.then(() => {
      ended = true;
    });
    this.#agent = undefined;
    for (let left = 100; !ended; left--) {
      if (left === 0) throw new Error("the agent does not end");
      await this.clock.advance(100);
    }
  }

  /** Another manager leads: it knows what the store holds, and nothing of what this one saw. */
  restartManager(): void {
    this.#manager.stop.abort();
    this.#manager = this.#startManager();
  }

  async close(): Promise<void> {
    for (const one of [this.#stop, this.#manager.stop, this.#agent?.stop]) one?.abort();
    const over = Promise.all([this.#acting, this.#manager.over, this.#agent?.over]);
    await this.clock.advance(10_000);
    await over;
  }

  #startManager(): Manager {
    const stop = new AbortController();
    const fences = new Fences(this.#cluster());
    return { stop, fences, over: fences.follow(this.managersBoard, stop.signal) };
  }

  #makeNode(): ClusterNode {
    const scene = this;
    const record = {
      engineId: "c".repeat(64),
      nonce: "n",
      removed: false,
      startsAgain: false,
      get state() {
        return scene.#here === "ended" ? "exited" : "running";
      },
    };
    const node = {
      id: NODE,
      name: "node-1",
      address: ADDRESS,
      fenceOn: false,
      touch() {},
      get reachable() {
        return scene.#reachable;
      },
      get containers() {
        return new Map(scene.#replaced ? [] : [[record.engineId, record]]);
      },
    };
    return node as unknown as ClusterNode;
  }

  #cluster(): Cluster {
    const cluster = {
      clock: this.#managerClock,
      random: this.random,
      log: silentLog,
      nodes: new Map([[NODE, this.#node]]),
      rescheduler: { wake() {}, restored: () => (this.#startsAgain = true) },
      registry: { own: async () => {} },
      refresher: { markAll() {} },
    };
    return cluster as unknown as Cluster;
  }

  get #reachable(): boolean {
    return !this.apart && !this.hung;
  }

  /** What the manager does besides: it moves what is lost, keeps aside what it replaced, starts what is to run again. */
  async #act(): Promise<void> {
    const pause = (ms: number): Promise<void> => this.clock.sleep(ms, this.#stop.signal).catch(() => undefined);
    while (!this.#stop.signal.aborted) {
      await pause(250);
      const now = this.clock.monotonic();
      if (this.#reachable) this.#cutSince = undefined;
      else this.#cutSince ??= now;
      if (this.#cutSince !== undefined && now - this.#cutSince >= FOUND_LOST_MS && !this.#replaced) {
        if (!this.#manager.fences.isClear(this.#node)) continue;
        this.#replaced = true;
        this.#startsAgain = false;
        this.moves++;
        await pause(this.random.int(1_500));
        this.#setThere(true);
      } else if (this.#reachable && this.#replaced) {
        // Kept aside; later it is moved back by hand.
        if (this.#here === "runs") this.#setHere("ended");
        if (this.#here !== "ended" || this.#node.fenceOn) continue;
        await pause(2_000 + this.random.int(3_000));
        if (!this.#reachable || this.#node.fenceOn) continue;
        this.#setThere(false);
        this.#replaced = false;
        this.#setHere("runs");
      } else if (this.#reachable && this.#startsAgain && !this.#node.fenceOn) {
        this.#startsAgain = false;
        if (this.#here === "ended") this.#setHere("runs");
      }
    }
  }

  #setHere(state: State): void {
    this.#here = state;
    this.#look("here");
  }

  #setThere(there: boolean): void {
    this.#there = there;
    this.#look("there");
  }

  #look(last: string): void {
    if (this.#here === "runs" && this.#there) this.twice.push(`since ${this.clock.monotonic()}, last ${last}`);
  }

  #host(): FencedHost {
    const pause = (ms: number): Promise<void> => this.clock.sleep(ms);
    const ids = ["c".repeat(64)];
    return {
      know: async () => {
        if (this.hung) throw new Error("hung");
      },
      still: async (politeMs, stopping) => {
        if (politeMs > 0 && this.hung) await pause(politeMs);
        else if (politeMs > 0 && this.#here === "runs") {
          stopping(ids);
          await pause(this.random.int(politeMs));
          if (!this.hung && this.#here === "runs") this.#setHere("ended");
        }
        if (this.#here !== "runs") return;
        stopping(ids);
        await pause(this.random.int(200));
        if (this.#here === "runs") this.#setHere("frozen");
      },
      end: async (stopping) => {
        if (this.hung) {
          await pause(2_000);
          throw new Error("hung");
        }
        if (this.#here === "ended") return true;
        stopping(ids);
        await pause(300);
        this.#setHere("ended");
        return false;
      },
    };
  }
}
