/**
 * A cluster from the store's contents to its end: restored, its nodes connected, its API answered. The whole life of a
 * manager that is alone, one leadership of one that is not.
 */
import { type Api, createApi } from "../api/api.ts";
import type { Audit } from "../api/audit.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { HostFacts } from "../cluster/info.ts";
import { leaveAll } from "../cluster/membership.ts";
import { restore } from "../cluster/restore.ts";
import { followStore } from "../cluster/rewrite.ts";
import type { Discovery } from "../discovery/discovery.ts";
import type { Logger } from "../kit/log.ts";

export interface Served {
  readonly cluster: Cluster;
  readonly discovery: Discovery;
  readonly host: HostFacts;
  readonly log: Logger;
  /** What answers clients now. */
  readonly answerBy: (api: Api | undefined) => void;
}

export interface Occasions {
  readonly audit: Audit | undefined;
  /** Aborts when open streams have had their time. */
  readonly stopping: AbortSignal;
  /** The API answers from now on. */
  readonly ready: () => Promise<void>;
  /** It is over, and engines are still connected. @param quiet resolves when nothing is under way but streams */
  readonly ending: (quiet: () => Promise<void>) => Promise<void>;
}

/** Until the signal aborts. Rejects when the store cannot be read, or `ready` rejects. */
export async function serveCluster(
  { cluster, discovery, host, log, answerBy }: Served,
  signal: AbortSignal,
  { audit, stopping, ready, ending }: Occasions,
): Promise<void> {
  const api = createApi(cluster, host, AbortSignal.any([stopping, signal]), audit);
  try {
    await restore(cluster);
    followStore(cluster, signal).catch((error: Error) =>
      log.error("the store is not watched", { error: error.message }),
    );
    if (discovery.fences) void cluster.fences.follow(discovery.fences, signal);
    answerBy(api);
    await ready();
    await discovery.watch(
      (entries) => cluster.roll.tell(entries),
      (error) => log.error("discovery could not be read", { discovery: discovery.url, error: error.message }),
      signal,
    );
  } finally {
    // Open event streams end at once, so that readers do not hold up the end; all else gets its time.
    cluster.events.close();
    await ending(api.quiet);
    answerBy(undefined);
    await leaveAll(cluster);
    await cluster.writer.idle();
    cluster.end();
  }
}
