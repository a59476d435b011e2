/**
 * How many requests are answered at once. Beyond its bound a kind is refused at once, so that a flood of one starves no
 * other: changes, reads and streams that may stay open for hours are counted apart, and a ping is always answered.
 * Owns the counting and the line in the log; must not know what a request does.
 */
import { overloaded } from "../docker/errors.ts";
import type { Clock } from "../kit/clock.ts";
import { CHANGES_AT_ONCE, OVERLOAD_QUIET_MS, READS_AT_ONCE, STREAMS_AT_ONCE } from "../kit/limits.ts";
import type { Logger } from "../kit/log.ts";
import type { Route } from "./route.ts";

export type Kind = "changes" | "reads" | "streams";

export const AT_ONCE: Readonly<Record<Kind, number>> = {
  changes: CHANGES_AT_ONCE,
  reads: READS_AT_ONCE,
  streams: STREAMS_AT_ONCE,
};

/** Routes whose answers, or whose bodies, may take hours. Those with an `upgrade` are so by themselves. */
export const STREAMS: ReadonlySet<string> = new Set([
  "GET /events",
  "GET /containers/{name}/archive",
  "PUT /containers/{name}/archive",
  "GET /containers/{name}/export",
  "GET /containers/{name}/logs",
  "GET /containers/{name}/stats",
  "POST /containers/{name}/wait",
  "POST /images/create",
  "POST /images/load",
  "GET /images/get",
  "GET /images/{name}/get",
  "POST /images/{name}/push",
  "POST /plugins/pull",
  "POST /plugins/create",
  "POST /plugins/{name}/upgrade",
  "POST /plugins/{name}/push",
]);

/** Undefined for what is always answered. */
export function kindOf(route: Pick<Route, "method" | "path" | "how" | "upgrade">): Kind | undefined {
  if (route.path === "/_ping" || route.how === "no swarm" || route.how === "unsupported") return undefined;
  if (route.upgrade !== undefined || STREAMS.has(`${route.method} ${route.path}`)) return "streams";
  return route.method === "GET" || route.method === "HEAD" ? "reads" : "changes";
}

/** Kinds that are over soon. */
const SHORT: readonly Kind[] = ["changes", "reads"];

export class Load {
  readonly #running: Record<Kind, number> = { changes: 0, reads: 0, streams: 0 };
  readonly #refused: Record<Kind, number> = { changes: 0, reads: 0, streams: 0 };
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #atOnce: Readonly<Record<Kind, number>>;
  readonly #waiting: (() => void)[] = [];

  constructor(clock: Clock, log: Logger, atOnce = AT_ONCE) {
    this.#clock = clock;
    this.#log = log;
    this.#atOnce = atOnce;
  }

  /** The outcome of `work`. Throws DockerError 503 at once when too many of its kind are under way. */
  async run<T>(kind: Kind | undefined, work: () => Promise<T>): Promise<T> {
    if (kind === undefined) return work();
    if (this.#running[kind] >= this.#atOnce[kind]) {
      this.#refuse(kind);
      throw overloaded(`the manager is busy with ${this.#running[kind]} ${kind}, as many as it takes at once`);
    }
    this.#running[kind]++;
    try {
      return await work();
    } finally {
      this.#running[kind]--;
      if (this.#isQuiet) for (const done of this.#waiting.splice(0)) done();
    }
  }

  /** Resolves when nothing is under way but streams. */
  async quiet(): Promise<void> {
    if (!this.#isQuiet) await new Promise<void>((done) => this.#waiting.push(done));
  }

  get #isQuiet(): boolean {
    return SHORT.every((kind) => this.#running[kind] === 0);
  }

  /** A line when a burst begins, and one with the count when it was quiet for a while. */
  #refuse(kind: Kind): void {
    if (++this.#refused[kind] > 1) return;
    this.#log.warn(`too many ${kind} at once: more are refused`, { atOnce: this.#atOnce[kind] });
    this.#watchBurst(kind, 1);
  }

  #watchBurst(kind: Kind, seen: number): void {
    this.#clock.after(
      OVERLOAD_QUIET_MS,
      () => {
        const refused = this.#refused[kind];
        if (refused > seen) return this.#watchBurst(kind, refused);
        this.#refused[kind] = 0;
        this.#log.info(`${kind} are taken again`, { refused });
      },
      { background: true },
    );
  }
}
