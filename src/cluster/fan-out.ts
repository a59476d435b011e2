/** What several nodes answered to one request: all their answers, or one error in which every failure is heard. */
import { DockerError, toDockerError } from "../docker/errors.ts";
import type { ClusterNode } from "./node.ts";

/**
 * The answers of all nodes, in their order. Throws DockerError when one failed: what all say alike is the error as on one
 * engine; where only some failed, or each in its own way, it names the nodes.
 */
export function answersOf<T>(nodes: readonly ClusterNode[], results: readonly PromiseSettledResult<T>[]): T[] {
  const failures = results.flatMap((result, i) =>
    result.status === "rejected" ? [{ node: nodes[i]?.name ?? "", error: toDockerError(result.reason) }] : [],
  );
  const [first] = failures;
  if (!first) return results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const alike = new Set(failures.map(({ error }) => error.message)).size === 1;
  if (alike && failures.length === nodes.length) throw first.error;
  throw new DockerError(first.error.status, failures.map(({ node, error }) => `${node}: ${error.message}`).join("\n"));
}
