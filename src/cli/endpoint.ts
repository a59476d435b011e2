/**
 * Which manager a view talks to: flags, DOCKER_HOST, the docker context, or shoal's own default socket.
 * Reads docker's files; must not open a connection. Layout of contexts: docker/cli, cli/context/store.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { CliError, codeOf, messageOf } from "./fail.ts";
import type { Env } from "./io.ts";
import { defaultSocket } from "./manage/hosts.ts";

/** The program's global flags, as commander names them. */
export interface GlobalFlags {
  readonly debug?: boolean;
  readonly logLevel?: string;
  readonly experimental?: boolean;
  readonly host?: string;
  readonly context?: string;
  readonly tls?: boolean;
  readonly tlsverify?: boolean;
  readonly tlscacert?: string;
  readonly tlscert?: string;
  readonly tlskey?: string;
}

export interface EndpointTls {
  readonly ca?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
  readonly verify: boolean;
}

export interface Endpoint {
  /** `tcp://host:port` or `unix:///path`. */
  readonly host: string;
  readonly tls: EndpointTls | undefined;
  /** The docker CLI finds the same one by itself (environment, current context). */
  readonly dockerFindsIt: boolean;
  /** For error texts: `-H`, `DOCKER_HOST`, `docker context "x"`, `default`. */
  readonly from: string;
}

/** Where docker keeps its files. */
export function dockerConfigDir(env: Env): string {
  return env.DOCKER_CONFIG || join(env.HOME || homedir(), ".docker");
}

/** In docker's order: -H, --context, DOCKER_HOST, DOCKER_CONTEXT, the current context; then shoal's default. Throws CliError. */
export function findEndpoint(flags: GlobalFlags, env: Env): Endpoint {
  if (flags.host !== undefined && flags.context !== undefined) {
    throw new CliError("conflicting options: cannot specify both --host and --context");
  }
  if (flags.host !== undefined) return byHost(flags.host, "-H", flags, env);
  if (flags.context !== undefined && flags.context !== "default") return byContext(flags.context, env, false);
  if (env.DOCKER_HOST) return byHost(env.DOCKER_HOST, "DOCKER_HOST", flags, env);
  const context = env.DOCKER_CONTEXT || currentContext(env);
  if (flags.context === undefined && context && context !== "default") return byContext(context, env, true);
  const socket = defaultSocket(env);
  const host = socket !== undefined && existsSync(socket) ? `unix://${socket}` : "tcp://127.0.0.1:2375";
  return { host, tls: undefined, dockerFindsIt: false, from: "default" };
}

function byHost(host: string, from: string, flags: GlobalFlags, env: Env): Endpoint {
  checkScheme(host, from);
  const dockerFindsIt = from === "DOCKER_HOST" && !flags.tls && !flags.tlsverify && flags.tlscacert === undefined;
  return { host, tls: host.startsWith("unix://") ? undefined : tlsOf(flags, env), dockerFindsIt, from };
}

function checkScheme(host: string, from: string): void {
  const scheme = /^([a-z]+):\/\//.exec(host)?.[1];
  if (scheme === undefined || scheme === "tcp" || scheme === "unix") return;
  throw new CliError(`${from}: ${scheme}:// is not supported by shoal's own commands; use tcp:// or unix://`);
}

/** Docker's rules: DOCKER_TLS_VERIFY or --tlsverify verifies, DOCKER_TLS or --tls does not; files in DOCKER_CERT_PATH. */
function tlsOf(flags: GlobalFlags, env: Env): EndpointTls | undefined {
  const verify = flags.tlsverify === true || Boolean(env.DOCKER_TLS_VERIFY);
  if (!verify && !flags.tls && !env.DOCKER_TLS) return undefined;
  const dir = env.DOCKER_CERT_PATH || dockerConfigDir(env);
  return {
    ca: pem(flags.tlscacert, join(dir, "ca.pem"), verify),
    cert: pem(flags.tlscert, join(dir, "cert.pem"), false),
    key: pem(flags.tlskey, join(dir, "key.pem"), false),
    verify,
  };
}

/** A file that was named must be there; one that docker would look for may be missing unless `needed`. */
function pem(named: string | undefined, usual: string, needed: boolean): Buffer | undefined {
  const path = named ?? usual;
  try {
    return readFileSync(path);
  } catch (error) {
    if (named === undefined && !needed && codeOf(error) === "ENOENT") return undefined;
    throw new CliError(`cannot read ${path}: ${messageOf(error)}`);
  }
}

function currentContext(env: Env): string | undefined {
  const config = readJson(join(dockerConfigDir(env), "config.json"));
  return typeof config?.currentContext === "string" ? config.currentContext : undefined;
}

function byContext(name: string, env: Env, dockerFindsIt: boolean): Endpoint {
  const id = createHash("sha256").update(name).digest("hex");
  const dir = join(dockerConfigDir(env), "contexts");
  const meta = readJson(join(dir, "meta", id, "meta.json"));
  const docker = (meta?.Endpoints as Record<string, unknown> | undefined)?.docker as
    | Record<string, unknown>
    | undefined;
  if (typeof docker?.Host !== "string")
    throw new CliError(`context "${name}" does not exist or names no docker endpoint`);
  const from = `docker context "${name}"`;
  checkScheme(docker.Host, from);
  const file = (base: string): Buffer | undefined => pem(undefined, join(dir, "tls", id, "docker", base), false);
  const material = { ca: file("ca.pem"), cert: file("cert.pem"), key: file("key.pem") };
  const any = material.ca ?? material.cert ?? material.key;
  const verify = docker.SkipTLSVerify !== true;
  const tls = any || !verify ? { ...material, verify } : undefined;
  return { host: docker.Host, tls: docker.Host.startsWith("unix://") ? undefined : tls, dockerFindsIt, from };
}

function readJson(path: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw new CliError(`cannot read ${path}: ${messageOf(error)}`);
  }
}
