/** What a manager's record says of it: read from JSON that anybody may have written. Owns its form. */
import type { ClusterSize, ManagerState } from "./discovery.ts";

const SIZES = ["nodes", "healthy", "containers", "cpus", "reservedCpus", "memory", "reservedMemory"] as const;

/** Throws Error, one sentence. */
export function readManagerState(value: unknown): ManagerState {
  const { role, isMaster, promotion, cluster } = membersOf("a manager's state", value);
  if (role !== "primary" && role !== "replica") throw new Error("a manager's role is primary or replica");
  return {
    role,
    isMaster: isMaster === true,
    ...(typeof promotion === "string" && { promotion }),
    ...(cluster !== undefined && { cluster: sizeOf(membersOf("the size of a manager's cluster", cluster)) }),
  };
}

function sizeOf(members: Readonly<Record<string, unknown>>): ClusterSize {
  const number = (name: string): number => {
    const value = members[name];
    if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value;
    throw new Error(`${name} of a manager's cluster is no number`);
  };
  return Object.fromEntries(SIZES.map((name) => [name, number(name)])) as unknown as ClusterSize;
}

function membersOf(what: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Error(`${what} is no object`);
}
