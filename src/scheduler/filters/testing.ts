/** What one filter thinks of the nodes of a test's cluster. */
import { request, type TestCluster } from "../testing.ts";
import { DEFAULT_FILTERS } from "./index.ts";

/** The nodes that a filter accepts, by name. */
export function accepted(name: string, cluster: TestCluster, body: object, platform?: string): string[] {
  const check = checkOf(name, cluster, body, platform);
  return cluster.nodes.filter((node) => check?.accepts(node) !== false).map((node) => node.name);
}

export function checkOf(name: string, cluster: TestCluster, body: object, platform?: string) {
  const filter = DEFAULT_FILTERS.find((one) => one.name === name);
  const { ledger, surroundings, nodes } = cluster;
  return filter?.check(request(body, "c", platform), { ledger, surroundings, overcommit: 0.05, nodes });
}
