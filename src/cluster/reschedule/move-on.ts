/** A pending container is made on a node that has room, from how it was asked for; it is still to be started. */
import { DockerError } from "../../docker/errors.ts";
import { decodeJson } from "../../docker/json-text.ts";
import { isImageMissing } from "../../engine/quirks.ts";
import { NODES_TRIED, PULL_MS } from "../../kit/limits.ts";
import { readRequest } from "../../scheduler/request.ts";
import { bringing, broughtByPull } from "../brought-images.ts";
import type { Cluster } from "../cluster.ts";
import { type Asked, type Order, placeOrder } from "../create.ts";
import { canonicalImage } from "../image-index.ts";
import { withImagePorts } from "../image-ports.ts";
import type { ClusterNode } from "../node.ts";
import type { ContainerRecord } from "../record.ts";
import { rememberRow } from "../remembered.ts";
import type { HeldRoom } from "./held-room.ts";
import { enterLimbo, leaveLimbo } from "./pending.ts";
import { readRecipe, recipeWrite } from "./recipes.ts";

/** The store does not tell how a container was asked for. */
export class NoRecipe extends Error {}

/** How it was asked for. Rejects with NoRecipe, or when the store cannot be read. */
export async function orderOf(cluster: Cluster, { id, name }: ContainerRecord): Promise<Asked> {
  const recipe = await readRecipe(cluster, id);
  if (!recipe) throw new NoRecipe("the store no longer knows how it was asked for: remove it, and make it again");
  const body = decodeJson(recipe.text);
  const request = readRequest(body, name, recipe, cluster.options);
  return { recipe, body, name, request: request.hostNetwork ? await withImagePorts(cluster, request) : request };
}

/**
 * The new copy. Rejects with why there is none: then the container is pending as before.
 * @param room held for it on the one node that it may go to
 */
export async function moveOn(cluster: Cluster, pending: ContainerRecord, room?: HeldRoom): Promise<ContainerRecord> {
  const { id } = pending;
  const order = await orderOf(cluster, pending);
  let present = pending;
  const successor = {
    id,
    get epoch() {
      return present.epoch + 1;
    },
    startsAgain: true,
    giveWay: () => {
      requireStillPending(cluster, present);
      leaveLimbo(cluster, present);
    },
    takeBack: () => {
      // Should the copy that was given up turn up after all, the next one is newer.
      present = { ...present, epoch: present.epoch + 1, removed: false };
      enterLimbo(cluster, present);
      cluster.registry.remember(present);
      rememberRow(cluster, present);
      const write = recipeWrite(id, order.recipe);
      if (write) cluster.writer.later([write]);
    },
    made: () => {
      const record = cluster.inventory.byId(id);
      if (record) cluster.rescheduler.restored(record);
    },
  };
  room?.give(id);
  return place(cluster, { ...order, successor }, room?.others ?? new Map());
}

/** Meanwhile it may have been removed, or its own node came back. */
function requireStillPending(cluster: Cluster, pending: ContainerRecord): void {
  if (cluster.limbo.containers.get(pending.engineId) !== pending) throw new Error("it is no longer pending");
}

/** An image that the chosen node lacks is pulled there, as a client would. */
async function place(cluster: Cluster, order: Order, excluded: Map<string, string>): Promise<ContainerRecord> {
  const { image } = order.request;
  for (let pulls = 0; ; pulls++) {
    try {
      return (await placeOrder(cluster, order, excluded)).record;
    } catch (error) {
      if (!(error instanceof DockerError) || !isImageMissing(error.status, error.message)) throw error;
      const nodeId = cluster.pullMemory.recall(order.recipe.client, canonicalImage(image) ?? image);
      const node = cluster.nodes.get(nodeId ?? "");
      if (!node?.reachable || pulls >= NODES_TRIED) throw error;
      await pull(cluster, node, image).catch((failure: unknown) => {
        excluded.set(node.id, cannotPull(image, failure));
      });
    }
  }
}

/** The node has it, or pulls it. Rejects with why it cannot. */
export async function haveImage(cluster: Cluster, node: ClusterNode, image: string): Promise<void> {
  if (cluster.images.find(node.id, image)) return;
  await pull(cluster, node, image).catch((error: unknown) => {
    throw new Error(`${node.name} ${cannotPull(image, error)}`);
  });
}

const cannotPull = (image: string, error: unknown): string => `cannot pull ${image}: ${String(error)}`;

async function pull(cluster: Cluster, node: ClusterNode, image: string): Promise<void> {
  const brought = await bringing(cluster, [node], broughtByPull(image));
  let failed = true;
  try {
    const path = `/images/create?fromImage=${encodeURIComponent(canonicalImage(image) ?? image)}`;
    await node.engine.text("POST", path, undefined, { deadlineMs: PULL_MS });
    failed = false;
  } finally {
    await brought(failed);
  }
}
