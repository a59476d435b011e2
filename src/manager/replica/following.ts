/**
 * What a replica knows itself while another manager leads, or nobody: a cluster that follows the leader, made anew for each
 * leadership. Owns which one that is, and what is answered from it; what it must not answer the leader does.
 */
import { setMaxListeners } from "node:events";
import { type Api, createApi } from "../../api/api.ts";
import { type Own, PASSED } from "../../api/by-leader.ts";
import type { ApiRequest } from "../../api/listener/request.ts";
import { ROUTES } from "../../api/table.ts";
import type { News, Position } from "../../cluster/changes.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import type { HostFacts } from "../../cluster/info.ts";
import type { Discovery } from "../../discovery/discovery.ts";
import { readWhole } from "../../engine/client.ts";
import { type EngineWire, WireError } from "../../engine/wire/wire.ts";
import type { Clock } from "../../kit/clock.ts";
import { orAbort, withDeadline } from "../../kit/deadline.ts";
import type { Logger } from "../../kit/log.ts";
import {
  CHANGES_BYTES,
  CHANGES_EVERY_MS,
  CHANGES_MS,
  FOLLOW_LINGER_MS,
  LEADER_POLL_MS,
  LEADER_WAIT_MS,
  LEADER_WAITING,
} from "../../kit/replica-limits.ts";
import { Follower } from "./follower.ts";

export interface FollowingParts {
  /** Of this manager: what it says when it asks. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly host: HostFacts;
  readonly discovery: Discovery;
  /** Aborts when open streams have had their time. */
  readonly stopping: AbortSignal;
  /** Undefined while nobody leads, or this manager itself. */
  readonly leader: () => EngineWire | undefined;
  /** There will be no leader before somebody mends something, or this manager leads itself. */
  readonly hopeless: () => boolean;
  /** A cluster that changes nothing. */
  readonly openCluster: () => Cluster;
}

/** Of the manager itself, whoever leads. */
const ALWAYS = new Set(["GET /_ping", "HEAD /_ping", "GET /version"]);
/** What the cache shows, or a node that it names. */
const CACHED = new Set([
  "GET /containers/json",
  "GET /containers/{name}/json",
  "GET /images/json",
  "GET /images/{name}/json",
  "GET /networks",
  "GET /networks/{id}",
  "GET /volumes",
  "GET /volumes/{name}",
]);

/** Nobody's position: the answer is short. */
const NOTHING: Position = { of: "none", number: 0 };

interface Shown {
  readonly follower: Follower;
  readonly api: Api;
  /** Undefined: it led itself, and nobody has followed since. */
  readonly leader: string | undefined;
}

export class Following {
  readonly #parts: FollowingParts;
  #shown: Shown | undefined;
  /** The address of the leader that has answered the last question. */
  #answers: string | undefined;
  /** Monotonic milliseconds since when none does. */
  #lostAt: number;
  /** Not shown any more, and still answering. */
  readonly #leaving = new Set<Follower>();
  #probing: Promise<unknown> | undefined;
  /** Requests that wait for a leader. */
  #waiting = 0;
  /** Aborted when another manager leads than the one that is being followed. */
  #news = new AbortController();
  /** Aborted when the leader did not answer a question of this manager's own; then there is a new one. */
  #silence = hushed();

  constructor(parts: FollowingParts) {
    this.#parts = parts;
    this.#lostAt = parts.clock.monotonic();
  }

  /** Until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts;
    let trouble: string | undefined;
    let until = signal;
    while (!signal.aborted) {
      // Not each time: what hangs on a signal that lives long is never quite forgotten.
      if (until === signal || until.aborted) {
        this.#news = new AbortController();
        until = AbortSignal.any([signal, this.#news.signal]);
      }
      try {
        await this.#follow(until);
        trouble = undefined;
      } catch (error) {
        const message = String(error);
        if (!until.aborted && message !== trouble) log.warn("the leading manager is not followed", { error: message });
        trouble = message;
      }
      await clock.sleep(CHANGES_EVERY_MS, until).catch(() => {});
    }
    this.forget();
    const leaving = [...this.#leaving];
    this.#leaving.clear();
    await Promise.all(leaving.map((follower) => follower.close()));
  }

  /**
   * What may answer this; undefined: it is the leader's. Where one is lost the next one is waited for, whom somebody may have
   * told more than this manager knows; what this one knows is shown when that takes too long.
   */
  async answering({ method, path, headers, signal }: ApiRequest): Promise<Own | undefined> {
    const shown = this.#shown;
    const route = ROUTES.match(method, path)?.route;
    if (!shown || !route || headers[PASSED.toLowerCase()] !== undefined) return undefined;
    const key = `${route.method} ${route.path}`;
    if (ALWAYS.has(key)) return { api: shown.api, alone: false };
    if (method !== "GET" && method !== "HEAD") return undefined;
    const isCached = CACHED.has(key);
    const first = await this.#reading(isCached, signal);
    // The leader was lost over it: it or the next one is waited for.
    const last = first === "lost" ? await this.#reading(isCached, signal) : first;
    return last === "lost" ? undefined : last;
  }

  /** What may answer a read; undefined: it is the leader's. */
  async #reading(isCached: boolean, signal: AbortSignal): Promise<Own | "lost" | undefined> {
    const waitMs = this.#lostAt + LEADER_WAIT_MS - this.#parts.clock.monotonic();
    const leader = await this.#awaitLeader(waitMs, signal);
    const shown = this.#shown;
    // By now this manager leads itself.
    if (!shown) return undefined;
    const { api, follower } = shown;
    if (!leader) return { api, alone: true };
    if (!isCached || shown.leader !== leader.address) return undefined;
    const view = await follower.upToDate();
    if (view === "alone") return "lost";
    return view === "shows" ? { api, alone: false } : undefined;
  }

  /** The leader, once it answers; undefined when there is none for a while, or the signal aborts. */
  leading(signal: AbortSignal): Promise<EngineWire | undefined> {
    return this.#awaitLeader(LEADER_WAIT_MS, signal);
  }

  async #awaitLeader(ms: number, signal: AbortSignal): Promise<EngineWire | undefined> {
    if (this.#known) return this.#known;
    if (ms <= 0 || this.#waiting >= LEADER_WAITING) return undefined;
    this.#waiting++;
    try {
      return await withDeadline(this.#parts.clock, ms, "leader", (until) => this.#look(until), signal);
    } catch {
      return undefined;
    } finally {
      this.#waiting--;
    }
  }

  /** Rejects with the signal's reason. */
  async #look(signal: AbortSignal): Promise<EngineWire | undefined> {
    const { clock, hopeless } = this.#parts;
    for (;;) {
      await orAbort(this.#probe(), signal);
      if (this.#known || hopeless()) return this.#known;
      await clock.sleep(LEADER_POLL_MS, signal);
    }
  }

  /** The leader, if it answered when it was asked last. */
  get #known(): EngineWire | undefined {
    const wire = this.#parts.leader();
    return wire?.address === this.#answers ? wire : undefined;
  }

  /** The leader broke off: whether it still leads has to be seen. */
  doubt(leader: EngineWire): void {
    if (this.#answers === leader.address) this.#lose();
  }

  /** Aborts when the leader no longer answers, though nothing may have broken off. */
  get silence(): AbortSignal {
    return this.#silence.signal;
  }

  #fallSilent(error: unknown): void {
    const silence = this.#silence;
    this.#silence = hushed();
    silence.abort(error);
  }

  #lose(): void {
    this.#answers = undefined;
    this.#lostAt = this.#parts.clock.monotonic();
  }

  /** Finds out whether the leader answers. All who come meanwhile share the question. */
  #probe(): Promise<unknown> {
    const { clock, leader } = this.#parts;
    const wire = leader();
    if (!wire) return Promise.resolve();
    this.#probing ??= withDeadline(clock, CHANGES_MS, "leader", (signal) => this.#ask(wire, NOTHING, signal))
      .catch(() => undefined)
      .finally(() => {
        this.#probing = undefined;
      });
    return this.#probing;
  }

  /** Another manager leads, or nobody. */
  leaderChanged(): void {
    this.#lose();
    this.#news.abort();
  }

  /**
   * This manager has led with this cluster: what it knows is shown until another one that leads is followed. Resolves when
   * that finds all of it in the store.
   */
  async keep(cluster: Cluster): Promise<void> {
    const { clock, discovery } = this.#parts;
    const ask = (): Promise<News> => Promise.reject(new Error("nobody is followed"));
    this.#show(new Follower({ cluster, clock, discovery, ask }));
    this.#lose();
    await cluster.standDown();
  }

  /** This manager leads: it has a cluster of its own. */
  forget(): void {
    this.#show(undefined);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { leader, openCluster, clock, discovery, log } = this.#parts;
    const wire = leader();
    if (!wire) return;
    if (this.#shown?.leader === wire.address && (await this.#shown.follower.upToDate()) !== "missed") return;
    // Another connection to the same manager may have taken this one's place.
    const ask = async (since: Position | undefined, until: AbortSignal): Promise<News> => {
      const now = leader();
      if (now?.address !== wire.address) throw new Error(`${wire.address} does not lead`);
      return this.#ask(now, since, until);
    };
    const follower = new Follower({ cluster: openCluster(), clock, discovery, ask });
    try {
      await follower.begin(signal);
    } catch (error) {
      await follower.close();
      throw error;
    }
    if (leader()?.address !== wire.address) {
      await follower.close();
      return;
    }
    this.#show(follower, wire.address);
    log.info("following the leading manager", { leader: wire.address });
  }

  #show(follower: Follower | undefined, leader?: string): void {
    const before = this.#shown;
    const { host, stopping, clock } = this.#parts;
    this.#shown = follower && { follower, leader, api: createApi(follower.cluster, host, stopping) };
    if (!before) return;
    // What is being answered from it gets its time.
    const leaving = before.follower;
    this.#leaving.add(leaving);
    const leave = (): void => {
      if (this.#leaving.delete(leaving)) void leaving.close();
    };
    clock.after(FOLLOW_LINGER_MS, leave, { background: true });
  }

  async #ask(wire: EngineWire, since: Position | undefined, signal: AbortSignal): Promise<News> {
    try {
      const news = await this.#question(wire, since, signal);
      this.#answers = wire.address;
      return news;
    } catch (error) {
      this.doubt(wire);
      if (isSilence(error) && this.#parts.leader() === wire) this.#fallSilent(error);
      throw error;
    }
  }

  async #question(wire: EngineWire, since: Position | undefined, signal: AbortSignal): Promise<News> {
    const query = since ? `?since=${since.of}-${since.number}` : "";
    const headers = [PASSED, this.#parts.name];
    const answer = await wire.request({
      method: "GET",
      path: `/shoal/changes${query}`,
      headers,
      signal,
      lane: "quick",
    });
    const text = await readWhole(answer.body, CHANGES_BYTES, wire.address);
    if (answer.status !== 200) throw new Error(`${wire.address} answered ${answer.status}: ${text}`);
    return JSON.parse(text) as News;
  }
}

/** Not a refusal, nor a broken connection, which whoever waits on it hears by itself. */
const isSilence = (error: unknown): boolean => error instanceof WireError && error.fault === "silent";

/** One listener for each request that waits for the leader. */
function hushed(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}
