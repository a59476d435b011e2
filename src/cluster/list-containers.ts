/**
 * `GET /containers/json` over the cluster: rows from the cache in Docker's order, filtered as dockerd filters. What the
 * cache does not hold (sizes, exposed ports, ancestors …) the engines are asked, and their answer is intersected.
 */
import { badRequest, DockerError, noSuchContainer } from "../docker/errors.ts";
import { type Filters, parseFilters } from "../docker/filters.ts";
import { fields } from "../docker/json-text.ts";
import { ENGINE_CALL_MS } from "../kit/limits.ts";
import { absorbSome, shownName } from "./absorb.ts";
import type { Cluster } from "./cluster.ts";
import { type ListEntry, type ListedContainer, pendingEntry, readList, retellEntry } from "./list-entry.ts";
import { engineNetworkRef } from "./networks/network.ts";
import type { ClusterNode } from "./node.ts";
import { type ContainerRecord, isListedByDefault, shownState } from "./record.ts";
import { statusOf } from "./row-status.ts";

/** Answered from the records. */
const OWN = ["id", "name", "label", "status", "exited", "before", "since", "node"] as const;
/** Answered by the engines: only they know everything that these look at. */
const ENGINES = ["ancestor", "expose", "health", "is-task", "isolation", "network", "publish", "volume"] as const;
const STATUSES = ["created", "running", "paused", "restarting", "removing", "exited", "dead", "pending"];
/** As dockerd lists them to those who give another. */
const STATES = "created, running, paused, restarting, removing, exited, dead";

export interface ListQuery {
  readonly all: boolean;
  /** 0: no limit. */
  readonly limit: number;
  readonly size: boolean;
  /** As sent, undecoded JSON. */
  readonly filters: string | null;
}

const COMMA = Buffer.from(",");

/** The answer as pieces of one JSON array. Throws DockerError on bad filters. */
export async function listContainers(cluster: Cluster, query: ListQuery): Promise<Buffer[]> {
  const filters = parseFilters(query.filters, [...OWN, ...ENGINES]);
  checkValues(filters);
  await cluster.refresher.settled();
  const asked = await askEngines(cluster, filters, query.size);
  reshow(cluster);
  const pieces: Buffer[] = [Buffer.from("[")];
  const now = cluster.clock.now();
  for (const record of select(cluster, query, filters, asked)) {
    if (pieces.length > 1) pieces.push(COMMA);
    pieces.push(...row(record, now, query.size ? asked?.get(record) : undefined));
  }
  pieces.push(Buffer.from("]\n"));
  return pieces;
}

function checkValues(filters: Filters): void {
  for (const status of filters.get("status")) {
    if (STATUSES.includes(status)) continue;
    throw badRequest(
      `invalid filter 'status=${status}': invalid value for state (${status}): must be one of ${STATES}`,
    );
  }
  for (const code of filters.get("exited")) {
    if (!/^[+-]?\d+$/.test(code))
      throw badRequest(
        `invalid filter 'exited=${code}': strconv.Atoi: parsing ${JSON.stringify(code)}: invalid syntax`,
      );
  }
}

function* select(
  cluster: Cluster,
  query: ListQuery,
  filters: Filters,
  asked: ReadonlyMap<ContainerRecord, ListedContainer> | undefined,
): IterableIterator<ContainerRecord> {
  const everyState = query.all || query.limit > 0 || filters.has("status");
  const since = namedBy(cluster, filters, "since");
  let before = namedBy(cluster, filters, "before");
  let count = 0;
  for (const record of cluster.inventory.newestFirst()) {
    if (record === since) return;
    if (before) {
      if (record === before) before = undefined;
      continue;
    }
    if (!everyState && !isListedByDefault(record)) continue;
    if (asked && !asked.has(record)) continue;
    if (!matches(record, filters)) continue;
    yield record;
    if (++count === query.limit) return;
  }
}

/** The container that `since` or `before` names; the last one given counts, as in dockerd. */
function namedBy(cluster: Cluster, filters: Filters, filter: "since" | "before"): ContainerRecord | undefined {
  let found: ContainerRecord | undefined;
  for (const ref of filters.get(filter)) {
    found = cluster.inventory.find(ref);
    if (!found) throw noSuchContainer(ref);
  }
  return found;
}

function matches(record: ContainerRecord, filters: Filters): boolean {
  if (filters.isEmpty) return true;
  return (
    filters.match("id", record.id) &&
    (filters.match("name", `/${record.name}`) || filters.match("name", record.name)) &&
    filters.matchLabels(record.labels) &&
    filters.exactMatch("status", shownState(record)) &&
    matchesExit(record, filters) &&
    (filters.exactMatch("node", record.node.name) || filters.exactMatch("node", record.node.id))
  );
}

function matchesExit(record: ContainerRecord, filters: Filters): boolean {
  const codes = filters.get("exited");
  return (
    codes.length === 0 || (record.exitCode !== undefined && codes.some((code) => Number(code) === record.exitCode))
  );
}

/** Rows of the engines' own answers, by record; undefined when there was nothing to ask. */
async function askEngines(
  cluster: Cluster,
  filters: Filters,
  size: boolean,
): Promise<Map<ContainerRecord, ListedContainer> | undefined> {
  const given = ENGINES.filter((name) => filters.has(name));
  if (given.length === 0 && !size) return undefined;
  const found = new Map<ContainerRecord, ListedContainer>();
  const ask = async (node: ClusterNode): Promise<void> => {
    const values: Record<string, string[]> = {};
    for (const name of given) values[name] = filters.get(name).map((value) => engineValue(cluster, node, name, value));
    const query = `/containers/json?all=1${size ? "&size=1" : ""}&filters=${encodeURIComponent(JSON.stringify(values))}`;
    const startedAt = cluster.clock.monotonic();
    const rows = readList(await node.engine.text("GET", query, undefined, { deadlineMs: ENGINE_CALL_MS }));
    // Newer than the cache: what matched a filter must not be shown as it was before it did. (Rows with sizes would
    // leave them in the cache.)
    if (!size) absorbSome(cluster, node, rows, [], startedAt);
    for (const listed of rows) {
      const record = node.containers.get(listed.engineId);
      if (record) found.set(record, listed);
    }
  };
  const silent = new Set<ClusterNode>();
  const trouble = (node: ClusterNode, error: unknown): void => {
    if (error instanceof DockerError && error.status < 500) throw error;
    silent.add(node);
    cluster.log.warn("a node could not be asked for its part of a list", { node: node.name, error: String(error) });
  };
  await Promise.all(cluster.reachable().map((node) => ask(node).catch((error: unknown) => trouble(node, error))));
  if (given.length === 0) {
    // Only sizes were asked: containers of nodes that do not answer are listed all the same.
    for (const record of cluster.inventory.newestFirst()) {
      if (!record.node.reachable || silent.has(record.node)) found.set(record, UNREAD);
    }
  }
  return found;
}

/**
 * Rows that may show a name or a state of before are written anew: names are shown as `node/name` while several nodes have
 * them, and what clients were told is shown also when the reading that was to bring it failed.
 */
function reshow(cluster: Cluster): void {
  for (const record of cluster.inventory.takeReshown()) {
    const { entry, state, exitCode } = record;
    if (entry) record.entry = retellEntry(entry, { shownName: shownName(cluster, record), state, exitCode });
  }
}

const UNREAD = { text: "{}" } as ListedContainer;

function engineValue(cluster: Cluster, node: ClusterNode, filter: string, value: string): string {
  return filter === "network" ? engineNetworkRef(cluster, node, value) : value;
}

function row(record: ContainerRecord, now: number, sized: ListedContainer | undefined): Buffer[] {
  const status = Buffer.from(JSON.stringify(statusOf(record, now)));
  const { head, tail } = shownEntry(record);
  if (!sized) return [head, status, tail];
  const extra = ["SizeRw", "SizeRootFs"].flatMap((key) => {
    const span = fields(sized.text).get(key);
    return span ? [`"${key}":${sized.text.slice(span.start, span.end)}`] : [];
  });
  if (extra.length === 0) return [head, status, tail];
  // The tail ends the object: the sizes go before its closing brace.
  return [head, status, Buffer.from(`${tail.toString().replace(/}\s*$/, "")},${extra.join(",")}}`)];
}

function shownEntry(record: ContainerRecord): ListEntry {
  const entry = record.entry ?? unread(record);
  return shownState(record) === record.state ? entry : pendingEntry(entry);
}

/** What is known of a container that its engine could not list yet. */
function unread(record: ContainerRecord): ListEntry {
  const known = {
    Id: record.id,
    Names: [`/${record.name}`],
    Image: record.image,
    ImageID: record.imageId,
    Command: "",
    Created: record.created,
    Ports: [],
    Labels: { ...record.labels, "shoal.NODE": record.node.name },
    State: record.state,
    HostConfig: {},
    NetworkSettings: { Networks: {} },
    Mounts: [],
  };
  return {
    head: Buffer.from(`${JSON.stringify(known).slice(0, -1)},"Status":`),
    tail: Buffer.from("}"),
    status: { before: "", duration: undefined, after: "" },
  };
}
