/**
 * What a list must show: every container that its client may know of exactly once, under the ID and with the state and
 * name that somebody was told before the list was asked for; and nothing that somebody was told is gone.
 */
import type { History, Made, Told } from "./history.ts";
import { type Complain, OWN_LABEL, TOKEN_LABEL } from "./witness.ts";

export interface Row {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly State: string;
  readonly Status: string;
  readonly Labels: Readonly<Record<string, string>>;
}

/** @param asked when the list was asked for */
export function checkList(history: History, rows: readonly Row[], asked: number, complain: Complain): void {
  const shown = new Map<Made, Row>();
  const names = new Set<string>();
  for (const row of rows) {
    const name = row.Names[0] ?? "";
    if (names.has(name)) complain("name", `two rows are called ${name}`);
    names.add(name);
    // Of a container whose row was never read back the labels are not known; its ID is.
    const token = row.Labels[OWN_LABEL] === undefined ? row.Labels[TOKEN_LABEL] : undefined;
    const made = history.byToken(token) ?? history.made.find(({ id }) => id === row.Id);
    if (!made) continue;
    if (shown.has(made)) complain("twice", `${made.token} has two rows`);
    shown.set(made, row);
    if (made.removedAt < asked) complain("ghost", `${made.token} (${name}) is shown, and was removed before`);
    if (made.id !== undefined && made.toldAt < asked && row.Id !== made.id) {
      complain("identity", `${made.token} was ${made.id} and is ${row.Id}`);
    }
    checkRow(made, row, asked, complain);
  }
  for (const made of history.standing()) {
    if (shown.has(made) || made.toldAt >= asked || made.living().length === 0) continue;
    if (history.mayBeRemoved(made) || made.removedAt < Number.POSITIVE_INFINITY) continue;
    complain("missing", `${made.token} (${[...made.names].join()}) is on ${made.copy?.host.name}, and is not shown`);
  }
}

function checkRow(made: Made, row: Row, asked: number, complain: Complain): void {
  const container = made.copy?.container;
  if (!container) return;
  const isLost = row.Status === "Host Down" || row.State === "pending";
  if (isKnown(made, made.stateTold, asked) && !isLost && row.State !== container.status) {
    complain("stale", `${made.token} is shown ${row.State}, is ${container.status}, and somebody was told so`);
  }
  const name = (row.Names[0] ?? "").split("/").at(-1);
  const settled = made.openRenames.size === 0 && made.renameEndedAt < asked;
  if (settled && isKnown(made, made.nameTold, asked) && name !== container.name) {
    complain("stale", `${made.token} is shown as ${name}, is called ${container.name}, and somebody was told so`);
  }
}

/** The last change was told before the list was asked for. */
function isKnown(made: Made, told: Told | undefined, asked: number): boolean {
  return told !== undefined && told.at < asked && made.changedAt >= told.asked && made.changedAt <= told.at;
}
