/**
 * Calls to one node: a small one whose status matters also when it is no error (304: it was so already), and what a client
 * is told when one fails.
 */
import { DockerError } from "../docker/errors.ts";
import { engineMessage } from "../engine/client.ts";
import { textsOf } from "../engine/texts.ts";
import { WireError } from "../engine/wire/wire.ts";
import { withDeadline } from "../kit/deadline.ts";
import { CREATE_MS } from "../kit/limits.ts";
import type { Cluster } from "./cluster.ts";
import type { ClusterNode } from "./node.ts";
import { clusterText } from "./translate.ts";

/** The status below 400. Rejects with DockerError (the engine's status and message), WireError or DeadlineError. */
export function statusOfCall(
  cluster: Cluster,
  node: ClusterNode,
  method: string,
  path: string,
  version: string | undefined,
): Promise<number> {
  return withDeadline(cluster.clock, CREATE_MS, `${method} ${path} on ${node.name}`, async (signal) => {
    const answer = await node.engine.call({ method, path, version, signal, lane: "quick" });
    let text = "";
    for await (const part of textsOf(answer.body)) text += part;
    if (answer.status >= 400) throw new DockerError(answer.status, engineMessage(answer.status, text));
    return answer.status;
  });
}

/** The engine's own refusal in the cluster's words, or that the node did not answer: 503 when it was never asked, else 502. */
export function nodeFailure(cluster: Cluster, node: ClusterNode, error: unknown): DockerError {
  if (error instanceof DockerError) return new DockerError(error.status, clusterText(cluster, node, error.message));
  const message = error instanceof Error ? error.message : String(error);
  const status = error instanceof WireError && !error.sent ? 503 : 502;
  return new DockerError(status, `node ${node.name}: ${message}`, { cause: error });
}

/** The request may have arrived, and no answer tells. */
export function isUncertain(error: unknown): boolean {
  return !(error instanceof DockerError) && !(error instanceof WireError && !error.sent);
}
