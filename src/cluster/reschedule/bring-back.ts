/** The kept copy of a container that found no other node: it gets back its name and its restart policy, and goes on. */
import { decodeJson, goGet } from "../../docker/json-text.ts";
import { CREATE_MS } from "../../kit/limits.ts";
import type { Cluster } from "../cluster.ts";
import type { ClusterNode } from "../node.ts";
import type { ContainerRecord } from "../record.ts";
import type { Tombstone } from "../tombstones.ts";
import { readRecipe } from "./recipes.ts";

/** The node's next list takes it in. Never rejects: what did not work is tried again after that list. */
export async function bringBack(
  cluster: Cluster,
  node: ClusterNode,
  tombstone: Tombstone,
  pending: ContainerRecord,
): Promise<void> {
  const { container } = tombstone;
  const ask = (path: string, body?: object): Promise<string> =>
    node.engine.text("POST", `/containers/${container}${path}`, body, { deadlineMs: CREATE_MS });
  try {
    const recipe = await readRecipe(cluster, pending.id);
    const policy = recipe && goGet(decodeJson(recipe.text), "HostConfig", "RestartPolicy");
    if (policy) await ask("/update", { RestartPolicy: policy });
    await ask(`/rename?name=${encodeURIComponent(pending.name)}`);
    cluster.refresher.markAll(node);
  } catch (error) {
    const fields = { node: node.name, container, name: pending.name, error: String(error) };
    cluster.log.warn("a kept copy could not be brought back", fields);
  }
}
