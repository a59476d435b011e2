/**
 * Networks and volumes as their engines last told of them, kept in the store: a manager that starts while a node does not
 * answer knows what is there, and nobody makes a second one of its name. Must not know what the objects are for.
 */
import type { Notes } from "./notes.ts";
import type { NodeObject, ObjectIndex, ObjectObserver } from "./object-index.ts";

/** An engine's row, as it came. */
export interface RememberedObject {
  readonly row: string;
}

/**
 * @param isMember whether the node is in the cluster: what leaves with its node is not gone
 * @returns what keeps the notes as the index is
 */
export function remembering(notes: Notes<RememberedObject>, isMember: (nodeId: string) => boolean): ObjectObserver {
  return (nodeId, before, after) => {
    const engineKey = (after ?? before)?.engineKey;
    if (engineKey === undefined || !isMember(nodeId)) return;
    if (!after) notes.delete(nodeId, engineKey);
    else if (after.row !== undefined && after.row !== notes.get(nodeId, engineKey)?.row) {
      notes.set(nodeId, engineKey, { row: after.row });
    }
  };
}

/** A node that joins has what it was last known to have, until its engine answers. */
export function recallObjects<T extends NodeObject>(
  notes: Notes<RememberedObject>,
  index: ObjectIndex<T>,
  nodeId: string,
  read: (row: string) => T,
): void {
  for (const engineKey of notes.on(nodeId)) {
    const known = notes.get(nodeId, engineKey);
    if (known) index.add(nodeId, read(known.row), Number.NEGATIVE_INFINITY);
  }
}
