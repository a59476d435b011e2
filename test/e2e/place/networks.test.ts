/** Where networks are made, and what joins them; a node whose addresses ended is passed over. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { docker } from "../support/docker.ts";
import { pooled, until } from "../support/exec.ts";
import { at, type EngineAddress, emptyFleet, fleet } from "../support/fleet.ts";
import { call, get } from "../support/http.ts";
import { type Manager, startManager } from "../support/manager.ts";
import { placeCases } from "../support/place-case.ts";

placeCases("networks", [
  {
    name: "what joins a network goes to its node, by name, node/name, ID and beginning of the ID",
    steps: [
      { make: "docker network create node-3/back >/dev/null; docker create --network back busybox", on: "node-3" },
      { make: "--network node-3/back busybox", on: "node-3" },
      { make: "--network $(docker network ls -q --no-trunc --filter name=back) busybox", on: "node-3" },
      { make: "--network $(docker network ls -q --filter name=back) busybox", on: "node-3" },
      { make: "--network back -e constraint:node==node-1 busybox", refused: [/network back/, /node-3/] },
      { make: "docker network create node-1/back; docker create --network node-1/back busybox", on: "node-1" },
      { make: "--network back busybox", on: ["node-1", "node-3"] },
    ],
  },
  {
    name: "what is elsewhere cannot join, and is told what to do",
    steps: [
      {
        make: "docker network create node-3/back >/dev/null; docker create --name elsewhere -e constraint:node==node-1 busybox",
        on: "node-1",
      },
      {
        make: "docker network connect back elsewhere",
        refused: [/elsewhere is on node node-1/, /back is on node node-3/, /--network back/],
      },
    ],
  },
  {
    name: "a network on every node is joined anywhere, and removed from all",
    steps: [
      {
        make: "docker network create --label shoal.network=per-node mesh >/dev/null; docker run -d --network mesh -e constraint:node==node-1 busybox sleep 600",
        on: "node-1",
      },
      { make: "docker run -d --network mesh -e constraint:node==node-2 busybox sleep 600", on: "node-2" },
      { make: "docker network rm mesh", refused: [/active endpoints/] },
      {
        make: "docker rm -f $(docker ps -aq) >/dev/null; docker network rm mesh >/dev/null; docker network create node-2/mesh >/dev/null; docker create --network mesh busybox",
        on: "node-2",
      },
    ],
  },
]);

describe.runIf(fleet().subject === "shoal")("a node whose address pools have ended", () => {
  const [node] = fleet().nodes as readonly [EngineAddress];
  const P = "--label com.docker.compose.project=p";
  let manager: Manager;
  const cli = (line: string): Promise<string> => docker(at(manager.host), `docker ${line}`);
  beforeAll(async () => {
    await emptyFleet();
    // So that new groups want to go there.
    manager = await startManager();
    await pooled(
      2,
      ["node-2", "node-3"].map((name) => () => cli(`create -m 1g -e constraint:node==${name} busybox`)),
    );
  });
  afterAll(async () => {
    await manager?.stop();
    await emptyFleet();
  });

  /** The node of a new group's network. */
  async function homeOf(name: string): Promise<string> {
    await cli(`network create --label com.docker.compose.project=${name} ${name}_default`);
    const { Node } = await get<{ Node?: { Name: string } }>(manager.host, `/networks/${name}_default`);
    return Node?.Name ?? "";
  }

  /** Makes networks past shoal until the engine has no addresses for another. */
  async function exhaust(): Promise<void> {
    await until("the engine's pools are full", 180_000, async () => {
      const body = { Name: `full${Math.random()}`, CheckDuplicate: true };
      const { status } = await call(node.host, "/networks/create", { method: "POST", body });
      return status === 201 ? undefined : true;
    });
  }

  it("is passed over for new networks, says so to a group that lives there, and takes them again when one goes", async () => {
    expect(await homeOf("first")).toBe("node-1");
    await cli(`create --name pa ${P} -e constraint:node==node-1 busybox`);
    await exhaust();
    for (const name of ["second", "third"]) expect(await homeOf(name)).not.toBe("node-1");
    const asked = manager.log().match(/a node could not make a network/g) ?? [];
    expect(asked).toHaveLength(1);
    await expect(cli(`network create ${P} p_default`)).rejects.toThrow(
      /address pool.*\(node node-1, and com\.docker\.compose\.project=p lives on node-1 with 1 container \(pa\)\): remove networks there, give a subnet, or enlarge default-address-pools of its engine/s,
    );
    await cli(`network create ${P} --subnet 10.213.78.0/24 p_given`);
    expect(await cli(`create ${P} --network p_given busybox`)).toMatch(/^[0-9a-f]{64}$/);
    await cli("network rm first_default");
    await cli(`network create ${P} p_default`);
  });
});
