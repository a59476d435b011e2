/**
 * The agent of one simulated machine, from power-on to power-off: the real fence over the machine's engine, its cgroups and
 * the store that all share. Owns what is frozen there; must not know managers or checkers.
 */

import { FenceHolder } from "../../src/agent/fence/holder.ts";
import { Movable } from "../../src/agent/fence/movable.ts";
import type { NotedFence } from "../../src/agent/fence/note.ts";
import { StandStill } from "../../src/agent/fence/stand-still.ts";
import { decodeHint, HINT_LABEL } from "../../src/cluster/hint.ts";
import { StoredFences } from "../../src/discovery/stored-fences.ts";
import { EngineClient } from "../../src/engine/client.ts";
import { silentLog } from "../../src/kit/log.ts";
import type { Contents } from "../../src/store/contents.ts";
import { isRunning, type SimContainer } from "../engine/container.ts";
import type { Host } from "./host.ts";
import { Life } from "./life.ts";
import type { Path } from "./path.ts";
import { type Plan, randomFor } from "./plan.ts";
import { StoreLink } from "./store-link.ts";
import { MachineClock, type VirtualTime } from "./time.ts";

/** The least that --fence-ttl takes. */
const TTL_MS = 5_000;
/** Where fences are in the store. */
export const FENCES = "fences/nodes/";
/** Percent by which its clock runs faster or slower than true time, at most; and milliseconds by which it is off. */
const DRIFT = 2;
const OFFSET_MS = 500;
/** From a machine's power-on until its agent runs. */
const START_MS = 800;

export interface AgentParts {
  readonly plan: Plan;
  readonly time: VirtualTime;
  readonly host: Host;
  /** Between its machine and the store. */
  readonly path: Path;
  /** What the store holds of fences. */
  readonly contents: Contents;
  /** It stops nothing: the protection switched off. */
  readonly idle: boolean;
}

export class Agent {
  readonly #parts: AgentParts;
  readonly #frozen = new Set<string>();
  #note: NotedFence | undefined;
  #run: { readonly life: Life; readonly holder: FenceHolder; readonly since: number } | undefined;
  #lives = 0;

  constructor(parts: AgentParts) {
    this.#parts = parts;
    parts.host.engine.daemon.events.subscribe(({ type, action, id }) => {
      if (type === "container" && action === "die") this.#frozen.delete(id);
    });
  }

  /** Virtual milliseconds since when it runs; undefined while it does not. */
  get since(): number | undefined {
    return this.#run?.since;
  }

  /** What may be moved is not to run. */
  get isOn(): boolean {
    return this.#run?.holder.isOn === true;
  }

  /** Its processes take no step. */
  isFrozen({ id }: SimContainer): boolean {
    return this.#frozen.has(id);
  }

  /** The machine loses its power. */
  fail(): void {
    this.#run?.life.end();
    this.#run = undefined;
    this.#frozen.clear();
  }

  /** The machine has power again, or for the first time. */
  boot(delayMs = START_MS): void {
    const life = this.#lives++;
    this.#parts.time.after(delayMs, () => {
      if (!this.#run && life === this.#lives - 1 && !this.#parts.host.down) this.#start(life);
    });
  }

  #start(number: number): void {
    const { plan, time, host, path, contents } = this.#parts;
    const life = new Life();
    const who = `agent of ${host.name}`;
    const own = randomFor(plan.seed, `clock of the ${who}`);
    const rate = 1 + (own.int(2 * DRIFT * 100 + 1) / 100 - DRIFT) / 100;
    const offset = own.int(2 * OFFSET_MS) - OFFSET_MS;
    const clock = new MachineClock(time, offset, (fn) => life.whenAwake(fn, true), rate);
    const random = randomFor(plan.seed, `${who} ${number}`);
    const store = new StoreLink({ time, life, path, random, contents, taking: () => {} });
    const holder = new FenceHolder({
      board: new StoredFences(store, clock, FENCES),
      host: this.#fenced(clock),
      note: { read: () => this.#note, write: (fence) => (this.#note = fence) },
      node: host.name,
      address: host.entry,
      ttlMs: TTL_MS,
      clock,
      random,
      log: silentLog,
    });
    this.#run = { life, holder, since: time.now };
    void holder.run(new AbortController().signal);
  }

  #fenced(clock: MachineClock): StandStill {
    const { host, idle } = this.#parts;
    const client = new EngineClient({ wire: host.engine.wire(host.entry), clock, onFault: () => {} });
    const { containers, lifecycle } = host.engine.daemon;
    const find = (id: string): SimContainer | undefined => containers.all().find((one) => one.id === id);
    const cgroups = {
      running: async () =>
        containers
          .all()
          .filter((one) => !idle && isRunning(one))
          .map((one) => ({ id: one.id, path: one.id, frozen: this.isFrozen(one) || one.status === "paused" })),
      freeze: async ({ id }: { readonly id: string }) => void this.#frozen.add(id),
      kill: async ({ id }: { readonly id: string }) => {
        const container = find(id);
        if (container && isRunning(container)) lifecycle.kill(container, "SIGKILL");
      },
    };
    return new StandStill(client, new SimMovable(client, find, idle), cgroups, clock);
  }
}

/** What the engine did not tell is read from its files: here from itself. */
class SimMovable extends Movable {
  readonly #find: (id: string) => SimContainer | undefined;
  readonly #idle: boolean;

  constructor(client: EngineClient, find: (id: string) => SimContainer | undefined, idle: boolean) {
    super(client);
    this.#find = find;
    this.#idle = idle;
  }

  override async list(deadlineMs?: number): ReturnType<Movable["list"]> {
    return this.#idle ? [] : super.list(deadlineMs);
  }

  override async has(id: string): Promise<boolean> {
    const container = this.#find(id);
    if (!container) return false;
    const labels = (container.config.Labels ?? {}) as Readonly<Record<string, string>>;
    const moves = decodeHint(labels[HINT_LABEL])?.moves;
    return moves === "asked" || (moves === "unasked" && container.mounts.length === 0);
  }
}
