/**
 * Three machines of this host with real engines and the same image, which can be powered off, cut off, and have their
 * engine killed or stopped. Owns their making, what an engine itself says of its containers, and their end.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { LocalMachines } from "../src/machine/local.ts";
import { packageCache } from "../test/e2e/support/debian.ts";
import { findClis } from "../test/e2e/support/docker.ts";
import { machinesIn, removeDeadRuns, removeRun, runFolder } from "../test/e2e/support/engines.ts";
import { call } from "../test/e2e/support/http.ts";
import { provideImages } from "../test/e2e/support/image.ts";

/** Containers outlive their engine. */
const MACHINE = { engineOpts: ["live-restore"] };
/** What is asked of an engine that answers. */
const ASK_MS = 30_000;

export interface EngineRow {
  readonly id: string;
  readonly name: string;
  readonly state: string;
}

interface Listed {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly State: string;
}

export class Hosts {
  readonly machines: LocalMachines;
  /** As discovery lists them. */
  readonly addresses: readonly string[];
  readonly #folder: string;

  private constructor(folder: string, addresses: readonly string[]) {
    this.machines = machinesIn(folder);
    this.addresses = addresses;
    this.#folder = folder;
  }

  /** node-1, node-2 and node-3; what earlier runs that were killed left behind is removed first. */
  static async start(): Promise<Hosts> {
    for (const line of await removeDeadRuns()) console.error(`cannot be taken away: ${line}`);
    const folder = await runFolder();
    try {
      const work = join(folder, "work");
      mkdirSync(work);
      const { "28": cli } = await findClis(packageCache(), work);
      const machines = machinesIn(folder);
      // The first makes the network that the others join.
      const first = await machines.create(["node-1"], MACHINE);
      const others = await machines.create(["node-2", "node-3"], MACHINE);
      const urls = [...first, ...others].map(({ url }) => url);
      const [target, ...more] = urls.map((host) => ({ host, cli }));
      if (target !== undefined) await provideImages(target, more, work);
      return new Hosts(
        folder,
        urls.map((url) => url.replace("tcp://", "")),
      );
    } catch (error) {
      await removeRun(folder);
      throw error;
    }
  }

  /** What the engine itself has, by its own socket, which no cable leads to; its machine runs. */
  async containersOf(node: string): Promise<readonly EngineRow[]> {
    const listed = JSON.parse(await this.#ask(node, "GET", "/containers/json?all=1")) as readonly Listed[];
    return listed.map(({ Id, Names, State }) => ({ id: Id, name: Names[0]?.slice(1) ?? "", state: State }));
  }

  /** When a container was started last, in the engine's own words: another time is another start. */
  async startedAt(node: string, name: string): Promise<string> {
    const inspected = JSON.parse(await this.#ask(node, "GET", `/containers/${name}/json`)) as {
      readonly State: { readonly StartedAt: string };
    };
    return inspected.State.StartedAt;
  }

  async remove(node: string, id: string): Promise<void> {
    await this.#ask(node, "DELETE", `/containers/${id}?force=1&v=1`);
  }

  /** The engine's process, to be stopped and continued; its machine runs. */
  async signal(node: string, signal: "SIGSTOP" | "SIGCONT"): Promise<void> {
    const pid = await this.machines.enginePid(node);
    if (pid === null) throw new Error(`${node} has no engine that runs`);
    process.kill(pid, signal);
  }

  /** Whatever was done to it, it is as it was before; nothing happens to one that is. */
  async mend(node: string): Promise<void> {
    await this.machines.start(node);
    await this.machines.setLink(node, true);
    if ((await this.machines.enginePid(node)) === null) await this.machines.startEngine(node);
    else await this.signal(node, "SIGCONT");
  }

  async stop(): Promise<void> {
    await removeRun(this.#folder);
  }

  async #ask(node: string, method: "GET" | "DELETE", path: string): Promise<string> {
    const { pid } = await this.machines.inspect(node);
    // /var/run is a link from the root: through /proc it would lead out of the machine.
    const socket = `unix:///proc/${pid}/root/run/docker.sock`;
    const { status, text } = await call(socket, path, { method, timeout: ASK_MS });
    if (status >= 400) throw new Error(`${node}: ${method} ${path}: ${status} ${text.trim()}`);
    return text;
  }
}
