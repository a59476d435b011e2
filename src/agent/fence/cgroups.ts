/**
 * The cgroups of this machine's containers: which run, and how they are frozen, thawed and killed without their engine.
 * Version 1's freezer and version 2. Owns the files under the cgroup mounts; must not know which containers matter.
 */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../kit/clock.ts";
import { FENCE_FREEZE_MS } from "../../kit/limits.ts";

export interface ContainerCgroup {
  /** The engine's container ID. */
  readonly id: string;
  readonly path: string;
  readonly frozen: boolean;
}

interface Hierarchy {
  readonly mount: string;
  readonly isV1: boolean;
}

/** `docker/ID` by the cgroupfs driver, `docker-ID.scope` by systemd's. */
const CONTAINER = /^(?:[a-z-]+-)?([0-9a-f]{64})(?:\.scope)?$/;
/** Systemd's slices and an engine's --cgroup-parent above a container are not deeper. */
const DEPTH = 8;
const POLL_MS = 5;

export class Cgroups {
  readonly #clock: Clock;
  readonly #hierarchy: Hierarchy;

  private constructor(clock: Clock, hierarchy: Hierarchy) {
    this.#clock = clock;
    this.#hierarchy = hierarchy;
  }

  /** Throws Error with the reason when containers cannot be frozen here. */
  static async open(clock: Clock): Promise<Cgroups> {
    const hierarchy = freezerIn(await readFile("/proc/self/mounts", "utf8"));
    if (!hierarchy)
      throw new Error("no cgroup freezer is mounted, so containers cannot be stopped without their engine");
    if (process.getuid?.() !== 0) throw new Error("only root may stop containers without their engine");
    return new Cgroups(clock, hierarchy);
  }

  /** Containers that have processes. Rejects when the mount cannot be read. */
  async running(): Promise<readonly ContainerCgroup[]> {
    const found: ContainerCgroup[] = [];
    await this.#walk(this.#hierarchy.mount, DEPTH, found);
    return found;
  }

  /** Resolves when nothing in it runs any more, or it is gone. Rejects when that cannot be reached. */
  async freeze({ path, id }: ContainerCgroup): Promise<void> {
    const until = this.#clock.monotonic() + FENCE_FREEZE_MS;
    do {
      if (!(await this.#set(path, true)) || (await this.#isFrozen(path))) return;
      await this.#clock.sleep(POLL_MS);
    } while (this.#clock.monotonic() < until);
    throw new Error(`container ${id.slice(0, 12)} cannot be frozen`);
  }

  /** Kills all that is in it, and lets it die. */
  async kill({ path }: ContainerCgroup): Promise<void> {
    for (const pid of await this.#processes(path)) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It is gone already.
      }
    }
    await this.#set(path, false);
  }

  async #walk(directory: string, depth: number, found: ContainerCgroup[]): Promise<void> {
    const entries = await readdir(directory, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" && depth < DEPTH) return [];
      throw error;
    });
    for (const entry of entries) {
      if (!entry.isDirectory()) continue;
      const path = join(directory, entry.name);
      const id = CONTAINER.exec(entry.name)?.[1];
      if (id === undefined) {
        if (depth > 1) await this.#walk(path, depth - 1, found);
      } else if ((await this.#processes(path)).length > 0) {
        found.push({ id, path, frozen: await this.#isFrozen(path) });
      }
    }
  }

  /** Those of cgroups inside the container's (a container with systemd in it) too. */
  async #processes(path: string): Promise<readonly number[]> {
    const own = (await readFile(join(path, "cgroup.procs"), "utf8").catch(() => "")).split("\n").filter(Boolean);
    const below = await readdir(path, { withFileTypes: true }).catch(() => []);
    const others = below.filter((entry) => entry.isDirectory()).map(({ name }) => this.#processes(join(path, name)));
    return [...own.map(Number), ...(await Promise.all(others)).flat()];
  }

  /** @returns false when the cgroup is gone */
  async #set(path: string, frozen: boolean): Promise<boolean> {
    const [file, text] = this.#hierarchy.isV1
      ? ["freezer.state", frozen ? "FROZEN" : "THAWED"]
      : ["cgroup.freeze", frozen ? "1" : "0"];
    try {
      await writeFile(join(path, file), text);
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENODEV") return false;
      throw error;
    }
  }

  async #isFrozen(path: string): Promise<boolean> {
    const file = this.#hierarchy.isV1 ? "freezer.state" : "cgroup.events";
    const text = await readFile(join(path, file), "utf8").catch(() => "");
    return this.#hierarchy.isV1 ? text.trim() === "FROZEN" : /^frozen 1$/m.test(text);
  }
}

/** @param mounts the text of /proc/mounts */
export function freezerIn(mounts: string): Hierarchy | undefined {
  const all = mounts.split("\n").map((line) => line.split(" "));
  const v1 = all.find(([, , type, options = ""]) => type === "cgroup" && options.split(",").includes("freezer"));
  const found = v1 ?? all.find(([, , type]) => type === "cgroup2");
  return found?.[1] === undefined ? undefined : { mount: found[1], isV1: v1 !== undefined };
}
