/** `shoal groups`: what belongs together, where it lives and what is reserved for it. */
import { Command } from "commander";
import { withManager } from "../client.ts";
import { CliError } from "../fail.ts";
import { printRows, type Row, type View, type ViewFlags } from "../format.ts";
import { bytes, cpus } from "../human.ts";
import type { Io } from "../io.ts";
import { globalsOf, withFormat } from "./flags.ts";

/** An element of GET /shoal/groups. CPUs in billionths, memory in bytes; members by name. */
interface GroupEntry {
  readonly Key: string;
  readonly Home: string;
  readonly Policy: string;
  readonly Containers: readonly string[];
  readonly Networks: readonly string[];
  readonly Volumes: readonly string[];
  readonly Elsewhere: readonly string[];
  readonly ReservedCPUs: number;
  readonly ReservedMemory: number;
}

const VIEW: View = {
  key: "Key",
  columns: [
    { header: "GROUP", field: "Key", rule: { importance: 90, min: 12 } },
    { header: "HOME", field: "Home", rule: { importance: 80, min: 8 } },
    { header: "POLICY", field: "Policy", rule: { importance: 40, droppable: true } },
    { header: "CONTAINERS", field: "Containers", rule: { importance: 60 } },
    { header: "NETWORKS", field: "Networks", rule: { importance: 50, droppable: true } },
    { header: "VOLUMES", field: "Volumes", rule: { importance: 50, droppable: true } },
    { header: "ELSEWHERE", field: "Elsewhere", rule: { importance: 55 } },
    { header: "RESERVED", field: "Reserved", rule: { importance: 70 } },
  ],
};

export function groupsCommand(io: Io): Command {
  const command = new Command("groups")
    .usage("[OPTIONS]")
    .description(
      "List the groups: their home, their policy, members there and elsewhere, and what is reserved for them",
    )
    .summary("List the groups and their homes");
  return withFormat(command, "only the groups' labels").action((flags: ViewFlags) =>
    withManager(globalsOf(command), io, async (manager) => {
      const groups = await manager.get("/shoal/groups");
      if (!Array.isArray(groups)) throw new CliError("the manager's list of groups is not a list");
      printRows(io, VIEW, (groups as GroupEntry[]).map(groupRow), flags);
    }),
  );
}

function groupRow(group: GroupEntry): Row {
  const { ReservedCPUs, ReservedMemory } = group;
  const reserved = [
    ...(ReservedCPUs > 0 ? [`${cpus(ReservedCPUs)} CPUs`] : []),
    ...(ReservedMemory > 0 ? [bytes(ReservedMemory)] : []),
  ];
  return {
    json: group,
    fields: {
      Key: group.Key,
      Home: group.Home,
      Policy: group.Policy,
      Containers: String(group.Containers.length),
      Networks: String(group.Networks.length),
      Volumes: String(group.Volumes.length),
      Elsewhere: String(group.Elsewhere.length),
      Reserved: reserved.join(", ") || "-",
    },
  };
}
