/**
 * T4 of issue 4: engines 20.10, 26.1, 28 and podman in one cluster, one with containerd's image store, the oldest coming
 * and going. What newer engines alone can do goes to them or is refused; what clients are told never changes.
 */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageCache } from "./support/debian.ts";
import { docker, shell } from "./support/docker.ts";
import { engineOfSuite } from "./support/engine-versions.ts";
import { machinesIn } from "./support/engines.ts";
import { until } from "./support/exec.ts";
import { at, clis, emptyFleet, fleet, removeAll } from "./support/fleet.ts";
import { call, get } from "./support/http.ts";
import { type Manager, nodeStatus, startManager } from "./support/manager.ts";
import { nodeOf } from "./support/place-case.ts";
import { podmanFolder } from "./support/podman.ts";
import { type Registry, startRegistry } from "./support/registry.ts";

const PATIENCE = 120_000;
/** The first run fetches two engines' packages. */
const FETCHING = 900_000;
/** The oldest is one of the fleet's own. */
const [OLD, MIDDLE, NEW] = ["node-1", "engine-26", "engine-28"] as const;
const NODES = [OLD, MIDDLE, NEW];
const PODMAN = "podman";
const on = (node: string): string => `-e constraint:node==${node}`;
/** Where only the IDs differ, engines' versions need no second run. */
const real = describe.runIf(fleet().subject === "shoal");

const machines = machinesIn(fleet().folder);
/** Engines by node: `tcp://…`. */
const engines = new Map<string, string>();
let manager: Manager;
const engine = (node: string): string => engines.get(node) ?? "";
const cli = (line: string): Promise<string> => docker(at(manager.host), `docker ${line}`);

async function refused(line: string): Promise<string> {
  const { code, stdout, stderr } = await shell(at(manager.host), `docker ${line}`);
  expect(code, `${line}\n${stdout}`).not.toBe(0);
  return stderr;
}

const status = async (node: string): Promise<string> =>
  (await nodeStatus(manager.host)).find(({ name }) => name === node)?.fields.Status ?? "";
const healthy = (node: string): Promise<true> =>
  until(`${node} healthy`, PATIENCE, async () => ((await status(node)) === "Healthy" ? true : undefined));

async function stopEngine(node: string): Promise<void> {
  await machines.stopEngine(node, "SIGKILL");
  await until(`${node} noticed`, PATIENCE, async () => ((await status(node)) === "Healthy" ? undefined : true));
}

async function startEngine(node: string): Promise<void> {
  await machines.startEngine(node);
  await healthy(node);
}

/** What clients negotiate by. */
async function told(): Promise<unknown> {
  const pings = await Promise.all(
    ["GET", "HEAD"].map(async (method) => {
      const { headers } = await call(manager.host, "/_ping", { method });
      return headers["api-version"];
    }),
  );
  const { ApiVersion, MinAPIVersion, Version } = await get<Record<string, unknown>>(manager.host, "/version");
  return { pings, ApiVersion, MinAPIVersion, Version };
}

real("engines of several versions", () => {
  let registry: Registry;

  beforeAll(async () => {
    await emptyFleet();
    const { work, nodes } = fleet();
    const engineOpts = ["insecure-registry=10.99.0.0/16"];
    engines.set(OLD, nodes.find(({ name }) => name === OLD)?.host ?? "");
    const make = async (node: string, suite: string, opts: readonly string[]): Promise<void> => {
      const engineDir = await engineOfSuite(suite, packageCache(), work);
      const [made] = await machines.create([node], { engineDir, engineOpts: opts });
      engines.set(node, made?.url ?? "");
    };
    await Promise.all([
      make(MIDDLE, "trixie", engineOpts),
      make(NEW, "forky", [...engineOpts, "feature=containerd-snapshotter=true"]),
    ]);
    registry = await startRegistry();
    const entries = NODES.map((node) => engine(node).replace("tcp://", ""));
    manager = await startManager({ entries, impatient: true, flags: ["--pull-to", "all"] });
    await Promise.all(NODES.map(healthy));
    const versions = NODES.map(async (node) => (await get<{ Version: string }>(engine(node), "/version")).Version);
    console.log(`engines ${(await Promise.all(versions)).join(", ")}`);
  }, FETCHING);
  afterAll(async () => {
    await manager?.stop();
    await registry?.stop();
    for (const node of engines.keys()) if (node !== OLD) await machines.remove(node);
    await emptyFleet();
  });

  it("take an image that is loaded through shoal, and run, list, inspect and log its containers", async () => {
    const archive = join(fleet().work, "versions.tar");
    await docker(at(engine(OLD)), `docker save -o ${archive} busybox`);
    await cli(`load -q -i ${archive}`);
    for (const node of NODES) {
      for (const name of clis()) {
        const target = at(manager.host, name);
        const container = `c-${node}-${name}`;
        await docker(target, `docker run -d --name ${container} ${on(node)} busybox sh -c 'echo started; sleep 3600'`);
        expect(await docker(target, `docker exec ${container} hostname`)).toMatch(/^[0-9a-f]{12}$/);
        expect(await docker(target, `docker logs ${container}`)).toBe("started");
        expect(await docker(target, `docker inspect -f '{{.State.Status}}' ${container}`)).toBe("running");
        expect(await nodeOf(manager.host, container)).toBe(node);
      }
    }
    const listed = (await cli("ps --format '{{.Names}}'")).split("\n");
    expect(listed.sort()).toEqual(NODES.flatMap((node) => clis().map((name) => `c-${node}-${name}`)).sort());
    await removeAll(manager.host);
  });

  it("have an image that they pulled as one, whatever IDs their stores give it", async () => {
    const image = `${registry.name}/box`;
    await docker(at(engine(OLD)), `docker tag busybox ${image} && docker push -q ${image}`);
    await cli(`pull -q ${image}`);
    const ids = NODES.map(async (node) => (await get<{ Id: string }>(engine(node), `/images/${image}/json`)).Id);
    expect(new Set(await Promise.all(ids)).size).toBeGreaterThan(1);
    expect((await cli(`images ${image} --format '{{.Tag}}'`)).split("\n")).toEqual(["latest"]);
    for (const node of NODES) expect(await cli(`run --rm --pull never ${on(node)} ${image} echo ${node}`)).toBe(node);
    await docker(at(engine(OLD)), `docker rmi ${image}`);
  });

  it("would ignore what they do not know: such a create goes to one that does, or is refused by versions", async () => {
    const body = { Image: "busybox", HostConfig: { Annotations: { a: "b" } } };
    const ignored = await call(engine(OLD), "/v1.41/containers/create?name=ignored", { method: "POST", body });
    expect(ignored.status).toBe(201);
    await removeAll(engine(OLD));
    const cases: readonly [flags: string, needs: string, nodes: readonly string[]][] = [
      ["--annotation a=b", "HostConfig.Annotations needs 1.43", [MIDDLE, NEW]],
      ["--mac-address 02:42:ac:11:00:99", "MacAddress needs 1.44", [MIDDLE, NEW]],
      ["--health-cmd true --health-start-interval 5s", "Healthcheck.StartInterval needs 1.44", [MIDDLE, NEW]],
      ["--mount type=image,source=busybox,target=/i", "HostConfig.Mounts[].Type=image needs 1.48", [NEW]],
    ];
    for (const [flags, needs, nodes] of cases) {
      const id = await cli(`create ${flags} busybox`);
      expect(nodes, flags).toContain(await nodeOf(manager.host, id));
      for (const node of NODES) {
        const line = `create ${flags} ${on(node)} busybox`;
        if (nodes.includes(node)) {
          expect(await nodeOf(manager.host, await cli(line)), line).toBe(node);
          continue;
        }
        const words = await refused(line);
        expect(words).toContain(`${needs}; `);
        expect(words).toContain(`${OLD} speaks API 1.41`);
        expect(words).toContain("and such an engine would ignore it: upgrade one to API ");
      }
    }
    const last = JSON.parse(await cli(`inspect $(docker create --annotation a=b ${on(MIDDLE)} busybox)`));
    expect(last[0].HostConfig.Annotations).toEqual({ a: "b" });
    await removeAll(manager.host);
  });

  it("join several networks at create, the older ones too", async () => {
    for (const node of NODES) {
      const networks = [`front-${node}`, `back-${node}`];
      for (const network of networks) await cli(`network create ${node}/${network}`);
      const id = await cli(`create ${networks.map((network) => `--network ${network}`).join(" ")} busybox`);
      expect(await nodeOf(manager.host, id)).toBe(node);
      const template = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}";
      expect((await cli(`inspect -f '${template}' ${id}`)).trim().split(" ")).toEqual(networks.sort());
      await cli(`rm ${id}`);
      await cli(`network rm ${networks.join(" ")}`);
    }
  });

  it("are asked for a platform in the client's own words", async () => {
    const [own, other] = process.arch === "arm64" ? ["arm64", "amd64"] : ["amd64", "arm64"];
    for (const node of NODES) {
      const id = await cli(`create --platform linux/${own} ${on(node)} busybox`);
      expect(await nodeOf(manager.host, id)).toBe(node);
      expect(await refused(`create --pull never --platform linux/${other} ${on(node)} busybox`)).toMatch(
        /no such image|does not match the (?:specified|desired) platform|does not provide the specified platform/i,
      );
    }
    expect(await refused("create --pull never --platform windows/amd64 busybox")).toContain(
      "its engine runs linux, windows/amd64 asked",
    );
    await removeAll(manager.host);
  });

  it("may be podman's service, which knows the fields of engine 20.10", async ({ skip }) => {
    try {
      const engineDir = await podmanFolder(packageCache(), fleet().work);
      const [made] = await machines.create([PODMAN], { engineDir });
      engines.set(PODMAN, made?.url ?? "");
    } catch (error) {
      skip(`podman cannot be had or does not run here: ${String(error)}`);
    }
    const archive = join(fleet().work, "podman.tar");
    await docker(at(engine(OLD)), `docker save -o ${archive} busybox`);
    await docker(at(engine(PODMAN)), `docker load -q -i ${archive}`);
    const entries = [...NODES, PODMAN].map((node) => engine(node).replace("tcp://", ""));
    const wider = await startManager({ entries, impatient: true });
    try {
      const target = at(wider.host);
      await until("all healthy", PATIENCE, async () => {
        const nodes = await nodeStatus(wider.host);
        return nodes.filter(({ fields }) => fields.Status === "Healthy").length === entries.length ? true : undefined;
      });
      await docker(target, `docker run -d --name pod ${on(PODMAN)} busybox sh -c 'echo started; sleep 3600'`);
      expect(await nodeOf(wider.host, "pod")).toBe(PODMAN);
      expect(await docker(target, "docker ps --format '{{.Names}} {{.State}}'")).toBe("pod running");
      expect(await docker(target, "docker exec pod echo inside")).toBe("inside");
      expect(await docker(target, "docker logs pod")).toBe("started");
      const words = await shell(target, `docker create --annotation a=b ${on(PODMAN)} busybox`);
      expect(words.stderr).toContain(`HostConfig.Annotations needs 1.43; ${OLD}, ${PODMAN} speak API 1.41`);
      // By somebody else, so that only podman's own event tells of it.
      await docker(at(engine(PODMAN)), "docker rm -f pod");
      await until("nothing listed", PATIENCE, async () =>
        (await docker(target, "docker ps -aq")) === "" ? true : undefined,
      );
    } finally {
      await wider.stop();
    }
  });

  it("come and go, and the version that clients are told stays", async () => {
    const before = await told();
    expect(before).toMatchObject({ pings: ["1.51", "1.51"], ApiVersion: "1.51" });
    await cli(`run -d --name kept ${on(MIDDLE)} busybox sleep 3600`);
    let flapping = true;
    let rounds = 0;
    const asking = (async () => {
      for (; flapping; rounds++) {
        expect(await told()).toEqual(before);
        expect(await cli("exec kept echo on")).toBe("on");
        const id = await cli("create --annotation a=b busybox");
        expect([MIDDLE, NEW]).toContain(await nodeOf(manager.host, id));
        await cli(`rm ${id}`);
      }
    })();
    asking.catch(() => {}); // Told where it is waited for.
    for (let flaps = 0; flaps < 2; flaps++) {
      await stopEngine(OLD);
      expect(await told()).toEqual(before);
      await startEngine(OLD);
    }
    flapping = false;
    await asking;
    expect(rounds).toBeGreaterThan(0);
    await removeAll(manager.host);
    // With the oldest alone.
    await stopEngine(MIDDLE);
    await stopEngine(NEW);
    expect(await told()).toEqual(before);
    expect(await cli("run --rm busybox echo alone")).toBe("alone");
    const words = await refused("create --annotation a=b busybox");
    expect(words).toContain(`HostConfig.Annotations needs 1.43; ${OLD} speaks API 1.41`);
    await startEngine(MIDDLE);
    await startEngine(NEW);
    expect(await nodeOf(manager.host, await cli("create --annotation a=b busybox"))).not.toBe(OLD);
    expect(await told()).toEqual(before);
    await removeAll(manager.host);
  });
});
