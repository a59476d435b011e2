/** Volumes as their engines list them: what is read of a row, and which rows are one volume of the cluster. */
import { elements, rawAt, splice } from "../../docker/json-text.ts";
import type { Cluster } from "../cluster.ts";
import type { Kind } from "../find-object.ts";
import { decodeObjectHint, HINT_LABEL } from "../hint.ts";
import type { ClusterNode } from "../node.ts";
import type { NodeObject } from "../object-index.ts";
import { reconcileVolumes } from "../own-volumes.ts";

export type NodeVolume = NodeObject;

export const VOLUMES: Kind<NodeVolume> = { noun: "volume", index: ({ volumes }) => volumes, hasIds: false };

interface Row {
  readonly Name: string;
  readonly Driver?: string;
  readonly Scope?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
}

/** An engine's answer to `GET /volumes`. @param startedAt monotonic milliseconds when it was begun */
export function takeVolumes(cluster: Cluster, node: ClusterNode, text: string, startedAt: number): void {
  const rows = elements(rawAt(text, ["Volumes"]) ?? "[]");
  const volumes = rows.map((row) => readVolume(node, row));
  cluster.volumes.set(node.id, volumes, startedAt);
  node.volumes = new Set(volumes.filter(({ driver }) => driver === "local").map(({ name }) => name));
  reconcileVolumes(cluster, node, startedAt);
}

function readVolume(node: ClusterNode, text: string): NodeVolume {
  const row = JSON.parse(text) as Row;
  const { [HINT_LABEL]: hint, ...labels } = row.Labels ?? {};
  return {
    engineKey: row.Name,
    // A driver that says so has the same volume on every node.
    key: row.Scope === "global" ? row.Name : `${node.id}/${row.Name}`,
    name: row.Name,
    driver: row.Driver ?? "local",
    labels,
    hint: decodeObjectHint(hint),
    text: hint === undefined ? text : splice(text, [{ path: ["Labels", HINT_LABEL], json: undefined }]),
  };
}
