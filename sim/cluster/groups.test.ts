import { afterEach, describe, expect, it } from "vitest";
import { groupStanding } from "../../src/cluster/groups/standing.ts";
import { encodeObjectHint, HINT_LABEL } from "../../src/cluster/hint.ts";
import { atHome } from "../../src/cluster/home.ts";
import { toldNetwork } from "../../src/cluster/networks/network.ts";
import { readGroup } from "../../src/scheduler/group.ts";
import { type Body, GB, MB, refusal, World, type WorldOptions } from "./world.ts";

const PROJECT = "com.docker.compose.project";

let world: World;
const open = async (options: WorldOptions = {}): Promise<World> => {
  world = await World.open(options);
  return world;
};
afterEach(() => world.close());

/** A container of a Compose project. */
const of = (project: string, body: Body = {}, labels: Readonly<Record<string, string>> = {}): Body => ({
  ...body,
  Labels: { [PROJECT]: project, ...labels },
});
const memory = (bytes: number): Body => ({ HostConfig: { Memory: bytes } });
const nodeOf = (name: string): string => world.record(name).node.name;
const homeOf = (project: string): string | undefined => {
  const { groups } = world.cluster;
  return world.cluster.nodes.get(groups.get(`${PROJECT}=${project}`)?.home ?? "")?.name;
};
/** Keys of the groups that the store has. */
async function stored(): Promise<string[]> {
  await world.cluster.writer.idle();
  const entries = await world.store.list("groups/");
  return entries.map(({ value }) => (JSON.parse(value) as { key: string }).key).sort();
}

async function loseStore(): Promise<void> {
  await world.cluster.writer.idle();
  for (const { key } of await world.store.list("")) {
    await world.store.txn({ conditions: [], writes: [{ key, value: undefined }] });
  }
}

describe("a group", () => {
  it("is whole on one node, and groups are spread over all", async () => {
    await open();
    const projects = Array.from({ length: 20 }, (_, i) => `p${i}`);
    await Promise.all(
      projects.flatMap((name) => ["a", "b", "c"].map((one) => world.create(`${name}-${one}`, of(name)))),
    );
    for (const name of projects) {
      expect(new Set(["a", "b", "c"].map((one) => nodeOf(`${name}-${one}`))), name).toEqual(new Set([homeOf(name)]));
    }
    const homes = projects.map((name) => homeOf(name));
    for (const node of ["node-1", "node-2", "node-3"]) {
      expect([6, 7]).toContain(homes.filter((home) => home === node).length);
    }
    expect(await stored()).toEqual(projects.map((name) => `${PROJECT}=${name}`).sort());
  });

  it("gives a name once, however many of its containers come at the same time", async () => {
    await open();
    const results = await Promise.allSettled(Array.from({ length: 40 }, (_, i) => world.create(`n${i % 4}`, of("p"))));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(4);
  });

  it("is gone with its last member, from memory, ledger and store", async () => {
    await open();
    await world.run("ca", of("p", {}, { "shoal.reserve": "mem=1g" }));
    await world.run("cb", of("p"));
    const home = world.record("ca").node;
    expect(world.cluster.ledger.sums(home.id).memory).toBe(GB);
    await world.remove("ca");
    expect(world.cluster.ledger.sums(home.id).memory).toBe(GB);
    expect(await stored()).toEqual([`${PROJECT}=p`]);
    await world.remove("cb");
    expect([...world.cluster.groups.all()]).toEqual([]);
    expect(world.cluster.ledger.sums(home.id).memory).toBe(0);
    expect(await stored()).toEqual([]);
  });

  it("leaves nothing behind when its first create fails", async () => {
    await open({ nodes: [{ pullable: [] }, { pullable: [] }] });
    expect((await refusal(world.create("ca", of("p", { Image: "nowhere" })))).status).toBe(404);
    expect([...world.cluster.groups.all()]).toEqual([]);
    expect(await stored()).toEqual([]);
  });

  it("says who lives where and what is free when it no longer fits", async () => {
    await open({ nodes: [{ memory: 2 * GB }, { memory: 2 * GB }] });
    await world.run("p-db", of("p", memory(1536 * MB)));
    expect(await refusal(world.create("p-web", of("p", memory(GB))))).toEqual({
      status: 409,
      message: [
        "no resources available to schedule container",
        `group: 1 of 2 nodes; ${PROJECT}=p lives on node-1 with 1 container (p-db); make room there, or let its containers live apart with the label shoal.group.policy=pack-then-spill or spread`,
        "resource: 1 of 2 nodes; nearest miss node-1: 614.4 MiB of 2.1 GiB memory free, 1 GiB asked",
      ].join("\n"),
    });
    await world.create("p-spilled", of("p", memory(GB), { "shoal.group.policy": "pack-then-spill" }));
    expect(nodeOf("p-spilled")).toBe("node-2");
  });

  it("spills by its first object's label, and goes home where there is room", async () => {
    await open({ nodes: [{ memory: 2 * GB }, { memory: 2 * GB }] });
    await world.create("ca", of("p", memory(1536 * MB), { "shoal.group.policy": "pack-then-spill" }));
    await world.create("cb", of("p", memory(GB)));
    await world.create("cc", of("p", memory(512 * MB)));
    expect(["ca", "cb", "cc"].map(nodeOf)).toEqual(["node-1", "node-2", "node-1"]);
  });

  it("is spread when asked to, and then has no home", async () => {
    await open({ groups: { labels: ["ci.job"], policy: "spread" } });
    for (const name of ["ca", "cb", "cc"]) await world.create(name, of("p"));
    expect(new Set(["ca", "cb", "cc"].map(nodeOf)).size).toBe(3);
    expect([...world.cluster.groups.all()]).toEqual([]);
    for (const name of ["cd", "ce"]) {
      await world.create(name, { Labels: { "ci.job": "7", "shoal.group.policy": "pack" } });
    }
    expect(nodeOf("cd")).toBe(nodeOf("ce"));
  });

  it("makes a successor in place on a node that has no room for two", async () => {
    await open({ nodes: [{ memory: 2 * GB }, { memory: 2 * GB }] });
    const service = { "com.docker.compose.service": "db", "com.docker.compose.container-number": "1" };
    await world.run("p-db-1", of("p", memory(1536 * MB), service));
    await world.create("next_p-db-1", of("p", memory(1536 * MB), service));
    expect(nodeOf("next_p-db-1")).toBe(nodeOf("p-db-1"));
    await world.remove("p-db-1");
    await world.rename("next_p-db-1", "p-db-1");
    expect(homeOf("p")).toBe(nodeOf("p-db-1"));
    expect(world.cluster.ledger.sums(world.record("p-db-1").node.id).memory).toBe(1536 * MB);
  });
});

describe("what is reserved for a group", () => {
  it("is kept from others, and its members draw from it", async () => {
    await open({ nodes: [{ memory: 2 * GB }] });
    await world.create("ca", of("p", memory(256 * MB), { "shoal.reserve": "mem=1536m" }));
    expect((await refusal(world.create("cx", memory(GB)))).message).toMatch(
      /614.4 MiB of 2.1 GiB memory free, 1 GiB asked/,
    );
    await world.create("cb", of("p", memory(GB)));
    expect(world.cluster.ledger.sums(world.node("node-1").id).memory).toBe(1536 * MB);
    await world.remove("cb");
    expect(world.cluster.ledger.sums(world.node("node-1").id).memory).toBe(1536 * MB);
  });

  it("grows with what an object asks, while the home has room for it", async () => {
    await open({ nodes: [{ memory: 2 * GB }, { memory: 2 * GB }] });
    await world.create("ca", of("p", memory(256 * MB), { "shoal.reserve": "mem=512m" }));
    await world.create("cx", memory(GB));
    expect(nodeOf("cx")).toBe("node-1");
    await world.create("cb", of("p", {}, { "shoal.reserve": "mem=1g,cpu=0.5" }));
    expect(world.cluster.ledger.sums(world.node("node-1").id)).toEqual({ nanoCpus: 0.5e9, memory: 2 * GB });
    expect(await refusal(world.create("cc", of("p", {}, { "shoal.reserve": "mem=1500m" })))).toEqual({
      status: 409,
      message: `no resources available to schedule container\ngroup: ${PROJECT}=p lives on node-1 with 2 containers (ca, cb); 1.1 GiB memory left for it there, 1.465 GiB asked (shoal.reserve); make room there, or ask for less`,
    });
    expect(world.cluster.ledger.sums(world.node("node-1").id)).toEqual({ nanoCpus: 0.5e9, memory: 2 * GB });
  });

  it("that cannot be read is refused", async () => {
    await open();
    expect(await refusal(world.create("ca", of("p", {}, { "shoal.reserve": "much" })))).toEqual({
      status: 400,
      message: "invalid label shoal.reserve=much: use cpu=N, mem=SIZE or both, such as cpu=4,mem=8g",
    });
  });
});

/** A network of a Compose project, made where the cluster says. @returns the node's name */
async function network(name: string, project: string, tried: ReadonlySet<string> = new Set()): Promise<string> {
  const { cluster } = world;
  const labels = { [PROJECT]: project };
  return atHome(cluster, { labels, node: undefined, tried }, async (node) => {
    const hint = { nonce: name };
    const body = { Name: name, Labels: { ...labels, [HINT_LABEL]: encodeObjectHint(hint) } };
    const { Id: id } = JSON.parse(await node.engine.text("POST", "/networks/create", JSON.stringify(body)));
    const told = toldNetwork(cluster, node, { id, name, driver: "bridge", labels, hint });
    cluster.networks.add(node.id, told, cluster.clock.monotonic());
    return node.name;
  });
}

describe("networks of groups", () => {
  it("of twenty projects at once are spread over all nodes before any container is there, and hold their groups", async () => {
    await open();
    const projects = Array.from({ length: 20 }, (_, i) => `p${i}`);
    const nodes = await Promise.all(
      projects.flatMap((name) => [network(`${name}_front`, name), network(`${name}_back`, name)]),
    );
    for (const [i, name] of projects.entries()) {
      expect(nodes.slice(2 * i, 2 * i + 2), name).toEqual([homeOf(name), homeOf(name)]);
    }
    for (const node of ["node-1", "node-2", "node-3"]) {
      expect([6, 7]).toContain(projects.filter((name) => homeOf(name) === node).length);
    }
    await world.create("p7-web", of("p7"));
    expect(nodeOf("p7-web")).toBe(homeOf("p7"));
    await world.remove("p7-web");
    expect(homeOf("p7")).toBeDefined();
  });

  it("keep a group until they are gone, whoever removes them", async () => {
    await open();
    const home = await network("p_default", "p");
    expect(await stored()).toEqual([`${PROJECT}=p`]);
    await world.restartManager();
    expect(homeOf("p")).toBe(home);
    await world.node(home).engine.text("DELETE", "/networks/p_default");
    await world.until("the group is gone", () => homeOf("p") === undefined);
    expect(await stored()).toEqual([]);
  });

  it("tell where a group lives when the store is lost", async () => {
    await open();
    await network("other_default", "other");
    const home = await network("p_default", "p");
    await loseStore();
    await world.restartManager();
    expect(homeOf("p")).toBe(home);
    await world.create("p-web", of("p"));
    expect(nodeOf("p-web")).toBe(home);
  });

  it("let a new group go to another node when the first has no room for one, all together", async () => {
    await open();
    const first = world.node("node-1");
    world.engine("node-1").faults.failNext("POST /networks/create", 400, "no address pool left", 2);
    const retrying = async (name: string): Promise<string> => {
      try {
        return await network(name, "p");
      } catch {
        return network(name, "p", new Set([first.id]));
      }
    };
    expect(await Promise.all([retrying("p_front"), retrying("p_back")])).toEqual(["node-2", "node-2"]);
    expect(homeOf("p")).toBe("node-2");
    await expect(network("p_third", "p", new Set([world.node("node-2").id]))).rejects.toThrow(
      /group: 2 of 3 nodes; com.docker.compose.project=p lives on node-2 with 2 networks \(p_back, p_front\)/,
    );
  });
});

describe("a home that cannot be reached", () => {
  it("is not left while members live there", async () => {
    await open();
    await world.run("ca", of("p"));
    world.engine("node-1").faults.dead();
    await world.until("node-1 is lost", () => !world.node("node-1").reachable);
    const { status, message } = await refusal(world.create("cb", of("p")));
    expect(status).toBe(409);
    expect(message).toContain(`${PROJECT}=p lives on node-1, which cannot take anything now, with 1 container (ca)`);
    await world.create("cc", of("q"));
    expect(nodeOf("cc")).not.toBe("node-1");
  });

  it("fails over to the next node when it cannot make the first member", async () => {
    await open();
    world.engine("node-1").faults.failNext("create", 500, "failed to create rwlayer: no space left on device");
    await world.create("ca", of("p"));
    expect([nodeOf("ca"), homeOf("p")]).toEqual(["node-2", "node-2"]);
  });
});

describe("another manager", () => {
  it("knows homes and reserves from the store", async () => {
    await open();
    await world.create("cx", {});
    await world.run("ca", of("p", {}, { "shoal.reserve": "mem=1g" }));
    const home = nodeOf("ca");
    await world.restartManager();
    expect(homeOf("p")).toBe(home);
    expect(world.cluster.ledger.sums(world.node(home).id).memory).toBe(GB);
    await world.create("cb", of("p"));
    expect(nodeOf("cb")).toBe(home);
  });

  it("forgets groups that lost their last member meanwhile", async () => {
    await open();
    await world.run("ca", of("p"));
    const { engineId, node } = world.record("ca");
    await world.crashManager();
    await world.healthy();
    expect(homeOf("p")).toBe(node.name);
    await world.node(node.name).engine.text("DELETE", `/containers/${engineId}?force=1`);
    await world.until("the group is gone", () => homeOf("p") === undefined);
    expect(await stored()).toEqual([]);
  });

  it("rebuilds them from labels when the store is lost", async () => {
    await open();
    await world.create("cx", {});
    const labels = { "shoal.reserve": "mem=1g", "shoal.group.policy": "pack-then-spill" };
    await world.run("ca", of("p", {}, labels));
    const home = nodeOf("ca");
    await loseStore();
    await world.restartManager();
    expect(homeOf("p")).toBe(home);
    expect(world.cluster.ledger.sums(world.node(home).id).memory).toBe(GB);
    const ask = readGroup({ [PROJECT]: "p" }, world.cluster.options.groups);
    expect(ask && groupStanding(world.cluster, ask).policy).toBe("pack-then-spill");
    expect(await stored()).toEqual([`${PROJECT}=p`]);
  });

  it("finds the home of a group that was made past shoal, on one node", async () => {
    await open();
    const old = JSON.stringify({ Image: "busybox", Labels: { [PROJECT]: "p" } });
    await world.node("node-2").engine.text("POST", "/images/create?fromImage=busybox");
    await world.node("node-2").engine.text("POST", "/containers/create?name=old", old);
    await world.until("it is listed", async () => (await world.names()).includes("old"));
    await world.create("new", of("p"));
    expect(nodeOf("new")).toBe("node-2");
  });
});
