/** A store's server that takes connections and says nothing on them, as over a line that broke without a word. */
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../src/kit/clock.ts";
import { seededRandom } from "../../src/kit/random.ts";
import { STORE_LOAD_MS, STORE_TRY_MS } from "../../src/kit/store-limits.ts";
import { Etcd } from "../../src/store/drivers/etcd/etcd.ts";
import { RemoteStore } from "../../src/store/drivers/remote/remote-store.ts";
import { TestClock } from "../cluster/test-clock.ts";

const EMPTY = JSON.stringify({ header: { revision: "1" } });

let server: Server;
let store: RemoteStore;
let clock: TestClock;
/** Of requests: so many get no answer. */
let silent: number;
let asked: number;

beforeEach(async () => {
  silent = 0;
  asked = 0;
  server = createServer((request, response) => answer(request.url, response));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  clock = new TestClock(systemClock);
  const address = { servers: [{ host: "127.0.0.1", port }], path: "", user: "", password: "", tls: undefined };
  store = new RemoteStore(new Etcd(address, clock), "", { clock, random: seededRandom(1) });
});

afterEach(async () => {
  await store.close();
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

function answer(url: string | undefined, response: ServerResponse): void {
  if (asked++ < silent) return;
  if (url === "/v3/watch") response.write('{"result":{"created":true}}\n');
  else response.end(EMPTY);
}

const until = (count: number): Promise<void> => vi.waitFor(() => expect(asked).toBe(count));

describe("a server that says nothing", () => {
  it("is asked on another connection what only reads, though there is no other server", async () => {
    silent = 1;
    const getting = store.get("a");
    await until(1);
    clock.hurry(STORE_TRY_MS);
    expect(await getting).toBeUndefined();
    expect(asked).toBe(2);
  });

  it("keeps no watch waiting for ever", async () => {
    silent = 2;
    const stop = new AbortController();
    const told: string[] = [];
    const observer = {
      snapshot: () => void told.push("snapshot"),
      change: () => {},
      trouble: (error: Error) => void told.push(error.message),
    };
    const watching = store.watch("a", observer, stop.signal);
    await until(1);
    clock.hurry(STORE_TRY_MS);
    await until(2);
    clock.hurry(STORE_LOAD_MS);
    await vi.waitFor(() => expect(told).toContain("snapshot"));
    expect(told).toEqual([expect.stringContaining("no answer within 60 s"), "snapshot"]);
    expect(clock.pending(STORE_LOAD_MS)).toBe(0);
    stop.abort();
    await watching;
  });
});
