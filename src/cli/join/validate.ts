/** Flags and environment of `shoal join` → AgentOptions, refusing what classic Swarm refuses, in its words. */
import { homedir } from "node:os";
import { join } from "node:path";
import type { AgentOptions } from "../../agent/options.ts";
import { parseEntry } from "../../discovery/entries.ts";
import { isNodeName } from "../../discovery/record.ts";
import { checkAdvertised, duration, heartbeat } from "../checks.ts";
import { discoveryOptionsOf } from "../discovery-opt.ts";
import { CliError } from "../fail.ts";
import { hubAccess } from "../hub-access.ts";
import type { Env } from "../io.ts";

/** As commander hands them over; texts are not checked yet. */
export interface JoinFlags {
  readonly advertise?: string;
  readonly addr?: string;
  readonly add?: string;
  readonly heartbeat: string;
  readonly ttl: string;
  readonly delay: string;
  readonly name?: string;
  readonly label?: readonly string[];
  readonly constraint?: readonly string[];
  readonly hub?: string;
  readonly discoveryOpt?: readonly string[];
  readonly fence?: boolean;
  readonly fenceTtl: string;
  readonly engine: string;
  readonly stateDir?: string;
  readonly debug?: boolean;
  readonly logLevel?: string;
}

const DEFAULT_PORT = 2375;
/** Shorter ones leave no time to stop anything. */
const SHORTEST_FENCE_MS = 5_000;

/** Throws CliError with classic Swarm's refusal where it has one. */
export function validateJoin(
  flags: JoinFlags,
  argument: string | undefined,
  env: Env,
  uid = process.getuid?.(),
): AgentOptions {
  const discovery = argument ?? env.SWARM_DISCOVERY;
  if (!discovery) throw new CliError("discovery required to join a cluster. See 'shoal join --help'.");
  const advertise = flags.advertise ?? flags.addr ?? withPort(flags.add) ?? env.SWARM_ADVERTISE;
  if (!advertise) throw new CliError("missing mandatory --advertise flag");
  checkAdvertised(advertise);
  const heartbeatMs = heartbeat(flags.heartbeat);
  const ttlMs = duration("--ttl", flags.ttl);
  if (ttlMs <= heartbeatMs) throw new CliError("--ttl must be strictly superior to the heartbeat value");
  const delayMs = duration("--delay", flags.delay);
  if (delayMs < 0) throw new CliError("--delay should not be a negative number");
  if (flags.name !== undefined && !isNodeName(flags.name)) {
    throw new CliError(`invalid --name "${flags.name}": only [a-zA-Z0-9][a-zA-Z0-9_.-]* are allowed`);
  }
  return {
    discovery,
    discoveryOptions: discoveryOptionsOf(flags.discoveryOpt),
    hub: hubAccess(flags.hub, env),
    advertise,
    heartbeatMs,
    ttlMs,
    delayMs,
    name: flags.name,
    labels: Object.fromEntries([...(flags.label ?? []), ...(flags.constraint ?? [])].map(keyAndValue)),
    stateDir: flags.stateDir ?? defaultState(env, uid),
    ...(flags.fence && { fence: { ttlMs: fenceTtl(flags.fenceTtl), engine: engineAddress(flags.engine) } }),
  };
}

function fenceTtl(text: string): number {
  const ttlMs = duration("--fence-ttl", text);
  if (ttlMs < SHORTEST_FENCE_MS) throw new CliError("--fence-ttl should be 5 s at least");
  return ttlMs;
}

/** As DOCKER_HOST writes it. */
function engineAddress(text: string): string {
  try {
    return parseEntry(text);
  } catch {
    throw new CliError(`invalid --engine "${text}": expected unix:///path or host:port`);
  }
}

/** The slides' `--add=<node_ip>`. */
function withPort(address: string | undefined): string | undefined {
  if (address === undefined || /:\d+$/.test(address)) return address;
  return `${address}:${DEFAULT_PORT}`;
}

/** The slides write `==` once. */
function keyAndValue(text: string): [string, string] {
  const [, key, value = ""] = /^([^=\s]+)==?(.*)$/.exec(text) ?? [];
  if (key === undefined) throw new CliError(`invalid --label "${text}": it should be of the form key=value`);
  return [key, value];
}

function defaultState(env: Env, uid: number | undefined): string {
  if (uid === 0) return "/var/lib/shoal/agent";
  return join(env.XDG_STATE_HOME || join(env.HOME || homedir(), ".local/state"), "shoal/agent");
}
