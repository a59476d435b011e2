/** Volumes as their engines list them: what is read of a row, and which rows are one volume of the cluster. */
import { type Edit, elements, rawAt, splice } from "../../docker/json-text.ts";
import type { Cluster } from "../cluster.ts";
import type { Kind } from "../find-object.ts";
import { decodeObjectHint, HINT_LABEL } from "../hint.ts";
import type { ClusterNode } from "../node.ts";
import { decideCreates } from "../object-creates.ts";
import type { NodeObject } from "../object-index.ts";
import { reconcileVolumes } from "./own-volumes.ts";

export interface NodeVolume extends NodeObject {
  /** Its driver says that it has the same volume on every node. */
  readonly isGlobal: boolean;
}

export const VOLUMES: Kind<NodeVolume> = { noun: "volume", index: ({ volumes }) => volumes, hasIds: false };

interface Row {
  readonly Name: string;
  readonly Driver?: string;
  readonly Scope?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
}

/** An engine's answer to `GET /volumes`. @param startedAt monotonic milliseconds when it was begun */
export function takeVolumes(cluster: Cluster, node: ClusterNode, text: string, startedAt: number): void {
  const volumes = elements(rawAt(text, ["Volumes"]) ?? "[]").map((row) => readVolume(node, row));
  cluster.volumes.set(node.id, volumes, startedAt);
  reconcileVolumes(cluster, node, startedAt);
  decideCreates(cluster, node, "volumes", startedAt);
}

/** @param text a row of an engine's list, or its answer to create or inspect */
export function readVolume(node: ClusterNode, text: string): NodeVolume {
  const row = JSON.parse(text) as Row;
  const { [HINT_LABEL]: hint, ...labels } = row.Labels ?? {};
  const isGlobal = row.Scope === "global";
  const told = decodeObjectHint(hint);
  const stripped: Edit = told?.unlabelled
    ? { path: ["Labels"], json: "null" }
    : { path: ["Labels", HINT_LABEL], json: undefined };
  return {
    engineKey: row.Name,
    key: isGlobal ? row.Name : keyOn(node, row.Name),
    name: row.Name,
    driver: row.Driver ?? "local",
    labels,
    hint: told,
    isGlobal,
    row: text,
    text: hint === undefined ? text : splice(text, [stripped]),
  };
}

/** One that an event or an answer tells of, before a list does. @param driver "" for the usual one */
export function toldVolume(node: ClusterNode, name: string, driver: string): NodeVolume {
  const key = keyOn(node, name);
  const nothing = { labels: {}, hint: undefined, isGlobal: false, row: undefined, text: undefined };
  return { engineKey: name, key, name, driver: driver || "local", ...nothing };
}

const keyOn = ({ id }: ClusterNode, name: string): string => `${id}/${name}`;
