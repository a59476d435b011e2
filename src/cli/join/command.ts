/** `shoal join`: checks its flags as classic Swarm does, then runs the agent until a signal stops it. */
import { Command, Option } from "commander";
import type { AgentOptions } from "../../agent/options.ts";
import { createLog, type Logger } from "../../kit/log.ts";
import type { GlobalFlags } from "../endpoint.ts";
import type { Io } from "../io.ts";
import { listenToSignals } from "../manage/signals.ts";
import { logLevel } from "../manage/validate.ts";
import { repeat } from "../repeat.ts";
import { type JoinFlags, validateJoin } from "./validate.ts";

export type RunAgent = (options: AgentOptions, log: Logger, signal: AbortSignal) => Promise<void>;

const loadAgent = async (): Promise<RunAgent> => (await import("../../agent/run.ts")).runAgent;

export function joinCommand(io: Io, load: () => Promise<RunAgent> = loadAgent): Command {
  return new Command("join")
    .alias("j")
    .usage("[OPTIONS] <discovery>")
    .description(
      "Join a cluster: register this machine's engine, heartbeat by heartbeat. <discovery> may also come from SWARM_DISCOVERY.",
    )
    .argument("[discovery]", "token://TOKEN, https://hub/u/USER/CLUSTER, etcd://host:port/path, consul:// or zk://")
    .option("--advertise <address>", "host:port by which managers reach the engine (env SWARM_ADVERTISE)")
    .addOption(new Option("--addr <address>", "same as --advertise").hideHelp())
    .addOption(new Option("--add <address>", "same, the port is 2375 by default").hideHelp())
    .option("--heartbeat <duration>", "between two registrations", "60s")
    .option("--ttl <duration>", "without one for this long the node counts as gone", "180s")
    .option("--delay <duration>", "the first registration waits for a random part of this", "0s")
    .option("--name <name>", "name of the node (default: its engine's host name)")
    .option("--label <key=value>", "a label that constraints may ask for (repeat)", repeat)
    .addOption(new Option("--constraint <key=value>", "same as --label").argParser(repeat).hideHelp())
    .option("--hub <url>", "the hub that token:// means (env SWARM_DISCOVERY_URL)")
    .option("--discovery-opt <key=value>", "kv.path, kv.cacertfile, kv.certfile, kv.keyfile (repeat)", repeat)
    .option("--fence", "stop what may run elsewhere when nobody can be reached, before it runs there (root only)")
    .option("--fence-ttl <duration>", "with --fence: without a sign for this long it has stopped", "15s")
    .option("--engine <address>", "with --fence: this machine's engine", "unix:///var/run/docker.sock")
    .option("--state-dir <directory>", "where the node's ID is kept (default /var/lib/shoal/agent for root)")
    .option("--debug", "debug mode: log everything (env DEBUG)")
    .option("-l, --log-level <level>", "debug, info, warn, error, fatal or panic (default info)")
    .action(async (discovery: string | undefined, own: JoinFlags, command: Command) => {
      const globals = command.parent?.opts<GlobalFlags>() ?? {};
      const options = validateJoin(own, discovery, io.env);
      const log = createLog(logLevel({ ...globals, ...own }, io.env), io.width !== undefined, io.out);
      const runAgent = await load();
      const signals = listenToSignals(log);
      try {
        await runAgent(options, log, signals.signal);
      } finally {
        signals.dispose();
      }
    });
}
