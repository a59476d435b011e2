/**
 * Copies of one container that run at the same time: none where agents have fences, as long as host and agent run; and of
 * two that the manager sees both one is stopped soon. Owns these rules.
 */
import type { Cluster } from "../../src/cluster/cluster.ts";
import { isRunning } from "../engine/container.ts";
import type { Agent } from "./agent.ts";
import type { Copy, History, Made } from "./history.ts";
import type { Host } from "./host.ts";
import type { VirtualTime } from "./time.ts";
import type { Complain } from "./witness.ts";

/** From when the manager that leads can ask both. */
const BOTH_MS = 10_000;
/** A machine that just got power runs what its engine starts by itself until the agent's first pass. */
const FIRST_PASS_MS = 6_000;
/**
 * An engine that wakes up, and carries out a restart that it was asked for before, starts what its agent has stopped: the
 * agent sees that with its next pass, not sooner.
 */
const NEXT_PASS_MS = 600;

export interface OverlapParts {
  readonly history: History;
  readonly hosts: readonly Host[];
  /** Without any where nodes have no fences. */
  readonly agents: ReadonlyMap<Host, Agent>;
  readonly time: VirtualTime;
  readonly complain: Complain;
}

export class Overlaps {
  readonly #parts: OverlapParts;
  /** Since when the cluster that leads sees more than one run. */
  readonly #seen = new Map<Made, { readonly by: Cluster; readonly since: number }>();
  readonly #told = new Set<Made>();
  /** Engine's container ID → when it was started last. */
  readonly #startedAt = new Map<string, number>();

  constructor(parts: OverlapParts) {
    this.#parts = parts;
    for (const { engine } of parts.hosts) {
      engine.daemon.events.subscribe(({ type, action, id }) => {
        if (type !== "container" || (action !== "start" && action !== "unpause")) return;
        if (action === "start") this.#startedAt.set(id, parts.time.now);
        this.#judgeFences();
      });
    }
  }

  /** To be called now and then. @param cluster of the manager that leads, if one does */
  look(cluster: Cluster | undefined): void {
    this.#judgeFences();
    const { history, time, complain } = this.#parts;
    for (const made of history.made) {
      const running = cluster ? this.#running(made).filter(({ host }) => sees(cluster, host)) : [];
      const seen = this.#seen.get(made);
      if (!cluster || running.length < 2) this.#seen.delete(made);
      else if (seen?.by !== cluster) this.#seen.set(made, { by: cluster, since: time.now });
      else if (time.now - seen.since > BOTH_MS && !made.meddled) {
        this.#seen.set(made, { by: cluster, since: Number.POSITIVE_INFINITY });
        complain("both", `${made.token} runs on ${names(running)}, and the manager has seen that for long`);
      }
    }
  }

  #running(made: Made): Copy[] {
    const { agents } = this.#parts;
    return made
      .living()
      .filter(
        ({ host, container }) => !host.down && isRunning(container) && agents.get(host)?.isFrozen(container) !== true,
      );
  }

  /** At once: what one host runs of a container and another one, too. */
  #judgeFences(): void {
    const { agents, history, time, complain } = this.#parts;
    if (agents.size === 0) return;
    for (const made of history.made) {
      if (this.#told.has(made) || made.meddled) continue;
      const running = this.#running(made);
      if (running.length < 2 || running.some((copy) => this.#isExcused(copy, time.now))) continue;
      this.#told.add(made);
      complain("fence", `${made.token} runs on ${names(running)} at once, whose agents run`);
    }
  }

  #isExcused({ host, container }: Copy, now: number): boolean {
    const { since, isOn = false } = this.#parts.agents.get(host) ?? {};
    if (since === undefined || (since > 0 && now - since < FIRST_PASS_MS)) return true;
    return isOn && now - (this.#startedAt.get(container.id) ?? Number.NEGATIVE_INFINITY) < NEXT_PASS_MS;
  }
}

const names = (copies: readonly Copy[]): string => copies.map(({ host }) => host.name).join(" and ");

function sees(cluster: Cluster, host: Host): boolean {
  const node = [...cluster.nodes.values()].find(({ address }) => address === host.entry);
  return host.well && node?.reachable === true;
}
