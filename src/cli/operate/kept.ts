/** `shoal kept`: copies of containers that the cluster went on without, kept aside on their nodes. */
import { Command } from "commander";
import { withManager } from "../client.ts";
import { CliError } from "../fail.ts";
import { printRows, type Row, type View, type ViewFlags } from "../format.ts";
import type { Io } from "../io.ts";
import { globalsOf, withFormat, withHost } from "../views/flags.ts";

/** An element of GET /shoal/kept. */
interface KeptEntry {
  readonly ID: string;
  readonly Name: string;
  readonly Node: string;
  /** `removed` while its node was lost, or `replaced` by a copy on another one. */
  readonly Reason: string;
  readonly ReplacedBy: string | null;
  readonly Reachable: boolean;
}

const VIEW: View = {
  key: "ID",
  columns: [
    { header: "ID", field: "ShortID", rule: { importance: 90, min: 12 } },
    { header: "NAME", field: "Name", rule: { importance: 80, min: 8 } },
    { header: "NODE", field: "Node", rule: { importance: 70, min: 6 } },
    { header: "REASON", field: "Reason", rule: { importance: 60 } },
    { header: "NODE ANSWERS", field: "Reachable", rule: { importance: 50, droppable: true } },
  ],
};

export function keptCommand(io: Io): Command {
  const kept = new Command("kept")
    .usage("COMMAND")
    .description(
      "Copies of containers that the cluster went on without: removed while their node was lost, or replaced by one on another node",
    )
    .enablePositionalOptions();
  kept.addCommand(listCommand(io));
  kept.addCommand(restoreCommand(io));
  kept.addCommand(removeCommand(io));
  return kept;
}

function listCommand(io: Io): Command {
  const command = new Command("ls").alias("list").usage("[OPTIONS]").description("List them");
  return withFormat(command, "only IDs").action((flags: ViewFlags) =>
    withManager(globalsOf(command), io, async (manager) => {
      const entries = await manager.get("/shoal/kept");
      if (!Array.isArray(entries)) throw new CliError("the manager's list of kept copies is not a list");
      printRows(io, VIEW, (entries as KeptEntry[]).map(rowOf), flags);
    }),
  );
}

function rowOf(entry: KeptEntry): Row {
  const { ID, Name, Node, Reason, ReplacedBy, Reachable } = entry;
  return {
    json: entry,
    fields: {
      ID,
      ShortID: ID.slice(0, 12),
      Name,
      Node,
      Reason: ReplacedBy === null ? Reason : `${Reason} by ${ReplacedBy.slice(0, 12)}`,
      Reachable: Reachable ? "yes" : "no",
    },
  };
}

function restoreCommand(io: Io): Command {
  const command = new Command("restore")
    .usage("[OPTIONS] ID")
    .description("Make one a container of the cluster again: stopped, with a new ID")
    .argument("<id>", "as `shoal kept ls` shows it")
    .option("--name <name>", "where its own name is taken");
  return withHost(command).action((id: string, { name }: { readonly name?: string }) =>
    withManager(globalsOf(command), io, async (manager) => {
      const query = name === undefined ? "" : `?name=${encodeURIComponent(name)}`;
      const made = (await manager.ask("POST", `/shoal/kept/${encodeURIComponent(id)}/restore${query}`)) as {
        readonly Id?: string;
      };
      io.out(`${made.Id ?? ""}\n`);
    }),
  );
}

function removeCommand(io: Io): Command {
  const command = new Command("rm")
    .usage("[OPTIONS] ID [ID...]")
    .description("Remove copies from their nodes for good; their volumes stay")
    .argument("<id...>", "as `shoal kept ls` shows them");
  return withHost(command).action((ids: readonly string[]) =>
    withManager(globalsOf(command), io, async (manager) => {
      for (const id of ids) {
        await manager.ask("DELETE", `/shoal/kept/${encodeURIComponent(id)}`);
        io.out(`${id}\n`);
      }
    }),
  );
}
