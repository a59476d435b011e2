/**
 * The label that a create leaves on the engine's container, so that a new manager finds identity and needs again
 * without an inspect. A hint only: always overwritten at create, hidden from clients, bound by a nonce. On networks and
 * volumes, whose labels nothing inherits and nobody can change, it is the truth of whose they are.
 */
import type { PortClaim } from "../scheduler/request.ts";
import type { Needs } from "./record.ts";

export const HINT_LABEL = "shoal.hint";
/** Shown on listed containers; its last part is the header that the docker CLI prints. */
export const NODE_LABEL = "shoal.NODE";

export interface Hint {
  /** Cluster ID; undefined when the engine's own ID serves. */
  readonly id: string | undefined;
  /** Made for one create: tells our own container from one that inherited the label. */
  readonly nonce: string;
  readonly epoch: number;
  readonly needs: Needs;
  /** The `-c N` that inspect shows. */
  readonly cpuShares: number | undefined;
  /** It may run elsewhere when its node is lost: an agent's fence stops it. */
  readonly moves?: "asked" | "unasked" | undefined;
}

/** Short keys: the label is on every container and in every event. */
interface Encoded {
  readonly v: 1;
  readonly i?: string;
  readonly n: string;
  readonly e?: number;
  readonly c?: number;
  readonly m?: number;
  readonly p?: readonly (readonly [string, number, string])[];
  readonly x?: 1;
  readonly s?: string;
  readonly r?: string;
  readonly w?: number;
  readonly o?: 1 | 2;
}

export function encodeHint(hint: Hint): string {
  const { needs } = hint;
  const encoded: Encoded = {
    v: 1,
    n: hint.nonce,
    ...(hint.id !== undefined && { i: hint.id }),
    ...(hint.epoch > 1 && { e: hint.epoch }),
    ...(needs.nanoCpus > 0 && { c: needs.nanoCpus }),
    ...(needs.memory > 0 && { m: needs.memory }),
    ...(needs.ports.length > 0 && { p: needs.ports.map(({ ip, port, protocol }) => [ip, port, protocol] as const) }),
    ...(needs.whenExited && { x: 1 as const }),
    ...(needs.slot !== undefined && { s: needs.slot }),
    ...(needs.replaces !== undefined && { r: needs.replaces }),
    ...(hint.cpuShares !== undefined && { w: hint.cpuShares }),
    ...(hint.moves !== undefined && { o: hint.moves === "asked" ? (1 as const) : (2 as const) }),
  };
  return JSON.stringify(encoded);
}

/** Undefined when the text is not a hint of ours. */
export function decodeHint(text: string | undefined): Hint | undefined {
  if (text === undefined) return undefined;
  try {
    const encoded = JSON.parse(text) as Partial<Encoded> | null;
    if (encoded?.v !== 1 || typeof encoded.n !== "string") return undefined;
    const ports: PortClaim[] = (encoded.p ?? []).map(([ip, port, protocol]) => ({ ip, port, protocol }));
    return {
      id: encoded.i,
      nonce: encoded.n,
      epoch: encoded.e ?? 1,
      cpuShares: encoded.w,
      moves: encoded.o === undefined ? undefined : encoded.o === 1 ? "asked" : "unasked",
      needs: {
        nanoCpus: encoded.c ?? 0,
        memory: encoded.m ?? 0,
        ports,
        whenExited: encoded.x === 1,
        ...(encoded.s !== undefined && { slot: encoded.s }),
        ...(encoded.r !== undefined && { replaces: encoded.r }),
      },
    };
  } catch {
    return undefined;
  }
}

/** What the create of a network or volume leaves on it: that it is ours, and of which cluster-wide object it is a part. */
export interface ObjectHint {
  /** Made for one create. */
  readonly nonce: string;
  /** Cluster ID where it is not the engine's. */
  readonly id?: string | undefined;
  /** The client gave the network's subnet. */
  readonly subnet?: boolean | undefined;
  /** The client named the node. */
  readonly pinned?: boolean | undefined;
  /** It was made on another node first, whose ID for it is the cluster's. */
  readonly moved?: boolean | undefined;
  /** Key of the group that it belongs to. */
  readonly group?: string | undefined;
  /** The client gave no labels at all, not even none of them: engines show that as null. */
  readonly unlabelled?: boolean | undefined;
}

interface EncodedObject {
  readonly v: 1;
  readonly n: string;
  readonly i?: string;
  readonly s?: 1;
  readonly p?: 1;
  readonly m?: 1;
  readonly g?: string;
  readonly u?: 1;
}

export function encodeObjectHint(hint: ObjectHint): string {
  const { nonce, id, subnet, pinned, moved, group, unlabelled } = hint;
  const encoded: EncodedObject = {
    v: 1,
    n: nonce,
    ...(id !== undefined && { i: id }),
    ...(subnet && { s: 1 as const }),
    ...(pinned && { p: 1 as const }),
    ...(moved && { m: 1 as const }),
    ...(group !== undefined && { g: group }),
    ...(unlabelled && { u: 1 as const }),
  };
  return JSON.stringify(encoded);
}

/** Undefined when the text is not such a hint. */
export function decodeObjectHint(text: string | undefined): ObjectHint | undefined {
  if (text === undefined) return undefined;
  try {
    const encoded = JSON.parse(text) as Partial<EncodedObject> | null;
    if (encoded?.v !== 1 || typeof encoded.n !== "string") return undefined;
    return {
      nonce: encoded.n,
      id: encoded.i,
      subnet: encoded.s === 1,
      pinned: encoded.p === 1,
      moved: encoded.m === 1,
      group: encoded.g,
      unlabelled: encoded.u === 1,
    };
  } catch {
    return undefined;
  }
}
