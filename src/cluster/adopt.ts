/**
 * Which container of the cluster a row of an engine's list is: one that is known, one that is being made, one that an
 * earlier manager made, or a stranger. Owns identities; what the row says is taken in by `absorb.ts`.
 */
import { createHash } from "node:crypto";
import { claimNonce } from "./claim.ts";
import type { Cluster } from "./cluster.ts";
import { awaitOther, isSeen, setAside } from "./copies.ts";
import { drop } from "./forget.ts";
import { decodeHint, HINT_LABEL, type Hint } from "./hint.ts";
import type { ListedContainer } from "./list-entry.ts";
import type { ClusterNode } from "./node.ts";
import { blankRecord, type ContainerRecord, NO_NEEDS } from "./record.ts";
import { restoreRecord } from "./restore.ts";

/** Undefined for a copy that another one has replaced: it is no part of the cluster any more. */
export function recordOf(cluster: Cluster, node: ClusterNode, row: ListedContainer): ContainerRecord | undefined {
  const known = node.containers.get(row.engineId);
  if (known) return known;
  const ours = claimed(cluster, node, row);
  if (ours) return ours;
  const hint = ownHint(cluster, node, row);
  return hint ? hinted(cluster, node, row, hint) : newRecord(cluster, node, row, undefined);
}

/** A container of ours that this manager does not know: one that moved here with its engine, or that no record tells of. */
function hinted(cluster: Cluster, node: ClusterNode, row: ListedContainer, hint: Hint): ContainerRecord | undefined {
  const identity = cluster.registry.unparkMoved(hint.nonce, row.engineId);
  const moved = identity && restoreRecord(cluster, node, identity);
  if (!moved && isReplaced(cluster, node, row, hint)) return undefined;
  if (!moved) sayRebuilt(cluster);
  const record = moved ?? newRecord(cluster, node, row, hint);
  cluster.registry.remember(record);
  return record;
}

function newRecord(cluster: Cluster, node: ClusterNode, row: ListedContainer, hint: Hint | undefined): ContainerRecord {
  const hintedId = hint?.id !== undefined && !cluster.inventory.byId(hint.id) ? hint.id : undefined;
  const record: ContainerRecord = {
    ...blankRecord(
      node,
      { id: hintedId ?? newId(cluster, node, row.engineId), name: row.name, epoch: hint?.epoch ?? 1 },
      row.state,
    ),
    nonce: hint?.nonce,
    engineId: row.engineId,
    created: row.created,
    sequence: cluster.inventory.nextSequence(),
    image: row.image,
    imageId: row.imageId,
    needs: hint?.needs ?? NO_NEEDS,
    needsKnown: hint !== undefined,
    cpuShares: hint?.cpuShares,
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
 * inherits them: a hint that its image has too, or whose create made another container, is not its own. Nor is one whose
 * image is not known (yet): it could be such a copy, and what is wrongly foreign is only left alone.
 */
function ownHint(cluster: Cluster, node: ClusterNode, row: ListedContainer): Hint | undefined {
  const text = row.labels[HINT_LABEL];
  const hint = decodeHint(text);
  if (!hint || cluster.inventory.byNonce(hint.nonce) || !cluster.images.has(node.id, row.imageId)) return undefined;
  return cluster.images.hintOf(node.id, row.imageId) === text ? undefined : hint;
}

/** Once for a store that has lost what an earlier one held. One that follows looks at no store of its own. */
function sayRebuilt({ registry, log, leads }: Cluster): void {
  if (!registry.fresh || !leads) return;
  registry.fresh = false;
  log.warn(
    "the store is new, but engines hold containers made through shoal: who they are is rebuilt from their labels, what they reserve is asked of the engines; which images and volumes are ours, and what was removed while its node was lost, cannot be rebuilt",
  );
}

/** The copy with the highest epoch is the container; one that is known already gives way to it. */
function isReplaced(cluster: Cluster, node: ClusterNode, row: ListedContainer, hint: Hint): boolean {
  const other = cluster.inventory.byId(hint.id ?? row.engineId);
  if (!other || other.engineId === row.engineId) return false;
  // The one that leads will say which of the two goes on.
  if (!cluster.leads) return true;
  const neverRan = row.state === "created";
  if (other.engineId === "") {
    // The next copy is being made, and what is older than that one gives way whatever becomes of it.
    if (hint.epoch < other.epoch) setAside(cluster, node, row, neverRan);
    else awaitOther(other, { node, engineId: row.engineId });
    return true;
  }
  // A copy that was made for what waits, and of which nobody was told.
  const isForPending = other.node === cluster.limbo && hint.epoch === other.epoch;
  if (other.epoch === hint.epoch && !isForPending) return false;
  const newer = hint.epoch > other.epoch || isForPending;
  if (!newer || neverRan) {
    if (!isSeen(other)) {
      awaitOther(other, { node, engineId: row.engineId });
      return true;
    }
    // A newer copy that never ran, of one that has: a crash broke its move off, and the client went on with the old one.
    if (!newer || other.state !== "created") {
      setAside(cluster, node, row, neverRan);
      return true;
    }
  }
  setAside(cluster, other.node, other, other.state === "created" && isSeen(other));
  drop(cluster, other);
  return false;
}

/** The engine's ID where it is free; a derived one on cloned machines, whose containers share theirs, and in the test mode. */
function newId(cluster: Cluster, node: ClusterNode, engineId: string): string {
  if (!cluster.options.mintIds && !cluster.inventory.byId(engineId)) return engineId;
  return createHash("sha256").update(`${node.id} ${engineId}`).digest("hex");
}
