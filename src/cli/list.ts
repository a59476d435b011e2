/** `shoal list`: what discovery finds, once, one entry a line as classic Swarm prints it. */
import { Command } from "commander";
import type { Entry } from "../discovery/discovery.ts";
import { openDiscovery } from "../discovery/open.ts";
import { DeadlineError, withDeadline } from "../kit/deadline.ts";
import { silentLog } from "../kit/log.ts";
import { discoveryOptionsOf } from "./discovery-opt.ts";
import { CliError, messageOf } from "./fail.ts";
import { parseGoDuration } from "./go-duration.ts";
import { hubAccess } from "./hub-access.ts";
import type { Io } from "./io.ts";
import { repeat } from "./repeat.ts";

const HEARTBEAT_MS = 60_000;

interface ListFlags {
  readonly timeout: string;
  readonly format?: string;
  readonly discoveryOpt?: readonly string[];
  readonly hub?: string;
}

export function listCommand(io: Io): Command {
  return new Command("list")
    .alias("l")
    .usage("[OPTIONS] <discovery>")
    .description("List what discovery finds. <discovery> may also come from SWARM_DISCOVERY.")
    .argument("[discovery]")
    .option("--timeout <duration>", "give up after this long", "10s")
    .option("-q, --quiet", "only addresses, which is what it prints anyway")
    .option("--format <format>", "json: one object a line, with ID, name and labels where nodes have them")
    .option("--hub <url>", "the hub that token:// means (env SWARM_DISCOVERY_URL)")
    .option("--discovery-opt <key=value>", "kv.path, kv.cacertfile, kv.certfile, kv.keyfile (repeat)", repeat)
    .action((argument: string | undefined, flags: ListFlags) => list(io, argument, flags));
}

async function list(io: Io, argument: string | undefined, flags: ListFlags): Promise<void> {
  const url = argument ?? io.env.SWARM_DISCOVERY;
  if (!url) throw new CliError("discovery required to list a cluster. See 'shoal list --help'.");
  const entries = await withDeadline(io.clock, timeoutMs(flags.timeout), "list", (signal) => {
    const late = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
    return Promise.race([read(io, url, flags, signal), late]);
  }).catch((error: unknown) => {
    throw error instanceof DeadlineError ? new CliError("Timed out") : error;
  });
  for (const entry of entries) io.out(flags.format === "json" ? `${asJson(entry)}\n` : `${entry.address}\n`);
}

function asJson({ address, id, name, labels }: Entry): string {
  return JSON.stringify({ Address: address, ID: id, Name: name, Labels: labels });
}

async function read(io: Io, url: string, flags: ListFlags, signal: AbortSignal): Promise<readonly Entry[]> {
  const discovery = await openDiscovery(url, {
    clock: io.clock,
    log: silentLog,
    heartbeatMs: HEARTBEAT_MS,
    options: discoveryOptionsOf(flags.discoveryOpt),
    hub: hubAccess(flags.hub, io.env),
  });
  try {
    return await discovery.list(signal);
  } finally {
    await discovery.close();
  }
}

function timeoutMs(text: string): number {
  try {
    const ms = parseGoDuration(text);
    if (ms > 0) return ms;
  } catch (error) {
    throw new CliError(`invalid --timeout: ${messageOf(error)}`);
  }
  throw new CliError("--timeout should be a positive number");
}
