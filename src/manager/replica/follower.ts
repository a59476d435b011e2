/**
 * A cluster of this manager's own that follows one leadership of another: read from the store and the engines, kept up with
 * what the leader says that it has changed. Owns its beginning, the questions to the leader and its end; must not know
 * what it is asked for.
 */
import type { News, Position } from "../../cluster/changes.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { takeNews } from "../../cluster/follow-leader.ts";
import { leaveAll } from "../../cluster/membership.ts";
import { restore } from "../../cluster/restore.ts";
import { firstTries } from "../../cluster/settling.ts";
import type { Discovery } from "../../discovery/discovery.ts";
import type { Clock } from "../../kit/clock.ts";
import { withDeadline } from "../../kit/deadline.ts";
import { CHANGES_MS, FOLLOW_SETTLE_MS } from "../../kit/replica-limits.ts";

export interface FollowerParts {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly discovery: Discovery;
  /** Asks the leader. Rejects when it does not answer, or does not lead. */
  readonly ask: (since: Position | undefined, signal: AbortSignal) => Promise<News>;
}

/**
 * `shows`: all that the leader had changed when it was asked; `lags`: not all, and the leader answers; `alone`: the leader
 * does not answer; `missed`: more than the leader still knows, so that it has to begin anew.
 */
export type View = "shows" | "lags" | "alone" | "missed";

export class Follower {
  readonly cluster: Cluster;
  readonly #parts: FollowerParts;
  readonly #end = new AbortController();
  #position: Position | undefined;
  #running: Promise<View> = Promise.resolve("lags");
  #next: Promise<View> | undefined;

  constructor(parts: FollowerParts) {
    this.cluster = parts.cluster;
    this.#parts = parts;
  }

  /**
   * Resolves when each node was tried. Rejects when the leader or the store does not answer; it has to be closed then, too.
   */
  async begin(signal: AbortSignal): Promise<void> {
    const { cluster, discovery } = this.#parts;
    // First of all: what is changed while the store is read comes twice rather than not at all.
    const news = await this.#ask(undefined);
    this.#position = news.position;
    await restore(cluster);
    const fields = { discovery: discovery.url };
    const failed = (error: Error): void =>
      cluster.log.error("discovery could not be read", { ...fields, error: error.message });
    const watching = discovery.watch((entries) => cluster.roll.tell(entries), failed, this.#end.signal);
    watching.catch(failed);
    await firstTries(cluster, FOLLOW_SETTLE_MS, signal);
    signal.throwIfAborted();
    await takeNews(cluster, news);
  }

  /** What it shows of all that the leader has changed before this was called. Never rejects. */
  upToDate(): Promise<View> {
    // A question that is under way may have been answered before; all who come meanwhile share the next one.
    if (!this.#next) {
      const next = this.#running.then(() => {
        this.#running = next;
        this.#next = undefined;
        return this.#catchUp();
      });
      this.#next = next;
    }
    return this.#next;
  }

  async #catchUp(): Promise<View> {
    let news: News;
    try {
      news = await this.#ask(this.#position);
    } catch {
      return "alone";
    }
    if (news.changes === null) return "missed";
    this.#position = news.position;
    return (await takeNews(this.cluster, news)) ? "shows" : "lags";
  }

  #ask(since: Position | undefined): Promise<News> {
    const { clock, ask } = this.#parts;
    return withDeadline(clock, since ? CHANGES_MS : FOLLOW_SETTLE_MS, "changes", (signal) => ask(since, signal));
  }

  /** Who reads through it is told that it is over. */
  async close(): Promise<void> {
    this.#end.abort();
    this.cluster.events.close();
    await leaveAll(this.cluster);
  }
}
