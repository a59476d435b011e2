/**
 * Which node has all images of a save or a push: names in any form (F3), and of a name without a tag every tag that the
 * cluster has of it. Must not know what is done with them.
 */
import { conflict, noSuchImage } from "../docker/errors.ts";
import { normalizeImage, repositoryOf } from "../docker/references.ts";
import type { Cluster } from "./cluster.ts";
import { familiarImage } from "./image-index.ts";
import { anyNode, missing } from "./lookup.ts";
import type { ClusterNode } from "./node.ts";

/**
 * The node to ask, the least busy of those that have all of them; any node where nobody has one of them, since an engine
 * says that best.
 *
 * @param verb for the refusal: `save`
 * @throws DockerError 409 that names where they are when no node has all of them, 503 when a node was never read
 */
export async function nodeWithAll(cluster: Cluster, names: readonly string[], verb: string): Promise<ClusterNode> {
  const found = findNode(cluster, names);
  if (found) return found;
  // A change that is not read back yet may hide one: a miss is worth the look.
  await Promise.all(cluster.reachable().map((node) => cluster.refresher.settledOn(node)));
  const again = findNode(cluster, names);
  if (again) return again;
  const wanted = names.flatMap((name) => tagsOf(cluster, name));
  const places = wanted.map((name) => ({ name, nodes: holders(cluster, name).map((node) => node.name) }));
  const lost = places.find(({ nodes }) => nodes.length === 0);
  if (lost) {
    const error = missing(cluster, noSuchImage(familiarImage(lost.name)));
    if (error.status !== 404) throw error;
    return anyNode(cluster);
  }
  const where = places.map(({ name, nodes }) => `${name} on ${nodes.join(", ")}`).join("; ");
  throw conflict(`no node has all of these images: ${where}. To ${verb} them together, pull them to one node first`);
}

function findNode(cluster: Cluster, names: readonly string[]): ClusterNode | undefined {
  const wanted = names.flatMap((name) => tagsOf(cluster, name));
  const nodes = cluster
    .reachable()
    .filter((node) => wanted.every((name) => cluster.images.find(node.id, name) !== undefined));
  return nodes.sort((a, b) => a.count.busy - b.count.busy)[0];
}

function holders(cluster: Cluster, name: string): ClusterNode[] {
  return cluster.reachable().filter((node) => cluster.images.find(node.id, name) !== undefined);
}

/** Of a repository all its tags, as engines understand it there; anything else as it is. */
function tagsOf(cluster: Cluster, name: string): string[] {
  const repository = repositoryNamed(name);
  if (repository === undefined) return [name];
  const tags = new Set<string>();
  for (const node of cluster.reachable()) {
    for (const { repoTags } of cluster.images.on(node.id)) {
      for (const tag of repoTags) if (repositoryOf(tag) === repository) tags.add(tag);
    }
  }
  return tags.size === 0 ? [name] : [...tags];
}

/** `redis` of `docker.io/library/redis`; undefined with a tag or a digest, or where it is no name. */
function repositoryNamed(name: string): string | undefined {
  if (name.includes("@") || repositoryOf(name) !== name) return undefined;
  try {
    return normalizeImage(name).familiarName;
  } catch {
    return undefined;
  }
}
