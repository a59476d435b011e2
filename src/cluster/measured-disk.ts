/** What an engine says that things take on its disk. Owns the wait for its turn: an engine measures for one client at a time. */
import { DockerError } from "../docker/errors.ts";
import { CREATE_MS, DISK_BUSY_MS } from "../kit/limits.ts";
import type { Cluster } from "./cluster.ts";
import type { ClusterNode } from "./node.ts";

/** The engine's answer to `GET /system/df`. @param query without `?`. Rejects as Engine.text does. */
export async function measuredDisk(
  cluster: Cluster,
  node: ClusterNode,
  query: string,
  version: string,
): Promise<string> {
  const { clock } = cluster;
  const until = clock.monotonic() + CREATE_MS;
  for (;;) {
    try {
      return await node.engine.text("GET", `/system/df?${query}`, undefined, { deadlineMs: CREATE_MS, version });
    } catch (error) {
      if (!isBusy(error) || clock.monotonic() > until) throw error;
      await clock.sleep(DISK_BUSY_MS);
    }
  }
}

const isBusy = (error: unknown): boolean =>
  error instanceof DockerError && /disk usage operation is already running/i.test(error.message);
