/** What a hub answers, route by route. `<cluster>` is `/v1/clusters/TOKEN` or `/u/USER/NAME`, two names of one thing. */
import { createHash } from "node:crypto";
import { sendEmpty, sendJson } from "../api/listener/answer.ts";
import { entryOf, type NodeRecord, readRecord, writeRecord } from "../discovery/record.ts";
import type { Seen } from "../discovery/sightings.ts";
import { badRequest, conflict, DockerError, notFound } from "../docker/errors.ts";
import { DISCOVERY_ENTRIES, HUB_TTL_SECONDS } from "../kit/limits.ts";
import type { Logger } from "../kit/log.ts";
import { ADMIN } from "./accounts.ts";
import type { Call } from "./call.ts";
import type { Cluster } from "./clusters.ts";
import { fenceRoutes } from "./fence-routes.ts";
import type { HubState } from "./state.ts";

/** Classic Swarm's. */
const DEFAULT_TTL_SECONDS = 180;

export interface HubRights {
  readonly anonymous: boolean;
  /** Throws DockerError 429 when this address made too many clusters without signing in. */
  readonly checkCreates: (address: string) => void;
}

export interface Route {
  readonly method: string;
  readonly pattern: RegExp;
  readonly handle: (call: Call) => Promise<void> | void;
}

export function hubRoutes(state: HubState, rights: HubRights, log: Logger): readonly Route[] {
  const { accounts, clusters, nodes, managers } = state;
  const route = (method: string, path: string, handle: Route["handle"]): Route => ({
    method,
    pattern: new RegExp(`^${path}$`),
    handle,
  });
  const ofCluster = (method: string, path: string, handle: Route["handle"]): Route =>
    route(method, `(?:/v1/clusters/([^/]+)|/u/([^/]+)/([^/]+))${path}`, handle);

  async function register(call: Call, cluster: Cluster, which: "nodes" | "managers"): Promise<void> {
    const records = which === "nodes" ? nodes : managers;
    const group = which === "nodes" ? state.groupOf(cluster) : state.managersOf(cluster);
    const record = recordOf(await call.text(), call.request.query.get("ttl"));
    const key = `${group}/${record.address}`;
    if (records.beat(key, record)) return;
    const isNew = !records.has(key);
    if (isNew && records.count(group) >= DISCOVERY_ENTRIES) {
      throw new DockerError(403, `this cluster has ${DISCOVERY_ENTRIES} ${which} already`);
    }
    await records.write(key, writeRecord(record), call.request.signal);
    if (isNew)
      log.info(`${which === "nodes" ? "node" : "manager"} joined`, { cluster: cluster.id, address: record.address });
  }

  async function remove(call: Call, which: "nodes" | "managers"): Promise<void> {
    const cluster = call.member();
    const records = which === "nodes" ? nodes : managers;
    const address = call.params[3] ?? "";
    const key = `${which === "nodes" ? state.groupOf(cluster) : state.managersOf(cluster)}/${address}`;
    const what = which === "nodes" ? "node" : "manager";
    if (!records.has(key)) throw notFound(`no such ${what}: ${address}`);
    await records.write(key, undefined, call.request.signal);
    log.info(`${what} removed`, { cluster: cluster.id, address });
    sendEmpty(call.answer, 204);
  }

  async function promote(call: Call, cluster: Cluster, address: string | undefined): Promise<void> {
    await state.promote(cluster, address);
    log.info(address === undefined ? "no manager is the master any more" : "manager promoted", {
      cluster: cluster.id,
      address,
    });
    sendEmpty(call.answer, 204);
  }

  return [
    route("GET", "/v1/me", (call) => {
      const name = call.signedIn();
      sendJson(call.answer, 200, { name, admin: name === ADMIN });
    }),
    route("GET", "/v1/users", (call) => {
      call.admin();
      sendJson(call.answer, 200, accounts.names());
    }),
    route("POST", "/v1/users", async (call) => {
      call.admin();
      const { name } = await call.json();
      const token = await accounts.add(typeof name === "string" ? name : "");
      log.info("user added", { name });
      sendJson(call.answer, 201, { name, token });
    }),
    route("DELETE", "/v1/users/([^/]+)", async (call) => {
      call.admin();
      await accounts.remove(call.params[0] ?? "");
      log.info("user removed", { name: call.params[0] });
      sendEmpty(call.answer, 204);
    }),
    route("GET", "/v1/clusters", (call) => {
      const account = call.signedIn();
      const own = clusters.list(account === ADMIN ? undefined : account);
      sendJson(
        call.answer,
        200,
        own.map((cluster) => ({ ...shown(cluster), ...countsOf(state, cluster) })),
      );
    }),
    route("POST", "/v1/clusters", async (call) => {
      const { account } = call;
      if (account === undefined) {
        if (!rights.anonymous) call.signedIn();
        rights.checkCreates(call.request.remote.address);
      }
      const { name } = await call.json();
      if (name !== undefined && (typeof name !== "string" || account === undefined)) {
        throw badRequest("a cluster's name is a text, and only who is signed in may give one");
      }
      const cluster = await clusters.create(account, name);
      log.info("cluster created", { id: cluster.id, owner: cluster.owner, name: cluster.name });
      // Classic Swarm's client takes the whole body as the token.
      if (name === undefined) call.answer.start(201, TEXT(cluster.token)).end(cluster.token);
      else sendJson(call.answer, 201, shown(cluster));
    }),
    ofCluster("GET", "", (call) => {
      const entries = nodes.entries(state.groupOf(call.member()));
      sendJson(
        call.answer,
        200,
        entries.map(({ address }) => address),
      );
    }),
    ofCluster("POST", "", async (call) => {
      await register(call, call.member(), "nodes");
      sendEmpty(call.answer, 200);
    }),
    ofCluster("DELETE", "", async (call) => {
      await state.remove(call.owner());
      sendEmpty(call.answer, 204);
    }),
    ofCluster("GET", "/nodes", (call) => {
      const alive = nodes.entries(state.groupOf(call.member()));
      const text = JSON.stringify(alive.map(({ address, ...rest }) => ({ addr: address, ...rest })));
      const etag = `"${createHash("sha256").update(text).digest("base64url").slice(0, 22)}"`;
      if (call.request.headers["if-none-match"] === etag) sendEmpty(call.answer, 304, ["ETag", etag]);
      else {
        const length = String(Buffer.byteLength(text));
        const headers = ["Content-Type", "application/json", "Content-Length", length, "ETag", etag];
        call.answer.start(200, headers).end(text);
      }
    }),
    ofCluster("DELETE", "/nodes/([^/]+)", (call) => remove(call, "nodes")),
    // What a manager hears of promotions, it hears when it gives a sign of life.
    ofCluster("POST", "/managers", async (call) => {
      const cluster = call.member();
      await register(call, cluster, "managers");
      sendJson(call.answer, 200, { promotion: state.promotionOf(cluster) ?? null });
    }),
    ...fenceRoutes(state, ofCluster),
    ofCluster("DELETE", "/managers/([^/]+)", (call) => remove(call, "managers")),
    ofCluster("GET", "/managers", (call) => {
      const alive = managers.of(state.managersOf(call.member())).filter(({ silentMs }) => silentMs === undefined);
      sendJson(
        call.answer,
        200,
        alive.map(({ value }) => JSON.parse(writeRecord(value)) as unknown),
      );
    }),
    ofCluster("GET", "/master", (call) => {
      sendJson(call.answer, 200, { address: state.promotionOf(call.member())?.address ?? null });
    }),
    ofCluster("PUT", "/master", async (call) => {
      const cluster = call.owner();
      const { address } = await call.json();
      const known = managers.of(state.managersOf(cluster)).find((one) => one.address === address);
      if (!known) throw notFound(`no manager of this cluster at ${String(address)}`);
      if (known.silentMs !== undefined) throw conflict(`the manager at ${known.address} is silent: start it first`);
      await promote(call, cluster, known.address);
    }),
    ofCluster("DELETE", "/master", (call) => promote(call, call.owner(), undefined)),
    ofCluster("GET", "/status", (call) => {
      const cluster = call.member();
      const promotion = state.promotionOf(cluster);
      sendJson(call.answer, 200, {
        ...shown(cluster),
        ...countsOf(state, cluster),
        master: promotion?.address ?? null,
        promotion: promotion?.id ?? null,
        nodes: nodes.of(state.groupOf(cluster)).map(about),
        managers: managers.of(state.managersOf(cluster)).map(about),
      });
    }),
  ];
}

/** @param ttl seconds, of the query, as classic Swarm's agents write it; before the record's own */
function recordOf(text: string, ttl: string | null): NodeRecord {
  let record: NodeRecord;
  try {
    record = readRecord(text);
  } catch (error) {
    throw badRequest(error instanceof Error ? error.message : String(error));
  }
  const seconds = ttl === null ? (record.ttlMs ?? DEFAULT_TTL_SECONDS * 1000) / 1000 : Number(ttl);
  if (!(seconds >= 1 && seconds <= HUB_TTL_SECONDS)) throw badRequest(`a ttl has 1 to ${HUB_TTL_SECONDS} seconds`);
  return { ...record, ttlMs: seconds * 1000 };
}

function shown({ owner, name, token }: Cluster): object {
  const path = owner === undefined ? `/v1/clusters/${token}` : `/u/${owner}/${name}`;
  return { owner: owner ?? null, name: name ?? null, token, path };
}

function countsOf({ nodes, groupOf }: HubState, cluster: Cluster): object {
  const all = nodes.of(groupOf(cluster));
  const up = all.filter(({ silentMs }) => silentMs === undefined).length;
  return { up, silent: all.length - up };
}

function about({ value, silentMs }: Seen<NodeRecord>): object {
  const { host, cpus, memory, manager } = value;
  return {
    ...entryOf(value),
    ...{ host, cpus, memory, manager },
    state: silentMs === undefined ? "up" : "silent",
    silentSeconds: silentMs === undefined ? null : Math.floor(silentMs / 1000),
  };
}

const TEXT = (text: string): string[] => ["Content-Type", "text/plain", "Content-Length", String(text.length)];
