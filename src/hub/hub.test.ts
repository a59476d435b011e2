/** A hub over HTTP: classic Swarm's hosted protocol, clusters with names, and who may do what. */
import { statSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeCertificates } from "../api/listener/testing.ts";
import { hubAddress } from "../discovery/hub/address.ts";
import { HubClient } from "../discovery/hub/client.ts";
import { systemClock } from "../kit/clock.ts";
import { mapAtMost } from "../kit/limit.ts";
import { openTestHub, type TestHub } from "./testing.ts";

const ID = "0123456789abcdef";

describe("a hub", () => {
  let hub: TestHub;
  beforeEach(async () => {
    hub = await openTestHub();
  });
  afterEach(() => hub.close());

  type Init = Parameters<TestHub["fetch"]>[1];
  const text = async (path: string, init?: Init) => {
    const answer = await hub.fetch(path, init);
    return { status: answer.status, text: await answer.text() };
  };
  const json = async (path: string, init?: Init): Promise<unknown> => (await hub.fetch(path, init)).json();
  const admin = () => ({ token: hub.adminToken });
  const user = async (name: string): Promise<string> => {
    const answer = await json("/v1/users", { ...admin(), method: "POST", body: JSON.stringify({ name }) });
    return (answer as { token: string }).token;
  };
  const named = async (token: string, name = "cluster-1"): Promise<{ token: string; path: string }> =>
    (await json("/v1/clusters", { token, method: "POST", body: JSON.stringify({ name }) })) as never;

  it("speaks classic Swarm's protocol", async () => {
    const { status, text: token } = await text("/v1/clusters", { ...admin(), method: "POST" });
    expect(status).toBe(201);
    expect(token).toMatch(/^[0-9a-f]{32}$/);
    const cluster = `/v1/clusters/${token}`;
    expect(await text(cluster)).toEqual({ status: 200, text: "[]\n" });
    for (const address of ["10.0.0.2:2375", "10.0.0.1:2375", "10.0.0.2:2375"]) {
      expect((await text(`${cluster}?ttl=180`, { method: "POST", body: address })).status).toBe(200);
    }
    expect(await json(`${cluster}?ttl=180`)).toEqual(["10.0.0.1:2375", "10.0.0.2:2375"]);
  });

  it("keeps what a node says of itself, and tells by an ETag that nothing changed", async () => {
    const { token, path } = await named(hub.adminToken);
    expect(path).toBe("/u/admin/cluster-1");
    const record = { addr: "a:1", id: ID, name: "node-1", labels: { storage: "ssd" }, ttl: 5, beat: 1, cpus: 2 };
    const register = (beat: number) =>
      hub.fetch(path, { token, method: "POST", body: JSON.stringify({ ...record, beat }) });
    await register(1);
    const first = await hub.fetch(`${path}/nodes`, { token });
    expect(await first.json()).toEqual([{ addr: "a:1", id: ID, name: "node-1", labels: { storage: "ssd" } }]);
    await register(2);
    const etag = first.headers.get("etag") ?? "";
    expect((await hub.fetch(`${path}/nodes`, { token, headers: { "if-none-match": etag } })).status).toBe(304);
    expect(await json(`${path}/status`, { token })).toMatchObject({
      ...{ owner: "admin", name: "cluster-1", up: 1, silent: 0, master: null },
      nodes: [{ address: "a:1", cpus: 2, state: "up", silentSeconds: null }],
    });
    expect((await text(`${path}/nodes/a%3A1`, { token, method: "DELETE" })).status).toBe(204);
    expect(await json(path, { token })).toEqual([]);
    expect((await text(`${path}/nodes/a%3A1`, { token, method: "DELETE" })).status).toBe(404);
  });

  it("keeps fences, each change of which names the version that it replaces", async () => {
    const { token, path } = await named(hub.adminToken);
    const record = { holder: "a", address: "10.0.0.1:2375", ttlMs: 15_000, beat: 1 };
    const put = async (version: string | null, beat: number) => {
      const body = JSON.stringify({ version, record: { ...record, beat } });
      const answer = await json(`${path}/fences/${ID}`, { token, method: "PUT", body });
      return (answer as { version: string | null }).version;
    };
    expect(await json(`${path}/fences/${ID}`, { token })).toBeNull();
    const first = await put(null, 1);
    expect(await put(null, 2)).toBeNull();
    const second = await put(first, 2);
    expect(await put(first, 3)).toBeNull();
    const entry = { node: ID, version: second, record: { ...record, beat: 2, left: false } };
    expect(await json(`${path}/fences`, { token })).toEqual([entry]);
    expect(await json(`${path}/fences/${ID}`, { token })).toEqual(entry);
    const damaged = { token, method: "PUT", body: JSON.stringify({ version: second, record: { holder: 1 } }) };
    expect((await text(`${path}/fences/${ID}`, damaged)).status).toBe(400);
    expect((await text(`${path}/fences`)).status).toBe(401);
    // Nodes are no fences: classic clients see none of it.
    expect(await json(path, { token })).toEqual([]);
  });

  it("lets nobody create a cluster or read one without a token that opens it", async () => {
    expect((await text("/v1/clusters", { method: "POST" })).status).toBe(401);
    expect(await text(`/v1/clusters/${"0".repeat(32)}`)).toEqual({
      status: 404,
      text: '{"message":"no such cluster"}\n',
    });
    const { token } = await named(hub.adminToken);
    const other = await named(hub.adminToken, "cluster-2");
    expect((await text("/u/admin/cluster-1")).status).toBe(401);
    expect((await text("/u/admin/none")).status).toBe(401);
    expect((await text("/u/admin/cluster-1", { token: other.token })).status).toBe(401);
    expect((await text("/u/admin/cluster-1", { token })).status).toBe(200);
    const basic = `Basic ${Buffer.from(`${token}:`).toString("base64")}`;
    expect((await text("/u/admin/cluster-1", { headers: { authorization: basic } })).status).toBe(200);
  });

  it("lets users have clusters of their own, and nobody change what is not theirs", async () => {
    const [ann, bob] = [await user("ann"), await user("bob")];
    const { token, path } = await named(ann);
    expect(path).toBe("/u/ann/cluster-1");
    expect((await text("/v1/clusters", { token: ann, method: "POST", body: '{"name":"cluster-1"}' })).status).toBe(409);
    expect(((await json("/v1/clusters", { token: ann })) as unknown[]).length).toBe(1);
    expect(await json("/v1/clusters", { token: bob })).toEqual([]);
    expect(((await json("/v1/clusters", admin())) as unknown[]).length).toBe(1);
    for (const method of ["GET", "POST", "DELETE"]) {
      const body = method === "POST" ? { body: "a:1" } : {};
      expect((await text(path, { token: bob, method, ...body })).status).toBe(404);
    }
    // Who was given a cluster's token may join it, not take it away.
    expect((await text(path, { token, method: "DELETE" })).status).toBe(403);
    expect((await text(`${path}/master`, { token, method: "PUT", body: "{}" })).status).toBe(403);
    expect((await text("/v1/users", { token: ann })).status).toBe(403);
    expect((await text(path, { token: ann, method: "DELETE" })).status).toBe(204);
    expect((await text(`/v1/clusters/${token}`)).status).toBe(404);
    expect((await text("/v1/users/ann", { ...admin(), method: "DELETE" })).status).toBe(204);
    expect((await text("/v1/me", { token: ann })).status).toBe(401);
    expect(await json("/v1/users", admin())).toEqual(["bob"]);
  });

  it("promotes a manager that is there", async () => {
    const { token, path } = await named(hub.adminToken);
    const promote = (address: string) =>
      text(`${path}/master`, { ...admin(), method: "PUT", body: JSON.stringify({ address }) });
    expect((await promote("m:1")).status).toBe(404);
    const size = { nodes: 3, healthy: 2, containers: 5, cpus: 6, reservedCpus: 0.5, memory: 9, reservedMemory: 1 };
    const manager = { role: "replica", isMaster: false, cluster: size };
    const register = (more: object = {}) =>
      json(`${path}/managers`, {
        ...{ token, method: "POST" },
        body: JSON.stringify({ addr: "m:1", ttl: 20, manager, ...more }),
      });
    expect(await register()).toEqual({ promotion: null });
    expect(await register({ manager: { role: "boss" } })).toEqual({
      message: "a manager's role is primary or replica",
    });
    expect((await promote("m:1")).status).toBe(204);
    expect(await json(`${path}/master`, { token })).toEqual({ address: "m:1" });
    const { promotion } = (await register()) as { promotion: { id: string } };
    expect(promotion).toEqual({ id: expect.stringMatching(/^[0-9a-f]{16}$/), address: "m:1" });
    expect(await json(`${path}/status`, { token })).toMatchObject({
      master: "m:1",
      managers: [{ address: "m:1", manager, state: "up" }],
    });
    // Another word is another promotion, also of the same manager.
    await promote("m:1");
    expect(await register()).not.toEqual({ promotion });
    expect((await text(`${path}/master`, { token, method: "DELETE" })).status).toBe(403);
    expect((await text(`${path}/master`, { ...admin(), method: "DELETE" })).status).toBe(204);
    expect(await register()).toEqual({ promotion: { id: expect.any(String) } });
    expect((await text(`${path}/managers/m%3A1`, { token, method: "DELETE" })).status).toBe(204);
    expect(await json(`${path}/managers`, { token })).toEqual([]);
    expect((await text(`${path}/managers/m%3A1`, { token, method: "DELETE" })).status).toBe(404);
  });

  it("promotes no manager that is silent, and shows that it is", async () => {
    const { token, path } = await named(hub.adminToken);
    const manager = { addr: "m:1", ttl: 1, manager: { role: "primary", isMaster: true } };
    await hub.fetch(`${path}/managers`, { token, method: "POST", body: JSON.stringify(manager) });
    await expect
      .poll(() => json(`${path}/status`, { token }), { timeout: 45_000 })
      .toMatchObject({ managers: [{ state: "silent" }] });
    const body = JSON.stringify({ address: "m:1" });
    expect(await text(`${path}/master`, { ...admin(), method: "PUT", body })).toEqual({
      status: 409,
      text: '{"message":"the manager at m:1 is silent: start it first"}\n',
    });
  });

  it.each([
    ["", "bad host"],
    ["unix:///var/run/docker.sock", "cannot hold unix:"],
    ['{"addr":"a","id":"x"}', "a node's ID"],
    ["a:99999", "bad port"],
  ])("refuses the record %j", async (body, words) => {
    const { token } = await named(hub.adminToken);
    const { status, text: message } = await text(`/v1/clusters/${token}`, { method: "POST", body });
    expect(status).toBe(400);
    expect(message).toContain(words);
  });

  it("refuses bodies, times and methods out of bounds", async () => {
    const { token, path } = await named(hub.adminToken);
    const post = async (query: string, body: string) =>
      (await text(`${path}${query}`, { token, method: "POST", body })).status;
    expect(await post("", "x".repeat(70_000))).toBe(413);
    for (const ttl of ["0", "x", "-1", "1e9"]) expect(await post(`?ttl=${ttl}`, "a:1")).toBe(400);
    expect((await text(path, { token, method: "PUT" })).status).toBe(405);
    expect((await text("/v1/nothing")).status).toBe(404);
    expect((await text("/v1/clusters", { ...admin(), method: "POST", body: '{"name":"a/b"}' })).status).toBe(400);
    expect((await text("/v1/users", { ...admin(), method: "POST", body: '{"name":"admin"}' })).status).toBe(400);
    // A page of another origin, and a name that is not the hub's.
    expect((await text("/v1/me", { ...admin(), headers: { origin: "http://evil.example" } })).status).toBe(403);
  });

  it("takes only so many wrong tokens from one address, and right ones all the same", async () => {
    const { token } = await named(hub.adminToken);
    const wrong = async () => (await hub.fetch(`/v1/clusters/${"f".repeat(32)}`)).status;
    const seen = new Set<number>();
    for (let i = 0; i < 40; i++) seen.add(await wrong());
    expect([...seen]).toEqual([404, 429]);
    expect((await text(`/v1/clusters/${token}`)).status).toBe(200);
  });

  it("knows all of it after a restart, and never logs a token", async () => {
    const ann = await user("ann");
    const { token, path } = await named(ann);
    await hub.fetch(path, { token, method: "POST", body: "a:1" });
    expect(statSync(`${hub.directory}/admin-token`).mode & 0o777).toBe(0o600);
    const { directory, adminToken, logged } = hub;
    await hub.stop();
    hub = await openTestHub({ directory });
    expect(hub.adminToken).toBe(adminToken);
    expect(await json(path, { token: ann })).toEqual(["a:1"]);
    const said = [...logged, ...hub.logged].join("\n");
    for (const secret of [ann, token, adminToken]) expect(said).not.toContain(secret);
    expect(said).toContain("cluster created");
  });

  it("serves its page with nothing from elsewhere, also at a cluster's URL to browsers", async () => {
    const page = await hub.fetch("/");
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(page.headers.get("content-type")).toContain("text/html");
    const there = await hub.fetch("/u/ann/cluster-1", { headers: { accept: "text/html,*/*" } });
    expect(there.headers.get("etag")).toBe(page.headers.get("etag"));
    const again = await hub.fetch("/", { headers: { "if-none-match": page.headers.get("etag") ?? "" } });
    expect(again.status).toBe(304);
    expect((await hub.fetch("/page/none.js")).status).toBe(404);
    expect((await hub.fetch("/page/app.js")).headers.get("content-type")).toContain("javascript");
  });
});

describe("a hub with TLS", () => {
  it("is asked with a certificate's authority of one's own, and refused without", async () => {
    const { ca, cert, key } = makeCertificates();
    const hub = await openTestHub({ store: "memory://", tls: { cert, key, verify: false } });
    const address = hubAddress(hub.url, { token: hub.adminToken });
    const trusting = new HubClient(address, systemClock, { ca });
    expect((await trusting.call({ path: "/v1/me" })).text).toContain('"name":"admin"');
    await trusting.close();
    const strict = new HubClient(address, systemClock);
    await expect(strict.call({ path: "/v1/me" })).rejects.toThrow(/cannot be reached: .*certificate/);
    await strict.close();
    await hub.close();
  });
});

describe("many nodes", () => {
  it("are all registered, each with its own record, and stay while they beat", async () => {
    const hub = await openTestHub();
    const created = await hub.fetch("/v1/clusters", { token: hub.adminToken, method: "POST" });
    const client = new HubClient(hubAddress(`${hub.url}/v1/clusters/${await created.text()}`, {}), systemClock);
    const nodes = Array.from({ length: 300 }, (_, index) => `10.0.${index >> 8}.${index & 255}:2375`);
    const register = (address: string, beat: number) =>
      client.call({ method: "POST", path: "?ttl=600", body: JSON.stringify({ addr: address, id: ID, beat }) });
    for (const beat of [1, 2]) await mapAtMost(32, nodes, (address) => register(address, beat));
    expect(JSON.parse((await client.call({})).text)).toEqual([...nodes].sort());
    await client.close();
    await hub.close();
  });
});

describe("an --anonymous hub", () => {
  it("lets everybody create clusters, not too many, which belong to who knows the token", async () => {
    const hub = await openTestHub({ anonymous: true });
    const create = async () => hub.fetch("/v1/clusters", { method: "POST" });
    const token = await (await create()).text();
    expect((await hub.fetch("/v1/clusters", { method: "POST", body: '{"name":"mine"}' })).status).toBe(400);
    expect((await hub.fetch(`/v1/clusters/${token}`, { method: "DELETE" })).status).toBe(204);
    const statuses = new Set<number>();
    for (let i = 0; i < 25; i++) statuses.add((await create()).status);
    expect([...statuses]).toEqual([201, 429]);
    await hub.close();
  });
});
