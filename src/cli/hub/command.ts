/** `shoal hub`: checks its flags, then serves discovery until a signal stops it; `shoal hub user` keeps its accounts. */
import { homedir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import type { HubOptions } from "../../hub/options.ts";
import { createLog, type Logger } from "../../kit/log.ts";
import type { GlobalFlags } from "../endpoint.ts";
import type { Env, Io } from "../io.ts";
import { listenAddress } from "../manage/hosts.ts";
import { listenToSignals } from "../manage/signals.ts";
import { readTls } from "../manage/tls.ts";
import { logLevel } from "../manage/validate.ts";
import { repeat } from "../repeat.ts";
import { STORE_OPT_HELP, storeOptionsOf } from "../store-opt.ts";
import { userCommand } from "./user.ts";

export interface HubFlags {
  readonly host?: readonly string[];
  readonly store?: string;
  readonly storeOpt?: readonly string[];
  readonly adminTokenFile?: string;
  readonly anonymous?: boolean;
  readonly tls?: boolean;
  readonly tlsverify?: boolean;
  readonly tlscacert?: string;
  readonly tlscert?: string;
  readonly tlskey?: string;
  readonly requireTls?: boolean;
  readonly allowHost?: readonly string[];
  readonly debug?: boolean;
  readonly logLevel?: string;
}

export type RunHub = (
  options: HubOptions,
  log: Logger,
  signal: AbortSignal,
  onNewToken: (token: string, file: string) => void,
) => Promise<void>;

const loadHub = async (): Promise<RunHub> => (await import("../../hub/run.ts")).runHub;
const DEFAULT_HOST = "tcp://127.0.0.1:2378";

export function hubCommand(io: Io, load: () => Promise<RunHub> = loadHub): Command {
  const command = new Command("hub")
    .usage("[OPTIONS] [COMMAND]")
    .description("Serve discovery for one's own clusters: classic Swarm's hosted protocol, and a page.")
    .enablePositionalOptions()
    .option(
      "-H, --host <address>",
      `listen on tcp://host:port or unix:///path (repeat; default ${DEFAULT_HOST})`,
      repeat,
    )
    .option(
      "--store <url>",
      "file:///directory, memory://, or what manage's --store takes (default file:///var/lib/shoal/hub/store for root)",
    )
    .option("--store-opt <key=value>", STORE_OPT_HELP, repeat)
    .option("--admin-token-file <file>", "made at the first start (default /var/lib/shoal/hub/admin-token for root)")
    .option("--anonymous", "whoever reaches the hub may create clusters without signing in")
    .option("--tls", "use TLS")
    .option("--tlsverify", "use TLS and let only clients with a certificate in")
    .option("--tlscacert <file>", "trust only clients with a certificate signed by this CA")
    .option("--tlscert <file>", "TLS certificate")
    .option("--tlskey <file>", "TLS key")
    .option("--require-tls", "refuse to listen beyond loopback without TLS")
    .option("--allow-host <name>", "a further name that clients may call this hub (repeat)", repeat)
    .option("--debug", "debug mode: log everything (env DEBUG)")
    .option("-l, --log-level <level>", "debug, info, warn, error, fatal or panic (default info)")
    .action(async (own: HubFlags, self: Command) => {
      const globals = self.parent?.opts<GlobalFlags>() ?? {};
      const { host: _host, context: _context, ...shared } = globals;
      const flags = { ...shared, ...own };
      const options = optionsOf(flags, io.env);
      const log = createLog(logLevel(flags, io.env), io.width !== undefined, io.out);
      const runHub = await load();
      const signals = listenToSignals(log);
      try {
        await runHub(options, log, signals.signal, (token, file) => {
          // Not through the log, which others may read.
          io.err(`The admin's token, shown this once and kept in ${file}:\n\n    ${token}\n\n`);
        });
      } finally {
        signals.dispose();
      }
    });
  return command.addCommand(userCommand(io));
}

export function optionsOf(flags: HubFlags, env: Env, uid = process.getuid?.()): HubOptions {
  const home = uid === 0 ? "/var/lib" : env.XDG_STATE_HOME || join(env.HOME || homedir(), ".local/state");
  return {
    hosts: (flags.host ?? [DEFAULT_HOST]).map(listenAddress),
    store: flags.store ?? `file://${join(home, "shoal/hub/store")}`,
    storeOptions: storeOptionsOf(flags.storeOpt, env),
    adminTokenFile: flags.adminTokenFile ?? join(home, "shoal/hub/admin-token"),
    anonymous: flags.anonymous === true,
    tls: readTls(flags),
    requireTls: flags.requireTls === true,
    allowHosts: flags.allowHost ?? [],
  };
}
