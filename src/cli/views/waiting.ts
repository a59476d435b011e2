/** Containers that wait for a node: `shoal ps --pending`, and below the table of `shoal ps -a` why each of them waits. */
import type { ManagerClient } from "../client.ts";
import { CliError } from "../fail.ts";
import { printRows, type View, type ViewFlags } from "../format.ts";
import { oneLine } from "../human.ts";
import type { Io } from "../io.ts";

/** An element of GET /shoal/pending. */
interface Waiting {
  readonly ID: string;
  readonly Name: string;
  readonly Image: string;
  /** The node that it left. */
  readonly Left: string;
  readonly Why: string;
}

const VIEW: View = {
  key: "ShortID",
  columns: [
    { header: "CONTAINER ID", field: "ShortID", rule: { importance: 60, min: 12 } },
    { header: "IMAGE", field: "Image", rule: { importance: 20, min: 7, droppable: true } },
    { header: "LEFT", field: "Left", rule: { importance: 70, min: 6 } },
    { header: "NAME", field: "Name", rule: { importance: 80, min: 8 } },
    { header: "WHY", field: "Why", rule: { importance: 10, min: 20 } },
  ],
};

async function waiting(manager: ManagerClient): Promise<readonly Waiting[]> {
  const list = await manager.get("/shoal/pending");
  if (!Array.isArray(list)) throw new CliError("the manager's list of pending containers is not a list");
  return list as Waiting[];
}

export async function printWaiting(io: Io, manager: ManagerClient, flags: ViewFlags): Promise<void> {
  const rows = (await waiting(manager)).map((entry) => {
    const { ID, Name, Image, Left } = entry;
    return { json: entry, fields: { ID, ShortID: ID.slice(0, 12), Name, Image, Left, Why: oneLine(entry.Why) } };
  });
  printRows(io, VIEW, rows, flags);
}

/** To the error output, as `shoal node ls` says what is wrong with nodes. */
export async function sayWhyTheyWait(io: Io, manager: ManagerClient): Promise<void> {
  for (const { Name, Why } of await waiting(manager)) io.err(`${Name} is pending: ${oneLine(Why)}\n`);
}
