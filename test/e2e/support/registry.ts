/** A registry of the suite's own: Debian's docker-registry on the address that this host has in the machines' network. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageCache, unpackedProgram } from "./debian.ts";
import { docker } from "./docker.ts";
import { sleep, until } from "./exec.ts";
import { at, fleet } from "./fleet.ts";
import { get } from "./http.ts";
import { freePort } from "./manager.ts";

export interface Registry {
  /** `address:port`, the first part of its images' names. */
  readonly name: string;
  stop(): Promise<void>;
}

/** Starts an empty registry. The suite's engines take its plain HTTP. */
export async function startRegistry(): Promise<Registry> {
  const program = await findProgram();
  // The machines' network is a /24 whose first address is the host's.
  const address = (fleet().nodes[0]?.address ?? "").replace(/\d+$/, "1");
  const port = await freePort(address);
  const folder = mkdtempSync(join(fleet().work, "registry-"));
  const config = join(folder, "config.yml");
  writeFileSync(
    config,
    `version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: ${join(folder, "data")}}}
http: {addr: "${address}:${port}"}
`,
  );
  const child = spawn(program, ["serve", config], { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => {
    log += chunk.toString();
  });
  const ended = new Promise<void>((done) => {
    child.on("error", (error) => {
      log += String(error);
      done();
    });
    child.on("close", () => done());
  });
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await Promise.race([ended, sleep(5000)]);
    child.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const over = ended.then(() => Promise.reject(new Error("the registry ended")));
    over.catch(() => {}); // It ends by itself when it is stopped, long after this race.
    await Promise.race([over, until("the registry", 60_000, () => get(`tcp://${address}:${port}`, "/v2/"))]);
  } catch (error) {
    await stop();
    throw new Error(`${String(error)}\n${log}`, { cause: error });
  }
  return { name: `${address}:${port}`, stop };
}

/** Installed, or unpacked: its Debian package would also start a service. */
async function findProgram(): Promise<string> {
  const installed = "/usr/bin/docker-registry";
  if (existsSync(installed)) return installed;
  const wanted = { package: "docker-registry", suite: "bookworm", program: "usr/bin/docker-registry" };
  return unpackedProgram(wanted, packageCache());
}

/**
 * Pushes one image for each tag under `registry/repository`, each with a layer that no engine has, and leaves none of
 * them on the engine that pushed.
 */
export async function publish(registry: Registry, repository: string, tags: readonly string[]): Promise<void> {
  const target = at(fleet().reference.host);
  for (const tag of tags) {
    const image = `${registry.name}/${repository}:${tag}`;
    await docker(target, `docker run --name publish busybox sh -c 'echo ${tag} >/tag'`);
    await docker(target, `docker commit publish ${image} && docker rm publish && docker push -q ${image}`);
    await docker(target, `docker rmi ${image}`);
  }
}
