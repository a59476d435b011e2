/** Bind mounts of paths that some nodes have and others do not: no engine may make an empty directory without a word. */
import { afterEach, describe, expect, it } from "vitest";
import { expectTrueLedger } from "./truth.ts";
import { MB, refusal, World, type WorldOptions } from "./world.ts";

let world: World;
afterEach(() => world.close());

/** Three nodes; the last has /srv/site. */
const open = async (options: WorldOptions = {}): Promise<void> => {
  world = await World.open({
    nodes: [{ paths: ["/etc"] }, { paths: ["/etc"] }, { paths: ["/etc", "/srv/site"] }],
    strategy: "spread",
    ...options,
  });
};
const bound = (path: string) => ({ HostConfig: { Binds: [`${path}:/x`], Memory: 64 * MB } });
const mounted = (path: string, more: object = {}) => ({
  HostConfig: { Mounts: [{ Type: "bind", Source: path, Target: "/x", ...more }] },
});
const pathsOf = (name: string): readonly string[] => [...world.engine(name).daemon.paths];

describe("a container goes to a node that has what it mounts", () => {
  it.each([
    ["Binds", bound],
    ["Mounts", mounted],
  ])("by %s", async (_, body) => {
    await open();
    for (const name of ["aa", "bb", "cc"]) expect((await world.run(name, body("/srv/site"))).node.name).toBe("node-3");
    expect((await world.run("dd", body("/etc"))).node.name).toBe("node-1");
    expect(world.cluster.decisions.named("cc")?.decision.filters).toContainEqual({
      filter: "tried",
      count: 2,
      excluded: [
        { node: "node-1", why: "has no /srv/site" },
        { node: "node-2", why: "has no /srv/site" },
      ],
    });
    expect(pathsOf("node-1")).toEqual(["/etc"]);
    await expectTrueLedger(world);
  });

  it("and is not kept from a fourth node by three that lack it", async () => {
    await open({ nodes: [{ paths: [] }, { paths: [] }, { paths: [] }, { paths: [] }, { paths: ["/srv"] }] });
    expect((await world.run("aa", bound("/srv"))).node.name).toBe("node-5");
  });

  it("also when another node cannot start it and it moves", async () => {
    await open({ nodes: [{ paths: ["/srv"] }, { paths: [] }, { paths: ["/srv"] }] });
    const { record } = await world.create("aa", bound("/srv"));
    expect(record.node.name).toBe("node-1");
    world.engine("node-1").faults.failNext("start", 500, "no space left on device");
    await world.start("aa");
    expect(world.record("aa").node.name).toBe("node-3");
    expect(pathsOf("node-2")).toEqual([]);
  });
});

describe("a path that no node has", () => {
  it.each([
    ["Binds", bound],
    ["Mounts", mounted],
  ])("is refused with the remedies and leaves nothing: %s", async (_, body) => {
    await open();
    const { status, message } = await refusal(world.create("web", body("/nosuch/dir")));
    expect(status).toBe(400);
    expect(message).toMatch(
      /^invalid mount config for type "bind": bind source path does not exist: \/nosuch\/dir on /,
    );
    for (const said of ["node-1", "node-2", "node-3", "shoal.path=/nosuch/dir", "--bind-mounts engine"]) {
      expect(message).toContain(said);
    }
    expect(message).not.toContain("\n");
    expect(await world.names()).toEqual([]);
    await expectTrueLedger(world);
    expect((await world.run("web", bound("/etc"))).name).toBe("web");
  });

  it("says also why the other nodes were not asked", async () => {
    await open();
    const body = { ...bound("/nosuch"), Env: ["constraint:node==node-2"] };
    const { status, message } = await refusal(world.create("web", body));
    expect(status).toBe(400);
    expect(message).toContain("does not exist: /nosuch on node-2;");
    expect(message).toContain("constraint: 2 of 3 nodes");
  });

  it("is made by the engine when the client says so, or the operator", async () => {
    await open();
    await world.run("one", mounted("/made", { BindOptions: { CreateMountpoint: true } }));
    expect(pathsOf("node-1")).toContain("/made");
    await world.close();
    await open({ bindMounts: "engine" });
    await world.run("two", bound("/made"));
    expect(pathsOf("node-1")).toContain("/made");
  });

  it("is the engine's business while there has been but one node, unless the operator says otherwise", async () => {
    await open({ nodes: [{ paths: [] }] });
    await world.run("one", bound("/made"));
    await world.close();
    await open({ nodes: [{ paths: [] }], bindMounts: "check" });
    expect((await refusal(world.create("two", bound("/made")))).status).toBe(400);
  });
});

describe("a node that does not tell", () => {
  it("is passed over", async () => {
    await open({ nodes: [{ paths: ["/srv"] }, { paths: ["/srv"] }] });
    world.meddle("node-1").loseAnswer(/create\?name=-$/);
    expect((await world.create("aa", bound("/srv"))).record.node.name).toBe("node-2");
  });
});
