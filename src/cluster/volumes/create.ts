/**
 * Creating a volume by itself. A name that exists in the cluster is answered where it lives, as an engine answers it;
 * a new one goes to its home, and a node that cannot take it for its own reason hands over to the next.
 */
import { DockerError } from "../../docker/errors.ts";
import { assertNoVariants, type Edit, goGet, splice } from "../../docker/json-text.ts";
import { splitNodePrefix } from "../../docker/references.ts";
import { isNodesOwnFault } from "../../engine/quirks.ts";
import { WireError } from "../../engine/wire/wire.ts";
import { CREATE_MS, NODES_TRIED } from "../../kit/limits.ts";
import { groupKey } from "../../scheduler/group.ts";
import type { Cluster } from "../cluster.ts";
import { nodeFailure } from "../exchange.ts";
import { shownObjectName } from "../find-object.ts";
import { encodeObjectHint, HINT_LABEL } from "../hint.ts";
import { atHome } from "../home.ts";
import { readShaped } from "../judge.ts";
import { requireReachable } from "../lookup.ts";
import type { ClusterNode } from "../node.ts";
import { type ObjectCreate, whileCreating } from "../object-creates.ts";
import { settling } from "../settling.ts";
import { ambiguousVolume } from "./find.ts";
import { ownVolume } from "./own-volumes.ts";
import { placesOfVolume } from "./places.ts";
import { type NodeVolume, readVolume, VOLUMES } from "./volume.ts";

export interface MadeVolume {
  readonly name: string;
  readonly node: ClusterNode;
  /** The engine's answer in the cluster's words. */
  readonly text: string;
}

const SHAPE = [["object"], ["object", "Labels"]] as const;

/** A volume in the making: what every try on a node shares. */
interface Wish {
  readonly text: string;
  readonly version: string | undefined;
  /** As the engine will know it; "" for one that the engine names. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The body has no labels, or null for them. */
  readonly unlabelled: boolean;
  /** The name of the node that the client named. */
  readonly node: string | undefined;
}

/** @param text the client's body. Throws DockerError. */
export async function createVolume(cluster: Cluster, text: string, version: string | undefined): Promise<MadeVolume> {
  const wish = readWish(cluster, text.trim() === "" ? "{}" : text, version);
  // On a node that is being read there may be one of the name.
  if (wish.name !== "" && homeOfName(cluster, wish) === undefined) await settling(cluster);
  const tried = new Set<string>();
  let failure: DockerError | undefined;
  for (let tries = 0; tries < NODES_TRIED; tries++) {
    const at: { node?: ClusterNode; there?: boolean } = {};
    // From the look for the name to the held name nothing waits: that is the lock.
    const make = (home: ClusterNode | undefined): Promise<MadeVolume> | undefined => {
      const there = homeOfName(cluster, wish);
      at.there = there !== undefined;
      at.node = there ?? home;
      return at.node && makeOn(cluster, wish, at.node);
    };
    try {
      return await (make(undefined) ??
        atHome(cluster, { labels: wish.labels, node: wish.node, tried }, (home) => make(home) as Promise<MadeVolume>));
    } catch (error) {
      const { node, there } = at;
      // None is left, or the name is on several.
      if (!node) throw failure ?? error;
      failure = nodeFailure(cluster, node, error);
      const unsent = error instanceof WireError && !error.sent;
      if (there || wish.node !== undefined || !(unsent || isNodesOwnFault(failure.status, failure.message)))
        throw failure;
      cluster.log.warn("a node could not make a volume", { node: node.name, error: failure.message });
      tried.add(node.id);
    }
  }
  throw failure ?? new DockerError(500, "no node was tried");
}

function readWish(cluster: Cluster, text: string, version: string | undefined): Wish {
  const body = readShaped(text, SHAPE);
  assertNoVariants(text, [["Name"], ["Labels"]]);
  const typed = goGet(body, "Name") ?? "";
  // What is no text is refused by any engine, in its own words.
  const { node, rest } = typeof typed === "string" ? splitNodePrefix(typed) : { node: undefined, rest: "" };
  const named = node !== undefined && cluster.nodeByName(node) !== undefined;
  const name = named ? rest : typeof typed === "string" ? typed : "";
  const labels: Record<string, string> = Object.create(null);
  for (const [key, value] of Object.entries((goGet(body, "Labels") ?? {}) as Record<string, unknown>)) {
    if (typeof value === "string") labels[key] = value;
  }
  const unlabelled = (goGet(body, "Labels") ?? null) === null;
  return { text, version, name, labels, unlabelled, node: named ? node : undefined };
}

/** The node that has, or is about to have, a volume of the name. Throws 409 when several do, 503 when it does not answer. */
function homeOfName(cluster: Cluster, { name, node }: Wish): ClusterNode | undefined {
  if (name === "" || node !== undefined) return undefined;
  const global = [...cluster.volumes.named(name)].find(({ key }) => key === name);
  const { kept, caches } = placesOfVolume(cluster, name);
  if (kept.size > 1) throw ambiguousVolume(cluster, name);
  const places = kept.size > 0 ? kept : caches.size > 0 ? caches : (global?.on ?? new Map()).keys();
  const nodes = [...places].flatMap((id) => cluster.nodes.get(id) ?? []).sort((a, b) => (a.name < b.name ? -1 : 1));
  const home = nodes.find(({ reachable }) => reachable) ?? nodes[0];
  if (home) requireReachable(home);
  return home;
}

/** Rejects with DockerError, WireError or DeadlineError. */
async function makeOn(cluster: Cluster, wish: Wish, node: ClusterNode): Promise<MadeVolume> {
  const nonce = cluster.random.hex(8);
  const edits: Edit[] = [
    { path: ["Labels", HINT_LABEL], json: JSON.stringify(encodeObjectHint({ nonce, unlabelled: wish.unlabelled })) },
  ];
  if (wish.node !== undefined) edits.push({ path: ["Name"], json: JSON.stringify(wish.name) });
  const ask = async (): Promise<NodeVolume> => {
    const text = await node.engine.text("POST", "/volumes/create", splice(wish.text, edits), {
      deadlineMs: CREATE_MS,
      version: wish.version,
    });
    return readVolume(node, text);
  };
  const group = groupKey(wish.labels, cluster.options.groups);
  const create: ObjectCreate = { kind: "volumes", nonce, name: wish.name, node: node.id, group };
  // Nobody else can ask for one that its engine names.
  const volume = await (wish.name === "" ? ask() : whileCreating(cluster, node, create, ask));
  cluster.volumes.add(node.id, volume, cluster.clock.monotonic());
  // One that was there keeps the labels that it had.
  if (volume.hint?.nonce === nonce) ownVolume(cluster, node.id, volume.name);
  const { row = "" } = volume;
  await cluster.objectCreates.made(create, cluster.rememberedVolumes.keep(node.id, volume.name, { row }));
  const { key, name } = volume;
  const shown = shownObjectName(cluster, VOLUMES, { key, name, on: new Map([[node.id, volume]]) });
  const named: Edit[] = shown === name ? [] : [{ path: ["Name"], json: JSON.stringify(shown) }];
  return { name, node, text: splice(volume.text ?? "", named) };
}
