/**
 * One node of the cluster: an engine with its identity, its view for the scheduler.
 * Owns the facts of one node; must not know other nodes.
 */
import type { Entry } from "../discovery/discovery.ts";
import type { Engine } from "../engine/engine.ts";
import type { EngineFacts } from "../engine/facts.ts";
import type { EngineState } from "../engine/observer.ts";
import type { NodeView } from "../scheduler/node-view.ts";
import type { Availability } from "./availability.ts";
import type { ContainerRecord } from "./record.ts";
import { ToldEvents } from "./told-events.ts";

export class ClusterNode {
  /** Opaque; issued when it joined, or derived from its address. */
  readonly id: string;
  /** What discovery says of it now; its address stays the same. */
  entry: Entry;
  /** What published ports show; "" leaves the engine's own words (a unix socket: the client's own machine). */
  ip: string;
  readonly engine: Engine;
  /** Engine container ID → record. */
  readonly containers = new Map<string, ContainerRecord>();
  /** Engine containers that are no part of the cluster: copies that another node replaced. */
  readonly ignored = new Set<string>();
  readonly told = new ToldEvents();
  /** Engine containers that left, and when (monotonic milliseconds): a list begun before must not bring them back. */
  readonly gone = new Map<string, number>();
  /** When it was asked for a network that it had no address pool left for (monotonic milliseconds). */
  poolsEndedAt = -Infinity;
  /** When a network went from it, or its engine was connected: it may have address pools again. */
  poolsFreedAt = -Infinity;

  name: string;
  /** With name and labels from discovery, where it gives any. */
  facts: EngineFacts | undefined;
  /** As its engine says. */
  ownFacts: EngineFacts | undefined;
  state: EngineState = "pending";
  error: string | undefined;
  /** What an operator wants of it. */
  availability: Availability = "active";
  /** Its agent stops what may be moved as soon as it starts: it takes nothing new. */
  fenceOn = false;
  /** Why it may not serve although its engine answers (the same engine under two addresses). */
  blocked: string | undefined;
  /** The engine (its own ID) that answered here before with containers that another one does not have. */
  replaced: { readonly engine: string; readonly warning: string } | undefined;
  /** Lists were read at least once: what lives there is known, if perhaps old. */
  known = false;
  /** Containers whose needs nobody knows yet: it takes nothing new while there are any. */
  unmeasured = 0;
  /** The containers found at the first reading are measured: later ones are few, and do not close the node. */
  measuredOnce = false;
  /** Containers of which a hint told the needs: labels cannot follow `docker update`, so the engine is asked when it has time. */
  readonly unconfirmed = new Set<ContainerRecord>();
  /** Creates in a row that failed for its own reason (a full disk). */
  failures = 0;
  /** What the last of them failed with, while the node is asked last for it. */
  distress: string | undefined;
  /** Wall clock in milliseconds of the last news from it. */
  updatedAt: number;
  /** Monotonic milliseconds when it joined. */
  readonly joinedAt: number;
  /** Containers, those being placed included; busy: they run, or are about to. */
  readonly count = { all: 0, running: 0, paused: 0, busy: 0 };

  #view: NodeView | undefined;

  constructor(options: { id: string; entry: Entry; ip: string; engine: Engine; now: number; joinedAt: number }) {
    this.id = options.id;
    this.entry = options.entry;
    this.ip = options.ip;
    this.engine = options.engine;
    this.name = options.entry.name ?? options.entry.address;
    this.updatedAt = options.now;
    this.joinedAt = options.joinedAt;
  }

  /** `host:port` or `unix:///path`. */
  get address(): string {
    return this.entry.address;
  }

  /** Its engine answers, and it is no double. */
  get reachable(): boolean {
    return this.state === "healthy" && this.blocked === undefined;
  }

  /** It takes nothing new. */
  get cordoned(): boolean {
    return this.availability !== "active";
  }

  /** What can leave it shall. */
  get draining(): boolean {
    return this.availability === "draining" || this.forced;
  }

  /** What cannot leave it is stopped, and started again when it is active. */
  get forced(): boolean {
    return this.availability === "forced";
  }

  get whyUnreachable(): string {
    return this.blocked ?? this.error ?? this.state;
  }

  /** It has an address pool for another network, as far as anybody knows. */
  get hasPools(): boolean {
    return this.poolsFreedAt >= this.poolsEndedAt;
  }

  /** The scheduler's view: a new object whenever a fact in it changed, the same one otherwise. */
  get view(): NodeView {
    this.#view ??= this.#makeView();
    return this.#view;
  }

  /** To be called after any change of a fact that the view shows. */
  touch(): void {
    this.#view = undefined;
  }

  #makeView(): NodeView {
    const { facts } = this;
    return {
      id: this.id,
      name: this.name,
      healthy: this.reachable && this.known && this.measuredOnce && !this.fenceOn,
      cordoned: this.cordoned,
      distressed: this.distress !== undefined,
      labels: facts?.labels ?? new Map(),
      standard: new Map([
        ["node", this.name],
        ["storagedriver", facts?.storageDriver ?? ""],
        ["driver", facts?.storageDriver ?? ""],
        ["executiondriver", facts?.executionDriver ?? ""],
        ["kernelversion", facts?.kernelVersion ?? ""],
        ["operatingsystem", facts?.operatingSystem ?? ""],
        ["ostype", facts?.osType ?? ""],
        ["architecture", facts?.architecture ?? ""],
      ]),
      apiVersion: facts?.apiVersion ?? "1.24",
      minApiVersion: facts?.minApiVersion ?? "1.24",
      nanoCpus: (facts?.cpus ?? 0) * 1e9,
      memory: facts?.memory ?? 0,
    };
  }
}
