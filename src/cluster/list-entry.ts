/**
 * A container's row in `GET /containers/json` as bytes ready to send, with the one part that ages (Status) left open.
 * Reads the engine's row, renders the cluster's; must not know the inventory.
 */
import { elements, fields, splice } from "../docker/json-text.ts";
import { humanDuration, splitStatus } from "../docker/status.ts";
import { HINT_LABEL, NODE_LABEL } from "./hint.ts";
import type { ContainerState } from "./record.ts";

/** The parsed parts of an engine's row that shoal acts on. */
export interface ListedContainer {
  readonly engineId: string;
  /** Without slash; link aliases (`web/db`) follow in `aliases`. */
  readonly name: string;
  readonly aliases: readonly string[];
  readonly image: string;
  readonly imageId: string;
  /** Seconds since the Unix epoch. */
  readonly created: number;
  readonly state: ContainerState;
  readonly status: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly networkMode: string;
  readonly networks: Readonly<Record<string, { NetworkID?: string } | null>>;
  readonly ports: readonly ListedPort[];
  /** Names of the volumes that it mounts. */
  readonly volumes: readonly string[];
  /** The row as the engine wrote it. */
  readonly text: string;
}

export interface ListedPort {
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type: string;
}

/** Bytes before and after the Status text (a JSON string, quotes included). */
export interface ListEntry {
  readonly head: Buffer;
  readonly tail: Buffer;
  readonly status: { readonly before: string; readonly duration: string | undefined; readonly after: string };
}

interface Row {
  Id: string;
  Names?: string[] | null;
  Image?: string;
  ImageID?: string;
  Created?: number;
  State?: string;
  Status?: string;
  Labels?: Record<string, string> | null;
  HostConfig?: { NetworkMode?: string } | null;
  NetworkSettings?: { Networks?: Record<string, { NetworkID?: string } | null> | null } | null;
  Ports?: ListedPort[] | null;
  Mounts?: { Type?: string; Name?: string }[] | null;
}

/** The rows of an engine's list, in the engine's order. */
export function readList(text: string): ListedContainer[] {
  return elements(text).map(readRow);
}

function readRow(text: string): ListedContainer {
  const row = JSON.parse(text) as Row;
  const names = (row.Names ?? []).map((name) => name.replace(/^\//, ""));
  // A link makes the name `other/alias` too; the container's own name is the one without a slash.
  const name = names.find((candidate) => !candidate.includes("/")) ?? "";
  return {
    engineId: row.Id,
    name,
    aliases: names.filter((candidate) => candidate !== name),
    image: row.Image ?? "",
    imageId: row.ImageID ?? "",
    created: row.Created ?? 0,
    state: (row.State ?? "created") as ContainerState,
    status: row.Status ?? "",
    labels: row.Labels ?? {},
    networkMode: row.HostConfig?.NetworkMode ?? "",
    networks: row.NetworkSettings?.Networks ?? {},
    ports: row.Ports ?? [],
    volumes: (row.Mounts ?? []).flatMap(({ Type, Name }) => (Type === "volume" && Name ? [Name] : [])),
    text,
  };
}

/** What differs between the engine's row and the cluster's. */
export interface RowView {
  readonly id: string;
  /** As shown, without the leading slash: `redis` or `node-1/redis`. */
  readonly shownName: string;
  readonly nodeName: string;
  /** What unspecified addresses of published ports become; "" leaves them. */
  readonly nodeIp: string;
  /** Engine container ID → cluster ID, for `container:<id>` modes. */
  readonly clusterId: (engineId: string) => string;
  /** Engine network ID → cluster network ID. */
  readonly networkId: (engineId: string) => string;
}

/** Extra members spliced in at the request's wish (`size=1`). */
export type ExtraFields = Readonly<Record<string, number | undefined>>;

export function renderRow(row: ListedContainer, view: RowView, extra: ExtraFields = {}): ListEntry {
  const edits: { path: string[]; json: string | undefined }[] = [
    { path: ["Id"], json: JSON.stringify(view.id) },
    { path: ["Names"], json: JSON.stringify([view.shownName, ...row.aliases].map((name) => `/${name}`)) },
    { path: ["Labels", NODE_LABEL], json: JSON.stringify(view.nodeName) },
  ];
  if (HINT_LABEL in row.labels) edits.push({ path: ["Labels", HINT_LABEL], json: undefined });
  if (row.ports.length > 0 && view.nodeIp !== "") {
    edits.push({ path: ["Ports"], json: JSON.stringify(nodePorts(row.ports, view.nodeIp)) });
  }
  if (row.networkMode.startsWith("container:")) {
    const mode = `container:${view.clusterId(row.networkMode.slice("container:".length))}`;
    edits.push({ path: ["HostConfig", "NetworkMode"], json: JSON.stringify(mode) });
  }
  for (const [name, network] of Object.entries(row.networks)) {
    if (!network?.NetworkID) continue;
    const id = view.networkId(network.NetworkID);
    if (id !== network.NetworkID) {
      edits.push({ path: ["NetworkSettings", "Networks", name, "NetworkID"], json: JSON.stringify(id) });
    }
  }
  for (const [key, value] of Object.entries(extra)) {
    if (value !== undefined) edits.push({ path: [key], json: String(value) });
  }
  return cut(splice(row.text, edits), splitStatus(row.status));
}

/** Whether only their ages may differ. */
export function isSameEntry(a: ListEntry, b: ListEntry): boolean {
  return (
    a.status.before === b.status.before &&
    a.status.after === b.status.after &&
    a.head.equals(b.head) &&
    a.tail.equals(b.tail)
  );
}

/** What is known of a container, whether its row was read since or not. */
export interface Told {
  /** As shown, without the leading slash. */
  readonly shownName: string;
  readonly state: ContainerState;
  /** Undefined when it has not ended, or nobody told. */
  readonly exitCode: number | undefined;
}

/** The same row with what was told since it was read: another name (aliases of links stay), another state. */
export function retellEntry(entry: ListEntry, told: Told): ListEntry {
  // A row without a Status has no place for one.
  if (entry.tail.length === 0) return entry;
  const text = Buffer.concat([entry.head, Buffer.from('""'), entry.tail]).toString();
  const row = JSON.parse(text) as Row;
  const [, ...aliases] = row.Names ?? [];
  const edits = [{ path: ["Names"], json: JSON.stringify([`/${told.shownName}`, ...aliases]) }];
  const status = row.State === told.state ? undefined : toldStatus(told);
  if (status) {
    edits.push({ path: ["State"], json: JSON.stringify(told.state) });
    if (told.state === "exited") edits.push({ path: ["Ports"], json: "[]" });
  }
  return cut(splice(text, edits), status ?? entry.status);
}

/** The same row of a container that is on no node. */
export function pendingEntry(entry: ListEntry): ListEntry {
  if (entry.tail.length === 0) return entry;
  const text = Buffer.concat([entry.head, Buffer.from('""'), entry.tail]).toString();
  const edits = [
    { path: ["State"], json: JSON.stringify("pending") },
    { path: ["Ports"], json: "[]" },
    { path: ["Labels", NODE_LABEL], json: undefined },
  ];
  return cut(splice(text, edits), { before: "pending", duration: undefined, after: "" });
}

/** The Status of a state that a call or an event led to; undefined for those that only a list tells. */
function toldStatus({ state, exitCode }: Told): ListEntry["status"] | undefined {
  const duration = humanDuration(0);
  switch (state) {
    case "running":
      return { before: "Up ", duration, after: "" };
    case "paused":
      return { before: "Up ", duration, after: " (Paused)" };
    case "exited":
      return { before: exitCode === undefined ? "Exited " : `Exited (${exitCode}) `, duration, after: " ago" };
    default:
      return undefined;
  }
}

function cut(text: string, status: ListEntry["status"]): ListEntry {
  const span = fields(text).get("Status");
  if (!span)
    return { head: Buffer.from(text), tail: Buffer.alloc(0), status: { before: "", duration: undefined, after: "" } };
  return { head: Buffer.from(text.slice(0, span.start)), tail: Buffer.from(text.slice(span.end)), status };
}

/** Published ports with the node's address in place of `0.0.0.0` and `::`, each once. */
export function nodePorts(ports: readonly ListedPort[], nodeIp: string): ListedPort[] {
  const seen = new Set<string>();
  const shown: ListedPort[] = [];
  for (const port of ports) {
    const placed = port.IP === "0.0.0.0" || port.IP === "::" ? { ...port, IP: nodeIp } : port;
    const key = `${placed.IP ?? ""}|${placed.PrivatePort}|${placed.PublicPort ?? ""}|${placed.Type}`;
    if (seen.has(key)) continue;
    seen.add(key);
    shown.push(placed);
  }
  return shown;
}
