/**
 * The flags of `shoal manage`: classic Swarm's, with its defaults, and shoal's own. Owns names and help; what a value
 * may be is said in validate.ts.
 */
import { Command, Option } from "commander";
import { repeat } from "../repeat.ts";
import { STORE_OPT_HELP } from "../store-opt.ts";

/** As commander hands them over; texts are not checked yet. */
export interface ManageFlags {
  readonly strategy?: string;
  readonly filter?: readonly string[];
  readonly host?: readonly string[];
  readonly replication?: boolean;
  readonly replicationTtl: string;
  readonly master?: boolean;
  readonly advertise?: string;
  readonly tls?: boolean;
  readonly tlsverify?: boolean;
  readonly tlscacert?: string;
  readonly tlscert?: string;
  readonly tlskey?: string;
  readonly engineRefreshMinInterval: string;
  readonly engineRefreshMaxInterval: string;
  readonly engineFailureRetry: string;
  readonly engineRefreshRetry: string;
  readonly heartbeat: string;
  readonly apiEnableCors?: boolean;
  readonly clusterDriver: string;
  readonly discoveryOpt?: readonly string[];
  readonly hub?: string;
  readonly clusterOpt?: readonly string[];
  readonly refreshOnNodeFilter?: boolean;
  readonly containerNameRefreshFilter?: string;
  readonly overcommit?: string;
  readonly cpuShares: string;
  readonly pullTo: string;
  readonly groupLabel?: readonly string[];
  readonly groupPolicy: string;
  readonly nodeNames?: boolean;
  readonly foreign?: string;
  readonly bindMounts?: string;
  readonly cacheVolumes?: readonly string[];
  readonly reschedule: string;
  readonly store?: string;
  readonly storeOpt?: readonly string[];
  readonly requireTls?: boolean;
  readonly allowHost?: readonly string[];
  readonly apiVersion?: string;
  readonly auditLog?: string;
  readonly debug?: boolean;
  readonly logLevel?: string;
  readonly experimental?: boolean;
}

/** `manage` with its flags and no action. */
export function manageFlags(): Command {
  const command = new Command("manage")
    .alias("m")
    .usage("[OPTIONS] <discovery>")
    .description("Serve many Docker Engines as one. <discovery> may also come from SWARM_DISCOVERY.")
    .argument(
      "[discovery]",
      "nodes://a:2375,b:2375, a bare list, ranges such as 10.0.0.[10:20]:2375, file://path, token://TOKEN, https://hub/u/USER/CLUSTER, etcd://, consul:// or zk://",
    );
  placement(command);
  listening(command);
  engines(command);
  return later(command);
}

function placement(command: Command): void {
  command
    .option("--strategy <name>", "spread, binpack or random; by default reservations are packed and the rest spread")
    .option("-f, --filter <name>", "use only these filters, in this order (repeat)", repeat)
    .option("--overcommit <ratio>", "share of a node's size that may be promised beyond it (default 0.05)")
    .option(
      "--cpu-shares <meaning>",
      "cpus: -c N (up to 8) reserves N CPUs; docker: a weight, nothing reserved",
      "cpus",
    )
    .option("--pull-to <where>", "docker pull goes to one node or to all", "one")
    .option("--group-label <label>", "what has the same value of this label belongs together, too (repeat)", repeat)
    .option("--group-policy <policy>", "pack a group on one node, pack-then-spill, or spread", "pack")
    .option(
      "--foreign <mode>",
      "protect or manage what was not made through shoal (default: protect, manage while there is but one node; env SHOAL_FOREIGN)",
    )
    .option(
      "--bind-mounts <mode>",
      "a path that a node does not have: check passes the node over, engine has it made there (default: check, engine while there is but one node)",
    )
    .option(
      "--cache-volumes <glob>",
      "volumes of these names are but caches: used where they are if that is easy, made again elsewhere (repeat)",
      repeat,
    )
    .option(
      "--reschedule <mode>",
      "what moves when its host is lost and does not say: auto, what restarts by itself and keeps nothing there; on, all that keeps nothing there; off",
      "auto",
    )
    .option(
      "--store <url>",
      "file:///directory, etcd://, consul:// or zk://host:port,…/path, or memory:// to keep nothing (default file:///var/lib/shoal/store for root, else below ~/.local/state; env SHOAL_STORE)",
    )
    .option("--store-opt <key=value>", STORE_OPT_HELP, repeat)
    .option("--cluster-opt <key=value>", "swarm.overcommit=0.05, swarm.createretry=0 (repeat)", repeat);
}

function listening(command: Command): void {
  command
    .option("-H, --host <address>", "listen on tcp://host:port or unix:///path (repeat; env SWARM_HOST)", repeat)
    .option("--tls", "use TLS, without verification; the same files towards clients and engines")
    .option("--tlsverify", "use TLS and verify both clients and engines")
    .option("--tlscacert <file>", "trust only certificates signed by this CA")
    .option("--tlscert <file>", "TLS certificate")
    .option("--tlskey <file>", "TLS key")
    .option("--require-tls", "refuse to listen beyond loopback without --tlsverify")
    .option("--allow-host <name>", "a further name that clients may call this manager (repeat)", repeat)
    .option("--cors, --api-enable-cors", "send CORS headers and answer browsers")
    .option("--api-version <version>", "pin the newest API version spoken to clients")
    .option("--node-names", "list containers as node-1/redis, as classic Swarm does")
    .option("--audit-log <file>", "a JSON line for each change, kept before it is answered; - for standard error")
    .option("--debug", "debug mode: log everything (env DEBUG)")
    .option("-l, --log-level <level>", "debug, info, warn, error, fatal or panic (default info)")
    .addOption(new Option("--experimental").hideHelp());
}

function engines(command: Command): void {
  command
    .option("--heartbeat <duration>", "between two readings of discovery", "60s")
    .option("--hub <url>", "the hub that token:// means (env SWARM_DISCOVERY_URL)")
    .option("--discovery-opt <key=value>", "kv.path, kv.cacertfile, kv.certfile, kv.keyfile (repeat)", repeat)
    .option("--engine-refresh-min-interval <duration>", "shortest pause between two full readings", "30s")
    .option("--engine-refresh-max-interval <duration>", "longest pause between two full readings", "60s")
    .option("--engine-failure-retry <count>", "failures in a row until an engine is unhealthy", "3")
    .addOption(new Option("--engine-refresh-retry <count>").default("3").hideHelp())
    .option("-c, --cluster-driver <name>", "swarm", "swarm")
    .option("--replication", "one of several managers over one --store: one leads, the others pass on to it")
    .option("--replication-ttl <duration>", "a leader that gives no sign for this long is replaced", "3s")
    .addOption(
      new Option(
        "--addr, --advertise <address>",
        "host:port at which others reach this manager, and where the hub's page shows it (env SWARM_ADVERTISE)",
      ),
    )
    .option("--master", "of several managers this one leads, and no other one, until the hub promotes another");
}

/** Accepted and checked; what they ask for comes later or needs no asking. */
function later(command: Command): Command {
  return command
    .addOption(new Option("--refresh-on-node-filter").hideHelp())
    .addOption(new Option("--container-name-refresh-filter <name>").hideHelp());
}
