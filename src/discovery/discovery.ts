/**
 * Who is in the cluster: a driver turns a URL into a list of entries, and says when the list changes. Some sources take
 * registrations as well. Owns the vocabulary; must not know any source.
 */
import type { FenceBoard } from "./fences.ts";

/** One node as its source knows it. A list on a command line or in a file knows addresses alone. */
export interface Entry {
  /** `host:port` or `unix:///path`. */
  readonly address: string;
  /** Issued when the node joined and kept by it, whatever its address and name become. */
  readonly id?: string | undefined;
  /** Instead of the engine's own host name. */
  readonly name?: string | undefined;
  /** Besides the engine's own labels, and before them. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

export interface Discovery {
  /** The URL as given. */
  readonly url: string;
  /** Where nodes register themselves; undefined: what is in the list is decided elsewhere. */
  readonly registry: Registry | undefined;
  /** Undefined where nobody registers: such nodes have no fences. */
  readonly fences: FenceBoard | undefined;
  /** Where managers register, and hear of promotions; absent: nowhere. */
  readonly managers?: ManagerRegistry;
  /**
   * Calls `onEntries` with the whole list at once and after every change until the signal aborts; a failed reading calls
   * `onError` and keeps the last list. Resolves when the signal aborts.
   */
  watch(
    onEntries: (entries: readonly Entry[]) => void,
    onError: (error: Error) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** The list now. */
  list(signal?: AbortSignal): Promise<readonly Entry[]>;
  /** Gives up connections. */
  close(): Promise<void>;
}

/** What a node says of itself with each heartbeat. */
export interface Registration extends Entry {
  readonly id: string;
  /** Readers take the node as gone when they saw no new beat for this long by their own clocks. */
  readonly ttlMs: number;
  /** Counts the heartbeats, so that each of them changes the record. */
  readonly beat: number;
}

/** Both methods reject with an Error of one sentence. */
export interface Registry {
  /** Writes the node's record, or renews it. */
  register(registration: Registration, signal?: AbortSignal): Promise<void>;
  /** Takes away the record at `address`, if it is there. */
  withdraw(address: string, signal?: AbortSignal): Promise<void>;
}

/** What a manager says of itself with each sign of life. */
export interface ManagerRegistration {
  /** `host:port` at which it answers. */
  readonly address: string;
  readonly host?: string | undefined;
  readonly ttlMs: number;
  readonly manager: ManagerState;
}

export interface ManagerState {
  readonly role: "primary" | "replica";
  /** It is the one that `--master` or a promotion named. */
  readonly isMaster: boolean;
  /** ID of the last promotion that was followed; absent: of none. */
  readonly promotion?: string | undefined;
  /** What a primary has under it. */
  readonly cluster?: ClusterSize | undefined;
}

/** Counts, CPUs and bytes. */
export interface ClusterSize {
  readonly nodes: number;
  readonly healthy: number;
  readonly containers: number;
  readonly cpus: number;
  readonly reservedCpus: number;
  readonly memory: number;
  readonly reservedMemory: number;
}

/** Somebody's word which manager is to lead. */
export interface Promotion {
  /** Unlike every other promotion's. */
  readonly id: string;
  /** Undefined: none in particular any more. */
  readonly address: string | undefined;
}

export interface ManagerRegistry {
  /** Writes the manager's record, or renews it. @returns the last promotion; rejects with an Error of one sentence */
  register(registration: ManagerRegistration, signal?: AbortSignal): Promise<Promotion | undefined>;
}

/** Whether two lists say the same in the same order. */
export function sameEntries(a: readonly Entry[] | undefined, b: readonly Entry[]): boolean {
  return a !== undefined && JSON.stringify(a) === JSON.stringify(b);
}
