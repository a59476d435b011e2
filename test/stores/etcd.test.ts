/** etcd's driver against the real server: the contract, TLS, authentication, and what happens to servers. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StoreOptions } from "../../src/store/drivers/remote/address.ts";
import { storeContract } from "../contracts/store.ts";
import { type Certificates, makeCertificates } from "../e2e/support/certs.ts";
import { administer, etcd } from "./support/etcd.ts";
import { storeFaults } from "./support/faults.ts";
import { open, tlsOptions, txnOf } from "./support/open.ts";
import { etcdProgram } from "./support/packages.ts";
import { Server } from "./support/server.ts";

let program: string;
let server: Server;
let paths = 0;
beforeAll(async () => {
  program = await etcdProgram();
  server = await Server.start(etcd(program));
});
afterAll(() => server?.remove());

storeContract("etcd", async () => {
  const url = `etcd://${server.address}/contract/${++paths}`;
  return { open: () => open(url), close: async () => undefined };
});

storeFaults("etcd", {
  start: (disk) => Server.start(etcd(program), disk),
  open: (server) => open(`etcd://${server.address}/faults`),
  // Its log takes two files of 64 MB before the first entry.
  diskBytes: 160 << 20,
});

describe("etcd", () => {
  it("keeps what is beside its path", async () => {
    const [inner, outer] = [
      await open(`etcd://${server.address}/beside`),
      await open(`etcd://${server.address}/beside0`),
    ];
    for (const store of [inner, outer]) await store.txn(txnOf("a", "1"));
    expect((await inner.list("")).map(({ key }) => key)).toEqual(["a"]);
    await inner.close();
    await outer.close();
  });

  it("lists more entries than one answer holds, and large ones", async () => {
    const store = await open(`etcd://${server.address}/many`);
    const { operations } = store.limits;
    for (let from = 0; from < 1_200; from += operations) {
      const writes = Array.from({ length: operations }, (_, at) => ({ key: `k/${from + at}`, value: "x" }));
      await store.txn({ conditions: [], writes });
    }
    const value = "x".repeat(256 << 10);
    for (let at = 0; at < 20; at++) await store.txn({ conditions: [], writes: [{ key: `large/${at}`, value }] });
    const listed = await store.list("");
    expect(listed.length).toBe(Math.ceil(1_200 / operations) * operations + 20);
    expect(new Set(listed.map(({ key }) => key)).size).toBe(listed.length);
    await store.close();
  });

  it("is asked at the next server when one is not there", async () => {
    const store = await open(`etcd://127.0.0.1:1,${server.address}/next`);
    expect(await store.txn(txnOf("a", "1"))).toMatchObject({ ok: true });
    expect(await store.get("a")).toMatchObject({ value: "1" });
    await store.close();
  });

  it("that is nowhere is told in one sentence, certainly", async () => {
    const store = await open("etcd://127.0.0.1:1/none");
    const words = /^etcd at 127\.0\.0\.1:1: 127\.0\.0\.1:1: connect ECONNREFUSED/;
    await expect(store.get("a")).rejects.toThrow(words);
    const refused = store.txn(txnOf("a", "1"));
    await expect(refused).rejects.toMatchObject({ message: expect.stringMatching(words), uncertain: false });
    await store.close();
  });

  describe("with TLS and users", () => {
    let folder: string;
    let certificates: Certificates;
    let secured: Server;
    let tls: StoreOptions;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "shoal-etcd-tls-"));
      certificates = await makeCertificates(folder);
      secured = await Server.start(etcd(program, certificates));
      tls = { "kv.cacertfile": join(certificates.client, "ca.pem") };
      const etcdctl = (path: string, body: object) => administer(secured, path, body, certificates.client);
      await etcdctl("auth/user/add", { name: "root", password: "r00t" });
      await etcdctl("auth/user/grant", { user: "root", role: "root" });
      await etcdctl("auth/role/add", { name: "shoal" });
      const [key, range_end] = ["shoal/", "shoal0"].map((text) => Buffer.from(text).toString("base64"));
      await etcdctl("auth/role/grant", { name: "shoal", perm: { permType: "READWRITE", key, range_end } });
      await etcdctl("auth/user/add", { name: "shoal", password: "p:@/ss" });
      await etcdctl("auth/user/grant", { user: "shoal", role: "shoal" });
      await etcdctl("auth/enable", {});
    });
    afterAll(async () => {
      await secured?.remove();
      await rm(folder, { recursive: true });
    });

    it("takes a user who may touch the path alone", async () => {
      const store = await open(`etcd://shoal:p%3A%40%2Fss@${secured.address}/shoal`, tls);
      expect(await store.txn(txnOf("a", "1"))).toMatchObject({ ok: true });
      expect(await store.list("")).toHaveLength(1);
      await store.close();
    });

    it("authenticates again when the server has forgotten", async () => {
      const file = join(folder, "password");
      await writeFile(file, "p:@/ss\n");
      const options = { ...tls, "kv.user": "shoal", "kv.passwordfile": file };
      const store = await open(`etcd://${secured.address}/shoal`, options);
      await store.get("a");
      await secured.kill();
      await secured.startAgain();
      expect(await store.txn(txnOf("b", "1"))).toMatchObject({ ok: true });
      await store.close();
    });

    it("says what was refused", async () => {
      const wrong = await open(`etcd://shoal:wrong@${secured.address}/shoal`, tls);
      await expect(wrong.get("a")).rejects.toThrow(/authentication failed, invalid user ID or password/);
      const beyond = await open(`etcd://shoal:p%3A%40%2Fss@${secured.address}/other`, tls);
      const refused = beyond.txn(txnOf("a", "1"));
      await expect(refused).rejects.toMatchObject({
        uncertain: false,
        message: expect.stringContaining("permission denied"),
      });
      const plain = await open(`etcd://${secured.address}/shoal`);
      await expect(plain.get("a")).rejects.toThrow(`etcd at ${secured.address}: `);
      for (const store of [wrong, beyond, plain]) await store.close();
    });

    it("takes a client's certificate, and only one of its own authority's", async () => {
      const strict = await Server.start(etcd(program, certificates, true));
      const known = await open(`etcd://${strict.address}/shoal`, tlsOptions(certificates.client));
      expect(await known.get("a")).toBeUndefined();
      const stranger = await open(`etcd://${strict.address}/shoal`, tlsOptions(certificates.stranger));
      await expect(stranger.get("a")).rejects.toThrow(`etcd at ${strict.address}: `);
      for (const store of [known, stranger]) await store.close();
      await strict.remove();
    });
  });
});
