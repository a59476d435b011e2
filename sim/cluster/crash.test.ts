/** A manager that dies at any step, and the next one over what it left: nothing lost, nothing twice, names and IDs as told. */
import { afterEach, describe, expect, it } from "vitest";
import { forget } from "../../src/cluster/forget.ts";
import { IDENTITIES, INTENTS } from "../../src/cluster/registry.ts";
import { ROWS } from "../../src/cluster/remembered.ts";
import { DockerError } from "../../src/docker/errors.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { REFRESH_DELAY_MS } from "../../src/kit/limits.ts";
import { StoreError } from "../../src/store/store.ts";
import { agrees, expectTrueLedger, expectTrueList } from "./truth.ts";
import { GB, MB, refusal, World, type WorldOptions } from "./world.ts";

let world: World;
const open = async (options?: WorldOptions): Promise<World> => {
  world = await World.open(options);
  return world;
};
afterEach(() => world.close());

const memory = (megabytes: number) => ({ HostConfig: { Memory: megabytes * MB } });

const keys = async (prefix: string): Promise<string[]> =>
  (await world.store.list(prefix)).map(({ key }) => key.slice(prefix.length));

/** Engines, store, list and ledger say the same. */
async function allAgree(): Promise<boolean> {
  const rows = await world.list();
  const known = await keys(IDENTITIES);
  return (
    (await agrees(world)) &&
    (await keys(INTENTS)).length === 0 &&
    known.sort().join() ===
      rows
        .map(({ Id }) => Id)
        .sort()
        .join()
  );
}

async function expectAllAgree(): Promise<void> {
  await world.healthy();
  await world.until("engines, store and list agree", allAgree).catch(() => undefined);
  await expectTrueList(world);
  expectTrueLedger(world);
  expect(await keys(INTENTS)).toEqual([]);
  expect((await keys(IDENTITIES)).sort()).toEqual((await world.list()).map(({ Id }) => Id).sort());
}

describe("a manager that dies at any step", () => {
  /** What clients were told, and what the change under way leads to. */
  interface Told {
    names: string[];
    next: string[];
    readonly ids: Map<string, string>;
  }

  async function step(told: Told, next: readonly string[], work: () => Promise<unknown>): Promise<void> {
    told.next = [...next].sort();
    await work();
    told.names = told.next;
  }

  async function live(told: Told): Promise<void> {
    const made = async (name: string, next: string[]): Promise<void> =>
      step(told, next, async () => {
        const { record } = await world.create(name, memory(100));
        told.ids.set(name, record.id);
      });
    await made("aa", ["aa"]);
    await step(told, ["aa"], () => world.start("aa"));
    await step(told, ["bb"], async () => {
      await world.rename("aa", "bb");
      told.ids.set("bb", told.ids.get("aa") ?? "");
    });
    await step(told, ["bb"], () => world.update("bb", { Memory: 200 * MB }));
    await made("cc", ["bb", "cc"]);
    // Its node cannot start it: another one makes it again.
    const { faults } = world.engine(world.record("cc").node.name);
    faults.failNext("POST /containers/{name}/start", 500, "no space left on device");
    await step(told, ["bb", "cc"], () => world.start("cc"));
    await step(told, ["cc"], () => world.remove("bb"));
    await made("dd", ["cc", "dd"]);
    await step(told, ["cc"], () => world.remove("dd"));
  }

  it.each([false, true])(
    "leaves what was told, and each of the rest once or not at all (minted IDs: %s)",
    async (mintIds) => {
      for (let death = 1, died = true; died; death++) {
        await open({ mintIds, nodes: [{ memory: 2 * GB }, { memory: 2 * GB }], seed: death });
        const told: Told = { names: [], next: [], ids: new Map() };
        world.life.dieAt(death);
        await live(told).catch((error: unknown) => {
          if (world.life.alive) throw error;
        });
        died = !world.life.alive;
        await world.crashManager();
        await expectAllAgree();
        const names = (await world.names()).sort();
        expect([told.names, told.next]).toContainEqual(names);
        for (const name of told.names) {
          if (names.includes(name)) expect(world.record(name).id).toBe(told.ids.get(name));
        }
        await world.restartManager();
        await expectAllAgree();
        expect((await world.names()).sort()).toEqual(names);
        if (died) await world.close();
      }
    },
    120_000,
  );
});

describe("200 creates at once and a manager that dies in the middle", () => {
  it.each([1, 50, 150, 333])("at step %i: engines, store and list agree", async (death) => {
    await open({ nodes: [{ memory: 16 * GB }, { memory: 16 * GB }, { memory: 16 * GB }], strategy: "spread" });
    world.life.dieAt(death);
    const answers = await Promise.allSettled(Array.from({ length: 200 }, (_, i) => world.create(`c${i}`, memory(100))));
    expect(world.life.alive).toBe(false);
    await world.crashManager();
    await expectAllAgree();
    for (const [i, answer] of answers.entries()) {
      if (answer.status === "fulfilled") expect(world.record(`c${i}`).id).toBe(answer.value.record.id);
    }
    // What nobody was told of is there and ours, or its name is free.
    const names = new Set(await world.names());
    for (let i = 0; i < 200; i++) if (!names.has(`c${i}`)) await world.create(`c${i}`);
    expect(await world.names()).toHaveLength(200);
    await world.until("all agree again", allAgree);
  });
});

describe("a node that is not read yet", () => {
  it("is not asked for its containers before its images: an older store's open create must not make the others strangers", async () => {
    await open({ nodes: 1 });
    const { record } = await world.create("web");
    const answered = world.meddle("node-1").hold(/^POST \/containers\/create/);
    const creating = world.create("open").catch(() => {});
    await world.until("it is asked for", async () => (await keys(INTENTS)).length === 1);
    await world.cluster.writer.idle();
    const older = (await world.store.list("")).filter(
      ({ key }) => !key.startsWith(IDENTITIES) && !key.startsWith(ROWS),
    );
    const images = world.meddle("node-1").hold(/^GET \/images\/json/);
    const { calls } = world.engine("node-1");
    world.storeData.restore(older);
    calls.reset();
    await world.crashManager();
    await world.until("its lists are asked for", () => calls.of("GET /images/json") > 0);
    await systemClock.sleep(2 * REFRESH_DELAY_MS);
    images();
    await world.healthy();
    await world.list();
    expect(world.record("web").nonce).toBe(record.nonce);
    answered();
    await creating;
  });

  it("keeps its containers' names and IDs, and the names of creates that a crash left open", async () => {
    await open({ nodes: 2, strategy: "spread" });
    const { record } = await world.create("web", memory(100));
    const home = world.engine(record.node.name);
    // One more on the same node that nobody is told of.
    world.meddle(home.name).loseAnswer(/^POST \/containers\/create/);
    const unanswered = refusal(world.create("open", { Env: [`constraint:node==${home.name}`] }));
    await world.until("it is asked for", () => home.daemon.containers.size === 2);
    world.life.alive = false;
    expect((await unanswered).status).toBe(503);
    home.faults.dead();
    await world.crashManager();
    await world.until("the other node is read", () => [...world.cluster.nodes.values()].some(({ known }) => known));
    expect(world.cluster.inventory.find("web")?.id).toBe(record.id);
    expect((await refusal(world.create("web"))).status).toBe(409);
    expect((await refusal(world.create("open"))).status).toBe(409);
    home.faults.dead(false);
    await expectAllAgree();
    expect((await world.names()).sort()).toEqual(["open", "web"]);
  });

  it.each([false, true])(
    "takes no create of an earlier manager for a stranger whose row alone came into the store (minted IDs: %s)",
    async (mintIds) => {
      await open({ mintIds, nodes: 1 });
      // The engine's event and its list tell of it; the answer does not come.
      const answer = world.meddle("node-1").hold(/^POST \/containers\/create/);
      const unanswered = refusal(world.create("web", memory(100)));
      await world.until("its row is kept", async () => (await keys(ROWS)).length === 1);
      expect(await keys(IDENTITIES)).toEqual([]);
      world.life.alive = false;
      answer();
      await unanswered;
      world.engine("node-1").faults.dead();
      await world.crashManager();
      expect((await refusal(world.create("web"))).status).toBe(409);
      world.engine("node-1").faults.dead(false);
      await expectAllAgree();
      expect(world.record("web").nonce).toBeDefined();
      await world.remove("web");
      await expectAllAgree();
    },
  );

  it("does not list a container of an earlier manager's by its row alone, when nobody can tell whether it is there", async () => {
    await open({ nodes: 2 });
    const { record } = await world.create("web", memory(100));
    await world.list();
    await world.cluster.writer.idle();
    const rows = await world.store.list(ROWS);
    expect(rows).toHaveLength(1);
    await world.remove("web");
    await world.cluster.writer.idle();
    // What tells that the row is gone was lost with the manager.
    await world.store.txn({ conditions: [], writes: rows });
    const home = world.engine(record.node.name);
    home.faults.dead();
    await world.crashManager();
    expect(await world.names()).toEqual([]);
    await world.until("the row is out of the store", async () => (await keys(ROWS)).length === 0);
    home.faults.dead(false);
    await expectAllAgree();
  });
});

describe("a store that fails", () => {
  const failing = (): (() => void) => {
    const { txn } = world.store;
    world.store.txn = () => Promise.reject(new StoreError("no space left on device"));
    return () => {
      world.store.txn = txn;
    };
  };

  it("refuses creates and changes with 503 before any engine is asked, and takes them again", async () => {
    await open({ nodes: 1 });
    await world.run("web", memory(100));
    const { calls } = world.engine("node-1");
    calls.reset();
    const mend = failing();
    const refusals = [world.create("other"), world.rename("web", "www"), world.update("web", { Memory: 200 * MB })];
    for (const work of refusals) {
      expect(await refusal(work)).toEqual({
        status: 503,
        message: "the store does not take changes: no space left on device. Mend it and try again",
      });
    }
    expect(calls.of("POST /containers/create")).toBe(0);
    expect(await world.names()).toEqual(["web"]);
    expectTrueLedger(world);
    mend();
    await world.create("other");
    await world.rename("web", "www");
    await world.restartManager();
    await expectAllAgree();
  });

  it("undoes a create that its engine answered and the store does not take", async () => {
    await open({ nodes: 1 });
    const answer = world.meddle("node-1").hold(/^POST \/containers\/create/);
    const creating = refusal(world.create("web"));
    await world.until("it is made", () => world.engine("node-1").daemon.containers.size === 1);
    const mend = failing();
    answer();
    expect((await creating).status).toBe(503);
    mend();
    await world.create("web");
    await expectAllAgree();
  });
});

describe("hints and records", () => {
  it("rebuilds a lost store from hints, and says what it cannot", async () => {
    await open({ mintIds: true, nodes: 2, strategy: "spread" });
    const one = await world.run("one", memory(100));
    await world.run("two", memory(100));
    await world.update("one", { Memory: 300 * MB });
    for (const { key } of await world.store.list("")) {
      await world.store.txn({ conditions: [], writes: [{ key, value: undefined }] });
    }
    await world.restartManager();
    await world.until("updated needs are read", allAgree);
    await expectAllAgree();
    expect(world.record("one").id).toBe(one.id);
    expect(world.warnings.filter((warning) => warning.startsWith("the store is new"))).toHaveLength(1);
  });

  it("lets the engines win over an older backup: nothing comes back, nothing is lost", async () => {
    await open({ nodes: 2 });
    await world.run("old", memory(100));
    await world.run("gone", memory(100));
    const backup = await world.store.list("");
    await world.remove("gone");
    await world.rename("old", "renamed");
    const { id } = await world.run("new", memory(100));
    await world.cluster.writer.idle();
    for (const { key } of await world.store.list(IDENTITIES)) {
      await world.store.txn({ conditions: [], writes: [{ key, value: undefined }] });
    }
    for (const { key, value } of backup) await world.store.txn({ conditions: [], writes: [{ key, value }] });
    await world.restartManager();
    await expectAllAgree();
    expect((await world.names()).sort()).toEqual(["new", "renamed"]);
    expect(world.record("new").id).toBe(id);
  });

  it("keeps the order of containers that were made in the same second", async () => {
    await open({ nodes: 3, strategy: "spread" });
    for (let i = 0; i < 12; i++) await world.create(`c${i}`);
    const before = await world.names();
    for (let i = 0; i < 3; i++) {
      await world.restartManager();
      expect(await world.names()).toEqual(before);
    }
  });

  it("knows a container again whose engine has moved to another address while no manager ran", async () => {
    await open({ mintIds: true, nodes: 1 });
    const { id } = await world.run("web", memory(100));
    world.address("10.0.9.9:2375", world.engine("node-1"));
    await world.restartManager({}, [{ address: "10.0.9.9:2375" }]);
    expect(world.record("web").id).toBe(id);
    await expectAllAgree();
  });

  it("leaves a moved container as it is when late news tell the end of its first copy", async () => {
    await open({ nodes: 2 });
    const { record: first } = await world.create("web", memory(100));
    world.engine(first.node.name).faults.failNext("POST /containers/{name}/start", 500, "no space left on device");
    await world.start("web");
    forget(world.cluster, first);
    expectTrueLedger(world);
    expect(world.record("web").id).toBe(first.id);
    await expectAllAgree();
  });

  it("removes no copy for another one that only the store tells of", async () => {
    await open({ mintIds: true, nodes: 2 });
    const bodies = world.meddle("node-1").record(/^POST \/containers\/create/);
    const { record } = await world.create("web", memory(100));
    expect(record.node.name).toBe("node-1");
    world.engine("node-1").faults.failNext("POST /containers/{name}/start", 500, "no space left on device");
    await world.start("web");
    await world.list();
    await world.cluster.writer.idle();
    world.life.alive = false;
    const [first, second] = [world.engine("node-1").daemon, world.engine("node-2").daemon];
    second.lifecycle.remove(second.containers.get("web"), true, false);
    first.containers.create("web", JSON.parse(bodies[0] ?? ""), "1.51");
    const list = world.meddle("node-2").hold(/^GET \/containers\/json/);
    await world.crashManager();
    await world.until("one node is read", () => world.cluster.reachable().length === 1);
    list();
    await expectAllAgree();
    expect(world.record("web")).toMatchObject({ id: record.id, node: { name: "node-1" } });
  });

  it("keeps the identity of the first copy when the store does not take that of the second", async () => {
    await open({ nodes: 2 });
    const noSpace = "no space left on device";
    const { record } = await world.create("web", memory(1024));
    const { writer } = world.cluster;
    const write = writer.write.bind(writer);
    writer.write = (writes) =>
      writes.some(({ key }) => key === IDENTITIES + record.id)
        ? Promise.reject(new DockerError(503, "the store is full"))
        : write(writes);
    world.engine("node-1").faults.failNext("start", 500, noSpace);
    expect((await refusal(world.start("web"))).message).toBe(noSpace);
    await writer.idle();
    expect(await keys(IDENTITIES)).toEqual([record.id]);
    await expectTrueList(world);
    expectTrueLedger(world);
  });

  it("removes what an engine makes after all of a create that was given up", async () => {
    await open({ nodes: 1 });
    world.meddle("node-1").loseRequest(/^POST \/containers\/create/);
    const bodies = world.meddle("node-1").record(/^POST \/containers\/create/);
    expect((await refusal(world.create("web"))).status).toBe(503);
    await world.until("it is given up", () => world.cluster.inventory.named("web").size === 0);
    const { record } = await world.create("web");
    const { containers } = world.engine("node-1").daemon;
    containers.create("late", JSON.parse(bodies[0] ?? ""), "1.51");
    await world.until("it is removed", () => containers.size === 1);
    expect((await world.list()).map(({ Id }) => Id)).toEqual([record.id]);
    await expectAllAgree();
  });
});
