/** `shoal ps`: docker's list of containers with the node each is on. */
import { Command, InvalidArgumentError } from "commander";
import pc from "picocolors";
import { withManager } from "../client.ts";
import { CliError } from "../fail.ts";
import { printRows, type Row, type View, type ViewFlags } from "../format.ts";
import { age } from "../human.ts";
import type { Io } from "../io.ts";
import { cut } from "../table.ts";
import { globalsOf, withFormat } from "./flags.ts";
import { type PortEntry, portsText } from "./ports.ts";
import { printWaiting, sayWhyTheyWait } from "./waiting.ts";

/** The label by which the manager says where a listed container is. */
const NODE_LABEL = "shoal.NODE";
const SHORT_ID = 12;
const COMMAND_WIDTH = 20;

const VIEW: View = {
  key: "ID",
  columns: [
    { header: "CONTAINER ID", field: "ID", rule: { importance: 60, min: 12 } },
    { header: "IMAGE", field: "Image", rule: { importance: 30, min: 7 } },
    { header: "COMMAND", field: "Command", rule: { importance: 10, min: 7, droppable: true } },
    { header: "CREATED", field: "RunningFor", rule: { importance: 20, min: 8, droppable: true } },
    { header: "STATUS", field: "Status", rule: { importance: 40, min: 10 } },
    { header: "PORTS", field: "Ports", rule: { importance: 50, min: 10 } },
    { header: "NODE", field: "Node", rule: { importance: 70, min: 8 } },
    { header: "NAMES", field: "Names", rule: { importance: 80, min: 8 } },
  ],
  paint(text, field, row) {
    if (field !== "Status") return text;
    if (row.fields.State === "running") return pc.green(text);
    return row.fields.State === "pending" || row.fields.Status === "Host Down" ? pc.yellow(text) : pc.dim(text);
  },
};

interface PsFlags extends ViewFlags {
  readonly all?: boolean;
  readonly last?: number;
  readonly latest?: boolean;
  readonly filter?: readonly string[];
  readonly trunc: boolean;
  readonly pending?: boolean;
}

export function psCommand(io: Io): Command {
  const command = new Command("ps")
    .usage("[OPTIONS]")
    .description("List containers and the nodes they are on")
    .option("-a, --all", "show all containers (default: just running)")
    .option("-f, --filter <filter>", "as docker ps, and node=NAME (repeat)", (value: string, before?: string[]) => [
      ...(before ?? []),
      value,
    ])
    .option("-n, --last <count>", "show the last created containers, in any state", integer)
    .option("-l, --latest", "show the latest created container, in any state")
    .option("--pending", "show what waits for a node instead: the node that it left, and why it does not run yet")
    .option("--no-trunc", "do not cut IDs and commands");
  return withFormat(command, "only IDs").action((flags: PsFlags) =>
    withManager(globalsOf(command), io, async (manager) => {
      if (flags.pending) return printWaiting(io, manager, flags);
      const list = await manager.get(`/containers/json${psQuery(flags)}`);
      if (!Array.isArray(list)) throw new CliError("the manager's list of containers is not a list");
      const rows = list.map((entry) => psRow(entry as ListEntry, flags.trunc, io.clock.now()));
      printRows(io, VIEW, rows, flags);
      if (flags.quiet || (flags.format ?? "table") !== "table") return;
      if (rows.some(({ fields }) => fields.State === "pending")) await sayWhyTheyWait(io, manager);
    }),
  );
}

function integer(text: string): number {
  if (!/^-?\d{1,9}$/.test(text)) throw new InvalidArgumentError("expected a whole number");
  return Number(text);
}

function psQuery(flags: PsFlags): string {
  const query = new URLSearchParams();
  if (flags.all) query.set("all", "1");
  const limit = flags.latest ? 1 : (flags.last ?? -1);
  if (limit > 0) query.set("limit", String(limit));
  const filters = parseFilters(flags.filter ?? []);
  if (Object.keys(filters).length > 0) query.set("filters", JSON.stringify(filters));
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}

/** `status=exited` … → `{"status":{"exited":true}}`, the API's form. */
function parseFilters(texts: readonly string[]): Record<string, Record<string, true>> {
  const filters: Record<string, Record<string, true>> = {};
  for (const text of texts) {
    const equals = text.indexOf("=");
    if (equals < 0) throw new CliError(`invalid argument "${text}" for "-f, --filter" flag: invalid filter '${text}'`);
    const name = text.slice(0, equals).trim().toLowerCase();
    filters[name] = { ...filters[name], [text.slice(equals + 1).trim()]: true };
  }
  return filters;
}

/** What is used of an entry of GET /containers/json. */
interface ListEntry {
  readonly Id: string;
  readonly Names?: readonly string[] | null;
  readonly Image?: string;
  readonly Command?: string;
  readonly Created?: number;
  readonly Ports?: readonly PortEntry[] | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly State?: string;
  readonly Status?: string;
  readonly Mounts?: readonly { readonly Name?: string; readonly Source?: string }[] | null;
  readonly NetworkSettings?: { readonly Networks?: Readonly<Record<string, unknown>> | null } | null;
}

function psRow(entry: ListEntry, truncate: boolean, now: number): Row {
  const command = JSON.stringify(truncate ? cut(entry.Command ?? "", COMMAND_WIDTH) : (entry.Command ?? ""));
  const { [NODE_LABEL]: node = "", ...labels } = entry.Labels ?? {};
  const created = (entry.Created ?? 0) * 1000;
  return {
    fields: {
      ID: truncate ? entry.Id.slice(0, SHORT_ID) : entry.Id,
      Image: imageText(entry.Image ?? "", truncate),
      Command: command,
      CreatedAt: new Date(created).toISOString(),
      RunningFor: `${age(Math.max(0, now - created))} ago`,
      Status: entry.Status ?? "",
      State: entry.State ?? "",
      Ports: portsText(entry.Ports ?? []),
      Node: node,
      Names: namesText(entry.Names ?? []),
      Labels: Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(","),
      Mounts: (entry.Mounts ?? []).map((mount) => mount.Name || mount.Source || "").join(","),
      Networks: Object.keys(entry.NetworkSettings?.Networks ?? {}).join(","),
    },
  };
}

/** An image that lost its tag shows as its ID, shortened as docker does. */
function imageText(image: string, truncate: boolean): string {
  if (image === "") return "<no image>";
  const id = /^(?:sha256:)?([0-9a-f]{64})$/.exec(image)?.[1];
  return truncate && id !== undefined ? id.slice(0, SHORT_ID) : image;
}

/** Without the leading slash. Names with a further slash are links of the old kind unless there are no others. */
function namesText(names: readonly string[]): string {
  const bare = names.map((name) => name.replace(/^\//, ""));
  const own = bare.filter((name) => !name.includes("/"));
  return (own.length > 0 ? own : bare).join(",");
}
