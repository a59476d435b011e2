/** An engine's event in the cluster's words: IDs, names and the node that it comes from. Splices; unknown parts pass. */
import { type Edit, splice } from "../docker/json-text.ts";
import type { EngineEvent } from "../engine/event.ts";
import type { Cluster } from "./cluster.ts";
import type { ClusterEvent } from "./event-hub.ts";
import { decodeHint, HINT_LABEL } from "./hint.ts";
import { clusterNetworkId } from "./networks/network-ids.ts";
import type { ClusterNode } from "./node.ts";

export function clusterEvent(cluster: Cluster, node: ClusterNode, event: EngineEvent): ClusterEvent {
  const attributes: Record<string, string> = { ...event.attributes };
  const edits: Edit[] = [];
  const set = (key: string, value: string): void => {
    attributes[key] = value;
    edits.push({ path: ["Actor", "Attributes", key], json: JSON.stringify(value) });
  };
  if (HINT_LABEL in attributes) {
    delete attributes[HINT_LABEL];
    edits.push({ path: ["Actor", "Attributes", HINT_LABEL], json: undefined });
  }
  let { actorId } = event;
  if (event.type === "container") {
    const record = node.containers.get(actorId);
    // What is gone already is known by the hint that its create left in its labels.
    actorId = record?.id ?? decodeHint(event.attributes[HINT_LABEL])?.id ?? actorId;
  } else if (event.type === "network" || event.type === "volume") {
    if (event.type === "network") actorId = clusterNetworkId(cluster, node, actorId);
    const container = node.containers.get(event.attributes.container ?? "");
    if (container && container.id !== event.attributes.container) set("container", container.id);
  }
  if (actorId !== event.actorId) {
    edits.push({ path: ["Actor", "ID"], json: JSON.stringify(actorId) });
    if (event.type === "container") edits.push({ path: ["id"], json: JSON.stringify(actorId) });
  }
  set("node.name", node.name);
  set("node.id", node.id);
  set("node.addr", node.address);
  set("node.ip", node.ip);
  return {
    type: event.type,
    action: event.action,
    actorId,
    attributes,
    timeNano: BigInt(event.timeNano),
    scope: "local",
    text: splice(event.text, edits),
  };
}
