/** Consul's driver against the real server: the contract, TLS, tokens, and what happens to servers. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { storeContract } from "../contracts/store.ts";
import { makeCertificates } from "../e2e/support/certs.ts";
import { consul } from "./support/consul.ts";
import { storeFaults } from "./support/faults.ts";
import { open, tlsOptions, txnOf } from "./support/open.ts";
import { consulProgram } from "./support/packages.ts";
import { Server } from "./support/server.ts";

let program: string;
let server: Server;
let paths = 0;
beforeAll(async () => {
  program = await consulProgram();
  server = await Server.start(consul(program));
});
afterAll(() => server?.remove());

storeContract("consul", async () => {
  const url = `consul://${server.address}/contract/${++paths}`;
  return { open: () => open(url), close: async () => undefined };
});

storeFaults("consul", {
  start: (disk) => Server.start(consul(program), disk),
  open: (server) => open(`consul://${server.address}/faults`),
  diskBytes: 24 << 20,
});

describe("consul", () => {
  it("refuses a transaction that is too large for it, certainly", async () => {
    const store = await open(`consul://${server.address}/large`);
    const keys = Array.from({ length: 40 }, (_, at) => `k${at}`);
    const result = await store.txn({ conditions: [], writes: keys.map((key) => ({ key, value: "1" })) });
    const versions = result.ok ? result.versions : [];
    const conditions = keys.map((key, at) => ({ key, version: versions[at] }));
    const refused = store.txn({ conditions, writes: keys.map((key) => ({ key, value: undefined })) });
    await expect(refused).rejects.toMatchObject({
      uncertain: false,
      message: expect.stringContaining("takes 64 operations in a transaction, this one has 80"),
    });
    expect(await store.list("")).toHaveLength(40);
    await store.close();
  });

  it("takes a token that may touch the path alone", async () => {
    const guarded = await Server.start(consul(program, undefined, MASTER));
    const create = async (path: string, body: object) => {
      const headers = { "x-consul-token": MASTER };
      const answer = await fetch(`http://${guarded.address}/v1/acl/${path}`, {
        method: "PUT",
        headers,
        body: JSON.stringify(body),
      });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return (await answer.json()) as { readonly SecretID: string };
    };
    // Its rights are there some moments after it answers.
    await vi.waitFor(() => create("policy", { Name: "shoal", Rules: 'key_prefix "shoal/" { policy = "write" }' }));
    const { SecretID } = await create("token", { Policies: [{ Name: "shoal" }] });
    const own = await open(`consul://:${SecretID}@${guarded.address}/shoal`);
    expect(await own.txn(txnOf("a", "1"))).toMatchObject({ ok: true });
    expect(await own.list("")).toHaveLength(1);
    const beyond = await open(`consul://:${SecretID}@${guarded.address}/other`);
    await expect(beyond.txn(txnOf("a", "1"))).rejects.toMatchObject({
      uncertain: false,
      message: expect.stringContaining("Permission denied"),
    });
    const wrong = await open(`consul://:wrong@${guarded.address}/shoal`);
    await expect(wrong.get("a")).rejects.toThrow(/ACL not found/);
    for (const store of [own, beyond, wrong]) await store.close();
    await guarded.remove();
  });

  it("takes TLS, and a client's certificate of its own authority alone", async () => {
    const folder = await mkdtemp(join(tmpdir(), "shoal-consul-tls-"));
    const certificates = await makeCertificates(folder);
    const secured = await Server.start(consul(program, certificates));
    const known = await open(`consul://${secured.address}/shoal`, tlsOptions(certificates.client));
    await vi.waitFor(async () => expect(await known.txn(txnOf("a", "1"))).toMatchObject({ ok: true }));
    const stranger = await open(`consul://${secured.address}/shoal`, tlsOptions(certificates.stranger));
    const plain = await open(`consul://${secured.address}/shoal`);
    for (const store of [stranger, plain]) {
      await expect(store.get("a")).rejects.toThrow(`Consul at ${secured.address}: `);
      await store.close();
    }
    await known.close();
    await secured.remove();
    await rm(folder, { recursive: true });
  });
});

const MASTER = "7c1d6a3e-0000-4000-8000-000000000001";
