/**
 * What a create costs with the manager's store on this machine's disk, in etcd, in Consul and in ZooKeeper.
 *
 *   stores [--engines 10] [--rounds 5] [--count 300] [--concurrency 16] [--quick]
 *
 * Each store has a server, a fleet and a manager of its own, and they are measured in alternation. The servers are single
 * ones with their data in memory where that can be, so that what is compared is the way there and back and not a disk.
 */
import { parseArgs } from "node:util";
import { Server } from "../test/stores/support/server.ts";
import { STORES } from "../test/stores/support/stores.ts";
import { BenchClient } from "./client.ts";
import { createBody, removeAll, repeat } from "./load.ts";
import { cpuMs, startFleet, startManager } from "./processes.ts";
import { figure, median, percentile, table } from "./stats.ts";

interface Sizes {
  readonly engines: number;
  readonly rounds: number;
  readonly count: number;
  readonly concurrency: number;
}

/** One value a round. */
interface Samples {
  /** One create after another. */
  readonly aloneMs: number[];
  /** Several at once: from the first to the last, for each. */
  readonly eachMs: number[];
  readonly cpuMs: number[];
}

interface Side extends Samples {
  readonly name: string;
  readonly client: BenchClient;
  readonly pid: number;
  close(): Promise<void>;
}

const FILE = "file";
const BODY = createBody({ image: "busybox" });
/** Of the creates, those that are done one after another. */
const ALONE_SHARE = 0.2;

async function openSide(name: string, { engines, concurrency }: Sizes, url?: string): Promise<Side> {
  const fleet = await startFleet(engines, 0);
  try {
    const flags = url === undefined ? [] : ["--store", url];
    const manager = await startManager(`file://${fleet.dir}/engines`, engines, flags);
    const client = new BenchClient(manager.address, concurrency);
    const close = async (): Promise<void> => {
      await client.close();
      await manager.stop();
      await fleet.stop();
    };
    return { name, client, pid: manager.pid, close, aloneMs: [], eachMs: [], cpuMs: [] };
  } catch (error) {
    await fleet.stop();
    throw error;
  }
}

async function creates(side: Side, count: number, concurrency: number, made: string[]) {
  const outcome = await repeat(count, concurrency, async () => {
    made.push((await side.client.json<{ Id: string }>("POST", "/containers/create", BODY)).Id);
  });
  if (outcome.errors > 0) throw new Error(`${side.name}: ${outcome.errors} failed, first: ${outcome.firstError}`);
  return outcome;
}

async function round(side: Side, { count, concurrency }: Sizes, keep: boolean): Promise<void> {
  const made: string[] = [];
  const alone = await creates(side, Math.ceil(count * ALONE_SHARE), 1, made);
  const before = cpuMs(side.pid);
  const together = await creates(side, count, concurrency, made);
  const used = cpuMs(side.pid) - before;
  await removeAll(side.client, made);
  if (!keep) return;
  side.aloneMs.push(percentile(alone.samples, 0.5));
  side.eachMs.push((together.seconds * 1000) / count);
  side.cpuMs.push(used / count);
}

function report(sides: readonly Side[], concurrency: number): void {
  const [file] = sides;
  const cells = (side: Side, of: (side: Side) => readonly number[]): string[] => {
    const value = median(of(side));
    return [figure(value), file ? figure(value / median(of(file))) : ""];
  };
  const rows = sides.map((side) => [
    side.name,
    ...cells(side, ({ aloneMs }) => aloneMs),
    ...cells(side, ({ eachMs }) => eachMs),
    ...cells(side, (one) => one.cpuMs),
  ]);
  const head = ["alone ms", "ratio", `each of ${concurrency} at once ms`, "ratio", "manager CPU ms", "ratio"];
  console.log(table(["creates, store in", ...head], rows));
}

async function compare(sizes: Sizes): Promise<void> {
  const sides: Side[] = [];
  const servers: Server[] = [];
  try {
    sides.push(await openSide(FILE, sizes));
    for (const { scheme, program } of STORES) {
      console.error(`starting ${scheme} …`);
      const server = await Server.start(await program());
      servers.push(server);
      sides.push(await openSide(scheme, sizes, `${scheme}://${server.address}/shoal`));
    }
    for (let turn = -1; turn < sizes.rounds; turn++) {
      console.error(turn < 0 ? "warming up" : `round ${turn + 1} of ${sizes.rounds}`);
      for (const side of sides) await round(side, sizes, turn >= 0);
    }
    report(sides, sizes.concurrency);
  } finally {
    for (const side of sides) await side.close();
    for (const server of servers) await server.remove();
  }
}

export async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      engines: { type: "string", default: "10" },
      rounds: { type: "string" },
      count: { type: "string" },
      concurrency: { type: "string", default: "16" },
      quick: { type: "boolean", default: false },
    },
  });
  await compare({
    engines: Number(values.engines),
    rounds: Number(values.rounds ?? (values.quick ? 3 : 7)),
    count: Number(values.count ?? (values.quick ? 100 : 300)),
    concurrency: Number(values.concurrency),
  });
}
