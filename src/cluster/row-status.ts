/** The Status text of a row: the engine's words, with an age that is right at the moment of sending. */
import { durationSeconds, humanDuration } from "../docker/status.ts";
import { type ContainerRecord, shownState } from "./record.ts";

/** What a container of a node that does not answer shows. */
export const HOST_DOWN = "Host Down";

/** `Up 3 minutes (healthy)` as of `now` (wall clock, milliseconds). */
export function statusOf(record: ContainerRecord, now: number): string {
  if (shownState(record) === "pending") return "pending";
  if (!record.node.reachable) return HOST_DOWN;
  const status = record.entry?.status;
  if (!status) return "Created";
  const { before, duration, after } = status;
  if (duration === undefined || record.since === undefined) return before + (duration ?? "") + after;
  return before + humanDuration(Math.max(0, now - record.since) / 1000) + after;
}

/**
 * The moment that a row's age counts from. An event's exact time is kept as long as it agrees with the engine's words;
 * otherwise the words give an estimate, good to the unit that they are in.
 */
export function sinceOf(record: ContainerRecord, now: number): number | undefined {
  const duration = record.entry?.status.duration;
  if (duration === undefined) return undefined;
  if (record.since !== undefined && humanDuration(Math.max(0, now - record.since) / 1000) === duration)
    return record.since;
  const seconds = durationSeconds(duration);
  return seconds === undefined ? undefined : now - seconds * 1000;
}
