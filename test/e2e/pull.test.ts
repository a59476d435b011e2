/** Which nodes an image is pulled to, from a real registry: the one that the container then runs on, or all. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { docker, shell } from "./support/docker.ts";
import { at, clis, emptyFleet, fleet, removeAll } from "./support/fleet.ts";
import { call } from "./support/http.ts";
import { type Manager, type ManagerOptions, startManager } from "./support/manager.ts";
import { nodeOf } from "./support/place-case.ts";
import { publish, type Registry, startRegistry } from "./support/registry.ts";

let registry: Registry;
let image: string;

describe.runIf(fleet().subject === "shoal")("a pull through the manager", () => {
  beforeAll(async () => {
    await emptyFleet();
    registry = await startRegistry();
    await publish(registry, "placed", ["1"]);
    image = `${registry.name}/placed:1`;
  });
  afterEach(async () => {
    for (const { host } of fleet().nodes) {
      await removeAll(host);
      await call(host, `/images/${image}?force=1`, { method: "DELETE" });
    }
  });
  afterAll(async () => {
    await registry?.stop();
    await emptyFleet();
  });

  /** The nodes whose own engines have the image. */
  const holders = async (): Promise<string[]> => {
    const answers = await Promise.all(
      fleet().nodes.map(async ({ name, host }) => ({
        name,
        status: (await call(host, `/images/${image}/json`)).status,
      })),
    );
    return answers.filter(({ status }) => status === 200).map(({ name }) => name);
  };

  const managed = async (options: ManagerOptions, work: (manager: Manager) => Promise<void>): Promise<void> => {
    const manager = await startManager(options);
    try {
      await work(manager);
    } catch (error) {
      manager.printLog();
      throw error;
    } finally {
      await manager.stop();
    }
  };

  for (const cli of clis()) {
    it(`goes to the node that the container runs on, with docker ${cli}`, () =>
      managed({}, async ({ host }) => {
        const target = at(host, cli);
        // Neither the first by name nor the one that a pull unasked would go to.
        const flags = "-e constraint:storage==disk -e constraint:node!=node-2";
        expect(await docker(target, `docker run --name placed ${flags} ${image} cat /tag`)).toBe("1");
        expect(await nodeOf(host, "placed")).toBe("node-3");
        expect(await holders()).toEqual(["node-3"]);
      }));

    it(`draws the second create to where it went, with docker ${cli}`, () =>
      managed({}, async ({ host }) => {
        const target = at(host, cli);
        // Busy by name and number: what reserves nothing would go elsewhere by itself.
        const missed = await call(host, "/v1.41/containers/create?name=first", {
          method: "POST",
          body: { Image: image, Env: ["constraint:node==node-2"] },
        });
        expect(missed.status).toBe(404);
        expect(JSON.parse(missed.text).message).toMatch(/^No such image: /);
        expect(await docker(target, `docker run -d --name placed ${image} sleep 60`)).toMatch(/^[0-9a-f]{64}$/);
        expect(await holders()).toEqual([await nodeOf(host, "placed")]);
      }));

    it(`then --pull=never finds it, with docker ${cli}`, () =>
      managed({}, async ({ host }) => {
        const target = at(host, cli);
        await docker(target, "docker run -d --name busy busybox sleep 60");
        await docker(target, `docker pull ${image}`);
        const where = await holders();
        expect(where).toHaveLength(1);
        for (const name of ["placed-1", "placed-2"]) {
          expect(await docker(target, `docker run --pull=never --name ${name} ${image} cat /tag`)).toBe("1");
          expect(await nodeOf(host, name)).toBe(where[0]);
        }
      }));

    it(`goes everywhere with --pull-to all, with docker ${cli}`, () =>
      managed({ flags: ["--pull-to", "all"] }, async ({ host }) => {
        const target = at(host, cli);
        const told = await docker(target, `docker pull ${image}`);
        for (const { name } of fleet().nodes)
          expect(told).toMatch(new RegExp(`^${name}: .*(?:Pull complete|Pulling)`, "m"));
        expect(await holders()).toEqual(fleet().nodes.map(({ name }) => name));
        for (const { name } of fleet().nodes) {
          const flags = `--pull=never --rm -e constraint:node==${name}`;
          expect(await docker(target, `docker run ${flags} ${image} cat /tag`)).toBe("1");
        }
        const missing = await shell(target, `docker pull ${registry.name}/placed:nosuch`);
        expect(missing.code).toBe(1);
        expect(missing.stderr).toContain("manifest unknown");
      }));
  }

  it("is refused for want of room before anything is pulled", () =>
    managed({}, async ({ host }) => {
      const refused = await shell(at(host), `docker run -m 10g ${image} true`);
      expect(refused.code).toBe(125);
      expect(refused.stderr).toContain("no resources available to schedule container");
      expect(await holders()).toEqual([]);
    }));
});
