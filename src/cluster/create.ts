/**
 * Creating a container: a place is chosen and booked in one step, then the engine is asked; a node that fails for its own
 * reason hands over to the next. Owns the life of a placement until the engine's answer.
 */
import { badRequest, DockerError, invalidName, nameInUse } from "../docker/errors.ts";
import { assertNoVariants, goGet, splice } from "../docker/json-text.ts";
import { generateName } from "../docker/names.ts";
import { isValidContainerName } from "../docker/references.ts";
import { isImageMissing, isNodesOwnFault } from "../engine/quirks.ts";
import { WireError } from "../engine/wire/wire.ts";
import { NODES_TRIED, RECIPE_CHARS } from "../kit/limits.ts";
import type { GroupAsk } from "../scheduler/group.ts";
import { type Decision, type PlaceContext, place, refusalError } from "../scheduler/place.ts";
import { type Request, readRequest } from "../scheduler/request.ts";
import type { Write } from "../store/store.ts";
import { askEngine, connectOthers, engineAsk } from "./ask-engine.ts";
import { PathSearch } from "./bind-paths.ts";
import { claimNonce } from "./claim.ts";
import type { Cluster } from "./cluster.ts";
import { removeCopy } from "./copies.ts";
import { BODY_SHAPE, GUARDED_PATHS, wholeCpus } from "./create-body.ts";
import { failedForItself, succeeded } from "./distress.ts";
import { isUncertain } from "./exchange.ts";
import { forget } from "./forget.ts";
import { joinGroup, mayBeUnread, requireReserve, type Tried } from "./groups/standing.ts";
import { settle } from "./holdings.ts";
import { FAILED } from "./home.ts";
import { canonicalImage } from "./image-index.ts";
import { withImagePorts } from "./image-ports.ts";
import { decodeShaped, judge, NOBODY } from "./judge.ts";
import { needsOfRequest } from "./needs.ts";
import type { ClusterNode } from "./node.ts";
import type { Placement } from "./placements.ts";
import { blankRecord, type ContainerRecord, type Recipe } from "./record.ts";
import { movesOf } from "./reschedule/policy.ts";
import { recipeWrite } from "./reschedule/recipes.ts";
import { settling } from "./settling.ts";
import { surroundingsOf } from "./surroundings.ts";
import { tiesTo } from "./ties.ts";
import { clusterText } from "./translate.ts";
import { awaitOutcome } from "./uncertain.ts";
import { expectVolumes } from "./volumes/own-volumes.ts";
import { engineVolumeName, placesOfVolume } from "./volumes/places.ts";

export interface CreateAnswer {
  readonly record: ContainerRecord;
  /** The engine's answer in the cluster's words. */
  readonly text: string;
}

/** What a create asks for. */
export interface Asked {
  readonly recipe: Recipe;
  readonly body: unknown;
  readonly name: string;
  readonly request: Request;
}

/** A create in the making: what every try on a node shares. */
export interface Order extends Asked {
  /** Given when the container exists already and goes on elsewhere. */
  readonly successor: Successor | undefined;
}

/** A container's next copy: it keeps ID and name, and at no moment does the cluster have none of the two copies, or both. */
export interface Successor {
  readonly id: string;
  readonly epoch: number;
  /** It ran, and is to run again. */
  readonly startsAgain: boolean;
  /** The present copy leaves the inventory; in one step with the booking of the next one's place. */
  readonly giveWay: () => void;
  /** It is there again; in one step with the end of a booking that made nothing. */
  readonly takeBack: () => void;
  /** The engine's answer was lost, and it turned out that it had made the next copy. */
  readonly made: () => void;
}

/** @param wantedName the client's, "" when it gave none. Throws DockerError. */
export async function createContainer(cluster: Cluster, wantedName: string, recipe: Recipe): Promise<CreateAnswer> {
  const question = { method: "POST", path: `/containers/create?name=${NOBODY}`, version: recipe.version };
  const body = await decodeShaped(cluster, recipe.text, BODY_SHAPE, question);
  // With our label in it an engine would no longer find it empty.
  if (Object.keys(body ?? {}).length === 0) {
    await judge(cluster, question, recipe.text);
    throw badRequest("config cannot be empty in order to create a container");
  }
  assertNoVariants(recipe.text, GUARDED_PATHS);
  const name = chooseName(cluster, wantedName);
  let request = readRequest(body, name, recipe, cluster.options);
  if (request.hostNetwork) {
    request = await withImagePorts(cluster, request);
    requireFree(cluster, name);
  }
  // On a node that is being read there may be a volume of the name, or a member of the group.
  const mayLive = request.volumes.some((ref) => livesNowhere(cluster, ref)) || mayBeUnread(cluster, request.group);
  if (mayLive && (await settling(cluster))) requireFree(cluster, name);
  return placeOrder(cluster, { recipe, body, name, request, successor: undefined }, new Map());
}

function chooseName(cluster: Cluster, wanted: string): string {
  const { inventory, random } = cluster;
  if (wanted === "") return generateName(random, (name) => inventory.named(name).size > 0);
  const name = wanted.startsWith("/") ? wanted.slice(1) : wanted;
  if (!isValidContainerName(name)) throw invalidName(name);
  requireFree(cluster, name);
  return name;
}

function livesNowhere(cluster: Cluster, ref: string): boolean {
  const { kept, caches } = placesOfVolume(cluster, ref);
  return kept.size + caches.size === 0;
}

function requireFree(cluster: Cluster, name: string): void {
  for (const holder of cluster.inventory.named(name)) throw nameInUse(name, holder.id);
}

/** Tries nodes until one takes it, three at most. @param excluded IDs of nodes that could not take it already, and why */
export async function placeOrder(cluster: Cluster, order: Order, excluded: Map<string, string>): Promise<CreateAnswer> {
  const paths = new PathSearch(cluster, order.request.binds);
  let failure: DockerError | undefined;
  for (let tries = 0; tries < NODES_TRIED && !paths.exhausted; ) {
    // From the decision to the booked placement nothing waits: that is the lock.
    requireReserve(cluster, order.request.group);
    let decision = decide(cluster, order, placeContext(cluster, excluded));
    if (decision.refusal !== undefined && order.successor === undefined && (await settling(cluster))) {
      requireFree(cluster, order.name);
      decision = decide(cluster, order, placeContext(cluster, excluded));
    }
    const node = chooseNode(cluster, order, decision);
    if (!node) throw failure ?? paths.refusal(decision) ?? refusalError(decision);
    const placement = book(cluster, order, node, excluded);
    const kept = { name: order.name, id: undefined, time: cluster.clock.now(), node: node.name, decision };
    cluster.decisions.keep(kept);
    const whyNot = await paths.whyNot(node);
    if (whyNot !== undefined) {
      unbook(cluster, placement);
      excluded.set(node.id, whyNot);
      continue;
    }
    tries++;
    await intend(cluster, placement, order.request.group);
    try {
      const answer = await createOn(cluster, order, node, placement);
      cluster.decisions.keep({ ...kept, id: answer.record.id });
      succeeded(node);
      cluster.pullMemory.created(order.recipe.client, canonicalImage(order.request.image) ?? order.request.image);
      return answer;
    } catch (error) {
      failure = toFailure(cluster, node, error);
      if (isUncertain(error)) {
        // It may have been made: its name and needs stay booked until the node's next lists tell.
        awaitOutcome(cluster, placement, cluster.clock.monotonic());
        throw failure;
      }
      unbook(cluster, placement);
      if (error instanceof DockerError && isImageMissing(error.status, error.message)) {
        // The client pulls now and creates again: both shall go where this one was to go.
        const { image } = order.request;
        cluster.pullMemory.missed(order.recipe.client, canonicalImage(image) ?? image, node.id);
        throw failure;
      }
      if (!isNextNodesTurn(error)) throw failure;
      failedForItself(cluster, node, failure.message);
      excluded.set(node.id, FAILED);
    }
  }
  throw failure ?? paths.refusal(undefined) ?? new DockerError(500, "no node was tried");
}

/** What decisions are made of, as it is now. @param exclude IDs of nodes that shall not take it, and why */
export function placeContext(cluster: Cluster, exclude: ReadonlyMap<string, string>): PlaceContext {
  const { ledger, options, random } = cluster;
  const { strategy, filters, overcommit } = options;
  return { ledger, surroundings: surroundingsOf(cluster, exclude), strategy, filters, overcommit, random, exclude };
}

/** Over all nodes, or, for an image that no registry knows (committed, imported, loaded), over those that have it. */
export function decide(cluster: Cluster, { request }: Asked, context: PlaceContext): Decision {
  const { image } = request;
  const decision = decideAmong(request, cluster.nodes.values(), context);
  const [best] = decision.ranked;
  if (!best || cluster.images.find(best.id, image)) return decision;
  const holders = onlyHolders(cluster, image);
  return holders.length === 0 ? decision : decideAmong(request, holders, context);
}

/** The nodes that have an image which cannot be pulled; none when a registry knows it or nobody has it. */
function onlyHolders(cluster: Cluster, image: string): ClusterNode[] {
  const holders: ClusterNode[] = [];
  for (const node of cluster.reachable()) {
    const found = cluster.images.find(node.id, image);
    if (!found) continue;
    if (found.repoDigests.length > 0) return [];
    holders.push(node);
  }
  return holders;
}

function decideAmong(request: Request, nodes: Iterable<ClusterNode>, context: PlaceContext): Decision {
  const views = [];
  for (const node of nodes) views.push(node.view);
  return place(request, views, context);
}

/** The best node, unless the client pulled the image to another good one a moment ago. */
function chooseNode(cluster: Cluster, order: Order, decision: Decision): ClusterNode | undefined {
  const [best] = decision.ranked;
  if (!best) {
    cluster.decisions.keep({ name: order.name, id: undefined, time: cluster.clock.now(), node: undefined, decision });
    return undefined;
  }
  const { image } = order.request;
  const pulledTo = cluster.pullMemory.recall(order.recipe.client, canonicalImage(image) ?? image);
  const pulled = decision.ranked.find((view) => view.id === pulledTo);
  return cluster.nodes.get(pulled?.id ?? best.id);
}

/** Takes the name, the resources and the ports, and a home for its group. Synchronous. */
function book(cluster: Cluster, order: Order, node: ClusterNode, excluded: Tried): Placement {
  const nonce = cluster.random.hex(8);
  const { successor } = order;
  successor?.giveWay();
  const record: ContainerRecord = {
    ...blankRecord(
      node,
      { id: successor?.id ?? cluster.random.hex(32), name: order.name, epoch: successor?.epoch ?? 1 },
      // What exists is found and listed while its next copy is made.
      successor ? "created" : "placing",
    ),
    nonce,
    created: Math.floor(cluster.clock.now() / 1000),
    sequence: cluster.inventory.nextSequence(),
    image: order.request.image,
    labels: order.request.labels,
    needs: resolveSuccession(cluster, needsOfRequest(order.request, order.body)),
    cpuShares: wholeCpus(cluster, order.body),
    touchedAt: cluster.clock.monotonic(),
    tty: goGet(order.body, "Tty") === true,
    ties: tiesTo(
      cluster,
      node,
      order.request.dependencies.map(({ ref }) => ref),
    ),
    recipe: order.recipe.text.length > RECIPE_CHARS ? undefined : order.recipe,
    moves: movesOf(order.request, order.body, cluster.options.reschedule ?? "auto"),
    startsAgain: successor?.startsAgain ?? false,
  };
  const volumes = order.request.volumes.map((ref) => engineVolumeName(cluster, ref));
  const placement: Placement = { nonce, volumes, record, uncertainSince: undefined };
  if (successor) placement.decided = (made) => (made ? successor.made() : successor.takeBack());
  joinGroup(cluster, order.request.group, node, excluded);
  if (order.request.group !== undefined) cluster.groups.begun(order.request.group.key);
  cluster.inventory.add(record);
  settle(cluster, record);
  cluster.placements.add(placement);
  return placement;
}

/** Compose names what it replaces by any reference; the ledger knows cluster IDs. */
function resolveSuccession<T extends { readonly replaces?: string }>(cluster: Cluster, needs: T): T {
  if (needs.replaces === undefined) return needs;
  const replaced = cluster.inventory.byId(needs.replaces) ?? cluster.inventory.find(needs.replaces);
  return replaced ? { ...needs, replaces: replaced.id } : needs;
}

/** What a crash leaves of the create is found by this. Throws 503, the placement given back, when the store does not take it. */
async function intend(cluster: Cluster, placement: Placement, group: GroupAsk | undefined): Promise<void> {
  try {
    const groupDurable = group && cluster.groups.durable(group.key);
    await Promise.all([groupDurable, cluster.registry.intend(placement)]);
  } catch (error) {
    unbook(cluster, placement);
    throw error;
  }
}

function unbook(cluster: Cluster, placement: Placement): void {
  cluster.placements.delete(placement.nonce);
  cluster.registry.settleIntent(placement.nonce);
  // Once the engine has told of it, only the engine can say that it is gone.
  const { record } = placement;
  if (record.engineId === "") {
    forget(cluster, record);
    placement.decided?.(false);
  } else if (record.removed) placement.decided?.(false);
  else {
    cluster.registry.remember(record);
    cluster.refresher.mark(record, true);
    placement.decided?.(true);
  }
}

async function createOn(
  cluster: Cluster,
  order: Order,
  node: ClusterNode,
  placement: Placement,
): Promise<CreateAnswer> {
  const { record } = placement;
  const hasId = cluster.options.mintIds || order.successor !== undefined;
  const ask = await engineAsk(cluster, node, order, { ...record, nonce: placement.nonce, hasId });
  const volumesBefore = cluster.volumes.heard;
  const { engineId, text } = await askEngine(node, ask);
  const final = claimNonce(cluster, node, placement.nonce, engineId, order.name) ?? placement.record;
  expectVolumes(cluster, final, volumesBefore, placement.volumes);
  cluster.placements.delete(placement.nonce);
  await orUndo(cluster, final, async () => {
    await connectOthers(node, final.engineId, ask);
    await cluster.registry.own(final, placement.nonce, keptRecipe(final, order));
  });
  cluster.refresher.mark(final, true);
  return { record: final, text: splice(text, [{ path: ["Id"], json: JSON.stringify(final.id) }]) };
}

/** How it was asked for, for the day on which it has to run elsewhere. */
function keptRecipe(record: ContainerRecord, { recipe, successor }: Order): readonly Write[] {
  if (record.moves === undefined || successor) return [];
  const write = recipeWrite(record.id, recipe);
  if (write) return [write];
  record.moves = undefined;
  return [];
}

/** What a create still needs before its answer. When it fails the container is removed, as dockerd does. */
async function orUndo(cluster: Cluster, record: ContainerRecord, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { node, engineId } = record;
    if (await removeCopy(cluster, node, engineId)) forget(cluster, record);
    throw error;
  }
}

function toFailure(cluster: Cluster, node: ClusterNode, error: unknown): DockerError {
  if (error instanceof DockerError) return new DockerError(error.status, clusterText(cluster, node, error.message));
  const message = error instanceof Error ? error.message : String(error);
  return new DockerError(503, `node ${node.name} did not answer the create: ${message}`, { cause: error });
}

function isNextNodesTurn(error: unknown): boolean {
  if (error instanceof WireError) return !error.sent;
  return error instanceof DockerError && isNodesOwnFault(error.status, error.message);
}
