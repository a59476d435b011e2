/** What a prune may take, by its filters: dockerd's names, readings and refusals. Must not know what is pruned. */
import { badRequest } from "../docker/errors.ts";
import { type Filters, parseFilters } from "../docker/filters.ts";
import { compareMoments, type Moment, parseTimestamp } from "../docker/timestamps.ts";

/** What the filters look at. */
export interface Prunable {
  /** Seconds since the Unix epoch. */
  readonly created: number;
  readonly labels: Readonly<Record<string, string>> | null | undefined;
}

export class PruneFilters {
  readonly filters: Filters;
  readonly #until: Moment | undefined;

  /** @param nowMs what a duration in `until` counts back from. Throws DockerError 400. */
  constructor(raw: string | null, accepted: readonly string[], nowMs: number) {
    this.filters = parseFilters(raw, accepted);
    const [until, ...more] = this.filters.get("until");
    if (more.length > 0) throw badRequest("more than one until filter specified");
    this.#until = until === undefined ? undefined : parseTimestamp(until, nowMs);
  }

  /** For an engine's own prune: `?filters=…`, or nothing. */
  get query(): string {
    return this.filters.isEmpty ? "" : `?filters=${encodeURIComponent(this.filters.toJson())}`;
  }

  accepts({ created, labels }: Prunable): boolean {
    if (this.#until !== undefined && compareMoments({ seconds: created, nanos: 0 }, this.#until) > 0) return false;
    if (!this.filters.matchLabels(labels)) return false;
    return !this.filters.has("label!") || !this.filters.matchLabels(labels, "label!");
  }
}
