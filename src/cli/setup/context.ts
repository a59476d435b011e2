/** The docker context that names the manager, made and removed by the stock docker CLI. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { dockerConfigDir, type Endpoint, type GlobalFlags } from "../endpoint.ts";
import { CliError, codeOf } from "../fail.ts";
import type { Env } from "../io.ts";

/** By this we know a context for ours. */
const DESCRIPTION = "shoal manager";
const DOCKER_MS = 20_000;

/** What was done, as a sentence. Throws CliError when docker refuses, or when the name is another's context. */
export function setContext(name: string, endpoint: Endpoint, flags: GlobalFlags, env: Env): string {
  if (endpoint.from === `docker context "${name}"`) return `docker context ${name} is used already`;
  const known = inspect(name, env);
  if (known === "no docker") return "no docker CLI found: no context was made";
  if (known !== undefined && known.description !== DESCRIPTION) {
    throw new CliError(`docker context "${name}" exists and is not shoal's; choose another with --context NAME`);
  }
  const verb = known === undefined ? "create" : "update";
  docker(["context", verb, name, "--description", DESCRIPTION, "--docker", dockerEndpoint(endpoint, flags, env)], env);
  return `docker context ${name} points to ${endpoint.host}; use it with: docker context use ${name}`;
}

export function removeContext(name: string, env: Env): string {
  const known = inspect(name, env);
  if (known === "no docker") return "no docker CLI found: contexts are left alone";
  if (known === undefined) return `there is no docker context ${name}`;
  if (known.description !== DESCRIPTION) return `docker context ${name} is not shoal's and is left alone`;
  docker(["context", "rm", "--force", name], env);
  return `docker context ${name} is removed`;
}

/** `host=…,ca=…`: the same files that this call of shoal used. */
function dockerEndpoint(endpoint: Endpoint, flags: GlobalFlags, env: Env): string {
  const other = /^docker context "(.*)"$/.exec(endpoint.from)?.[1];
  if (other !== undefined) return `from=${other}`;
  if (!endpoint.tls) return `host=${endpoint.host}`;
  const dir = env.DOCKER_CERT_PATH || dockerConfigDir(env);
  const parts = [`host=${endpoint.host}`];
  const files = { ca: flags.tlscacert, cert: flags.tlscert, key: flags.tlskey };
  for (const [name, given] of Object.entries(files)) {
    const file = given ?? join(dir, `${name}.pem`);
    if (existsSync(file)) parts.push(`${name}=${file}`);
  }
  if (!endpoint.tls.verify) parts.push("skip-tls-verify=true");
  return parts.join(",");
}

function inspect(name: string, env: Env): { description: string } | "no docker" | undefined {
  const { status, stdout, error } = run(["context", "inspect", name], env);
  if (codeOf(error) === "ENOENT") return "no docker";
  if (status !== 0) return undefined;
  const [context] = JSON.parse(stdout) as { Metadata?: { Description?: string } }[];
  return { description: context?.Metadata?.Description ?? "" };
}

function docker(args: readonly string[], env: Env): void {
  const { status, stderr, error } = run(args, env);
  if (status !== 0) throw new CliError(`docker ${args.slice(0, 2).join(" ")}: ${error?.message ?? stderr.trim()}`);
}

function run(
  args: readonly string[],
  env: Env,
): { status: number | null; stdout: string; stderr: string; error?: Error } {
  // Contexts are files: without these docker neither warns nor looks for an engine.
  const { DOCKER_HOST: _host, DOCKER_CONTEXT: _context, ...rest } = env;
  return spawnSync("docker", args, {
    encoding: "utf8",
    env: rest,
    timeout: DOCKER_MS,
    stdio: ["ignore", "pipe", "pipe"],
  });
}
