/**
 * A node is lost and comes back, on three real engines and with each real store: how long until that is noticed, until
 * what may move runs elsewhere, and until one copy runs after the return.
 *
 *   lost [--store etcd|consul|zk …] [--case power-off|cut-link|engine-killed|engine-hung …] [--rounds 10] [--quick]
 *
 * Each store has a server and a manager of its own, with default flags; the engines are the same. That one copy runs, that
 * nothing moves that may not, and that the old copy is kept aside is checked in every round: a round in which it does not
 * hold ends its case, and the command ends with an error. A goal that is missed is told, and is none.
 */
import { parseArgs } from "node:util";
import { Server } from "../test/stores/support/server.ts";
import { STORES, type StoreKind } from "../test/stores/support/stores.ts";
import { BenchClient } from "./client.ts";
import { Hosts } from "./hosts.ts";
import { CASES, type LossCase, type Measure } from "./lost-cases.ts";
import { NODES, playRound, type Times } from "./lost-round.ts";
import { startManager } from "./processes.ts";
import { median, table } from "./stats.ts";

const HEAD = ["case", "store", "what", "goal", "median", "worst", "what else was checked"];

interface Results {
  readonly rows: (readonly string[])[];
  readonly failures: string[];
}

async function overStore(
  hosts: Hosts,
  { scheme, program }: StoreKind,
  cases: readonly LossCase[],
  rounds: number,
  { rows, failures }: Results,
): Promise<void> {
  console.error(`starting ${scheme} and a manager …`);
  const server = await Server.start(await program());
  try {
    const flags = ["--store", `${scheme}://${server.address}/shoal`];
    const manager = await startManager(`nodes://${hosts.addresses.join(",")}`, NODES.length, flags);
    const client = new BenchClient(manager.address, 2);
    try {
      for (const one of cases) {
        const { times, failure } = await playCase({ client, hosts }, scheme, one, rounds);
        if (failure !== undefined) failures.push(failure);
        for (const measure of one.measures) rows.push(rowOf(one, scheme, measure, times));
      }
    } finally {
      await client.close();
      await manager.stop();
    }
  } finally {
    await server.remove();
  }
}

/** What does not hold ends it; the rounds before count. */
async function playCase(
  site: Parameters<typeof playRound>[0],
  scheme: string,
  one: LossCase,
  rounds: number,
): Promise<{ readonly times: readonly Times[]; readonly failure?: string }> {
  const times: Times[] = [];
  for (let round = 1; round <= rounds; round++) {
    const head = `${one.title}, ${scheme}, round ${round} of ${rounds}`;
    try {
      const own = await playRound(site, one, round);
      times.push(own);
      const told = one.measures.map(({ name, what }) => `${what} ${seconds(own[name])}`);
      console.error(`${head}: ${told.join("; ")}`);
    } catch (error) {
      const cause = error instanceof Error && error.cause !== undefined ? ` (${String(error.cause)})` : "";
      const failure = `${head}: ${String(error)}${cause}`;
      console.error(`FAILED ${failure}`);
      return { times, failure };
    }
  }
  return { times };
}

function rowOf(
  one: LossCase,
  scheme: string,
  { name, what, goal, checked }: Measure,
  times: readonly Times[],
): string[] {
  const samples = times.flatMap((time) => time[name] ?? []);
  const kept = samples.filter((ms) => goal !== undefined && ms <= goal * 1000).length;
  const goalCell = goal === undefined ? "-" : `${goal} s (kept ${kept} of ${samples.length})`;
  const worst = samples.length === 0 ? undefined : Math.max(...samples);
  return [one.title, scheme, what, goalCell, seconds(median(samples)), seconds(worst), checked];
}

const seconds = (ms: number | undefined): string =>
  ms === undefined || Number.isNaN(ms) ? "-" : `${(ms / 1000).toFixed(1)} s`;

/** Those that are named; all when none is. */
function chosen<T>(
  all: readonly T[],
  nameOf: (one: T) => string,
  names: readonly string[],
  flag: string,
): readonly T[] {
  const known = all.map(nameOf);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`${flag} ${unknown}: one of ${known.join(", ")}`);
  return names.length === 0 ? all : all.filter((one) => names.includes(nameOf(one)));
}

export async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      store: { type: "string", multiple: true, default: [] },
      case: { type: "string", multiple: true, default: [] },
      rounds: { type: "string" },
      quick: { type: "boolean", default: false },
    },
  });
  const stores = chosen(STORES, ({ scheme }) => scheme, values.store, "--store");
  const cases = chosen(CASES, ({ name }) => name, values.case, "--case");
  const rounds = Number(values.rounds ?? (values.quick ? 2 : 10));
  const results: Results = { rows: [], failures: [] };
  const hosts = await Hosts.start();
  try {
    for (const store of stores) await overStore(hosts, store, cases, rounds, results);
  } finally {
    await hosts.stop();
    // What was measured before something went wrong is told all the same.
    console.log(table(HEAD, results.rows));
    for (const failure of results.failures) console.log(`\nFailed: ${failure}`);
  }
  if (results.failures.length > 0) process.exitCode = 3;
}
