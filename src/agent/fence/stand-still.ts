/**
 * Brings what may be moved to a stand on this machine: by its engine where that answers, by freezing it where it does not.
 * What was frozen is ended by the engine as soon as it answers, so that it is not started again behind our back. Owns one
 * pass over the containers; must not know when one is due.
 */
import type { EngineClient } from "../../engine/client.ts";
import type { Clock } from "../../kit/clock.ts";
import { mapAtMost } from "../../kit/limit.ts";
import { FENCE_KILL_MS, FENCE_STOP_MS } from "../../kit/limits.ts";
import type { Cgroups, ContainerCgroup } from "./cgroups.ts";
import type { FencedHost, Stopping } from "./holder.ts";
import type { Movable } from "./movable.ts";

const RUNNING: ReadonlySet<string> = new Set(["running", "restarting"]);
const AT_ONCE = 64;

export class StandStill implements FencedHost {
  readonly #client: EngineClient;
  readonly #movable: Movable;
  readonly #cgroups: Pick<Cgroups, "running" | "freeze" | "kill">;
  readonly #clock: Clock;
  /** Thawed to die. */
  readonly #ending = new Set<string>();

  constructor(
    client: EngineClient,
    movable: Movable,
    cgroups: Pick<Cgroups, "running" | "freeze" | "kill">,
    clock: Clock,
  ) {
    this.#client = client;
    this.#movable = movable;
    this.#cgroups = cgroups;
    this.#clock = clock;
  }

  async know(): Promise<void> {
    await this.#movable.list();
  }

  async still(politeMs: number, stopping: Stopping): Promise<void> {
    if (politeMs > 0) await this.#stopPolitely(politeMs, stopping).catch(() => undefined);
    const running = (await this.#running()).filter(({ id, frozen }) => !frozen && !this.#ending.has(id));
    stopping(running.map(({ id }) => id));
    await mapAtMost(AT_ONCE, running, (cgroup) => this.#cgroups.freeze(cgroup));
  }

  async end(stopping: Stopping): Promise<boolean> {
    const left = (await this.#movable.list()).filter(({ State }) => RUNNING.has(State));
    if (left.length === 0) return true;
    stopping(left.map(({ Id }) => Id));
    const cgroups = new Map((await this.#running()).map((cgroup) => [cgroup.id, cgroup]));
    await mapAtMost(AT_ONCE, left, ({ Id }) => this.#endOne(Id, cgroups.get(Id)));
    return false;
  }

  async #running(): Promise<readonly ContainerCgroup[]> {
    const running: ContainerCgroup[] = [];
    for (const cgroup of await this.#cgroups.running()) if (await this.#movable.has(cgroup.id)) running.push(cgroup);
    return running;
  }

  /** Ends when everything has stopped, and after the time at the latest: the stops go on. */
  async #stopPolitely(politeMs: number, stopping: Stopping): Promise<void> {
    const until = this.#clock.monotonic() + politeMs;
    const rows = (await this.#movable.list(politeMs)).filter(({ State }) => RUNNING.has(State));
    const leftMs = Math.max(0, until - this.#clock.monotonic());
    // The engine kills what is left early enough to see it end.
    const seconds = Math.max(0, Math.floor(leftMs / 1000) - 1);
    stopping(rows.map(({ Id }) => Id));
    const stops = mapAtMost(AT_ONCE, rows, ({ Id }) => this.#ask(Id, `stop?t=${seconds}`).catch(() => undefined));
    const enough = new AbortController();
    await Promise.race([stops, this.#clock.sleep(leftMs, enough.signal).catch(() => undefined)]);
    enough.abort();
  }

  /** Its engine is to know that it was told to kill it before it ends: otherwise it would start it again. */
  async #endOne(id: string, cgroup: ContainerCgroup | undefined): Promise<void> {
    if (!cgroup) {
      await this.#ask(id, "stop?t=0").catch(() => undefined);
      return;
    }
    if (!cgroup.frozen) return;
    this.#ending.add(id);
    try {
      const told = this.#ask(id, "kill").catch(() => undefined);
      await this.#clock.sleep(FENCE_KILL_MS);
      await this.#cgroups.kill(cgroup);
      await told;
    } finally {
      this.#ending.delete(id);
    }
  }

  #ask(id: string, what: string): Promise<string> {
    return this.#client.text("POST", `/containers/${id}/${what}`, undefined, { deadlineMs: FENCE_STOP_MS });
  }
}
