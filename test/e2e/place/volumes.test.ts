/** Where volumes and bind mounts lead: to the node that has them, and never to an empty one of the same name (F10, F11, F12). */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { docker, shell } from "../support/docker.ts";
import { at, emptyFleet, fleet, removeAll } from "../support/fleet.ts";
import { call, get } from "../support/http.ts";
import { type Manager, startManager } from "../support/manager.ts";
import { nodeOf } from "../support/place-case.ts";

let manager: Manager;
beforeAll(async () => {
  await emptyFleet();
  manager = await startManager();
});
beforeEach(async () => {
  await removeAll(manager.host);
  await Promise.all(fleet().nodes.map(({ host }) => removeVolumes(host)));
});
afterAll(async () => {
  await manager?.stop();
  await emptyFleet();
  await Promise.all(fleet().nodes.map(({ host }) => removeVolumes(host)));
});

interface Listed {
  readonly Volumes: readonly { readonly Name: string }[] | null;
}

const volumesOn = async (host: string): Promise<string[]> =>
  ((await get<Listed>(host, "/volumes")).Volumes ?? []).map(({ Name }) => Name);

async function removeVolumes(host: string): Promise<void> {
  for (const name of await volumesOn(host)) await call(host, `/volumes/${name}?force=1`, { method: "DELETE" });
}

/** Names of the nodes whose own engine has the volume. */
async function holders(volume: string): Promise<string[]> {
  const found: string[] = [];
  for (const { name, host } of fleet().nodes) if ((await volumesOn(host)).includes(volume)) found.push(name);
  return found;
}

const cli = (line: string): Promise<string> => docker(at(manager.host), `docker ${line}`);
async function refused(line: string): Promise<string> {
  const { code, stdout, stderr } = await shell(at(manager.host), `docker ${line}`);
  expect(code, stdout).not.toBe(0);
  return stderr;
}

describe("a named volume", () => {
  it("is used where it is, never made again elsewhere (F10), and found by its name (F12)", async () => {
    await cli("volume create node-3/data");
    await cli("run --rm -v data:/data busybox sh -c 'echo kept >/data/file'");
    for (const line of ["-v data:/data", "--mount type=volume,source=data,target=/data"]) {
      expect(await cli(`run --rm ${line} busybox cat /data/file`)).toBe("kept");
    }
    expect(await holders("data")).toEqual(["node-3"]);
    expect((await cli("volume inspect --format '{{.Name}} {{.Driver}}' data")).trim()).toBe("data local");
    const other = await refused("create -v data:/data -e constraint:node==node-1 busybox");
    expect(other).toContain("volume data is on node-3");
  });

  it("of several nodes is told apart, with the name that volume ls prints (F11)", async () => {
    await cli("volume create node-1/twin");
    await cli("volume create node-2/twin");
    expect((await cli("volume ls -q")).trim().split("\n")).toEqual(["node-1/twin", "node-2/twin"]);
    const which = 'The volume name "twin" is on several nodes: say which one, node-1/twin or node-2/twin';
    for (const line of ["create -v twin:/x busybox", "volume inspect twin", "volume rm twin", "volume create twin"]) {
      expect(await refused(line)).toContain(which);
    }
    for (const node of ["node-1", "node-2"]) {
      await cli(`create --name on-${node} -v ${node}/twin:/x busybox`);
      expect(await nodeOf(manager.host, `on-${node}`)).toBe(node);
    }
    await cli("create --name asked -v twin:/x -e constraint:node==node-2 busybox");
    expect(await nodeOf(manager.host, "asked")).toBe("node-2");
    expect(await holders("twin")).toEqual(["node-1", "node-2"]);
    await removeAll(manager.host);
    await cli("volume rm node-1/twin");
    expect((await cli("volume ls -q")).trim()).toBe("twin");
  });

  it("that two creates at once name is one", async () => {
    await Promise.all(["one", "two", "three"].map((name) => cli(`create --name ${name} -v fresh:/x busybox`)));
    expect(await holders("fresh")).toHaveLength(1);
  });
});

// Only the run's own machines have a folder that is theirs alone.
describe.skipIf(process.env.SHOAL_E2E_ENGINES !== undefined)("a bind mount", () => {
  /** What a node has at `/run/<name>`, seen from here. */
  const onNode = (index: number, name: string): string =>
    join(dirname(new URL(fleet().nodes[index]?.socket ?? "").pathname), name);

  it("goes to a node that has the path, and makes nothing elsewhere", async () => {
    mkdirSync(onNode(1, "site"));
    try {
      await cli("run --name web -v /run/site:/site busybox sh -c 'echo hello >/site/index'");
      expect(await nodeOf(manager.host, "web")).toBe("node-2");
      expect(existsSync(join(onNode(1, "site"), "index"))).toBe(true);
      expect([existsSync(onNode(0, "site")), existsSync(onNode(2, "site"))]).toEqual([false, false]);
    } finally {
      rmSync(onNode(1, "site"), { recursive: true, force: true });
    }
  });

  it.each(["-v /run/nosuch/dir:/x", "--mount type=bind,source=/run/nosuch/dir,target=/x"])(
    "of a path that no node has is refused with the remedies: %s",
    async (mount) => {
      const said = await refused(`run --name web ${mount} busybox true`);
      for (const words of ["bind source path does not exist: /run/nosuch/dir", "shoal.path", "--bind-mounts engine"]) {
        expect(said).toContain(words);
      }
      expect([0, 1, 2].map((index) => existsSync(onNode(index, "nosuch")))).toEqual([false, false, false]);
      await cli("create --name web busybox");
    },
  );
});
