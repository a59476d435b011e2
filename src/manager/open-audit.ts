/** The audit log as `--audit-log` asks for it. Owns its parts' wiring and end; what is logged is the API's business. */
import { Audit } from "../api/audit.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { ClusterNode } from "../cluster/node.ts";
import type { CallWatch } from "../engine/call-watch.ts";
import type { Clock } from "../kit/clock.ts";
import type { Logger } from "../kit/log.ts";
import { AuditFile } from "./audit-file.ts";

export interface AuditLog {
  readonly audit: Audit;
  /** Writes what waits. */
  close(): Promise<void>;
}

/**
 * Rejects with an Error for the operator when the file cannot be written.
 * @param path a file, or `-` for standard error
 * @param onHangup takes who is to be called when files were rotated
 */
export async function openAuditLog(
  path: string,
  clock: Clock,
  log: Logger,
  onHangup: (listener: () => void) => void,
): Promise<AuditLog> {
  const file = await AuditFile.open({ path, clock, log });
  onHangup(() => file.reopen());
  return { audit: new Audit(file, clock), close: () => file.close() };
}

/** Follows the engine at one address, under the name that its node has then. */
export function watchOf(audit: Audit | undefined, cluster: () => Cluster, address: string): CallWatch | undefined {
  let node: ClusterNode | undefined;
  return audit?.watch(() => {
    node ??= [...cluster().nodes.values()].find((one) => one.address === address);
    return node?.name ?? address;
  });
}
