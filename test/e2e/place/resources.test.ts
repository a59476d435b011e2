/** S2: memory and CPU decide where a container goes, and a refusal says why before anything is pulled. */
import { expect, it } from "vitest";
import { docker, shell } from "../support/docker.ts";
import { at, clis } from "../support/fleet.ts";
import { startManager } from "../support/manager.ts";
import { placeCases } from "../support/place-case.ts";

const NO_ROOM = "no resources available to schedule container";

placeCases("resources", [
  {
    name: "three times 1 GB: node-1, node-1, node-2",
    steps: [
      { make: "docker run -d -P -m 1g redis", on: "node-1" },
      { make: "docker run -d -P -m 1g redis", on: "node-1" },
      { make: "docker run -d -P -m 1g redis", on: "node-2" },
    ],
  },
  {
    name: "10 GB is refused, with the reasons",
    steps: [{ make: "docker run -d -P -m 10g redis", refused: [NO_ROOM, /node|memory/i] }],
  },
  {
    name: "10 GB of an image that is nowhere is refused before a pull",
    steps: [{ make: "-m 10g nosuchimage", refused: [NO_ROOM] }],
  },
  {
    name: "-c 1 is one CPU, as in the seed",
    steps: [
      { make: "-c 1 --name c1 redis", on: "node-1" },
      { make: "-c 1 --name c2 redis", on: "node-2" },
      { make: "-c 1 --name c3 redis", on: "node-3" },
      { make: "-c 1 --name c4 redis", refused: [NO_ROOM] },
    ],
  },
  {
    name: "--cpus is counted",
    steps: [
      { make: "--cpus 0.6 busybox", on: "node-1" },
      { make: "--cpus 0.6 busybox", on: "node-2" },
      { make: "--cpus 0.4 --name third busybox", on: ["node-1", "node-2"] },
    ],
  },
  {
    name: "--memory-reservation is what is reserved",
    steps: [
      { make: "-m 1500m --memory-reservation 500m busybox", on: "node-1" },
      { make: "-m 1500m --memory-reservation 500m busybox", on: "node-1" },
      { make: "-m 1500m busybox", on: "node-2" },
    ],
  },
  {
    name: "what is removed is free again",
    steps: [
      { make: "--name ca -m 2g busybox", on: "node-1" },
      { make: "--name cb -m 2g busybox", on: "node-2" },
      { make: "--name cc -m 2g busybox", on: "node-3" },
      { make: "--name cd -m 2g busybox", refused: [NO_ROOM] },
      { make: "docker rm cb >/dev/null; docker create --name cd -m 2g busybox", on: "node-2" },
    ],
  },
  {
    name: "update goes through the ledger",
    steps: [
      { make: "--name ca -m 1g busybox", on: "node-1" },
      { make: "--name cb -m 1g busybox", on: "node-1" },
      { make: "docker update -m 2g --memory-swap 4g cb", refused: [/resources|memory/i] },
      { make: "docker update -m 512m --memory-swap 512m ca >/dev/null; docker create -m 512m busybox", on: "node-1" },
    ],
  },
  {
    name: "an exited one holds nothing, and start asks again",
    steps: [
      { make: "docker run -d --name ca -m 2g busybox true", on: "node-1" },
      { make: "docker wait ca >/dev/null; docker create --name cb -m 2g busybox", on: "node-1" },
      { make: "docker start ca", refused: [NO_ROOM] },
    ],
  },
  {
    name: "what reserves nothing is spread",
    steps: [
      { make: "docker run -d --name ca busybox sleep 60", on: "node-1" },
      { make: "docker run -d --name cb busybox sleep 60", on: "node-2" },
      { make: "docker run -d --name cc busybox sleep 60", on: "node-3" },
    ],
  },
]);

placeCases(
  "--strategy spread",
  [
    {
      name: "three times 1 GB: three nodes",
      steps: [
        { make: "docker run -d -P -m 1g --name ca redis", on: "node-1" },
        { make: "docker run -d -P -m 1g --name cb redis", on: "node-2" },
        { make: "docker run -d -P -m 1g --name cc redis", on: "node-3" },
      ],
    },
  ],
  { flags: ["--strategy", "spread"] },
);

placeCases(
  "--strategy binpack",
  [
    {
      name: "applies to what reserves nothing, too",
      steps: [
        { make: "docker run -d --name ca -m 64m redis", on: "node-1" },
        { make: "docker run -d --name cb redis", on: "node-1" },
      ],
    },
  ],
  { flags: ["--strategy", "binpack"] },
);

it("-c 1 shows as CpuShares 1, and the exit code of a refused run is the engine's 125", async () => {
  const manager = await startManager();
  try {
    for (const cli of clis()) {
      const target = at(manager.host, cli);
      await docker(target, "docker create -c 1 --name shares busybox");
      expect(await docker(target, "docker inspect -f '{{.HostConfig.CpuShares}}' shares")).toBe("1");
      await docker(target, "docker rm shares");
      const refused = await shell(target, "docker run -d -m 10g nosuchimage");
      expect(refused.code).toBe(125);
      expect(refused.stderr).not.toContain("Unable to find image");
      expect(refused.stderr).toContain(NO_ROOM);
    }
  } finally {
    await manager.stop();
  }
});
