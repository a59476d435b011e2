/**
 * A node that fails creates for its own reason, such as a full disk, is asked last for a while, says so, and is tried
 * again by itself. Owns when that begins and ends.
 */
import { DISTRESS_FAILURES, DISTRESS_MS } from "../kit/limits.ts";
import type { Cluster } from "./cluster.ts";
import type { ClusterNode } from "./node.ts";

/** @param why the engine's words */
export function failedForItself(cluster: Cluster, node: ClusterNode, why: string): void {
  cluster.log.warn("a node failed a create for its own reason", { node: node.name, error: why });
  if (++node.failures < DISTRESS_FAILURES || node.distress !== undefined) return;
  node.distress = why;
  node.touch();
  // The next failure is enough then to have it asked last again.
  const tryAgain = (): void => {
    node.failures = DISTRESS_FAILURES - 1;
    node.distress = undefined;
    node.touch();
  };
  cluster.clock.after(DISTRESS_MS, tryAgain, { background: true });
}

export function succeeded(node: ClusterNode): void {
  node.failures = 0;
}
