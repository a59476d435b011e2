/** ZooKeeper's driver against the real server: the contract, users, TLS, and what happens to servers. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { storeContract } from "../contracts/store.ts";
import { makeCertificates } from "../e2e/support/certs.ts";
import { storeFaults } from "./support/faults.ts";
import { open, tlsOptions, txnOf } from "./support/open.ts";
import { zookeeperArchives } from "./support/packages.ts";
import { Server } from "./support/server.ts";
import { zookeeper } from "./support/zookeeper.ts";

let jars: string;
let server: Server;
let paths = 0;
beforeAll(async () => {
  jars = await zookeeperArchives();
  server = await Server.start(zookeeper(jars));
});
afterAll(() => server?.remove());

storeContract("zookeeper", async () => {
  const url = `zk://${server.address}/contract/${++paths}`;
  return { open: () => open(url), close: async () => undefined };
});

storeFaults("zookeeper", {
  start: (disk) => Server.start(zookeeper(jars), disk),
  open: (server) => open(`zk://${server.address}/faults`),
  diskBytes: 24 << 20,
});

describe("zookeeper", () => {
  it("gives no version twice when a key is deleted and made again, and takes none for another", async () => {
    const store = await open(`zk://${server.address}/again`);
    // ZooKeeper itself counts from 0 again with each creation.
    await store.txn(txnOf("a", "1"));
    const old = (await store.get("a"))?.version;
    await store.txn({ conditions: [], writes: [{ key: "a", value: undefined }] });
    await store.txn(txnOf("a", "1"));
    const late = { conditions: [{ key: "a", version: old }], writes: [{ key: "b", value: "1" }] };
    expect(await store.txn(late)).toEqual({ ok: false });
    expect(await store.get("b")).toBeUndefined();
    await store.close();
  });

  it("counts right while others delete and make again what it counts on", async () => {
    const stores = await Promise.all([1, 2, 3].map(() => open(`zk://${server.address}/contended`)));
    let done = 0;
    const count = async (store: (typeof stores)[number]) => {
      for (let round = 0; round < 15; ) {
        const [flag, sum] = await Promise.all([store.get("flag"), store.get("sum")]);
        // Deletes the flag or makes it, and counts it, all on what it has seen.
        const { ok } = await store.txn({
          conditions: [
            { key: "flag", version: flag?.version },
            { key: "sum", version: sum?.version },
          ],
          writes: [
            { key: "flag", value: flag ? undefined : "up" },
            { key: "sum", value: String(Number(sum?.value ?? 0) + 1) },
          ],
        });
        if (!ok) continue;
        round++;
        done++;
      }
    };
    await Promise.all(stores.map(count));
    expect(done).toBe(45);
    expect(await stores[0]?.get("sum")).toMatchObject({ value: "45" });
    expect(await stores[0]?.get("flag")).toMatchObject({ value: "up" });
    for (const store of stores) await store.close();
  });

  it("refuses a transaction that is too large for it, certainly", async () => {
    const store = await open(`zk://${server.address}/${"p".repeat(1_000)}`);
    const writes = Array.from({ length: 256 }, (_, at) => ({ key: `${at}`.padStart(1_024, "k"), value: undefined }));
    await expect(store.txn({ conditions: [], writes })).rejects.toMatchObject({
      uncertain: false,
      message: expect.stringContaining("takes no more than 1024000 bytes in a transaction"),
    });
    await store.close();
  });

  it("keeps what users make from others", async () => {
    const own = await open(`zk://shoal:p%40ss@${server.address}/private`);
    expect(await own.txn(txnOf("a", "1"))).toMatchObject({ ok: true });
    expect(await own.list("")).toHaveLength(1);
    for (const stranger of [`zk://shoal:wrong@${server.address}/private`, `zk://${server.address}/private`]) {
      const store = await open(stranger);
      await expect(store.get("a")).rejects.toThrow(`ZooKeeper at ${server.address}: not authorized`);
      await expect(store.txn(txnOf("a", "2"))).rejects.toMatchObject({ uncertain: false });
      await store.close();
    }
    expect(await own.get("a")).toMatchObject({ value: "1" });
    await own.close();
  });

  it("is asked at the next server when one is not there, and tells in one sentence when none is", async () => {
    const store = await open(`zk://127.0.0.1:1,${server.address}/next`);
    expect(await store.txn(txnOf("a", "1"))).toMatchObject({ ok: true });
    await store.close();
    const nowhere = await open("zk://127.0.0.1:1/none");
    await expect(nowhere.txn(txnOf("a", "1"))).rejects.toMatchObject({
      uncertain: false,
      message: "ZooKeeper at 127.0.0.1:1: 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1",
    });
    await nowhere.close();
  });

  it("takes TLS, and a client's certificate of its own authority alone", async () => {
    const folder = await mkdtemp(join(tmpdir(), "shoal-zookeeper-tls-"));
    const certificates = await makeCertificates(folder);
    const secured = await Server.start(zookeeper(jars, certificates));
    const known = await open(`zk://${secured.address}/shoal`, tlsOptions(certificates.client));
    await vi.waitFor(async () => expect(await known.txn(txnOf("a", "1"))).toMatchObject({ ok: true }));
    const stranger = await open(`zk://${secured.address}/shoal`, tlsOptions(certificates.stranger));
    const plain = await open(`zk://${secured.address}/shoal`);
    for (const store of [stranger, plain]) {
      await expect(store.get("a")).rejects.toThrow(`ZooKeeper at ${secured.address}: `);
      await store.close();
    }
    await known.close();
    await secured.remove();
    await rm(folder, { recursive: true });
  });
});
