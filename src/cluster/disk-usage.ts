/**
 * `GET /system/df` over the cluster: containers from the list, everything else as each node's engine measured it. What is
 * on several nodes takes its room on each of them, so it stands there once for each.
 */
import { badRequest } from "../docker/errors.ts";
import { elements, fields, splice } from "../docker/json-text.ts";
import { API_VERSION, compareVersions } from "../docker/version.ts";
import type { Cluster } from "./cluster.ts";
import { answersOf } from "./fan-out.ts";
import { HINT_LABEL } from "./hint.ts";
import { listContainers } from "./list-containers.ts";
import { measuredDisk } from "./measured-disk.ts";
import type { ClusterNode } from "./node.ts";

const TYPES = ["container", "image", "volume", "build-cache"] as const;
type Type = (typeof TYPES)[number];

/** One node's part: JSON texts of its rows, and sums in bytes. */
interface Usage {
  readonly node: ClusterNode;
  readonly images: readonly string[];
  readonly volumes: readonly string[];
  readonly buildCache: readonly string[];
  readonly layersSize: number;
  /** Engines below 1.42 sum their build cache up themselves. */
  readonly builderSize: number | undefined;
}

/**
 * The answer's text.
 * @param types as asked for; none: all. Below API 1.42 there was no choice.
 * @throws DockerError, also when one of the nodes fails
 */
export async function diskUsage(cluster: Cluster, types: readonly string[], version = API_VERSION): Promise<string> {
  const wanted = new Set(compareVersions(version, "1.42") < 0 || types.length === 0 ? TYPES : types.map(typeOf));
  const measured = TYPES.filter((type) => type !== "container" && wanted.has(type));
  const [containers, usages] = await Promise.all([
    wanted.has("container") ? containerRows(cluster) : undefined,
    measured.length > 0 ? measure(cluster, measured, version) : [],
  ]);
  const rows = (type: Type, texts: readonly string[]): string => (wanted.has(type) ? `[${texts.join(",")}]` : "null");
  const builderSizes = usages.flatMap(({ builderSize }) => builderSize ?? []);
  const images = usages.flatMap((usage) => usage.images.map(withoutHint));
  const buildCache = usages.flatMap((usage) => usage.buildCache);
  const parts = [
    `"LayersSize":${wanted.has("image") ? sum(usages.map(({ layersSize }) => layersSize)) : 0}`,
    `"Images":${rows("image", images)}`,
    `"Containers":${containers ?? "null"}`,
    `"Volumes":${rows("volume", volumeRows(usages))}`,
    `"BuildCache":${rows("build-cache", buildCache)}`,
    ...(builderSizes.length > 0 ? [`"BuilderSize":${sum(builderSizes)}`] : []),
  ];
  return `{${parts.join(",")}}\n`;
}

function typeOf(text: string): Type {
  const type = TYPES.find((known) => known === text);
  if (type === undefined) throw badRequest(`unknown object type: ${text}`);
  return type;
}

async function containerRows(cluster: Cluster): Promise<string> {
  const pieces = await listContainers(cluster, { all: true, limit: 0, size: true, filters: null });
  return Buffer.concat(pieces).toString("utf8").trimEnd();
}

async function measure(cluster: Cluster, types: readonly Type[], version: string): Promise<Usage[]> {
  const query = new URLSearchParams(types.map((type): [string, string] => ["type", type]));
  const ask = async (node: ClusterNode): Promise<Usage> =>
    readUsage(node, await measuredDisk(cluster, node, query.toString(), version));
  const nodes = cluster.reachable();
  return answersOf(nodes, await Promise.allSettled(nodes.map(ask)));
}

function readUsage(node: ClusterNode, text: string): Usage {
  const spans = fields(text);
  const raw = (key: string): string | undefined => {
    const span = spans.get(key);
    return span && text.slice(span.start, span.end);
  };
  const builderSize = raw("BuilderSize");
  return {
    node,
    images: elements(raw("Images") ?? "null"),
    volumes: elements(raw("Volumes") ?? "null"),
    buildCache: elements(raw("BuildCache") ?? "null"),
    layersSize: Number(raw("LayersSize") ?? 0),
    builderSize: builderSize === undefined ? undefined : Number(builderSize),
  };
}

/** A name that several nodes have is told apart. */
function volumeRows(usages: readonly Usage[]): string[] {
  const all = usages.flatMap(({ node, volumes }) =>
    volumes.map((text) => ({ node, text, name: (JSON.parse(text) as { Name: string }).Name })),
  );
  const counts = new Map<string, number>();
  for (const { name } of all) counts.set(name, (counts.get(name) ?? 0) + 1);
  return all.map(({ node, text, name }) => {
    const plain = withoutHint(text);
    if (counts.get(name) === 1) return plain;
    return splice(plain, [{ path: ["Name"], json: JSON.stringify(`${node.name}/${name}`) }]);
  });
}

function withoutHint(row: string): string {
  return row.includes(HINT_LABEL) ? splice(row, [{ path: ["Labels", HINT_LABEL], json: undefined }]) : row;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
