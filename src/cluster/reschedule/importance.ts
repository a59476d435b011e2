/** Which of several containers comes first where not all can have their turn at once. Pure. */
import type { ContainerRecord } from "../record.ts";

/** The label that says how important a container is: whole numbers, higher ones first, 0 without. */
const PRIORITY = "shoal.priority";

/** The most important first, of those the oldest. */
export function byImportance(a: ContainerRecord, b: ContainerRecord): number {
  return priorityOf(b) - priorityOf(a) || byAge(a, b);
}

/** The oldest first: what another depends on was there before that one. */
export function byAge(a: ContainerRecord, b: ContainerRecord): number {
  return a.created - b.created || a.sequence - b.sequence;
}

function priorityOf({ labels }: ContainerRecord): number {
  const text = labels[PRIORITY] ?? "";
  return /^-?\d{1,9}$/.test(text) ? Number(text) : 0;
}
