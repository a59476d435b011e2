/** Several managers over one cluster: whichever a client talks to, it sees what was changed through any other. */
import { afterEach, describe, expect, it } from "vitest";
import { commonHeaders } from "../../src/api/api.ts";
import { apiByLeader, noLeader } from "../../src/api/by-leader.ts";
import type { Discovery } from "../../src/discovery/discovery.ts";
import { abortError } from "../../src/engine/wire/faults.ts";
import { openWire } from "../../src/engine/wire/http-wire.ts";
import type { EngineWire, WireRequest } from "../../src/engine/wire/wire.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { silentLog } from "../../src/kit/log.ts";
import { pick, seededRandom } from "../../src/kit/random.ts";
import { CHANGES_MS } from "../../src/kit/replica-limits.ts";
import { Following } from "../../src/manager/replica/following.ts";
import { type ApiAnswer, ApiClient } from "./api-client.ts";
import { TestClock } from "./test-clock.ts";
import { HOST, World, type WorldOptions } from "./world.ts";

let world: World;
let leading: ApiClient;
let replicas: Replica[] = [];

/** A manager that does not lead. */
class Replica {
  readonly following: Following;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  leader: EngineWire | undefined;
  client: ApiClient | undefined;
  hopeless = false;
  /** Its leader takes requests and answers none, as one that was stopped does. */
  leaderIsStill = false;
  readonly clock = new TestClock(systemClock);
  /** Requests that the leader was asked. */
  passed: string[] = [];

  constructor() {
    this.follow();
    const parts = { name: "replica", clock: this.clock, log: silentLog, host: HOST, stopping: this.#stop.signal };
    const leader = () => this.leader;
    const hopeless = () => this.hopeless;
    this.following = new Following({ ...parts, leader, hopeless, discovery, openCluster: () => world.makeFollower() });
    this.#running = this.following.run(this.#stop.signal);
  }

  /** A new connection to the leader. */
  follow(): void {
    const wire = openWire(leading.address, undefined);
    this.leader = {
      address: wire.address,
      request: (request) => {
        if (!request.path.startsWith("/shoal/changes")) this.passed.push(`${request.method} ${request.path}`);
        return this.leaderIsStill ? unanswered(request) : wire.request(request);
      },
      connect: (signal) => wire.connect(signal),
      close: () => wire.close(),
    };
  }

  /** Resolves when it does not ask the leader for what it can show itself. */
  async answers(): Promise<void> {
    await world.until("it answers by itself", async () => {
      this.passed = [];
      await this.call("GET", "/containers/json");
      return this.passed.length === 0;
    });
  }

  static async open(): Promise<Replica> {
    const replica = new Replica();
    replicas.push(replica);
    const { following } = replica;
    const api = apiByLeader(
      {
        own: (request) => following.answering(request),
        doubt: (wire) => following.doubt(wire),
        silence: () => following.silence,
        leading: async (signal) => {
          const wire = await following.leading(signal);
          if (!wire) throw noLeader();
          return wire;
        },
        name: "replica",
        clock: systemClock,
        stopping: new AbortController().signal,
      },
      commonHeaders(HOST),
    );
    replica.client = await ApiClient.of(api);
    await replica.answers();
    return replica;
  }

  call(method: string, path: string, body?: unknown): Promise<ApiAnswer> {
    if (!this.client) throw new Error("not open");
    return this.client.call(method, path, body);
  }

  /** Nobody leads any more, or the one that does is not reached. */
  async lose(): Promise<void> {
    await this.leader?.close();
    this.leader = undefined;
    this.following.leaderChanged();
  }

  async close(): Promise<void> {
    await this.client?.close();
    this.#stop.abort();
    await this.#running;
    await this.leader?.close();
  }
}

function unanswered({ signal }: WireRequest): Promise<never> {
  return new Promise((_resolve, reject) =>
    signal?.addEventListener("abort", () => reject(abortError(signal.reason, "the leader", true)), { once: true }),
  );
}

const discovery: Discovery = {
  url: "nodes://test",
  registry: undefined,
  fences: undefined,
  async watch(onEntries, _onError, signal) {
    onEntries([...world.cluster.nodes.values()].map(({ entry }) => entry));
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  },
  list: async () => [],
  close: async () => {},
};

async function open(count: number, options: WorldOptions = {}): Promise<void> {
  replicas = [];
  world = await World.open({ nodes: 3, ...options });
  leading = await ApiClient.open(world);
  for (let made = 0; made < count; made++) await Replica.open();
}

afterEach(async () => {
  for (const replica of replicas) await replica.close();
  await leading.close();
  await world.close();
});

const BODY = { Image: "busybox", Cmd: ["sleep", "infinity"] };

describe.each([{ mintIds: false }, { mintIds: true }])(
  "connections that alternate between managers (%o)",
  (options) => {
    it("behave as over one", async () => {
      await open(2, options);
      const random = seededRandom(7);
      const call = (method: string, path: string, body?: unknown): Promise<ApiAnswer> =>
        pick(random, [leading, ...replicas]).call(method, path, body);
      const names = new Map<string, "created" | "running" | "exited">();
      for (let n = 0; n < 15; n++) {
        const name = `c-${n}`;
        expect((await call("POST", `/containers/create?name=${name}`, BODY)).status).toBe(201);
        names.set(name, "created");
        const other = pick(random, [...names.keys()]);
        switch (random.int(4)) {
          case 0:
            expect((await call("POST", `/containers/${other}/start`)).status).toBeLessThan(400);
            names.set(other, "running");
            break;
          case 1:
            expect((await call("POST", `/containers/${other}/rename?name=r-${n}`)).status).toBe(204);
            names.set(`r-${n}`, names.get(other) ?? "created");
            names.delete(other);
            break;
          case 2:
            expect((await call("DELETE", `/containers/${other}?force=1`)).status).toBe(204);
            names.delete(other);
            break;
          case 3:
            if (names.get(other) !== "running") break;
            expect((await call("POST", `/containers/${other}/stop`)).status).toBe(204);
            names.set(other, "exited");
            break;
        }
        const rows = JSON.parse((await call("GET", "/containers/json?all=1")).text) as {
          Names: string[];
          State: string;
        }[];
        const listed = rows.map(({ Names, State }) => [Names[0]?.slice(1), State]);
        expect(new Map(listed as [string, string][])).toEqual(names);
        const [some] = names.keys();
        if (some !== undefined) expect((await call("GET", `/containers/${some}/json`)).status).toBe(200);
        expect((await call("GET", `/containers/gone-${n}/json`)).status).toBe(404);
      }
      const lists = await Promise.all([leading, ...replicas].map((one) => one.call("GET", "/containers/json?all=1")));
      expect(new Set(lists.map(({ text }) => text.replace(/"Status":"[^"]*"/g, ""))).size).toBe(1);
      // It was not the leader that answered them all.
      for (const { passed } of replicas) expect(passed.filter((path) => path.includes("/containers/json"))).toEqual([]);
    });

    it("see networks, volumes and images of each other", async () => {
      await open(1, options);
      const [replica] = replicas;
      for (let n = 0; n < 5; n++) {
        expect((await leading.call("POST", "/networks/create", { Name: `net-${n}` })).status).toBe(201);
        expect(JSON.stringify((await replica?.call("GET", "/networks"))?.text)).toContain(`net-${n}`);
        expect((await replica?.call("POST", "/volumes/create", { Name: `vol-${n}` }))?.status).toBe(201);
        expect((await replica?.call("GET", "/volumes"))?.text).toContain(`"vol-${n}"`);
        expect((await leading.call("DELETE", `/networks/net-${n}`)).status).toBe(204);
        expect((await replica?.call("GET", "/networks"))?.text).not.toContain(`net-${n}`);
        expect((await leading.call("DELETE", `/volumes/vol-${n}`)).status).toBe(204);
        expect((await replica?.call("GET", "/volumes"))?.text).not.toContain(`"vol-${n}"`);
        expect((await leading.call("POST", `/images/create?fromImage=image-${n}&tag=latest`)).status).toBe(200);
        expect((await replica?.call("GET", "/images/json"))?.text).toContain(`image-${n}:latest`);
      }
    });
  },
);

describe("without a leader", () => {
  it("a replica shows what it knows, and says of a change that nobody leads", async () => {
    await open(1);
    const [replica] = replicas;
    await world.run("web");
    expect((await replica?.call("GET", "/containers/json"))?.text).toContain("/web");
    await replica?.lose();
    if (replica) replica.hopeless = true;
    const list = await replica?.call("GET", "/containers/json");
    expect(list?.text).toContain("/web");
    expect(list?.warning).toContain("no manager leads");
    expect((await replica?.call("GET", "/containers/web/json"))?.status).toBe(200);
    expect((await replica?.call("GET", "/_ping"))?.text).toBe("OK");
    // Somebody may have made it through the leader that is gone.
    expect((await replica?.call("GET", "/containers/other/json"))?.status).toBe(503);
    const info = (await replica?.call("GET", "/info"))?.text;
    expect(info).toContain('["Role","replica"],["Primary","none"]');
    expect(await replica?.call("POST", "/containers/create?name=other", BODY)).toMatchObject({
      status: 503,
      message: "No primary manager elected: try again in a moment",
    });
  });

  it("a replica follows the same one again when it is back, with what was changed meanwhile", async () => {
    await open(1);
    const [replica] = replicas;
    await replica?.lose();
    await world.run("web");
    await world.run("gone");
    await world.remove("gone");
    replica?.follow();
    expect((await replica?.call("GET", "/containers/json"))?.text).toContain("/web");
    expect((await replica?.call("GET", "/containers/json"))?.text).not.toContain("/gone");
    expect(replica?.passed).toEqual([]);
  });

  it("a request waits for the next leader", async () => {
    await open(1);
    const [replica] = replicas;
    await replica?.lose();
    const made = replica?.call("POST", "/containers/create?name=web", BODY);
    replica?.follow();
    expect((await made)?.status).toBe(201);
  });

  it("what was passed on to one that stands still is refused when that shows, though nobody else leads", async () => {
    await open(1);
    const [replica] = replicas;
    if (!replica) throw new Error("no replica");
    replica.leaderIsStill = true;
    let refused: ApiAnswer | undefined;
    const made = replica.call("POST", "/containers/create?name=web", BODY).then((answer) => {
      refused = answer;
    });
    await world.until("it is passed on", async () => replica.passed.includes("POST /containers/create?name=web"));
    await world.until("it is refused", async () => {
      replica.clock.hurry(CHANGES_MS);
      return refused !== undefined;
    });
    await made;
    expect(refused).toMatchObject({ status: 503, message: expect.stringContaining("no answer within 5 s") });
    replica.leaderIsStill = false;
    expect((await replica.call("POST", "/containers/create?name=web", BODY)).status).toBe(201);
  });

  it("a read, too, waits for the next one, whose clients may have been told more", async () => {
    await open(1);
    const [replica] = replicas;
    await replica?.lose();
    const listed = replica?.call("GET", "/containers/json");
    await world.run("web");
    replica?.follow();
    const list = await listed;
    expect(list?.text).toContain("/web");
    expect(list?.warning).toBe("");
  });

  it("a manager that has led shows what it knew, and changes nothing more", async () => {
    await open(1);
    const [replica] = replicas;
    await world.run("web");
    await replica?.lose();
    if (replica) replica.hopeless = true;
    await replica?.following.keep(world.cluster);
    expect((await replica?.call("GET", "/containers/json"))?.text).toContain("/web");
    expect((await replica?.call("DELETE", "/containers/web?force=1"))?.status).toBe(503);
    expect(world.cluster.leads).toBe(false);
  });
});
