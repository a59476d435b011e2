/** What the setup hands to each test file, and what may be asked of the fleet; does not know how it was made. */
import { inject } from "vitest";
import type { Cli, CliName, Target } from "./docker.ts";
import { pooled, until } from "./exec.ts";
import { call, get } from "./http.ts";

export interface EngineAddress {
  readonly name: string;
  /** `tcp://address:port` of the engine itself. */
  readonly host: string;
  readonly address: string;
  /** The engine's own unix socket as this host sees it. */
  readonly socket: string;
}

export interface Fleet {
  /** node-1, node-2, node-3, each of 1 CPU and 2 GB; node-1 alone has storage=ssd. */
  readonly nodes: readonly EngineAddress[];
  /** An engine of the same kind that no manager knows: what "as on one engine" is measured against. */
  readonly reference: EngineAddress;
  readonly clis: Record<CliName, Cli>;
  /** The run's folder, which the machines are found by. */
  readonly folder: string;
  /** For the tests' files; goes away with the fleet. */
  readonly work: string;
  /** Whether the managers mint cluster IDs unlike the engines'. */
  readonly minted: boolean;
  /** Whether the slow counts are asked for. */
  readonly full: boolean;
  /** `engine`: the suite checks itself, an engine stands where the manager would. */
  readonly subject: "shoal" | "engine";
}

declare module "vitest" {
  export interface ProvidedContext {
    fleet: Fleet;
  }
}

export const fleet = (): Fleet => inject("fleet");

/** The CLIs to try: both; but where only the IDs differ from the run before, one, unless the slow counts are asked for. */
export const clis = (): readonly CliName[] => (fleet().minted && !fleet().full ? ["28"] : ["28", "20.10"]);

/** One engine, addressed by one of the CLIs. */
export function at(host: string, cli: CliName = "28", env: Record<string, string> = {}): Target {
  return { host, cli: fleet().clis[cli], env };
}

interface Listed {
  readonly Id: string;
  readonly Names: readonly string[];
}

/** The containers of one engine, stopped ones included. */
export const containersOf = (host: string): Promise<Listed[]> => get<Listed[]>(host, "/containers/json?all=1");

/** Removes every container at the address and waits until none is listed. */
export async function removeAll(host: string): Promise<void> {
  await until(`no container at ${host}`, 180_000, async () => {
    const left = await containersOf(host);
    if (left.length === 0) return true;
    await pooled(
      4,
      left.map(
        ({ Id }) =>
          () =>
            call(host, `/containers/${Id}?force=1&v=1`, { method: "DELETE" }),
      ),
    );
    return undefined;
  });
}

/** Removes networks and volumes that nothing uses at the address. */
export async function pruneAll(host: string): Promise<void> {
  const all = encodeURIComponent(JSON.stringify({ all: ["1"] }));
  // An old engine prunes all that have a name, too, and knows no such filter.
  const paths = ["/networks/prune", "/volumes/prune", `/volumes/prune?filters=${all}`];
  for (const path of paths) await call(host, path, { method: "POST" });
}

/** Empties every engine directly, whoever made what is on them. */
export async function emptyFleet(): Promise<void> {
  const { nodes, reference } = fleet();
  await Promise.all([...nodes, reference].map(({ host }) => removeAll(host).then(() => pruneAll(host))));
}
