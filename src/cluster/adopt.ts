/**
 * Which container of the cluster a row of an engine's list is: one that is known, one that is being made, one that an
 * earlier manager made, or a stranger. Owns identities; what the row says is taken in by `absorb.ts`.
 */
import { createHash } from "node:crypto";
import { claimNonce } from "./claim.ts";
import type { Cluster } from "./cluster.ts";
import { forget } from "./forget.ts";
import { decodeHint, HINT_LABEL, type Hint } from "./hint.ts";
import type { ListedContainer } from "./list-entry.ts";
import type { ClusterNode } from "./node.ts";
import { type ContainerRecord, NO_NEEDS } from "./record.ts";

/** Undefined for a copy that another one has replaced: it is no part of the cluster any more. */
export function recordOf(cluster: Cluster, node: ClusterNode, row: ListedContainer): ContainerRecord | undefined {
  const known = node.containers.get(row.engineId) ?? rehome(cluster, node, row);
  if (known) return known;
  const ours = claimed(cluster, node, row);
  if (ours) return ours;
  const hint = ownHint(cluster, node, row);
  if (hint && isReplaced(cluster, row.engineId, hint)) {
    node.ignored.add(row.engineId);
    return undefined;
  }
  return newRecord(cluster, node, row, hint);
}

function newRecord(cluster: Cluster, node: ClusterNode, row: ListedContainer, hint: Hint | undefined): ContainerRecord {
  const hintedId = hint?.id !== undefined && !cluster.inventory.byId(hint.id) ? hint.id : undefined;
  const record: ContainerRecord = {
    id: hintedId ?? newId(cluster, node, row.engineId),
    name: row.name,
    nonce: hint?.nonce,
    epoch: hint?.epoch ?? 1,
    node,
    engineId: row.engineId,
    engineName: row.name,
    state: row.state,
    created: row.created,
    sequence: cluster.inventory.nextSequence(),
    image: row.image,
    imageId: row.imageId,
    labels: {},
    exitCode: undefined,
    since: undefined,
    needs: hint?.needs ?? NO_NEEDS,
    published: [],
    needsKnown: hint !== undefined,
    cpuShares: hint?.cpuShares,
    entry: undefined,
    touchedAt: Number.NEGATIVE_INFINITY,
    tty: undefined,
    renaming: 0,
    starting: 0,
    streams: 0,
    recipe: undefined,
    removed: false,
  };
  if (!record.needsKnown) node.unmeasured++;
  else node.unconfirmed.add(record);
  cluster.inventory.add(record);
  return record;
}

/** A create of ours under way. */
function claimed(cluster: Cluster, node: ClusterNode, row: ListedContainer): ContainerRecord | undefined {
  const hint = decodeHint(row.labels[HINT_LABEL]);
  return hint && claimNonce(cluster, node, hint.nonce, row.engineId, row.name);
}

/**
 * The hint that our create left on it. `docker commit` copies labels into an image, and whatever is made of that image
 * inherits them: a hint that its image has too, or whose create made another container, is not its own.
 */
function ownHint(cluster: Cluster, node: ClusterNode, row: ListedContainer): Hint | undefined {
  const text = row.labels[HINT_LABEL];
  const hint = decodeHint(text);
  if (!hint || cluster.inventory.byNonce(hint.nonce)) return undefined;
  return cluster.images.hintOf(node.id, row.imageId) === text ? undefined : hint;
}

/** The copy with the highest epoch is the container; one that is known already gives way to it. */
function isReplaced(cluster: Cluster, engineId: string, hint: Hint): boolean {
  const other = cluster.inventory.byId(hint.id ?? engineId);
  if (!other || other.engineId === engineId || other.engineId === "") return false;
  if (other.epoch > hint.epoch) return true;
  if (other.epoch < hint.epoch) {
    other.node.ignored.add(other.engineId);
    forget(cluster, other);
  }
  return false;
}

/** The same engine at a new address: its containers move with it, under the IDs that they had. */
function rehome(cluster: Cluster, node: ClusterNode, row: ListedContainer): ContainerRecord | undefined {
  for (const other of cluster.nodes.values()) {
    if (other === node || other.reachable || other.facts?.engineId !== node.facts?.engineId) continue;
    const record = other.containers.get(row.engineId);
    if (!record) continue;
    if (!record.needsKnown) {
      other.unmeasured--;
      node.unmeasured++;
    }
    cluster.inventory.bind(record, node, row.engineId, row.name);
    record.touchedAt = Number.NEGATIVE_INFINITY;
    return record;
  }
  return undefined;
}

/** The engine's ID where it is free; a derived one on cloned machines, whose containers share theirs, and in the test mode. */
function newId(cluster: Cluster, node: ClusterNode, engineId: string): string {
  if (!cluster.options.mintIds && !cluster.inventory.byId(engineId)) return engineId;
  return createHash("sha256").update(`${node.id} ${engineId}`).digest("hex");
}
