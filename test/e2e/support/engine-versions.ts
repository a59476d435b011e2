/** Engines of other versions than this machine's, out of Debian packages: folders that a machine prefers to its own programs. */
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { unpackedPackages } from "./debian.ts";

/** Of docker.io and containerd. The runc is this machine's own: later ones want a later C library. */
const PROGRAMS = ["usr/sbin/dockerd", "usr/sbin/docker-proxy", "usr/bin/containerd", "usr/bin/containerd-shim-runc-v2"];

/** A folder of links in `work` to the engine of a Debian suite, fetched unless the cache has it. Throws with apt's words. */
export async function engineOfSuite(suite: string, cache: string, work: string): Promise<string> {
  const wanted = { suite, packages: ["docker.io", "containerd"] };
  const root = await unpackedPackages(`engine-${suite}`, wanted, cache);
  const folder = join(work, `engine-${suite}`);
  mkdirSync(folder);
  for (const program of PROGRAMS) {
    const path = join(root, program);
    if (!existsSync(path)) throw new Error(`docker.io and containerd of ${suite} hold no ${program}`);
    symlinkSync(path, join(folder, program.split("/").at(-1) ?? ""));
  }
  return folder;
}
