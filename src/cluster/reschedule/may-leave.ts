/** Whether a container may run on another node than its own, by what is known of it without asking anybody. */
import type { ContainerRecord } from "../record.ts";
import { rowOf } from "./row.ts";

/** As far as is known. */
export function runs({ state }: ContainerRecord): boolean {
  return state === "running" || state === "paused" || state === "restarting";
}

/** It runs, or ran and is still to be started again. */
export function ran(record: ContainerRecord): boolean {
  return runs(record) || record.startsAgain;
}

/** It ran, and nothing keeps it on its node. */
export function mayLeave(record: ContainerRecord): boolean {
  return record.engineId !== "" && ran(record) && whyItStays(record) === undefined;
}

/** A clause; undefined when it may leave. */
export function whyItStays(record: ContainerRecord): string | undefined {
  if (record.nonce === undefined) return "it was not created through shoal";
  switch (record.moves) {
    case "asked":
      return undefined;
    case "unasked":
      return hasMounts(record) ? "it has a volume, and does not ask to be rescheduled" : undefined;
    case "never":
    case undefined:
      return "neither its restart policy nor it itself asks to be rescheduled, or it keeps something on its node";
  }
}

/** By the row that its node listed last. */
function hasMounts(record: ContainerRecord): boolean {
  return (rowOf(record, "Mounts").Mounts ?? []).length > 0;
}
