import { Duplex, Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { ROUTES } from "../../src/api/table.ts";
import type { EngineWire } from "../../src/engine/wire/wire.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { seededRandom } from "../../src/kit/random.ts";
import { SimEngine } from "../engine/engine.ts";
import { Watch } from "./watch.ts";

const silent: EngineWire = {
  address: "sim",
  request: async () => ({ status: 200, headers: [], body: Readable.from([]) }),
  connect: async () => new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() }),
  close: async () => {},
};

/** What the watch says when the client's request makes the manager ask node-2 this. */
async function said(client: string, engine: string, headers: readonly string[] = []): Promise<string[]> {
  const problems: string[] = [];
  const engines = ["node-1", "node-2"].map(
    (name, index) => new SimEngine({ clock: systemClock, random: seededRandom(index + 1), name }),
  );
  const [one, two] = engines;
  if (!one || !two) throw new Error("no engines");
  one.preload(1, { prefix: "first", running: false });
  two.preload(1, { prefix: "second", running: false });
  const watch = new Watch(engines, (problem) => problems.push(problem));
  const [method = "", path = ""] = client.split(" ");
  const [engineMethod = "", engineTarget = ""] = engine.split(" ");
  const report = (problem: string): void => {
    problems.push(problem);
  };
  const seen = { method, path, match: ROUTES.match(method, path), hops: new Set(["x-hop"]), report };
  const wire = watch.wrap(silent, two);
  const ask = () => wire.request({ method: engineMethod, path: engineTarget, headers });
  await (client === "" ? ask() : watch.within(seen, ask));
  return problems;
}

describe("the fuzzer's watch over the engines", () => {
  it.each([
    ["GET /containers/second-0/json", "GET /v1.51/containers/second-0/json"],
    ["POST /containers/second-0/stop", "POST /v1.51/containers/second-0/stop?t=1"],
    ["POST /containers/node-2/second-0/stop", "POST /v1.51/containers/second-0/stop"],
    ["POST /containers/create", "POST /v1.51/containers/create?name=x"],
    ["POST /images/prune", "DELETE /v1.51/images/sha256%3Aabc"],
    ["POST /volumes/prune", "DELETE /v1.51/volumes/abc"],
    ["POST /networks/prune", "DELETE /v1.51/networks/abc"],
    ["", "GET /v1.51/containers/json?all=1"],
  ])("has nothing against %s as %s", async (client, engine) => {
    expect(await said(client, engine)).toEqual([]);
  });

  it.each([
    ["GET /containers/second-0/json", "POST /v1.51/containers/second-0/stop", "not what was asked for"],
    ["POST /containers/second-0/stop", "DELETE /v1.51/containers/second-0", "not what was asked for"],
    ["POST /containers/first-0/stop", "POST /v1.51/containers/first-0/stop", "it lives elsewhere"],
    ["POST /containers/first-0/stop", "POST /v1.51/containers/second-0/stop", "another container"],
    ["POST /nosuch", "GET /v1.51/info", "has no route"],
    ["POST /build", "GET /v1.51/info", "has no route"],
    ["", "POST /v1.51/containers/prune", "nobody asked for"],
    ["GET /containers/json", "GET /v1.51/containers/../json", "read in two ways"],
    ["GET /containers/json", "GET /v1.51/containers/json\x01", "cannot hold"],
  ])("reports %s as %s: %s", async (client, engine, words) => {
    expect((await said(client, engine)).join()).toContain(words);
  });

  it("reports headers of the client's connection", async () => {
    const ask = (header: string): Promise<string[]> => said("GET /info", "GET /info", [header, "1"]);
    expect(await ask("X-Hop")).toHaveLength(1);
    expect(await ask("TE")).toHaveLength(1);
    expect(await ask("X-Other")).toEqual([]);
  });
});
