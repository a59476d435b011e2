/**
 * A create as one engine is asked for it: the client's own text with what shoal changes in it, the networks that it needs
 * there before, and those that it is connected to after. Must not know who chose the node, or what becomes of the copy.
 */
import { DockerError, noSuchImage } from "../docker/errors.ts";
import { goGet } from "../docker/json-text.ts";
import { clampVersion } from "../docker/version.ts";
import { CREATE_MS } from "../kit/limits.ts";
import type { Cluster } from "./cluster.ts";
import type { Asked } from "./create.ts";
import { type EngineBody, engineBody } from "./create-body.ts";
import { encodeHint } from "./hint.ts";
import { familiarImage } from "./image-index.ts";
import { haveNetworks } from "./networks/create.ts";
import type { ClusterNode } from "./node.ts";
import type { ContainerRecord } from "./record.ts";

/** What the hint on the copy says of it. */
export type Copy = Pick<ContainerRecord, "id" | "epoch" | "needs" | "cpuShares" | "moves"> & {
  readonly nonce: string;
  /** Its cluster ID is no engine's that is still to come. */
  readonly hasId: boolean;
};

export interface EngineAsk {
  readonly path: string;
  readonly body: EngineBody;
  readonly version: string | undefined;
}

/** Makes the networks that it needs there. Rejects with DockerError: 404 for an image that the engine takes for another one. */
export async function engineAsk(
  cluster: Cluster,
  node: ClusterNode,
  { recipe, body, name, request }: Asked,
  { id, nonce, epoch, needs, cpuShares, moves, hasId }: Copy,
): Promise<EngineAsk> {
  requireMeant(cluster, node, request.image);
  const { apiVersion, minApiVersion } = node.view;
  const version = clampVersion(recipe.version ?? apiVersion, minApiVersion, apiVersion);
  await haveNetworks(cluster, node, request.networks);
  const edited = engineBody(cluster, node, recipe.text, body, {
    hint: encodeHint({
      id: hasId ? id : undefined,
      nonce,
      epoch,
      needs,
      cpuShares,
      moves: moves === "never" ? undefined : moves,
    }),
    hostname: hasId ? id.slice(0, 12) : undefined,
    version,
    cpuShares,
  });
  const query = new URLSearchParams({ name });
  if (recipe.platform) query.set("platform", recipe.platform);
  return { path: `/containers/create?${query}`, body: edited, version: recipe.version };
}

export interface EngineAnswer {
  readonly engineId: string;
  /** The engine's own. */
  readonly text: string;
}

/** Rejects with the engine's refusal, or when it did not answer: then it may have made the copy. */
export async function askEngine(node: ClusterNode, { path, body, version }: EngineAsk): Promise<EngineAnswer> {
  const text = await node.engine.text("POST", path, body.text, { deadlineMs: CREATE_MS, version });
  const engineId = goGet(JSON.parse(text), "Id");
  if (typeof engineId !== "string") throw new DockerError(500, `node ${node.name} answered a create without an ID`);
  return { engineId, text };
}

/** The endpoints that the engine could not take at create. */
export async function connectOthers(node: ClusterNode, engineId: string, { body }: EngineAsk): Promise<void> {
  for (const { network, endpoint } of body.connects) {
    const request = `{"Container":${JSON.stringify(engineId)},"EndpointConfig":${endpoint}}`;
    await node.engine.text("POST", `/networks/${encodeURIComponent(network)}/connect`, request, {
      deadlineMs: CREATE_MS,
    });
  }
}

/** The engine would take another image that it has under the tag. Throws its 404, after which clients pull. */
function requireMeant({ images }: Cluster, node: ClusterNode, image: string): void {
  if (images.findOnEngine(node.id, image) && !images.find(node.id, image)) throw noSuchImage(familiarImage(image));
}
