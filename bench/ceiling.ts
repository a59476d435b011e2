/**
 * What the simulated engine and the load generator themselves can do: no manager between them. A manager's figures
 * are to be read against this.
 *
 *   ceiling [--engines 200] [--containers 50] [--quick]
 */
import { parseArgs } from "node:util";
import { BenchClient } from "./client.ts";
import { createAndStart, OUTCOME_HEAD, type Outcome, outcomeRow, removeAll, repeat } from "./load.ts";
import { startFleet } from "./processes.ts";
import { table } from "./stats.ts";

export async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      engines: { type: "string", default: "200" },
      containers: { type: "string", default: "50" },
      quick: { type: "boolean", default: false },
    },
  });
  const fleet = await startFleet(Number(values.engines), Number(values.containers));
  console.log(
    `fleet of ${values.engines} x ${values.containers}: up in ${fleet.startedIn.toFixed(2)} s, RSS ${fleet.rssMiB} MiB\n`,
  );
  const [address = ""] = fleet.addresses;
  const count = values.quick ? 1_000 : 5_000;
  const rows: string[][] = [];
  try {
    for (const concurrency of [1, 16, 64]) {
      const client = new BenchClient(address, concurrency);
      const add = (name: string, outcome: Outcome): number =>
        rows.push(outcomeRow(`${name}, c${concurrency}`, outcome));
      console.error(`concurrency ${concurrency}`);
      const made: string[] = [];
      add("create + start", await createAndStart(client, count, concurrency, { image: "busybox" }, made));
      await removeAll(client, made);
      const [row] = await client.json<{ Id: string }[]>("GET", "/containers/json?limit=1");
      add("inspect", await repeat(count, concurrency, () => client.call("GET", `/containers/${row?.Id}/json`)));
      add("ps", await repeat(count, concurrency, () => client.call("GET", "/containers/json")));
      await client.close();
    }
  } finally {
    await fleet.stop();
  }
  console.log(table(OUTCOME_HEAD, rows));
}
