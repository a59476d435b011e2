/**
 * Fences: one record for each node whose agent has one, where agents and managers agree on when a lost node's containers
 * may run elsewhere. Each change names the version that it replaces, so that nobody overlooks the other. Owns the
 * vocabulary and the record's form; who waits for what is the agent's and the cluster's.
 */
import { FENCE_RECORD_BYTES } from "../kit/limits.ts";

export interface FenceRecord {
  /** One run of an agent. */
  readonly holder: string;
  /** Where that agent says its engine is: a clone of the node says another. */
  readonly address: string;
  /** The agent promises that nothing which may be moved runs when it could not renew the record for this long. */
  readonly ttlMs: number;
  /** Grows with each renewal. */
  readonly beat: number;
  /** The agent ended by itself: its promise is over. */
  readonly left?: boolean | undefined;
  readonly fence?: Fence | undefined;
  /** ID of the fence that a manager has lifted, until the agent has seen that. */
  readonly lifted?: string | undefined;
}

/** While it is there, what may be moved is not to run on the node: a manager ordered that, or the agent was out of touch. */
export interface Fence {
  readonly id: string;
  /** The agent says that nothing of it runs: it ended, or is frozen. */
  readonly still?: boolean | undefined;
  /** What the agent stopped, the beginnings of their engine IDs; all of it has ended, also in its engine's eyes. */
  readonly stopped?: readonly string[] | undefined;
}

export interface FenceEntry {
  /** Node ID. */
  readonly node: string;
  readonly version: string;
  readonly record: FenceRecord;
}

/** All methods reject with an Error of one sentence. */
export interface FenceBoard {
  /** A record that cannot be read is passed over. */
  list(signal?: AbortSignal): Promise<readonly FenceEntry[]>;
  get(node: string, signal?: AbortSignal): Promise<FenceEntry | undefined>;
  /**
   * Replaces the record that has this version; `undefined`: there is none yet. Resolves with the new version, or with
   * undefined when another one is there. After a rejection nobody knows whether it was written.
   */
  write(
    node: string,
    record: FenceRecord,
    version: string | undefined,
    signal?: AbortSignal,
  ): Promise<string | undefined>;
}

/** Characters of an engine's container ID that tell it from others on its node. */
export const STOPPED_CHARS = 16;

export const writeFence = (record: FenceRecord): string => JSON.stringify(record);

/** @throws Error one sentence */
export function readFence(text: string): FenceRecord {
  if (Buffer.byteLength(text) > FENCE_RECORD_BYTES) {
    throw new Error(`a fence's record has at most ${FENCE_RECORD_BYTES} bytes`);
  }
  const { holder, address, ttlMs, beat, left, fence, lifted } = (JSON.parse(text) ?? {}) as Partial<FenceRecord>;
  const numbers = [ttlMs, beat].every((one) => typeof one === "number" && Number.isFinite(one) && one >= 0);
  const texts = [holder, address, lifted ?? ""].every((one) => typeof one === "string");
  if (!numbers || !texts || (fence !== undefined && !isFence(fence))) throw new Error("a fence's record is damaged");
  return { holder, address, ttlMs, beat, left: left === true, fence, lifted } as FenceRecord;
}

function isFence({ id, stopped = [] }: Partial<Fence>): boolean {
  return typeof id === "string" && Array.isArray(stopped) && stopped.every((one) => typeof one === "string");
}
