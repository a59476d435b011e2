/**
 * One container as the cluster knows it. Owns the vocabulary of the cache; the inventory alone changes records.
 */
import type { PortClaim } from "../scheduler/request.ts";
import type { ListEntry } from "./list-entry.ts";
import type { ClusterNode } from "./node.ts";
import type { Moves } from "./reschedule/policy.ts";

/** What a container holds while it holds anything. */
export interface Needs {
  /** CPUs × 10⁹. */
  readonly nanoCpus: number;
  /** Bytes. */
  readonly memory: number;
  readonly ports: readonly PortClaim[];
  /** Held even when exited: the engine starts it again by itself (restart policy `always`). */
  readonly whenExited: boolean;
  readonly slot?: string;
  readonly replaces?: string;
}

export const NO_NEEDS: Needs = { nanoCpus: 0, memory: 0, ports: [], whenExited: false };

/** `placing`: decided, not yet made on any engine. `pending`: on no node, waiting for one. All others are dockerd's words. */
export type ContainerState =
  | "placing"
  | "pending"
  | "created"
  | "running"
  | "paused"
  | "restarting"
  | "removing"
  | "exited"
  | "dead";

export interface ContainerRecord {
  /** Cluster ID: for life. */
  readonly id: string;
  /** Plain, without slash; what clients see unless several nodes have it. */
  name: string;
  /** Of the create that made it; undefined when it was made past shoal. */
  nonce: string | undefined;
  /** Grows with each copy made of it; the highest wins. */
  epoch: number;
  node: ClusterNode;
  /** The engine's own ID and name of it; "" while placing, and while another node makes what one could not start. */
  engineId: string;
  engineName: string;
  state: ContainerState;
  /** Seconds since the Unix epoch, and a tie-breaker that grows with each record made. */
  created: number;
  sequence: number;
  image: string;
  imageId: string;
  labels: Readonly<Record<string, string>>;
  exitCode: number | undefined;
  /** Wall clock in milliseconds of the start (running) or the end (exited); undefined when never. */
  since: number | undefined;
  needs: Needs;
  /** Host ports that it has while it runs, those that the engine chose included. */
  published: readonly PortClaim[];
  /** False until a hint, our own create or an inspect told the needs. */
  needsKnown: boolean;
  /** The engine's value that a normalised `-c N` hides: what inspect shows instead. */
  cpuShares: number | undefined;
  /** The list entry; undefined until the engine was asked. */
  entry: ListEntry | undefined;
  /** Monotonic milliseconds of the last change that did not come from a list: an older list must not undo it. */
  touchedAt: number;
  /** Whether it has a terminal, whose output has no frames; undefined until a create or an inspect told. */
  tty: boolean | undefined;
  /** Renames under way, and those without an answer: nobody else may take any of their names. */
  readonly renames: Set<Rename>;
  /** Starts under way: what it will hold is booked although it has not started yet. */
  starting: number;
  /** Attach, wait and the like under way: it cannot move to another node under them. */
  streams: number;
  /** Cluster IDs of containers whose namespaces, volumes or names it uses: it cannot be without them on its node. */
  ties: readonly string[];
  /** How it was asked for, until it has run once: what another node needs to make it again. */
  recipe: Recipe | undefined;
  /** Whether it may run elsewhere when its node is lost; undefined when the store does not know how it was asked for. */
  moves: Moves | undefined;
  /** It ran before its node was lost, and has not been started again since. */
  startsAgain: boolean;
  /** Its place is gone: it left the inventory. */
  removed: boolean;
}

/** One of which nothing else is known yet. */
export function blankRecord(
  node: ClusterNode,
  { id, name, epoch }: { readonly id: string; readonly name: string; readonly epoch: number },
  state: ContainerState,
): ContainerRecord {
  return {
    id,
    name,
    epoch,
    nonce: undefined,
    node,
    engineId: "",
    engineName: name,
    state,
    created: 0,
    sequence: 0,
    image: "",
    imageId: "",
    labels: {},
    exitCode: undefined,
    since: undefined,
    needs: NO_NEEDS,
    published: [],
    needsKnown: true,
    cpuShares: undefined,
    tty: undefined,
    entry: undefined,
    touchedAt: Number.NEGATIVE_INFINITY,
    renames: new Set(),
    starting: 0,
    streams: 0,
    ties: [],
    recipe: undefined,
    moves: undefined,
    startsAgain: false,
    removed: false,
  };
}

/** From one name to another, of which the engine has not told yet what became. */
export interface Rename {
  readonly names: readonly string[];
  /** Monotonic milliseconds when its answer was lost: lists begun later decide. Undefined while it is under way. */
  uncertainSince: number | undefined;
}

/** Its name, and all others that its engine may know it by. */
export function namesOf({ name, renames }: Pick<ContainerRecord, "name" | "renames">): ReadonlySet<string> {
  return new Set([name, ...[...renames].flatMap(({ names }) => names)]);
}

/** A create request as the client sent it. */
export interface Recipe {
  readonly text: string;
  readonly version: string | undefined;
  readonly platform: string | undefined;
  readonly client: string;
}

/** Until what ran on a lost node runs again it is shown as waiting, although its next copy may be made. */
export function shownState({ state, startsAgain }: Pick<ContainerRecord, "state" | "startsAgain">): ContainerState {
  return startsAgain && state === "created" ? "pending" : state;
}

/** Does it hold its needs in the ledger now? */
export function holds(record: Pick<ContainerRecord, "state" | "needs" | "starting">): boolean {
  if (record.starting > 0) return true;
  switch (record.state) {
    case "placing":
    case "created":
    case "running":
    case "paused":
    case "restarting":
      return true;
    case "exited":
      return record.needs.whenExited;
    case "pending":
    case "removing":
    case "dead":
      return false;
  }
}

/** Does `docker ps` without -a list it? Containers of a node that does not answer are shown with -a only, as `Host Down`. */
export function isListedByDefault(record: ContainerRecord): boolean {
  const { state } = record;
  return (state === "running" || state === "paused" || state === "restarting") && record.node.reachable;
}
