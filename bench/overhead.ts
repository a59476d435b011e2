/**
 * p50 of single calls through a manager over one engine, against the same calls to the engine itself.
 *
 *   overhead [--engine unix:///var/run/docker.sock] [--image busybox] [--count 200] [--quick]
 *
 * Direct and through alternate call by call. Containers that it makes are removed; the image must be there.
 */
import { parseArgs } from "node:util";
import { systemClock } from "../src/kit/clock.ts";
import { BenchClient } from "./client.ts";
import { createBody } from "./load.ts";
import { startManager } from "./processes.ts";
import { figure, median, table } from "./stats.ts";

interface Operation {
  readonly name: string;
  /** A slow operation is repeated less often. */
  readonly slow: boolean;
  /** Answers the milliseconds of what is measured. */
  run(client: BenchClient): Promise<number>;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = systemClock.monotonic();
  await work();
  return systemClock.monotonic() - from;
}

const get = (name: string, path: string): Operation => ({
  name,
  slow: false,
  run: (client) => timed(() => client.call("GET", path)),
});

/** Measures one of the calls that make a container; the others happen unmeasured. */
function life(name: string, image: string, measured: "create" | "start" | "remove"): Operation {
  return {
    name,
    slow: true,
    run: async (client) => {
      let id = "";
      const create = await timed(async () => {
        id = (await client.json<{ Id: string }>("POST", "/containers/create", createBody({ image }))).Id;
      });
      const start = measured === "create" ? 0 : await timed(() => client.call("POST", `/containers/${id}/start`));
      const remove = await timed(() => client.call("DELETE", `/containers/${id}?force=1`));
      return { create, start, remove }[measured];
    },
  };
}

async function measure(direct: BenchClient, through: BenchClient, image: string, count: number): Promise<void> {
  const { Id } = await through.json<{ Id: string }>("POST", "/containers/create", createBody({ image }));
  const operations: Operation[] = [
    get("GET /_ping", "/_ping"),
    get("GET /info", "/info"),
    get("GET /containers/json?all=1", "/containers/json?all=1"),
    get("GET /containers/{id}/json", `/containers/${Id}/json`),
    get("GET /images/json", "/images/json"),
    life("create", image, "create"),
    life("start", image, "start"),
    life("rm -f of a running container", image, "remove"),
  ];
  const rows: string[][] = [];
  try {
    for (const { name, slow, run } of operations) {
      console.error(name);
      const times = { direct: [] as number[], through: [] as number[] };
      const turns = slow ? Math.max(5, Math.floor(count / 10)) : count;
      for (let turn = -1; turn < turns; turn++) {
        const [one, other] = [await run(direct), await run(through)];
        if (turn < 0) continue;
        times.direct.push(one);
        times.through.push(other);
      }
      const [d, t] = [median(times.direct), median(times.through)];
      rows.push([name, figure(d), figure(t), figure(t / d), figure(t - d)]);
    }
  } finally {
    await through.call("DELETE", `/containers/${Id}?force=1`);
  }
  console.log(table(["call", "direct p50 ms", "through p50 ms", "ratio", "difference ms"], rows));
}

export async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      engine: { type: "string", default: process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock" },
      image: { type: "string", default: "busybox" },
      count: { type: "string" },
      quick: { type: "boolean", default: false },
    },
  });
  const entry = values.engine.replace(/^tcp:\/\//, "");
  const direct = new BenchClient(values.engine, 1);
  const manager = await startManager(`nodes://${entry}`, 1);
  const through = new BenchClient(manager.address, 1);
  try {
    await measure(direct, through, values.image, Number(values.count ?? (values.quick ? 50 : 300)));
  } finally {
    await through.close();
    await direct.close();
    await manager.stop();
  }
}
