/** `shoal list`: what discovery finds, once, one entry a line as classic Swarm prints it. */
import { Command } from "commander";
import { openDiscovery } from "../discovery/open.ts";
import { DeadlineError, withDeadline } from "../kit/deadline.ts";
import { CliError, messageOf } from "./fail.ts";
import { parseGoDuration } from "./go-duration.ts";
import type { Io } from "./io.ts";

const HEARTBEAT_MS = 60_000;

interface ListFlags {
  readonly timeout: string;
  readonly format?: string;
}

export function listCommand(io: Io): Command {
  return new Command("list")
    .alias("l")
    .usage("[OPTIONS] <discovery>")
    .description("List what discovery finds. <discovery> may also come from SWARM_DISCOVERY.")
    .argument("[discovery]")
    .option("--timeout <duration>", "give up after this long", "10s")
    .option("-q, --quiet", "only addresses, which is all there is")
    .option("--format <format>", "json: one object a line")
    .option("--discovery-opt <key=value>", "accepted for classic Swarm's sake")
    .action((argument: string | undefined, flags: ListFlags) => list(io, argument, flags));
}

async function list(io: Io, argument: string | undefined, flags: ListFlags): Promise<void> {
  const url = argument ?? io.env.SWARM_DISCOVERY;
  if (!url) throw new CliError("discovery required to list a cluster. See 'shoal list --help'.");
  const entries = await withDeadline(io.clock, timeoutMs(flags.timeout), "list", (signal) => {
    const late = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
    return Promise.race([openDiscovery(url, { clock: io.clock, heartbeatMs: HEARTBEAT_MS }).list(), late]);
  }).catch((error: unknown) => {
    throw error instanceof DeadlineError ? new CliError("Timed out") : error;
  });
  for (const { address } of entries)
    io.out(flags.format === "json" ? `${JSON.stringify({ Address: address })}\n` : `${address}\n`);
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
