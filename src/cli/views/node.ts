/** `shoal node ls` and `shoal node inspect`: what each node is, holds and really uses. */
import { Command } from "commander";
import pc from "picocolors";
import { type ManagerClient, withManager } from "../client.ts";
import { CliError } from "../fail.ts";
import { printRows, type Row, type View, type ViewFlags } from "../format.ts";
import { bytes, cpus } from "../human.ts";
import type { Io } from "../io.ts";
import { activateCommand, cordonCommand, drainCommand, removeCommand } from "../operate/node.ts";
import { globalsOf, withFormat, withHost } from "./flags.ts";

/** An element of GET /shoal/nodes. CPUs in billionths, memory in bytes; used is null while unknown. */
interface NodeEntry {
  readonly ID: string;
  readonly Name: string;
  readonly Address: string;
  readonly State: string;
  readonly Fence?: string;
  readonly Error?: string | null;
  readonly EngineVersion: string;
  readonly Containers: number;
  readonly Running: number;
  readonly ReservedCPUs: number;
  readonly TotalCPUs: number;
  readonly ReservedMemory: number;
  readonly TotalMemory: number;
  readonly UsedCPUs: number | null;
  readonly UsedMemory: number | null;
  readonly Labels: Readonly<Record<string, string>> | null;
}

const VIEW: View = {
  key: "Name",
  columns: [
    { header: "NAME", field: "Name", rule: { importance: 90, min: 8 } },
    { header: "STATE", field: "State", rule: { importance: 80, min: 7 } },
    { header: "ENGINE", field: "EngineVersion", rule: { importance: 10, min: 6, droppable: true } },
    { header: "RUNNING", field: "RunningOf", rule: { importance: 50, min: 7 } },
    { header: "CPU RSVD", field: "ReservedCPUs", rule: { importance: 70 } },
    { header: "CPU USED", field: "UsedCPUs", rule: { importance: 60, droppable: true } },
    { header: "MEM RSVD", field: "ReservedMemory", rule: { importance: 70, min: 13 } },
    { header: "MEM USED", field: "UsedMemory", rule: { importance: 60, droppable: true } },
    { header: "FENCE", field: "Fence", rule: { importance: 5, min: 6, droppable: true } },
  ],
  paint(text, field, row) {
    if (field !== "State") return text;
    const { State = "" } = row.fields;
    if (State === "Healthy") return pc.green(text);
    return ["Pending", "Cordoned", "Draining"].includes(State) ? pc.yellow(text) : pc.red(text);
  },
};

export function nodeCommand(io: Io): Command {
  return new Command("node")
    .usage("COMMAND")
    .description("Show the nodes: state, engine, containers, CPU and memory; say what they take, and which are emptied")
    .helpCommand(false)
    .addCommand(nodeListCommand(io, "ls").alias("list"))
    .addCommand(nodeInspectCommand(io))
    .addCommand(cordonCommand(io))
    .addCommand(drainCommand(io))
    .addCommand(activateCommand(io))
    .addCommand(removeCommand(io));
}

/** `node ls`, and `nodes` at the top level. */
export function nodeListCommand(io: Io, name: string): Command {
  const command = new Command(name)
    .usage("[OPTIONS]")
    .description("List the nodes; CPU and memory as reserved / total, and as really used")
    .summary("List the nodes");
  return withFormat(command, "only names").action((flags: ViewFlags) =>
    withManager(globalsOf(command), io, async (manager) => {
      const nodes = await nodesOf(manager, flags.quiet !== true);
      printRows(io, VIEW, nodes.map(nodeRow), flags);
      if (flags.quiet || (flags.format ?? "table") !== "table") return;
      for (const node of nodes) if (node.Error) io.err(`${node.Name}: ${node.Error}\n`);
    }),
  );
}

function nodeInspectCommand(io: Io): Command {
  const command = new Command("inspect")
    .usage("[OPTIONS] NODE [NODE...]")
    .description("Everything known of nodes, as a JSON array")
    .summary("Show one node")
    .argument("<node...>", "names or IDs")
    .option("--format <format>", "json: one object a line instead of an array");
  return withHost(command).action((names: readonly string[], flags: ViewFlags) =>
    withManager(globalsOf(command), io, async (manager) => {
      const nodes = await nodesOf(manager, true);
      const found = names.map((name) => {
        const node = nodes.find((one) => one.Name === name || one.ID === name);
        if (!node) throw new CliError(`No such node: ${name}`);
        return node;
      });
      if (flags.format === undefined) io.out(`${JSON.stringify(found, null, 4)}\n`);
      else if (flags.format === "table")
        throw new CliError("node inspect prints JSON; use `shoal node ls` for a table");
      else printRows(io, VIEW, found.map(nodeRow), flags);
    }),
  );
}

/** @param measured asks for really used CPU and memory too, which takes the engines a second */
async function nodesOf(manager: ManagerClient, measured: boolean): Promise<readonly NodeEntry[]> {
  const nodes = await manager.get(measured ? "/shoal/nodes?usage=1" : "/shoal/nodes");
  if (!Array.isArray(nodes)) throw new CliError("the manager's list of nodes is not a list");
  return nodes as NodeEntry[];
}

function nodeRow(node: NodeEntry): Row {
  return {
    json: node,
    fields: {
      ID: node.ID,
      Name: node.Name,
      Address: node.Address,
      State: node.State,
      Fence: node.Fence ?? "-",
      Error: node.Error ?? "",
      EngineVersion: node.EngineVersion,
      Containers: String(node.Containers),
      Running: String(node.Running),
      RunningOf: `${node.Running}/${node.Containers}`,
      ReservedCPUs: `${cpus(node.ReservedCPUs)}/${cpus(node.TotalCPUs)}`,
      UsedCPUs: typeof node.UsedCPUs === "number" ? cpus(node.UsedCPUs) : "-",
      ReservedMemory: `${bytes(node.ReservedMemory)}/${bytes(node.TotalMemory)}`,
      UsedMemory: typeof node.UsedMemory === "number" ? bytes(node.UsedMemory) : "-",
      Labels: Object.entries(node.Labels ?? {})
        .map(([key, value]) => `${key}=${value}`)
        .join(","),
    },
  };
}
