/** One `shoal manage` process: started, killed, stopped and asked. Knows nothing of its engines and its store. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { run, until } from "../../e2e/support/exec.ts";
import { get } from "../../e2e/support/http.ts";
import { freePort, nodeStatus } from "../../e2e/support/manager.ts";

export const ROOT = resolve(import.meta.dirname, "../../..");
export const SHOAL = join(ROOT, "bin/shoal");
const START_MS = 120_000;

export interface ManagerOptions {
  /** The store's URL. */
  readonly store: string;
  readonly discovery: string;
  /** How many nodes have to be healthy before it counts as started. */
  readonly nodes: number;
  readonly flags?: readonly string[];
  /** One that nobody listens on. */
  readonly port?: number;
}

export class Manager {
  /** `host:port` */
  readonly address: string;
  readonly #options: ManagerOptions;
  readonly #state: string;
  #child: ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #log = "";

  private constructor(address: string, options: ManagerOptions) {
    this.address = address;
    this.#options = options;
    this.#state = mkdtempSync(join(tmpdir(), "shoal-manager-"));
  }

  /** It does not run yet. */
  static async make(options: ManagerOptions): Promise<Manager> {
    return new Manager(`127.0.0.1:${options.port ?? (await freePort())}`, options);
  }

  get host(): string {
    return `tcp://${this.address}`;
  }

  get log(): string {
    return this.#log;
  }

  /**
   * Resolves when it answers and its nodes are healthy, or when its leader's are. One that ends, as when its store does not
   * answer at once, is started again, as a service is.
   */
  async start(): Promise<void> {
    const { nodes } = this.#options;
    try {
      await until(`${nodes} healthy nodes`, START_MS, async () => {
        if (!this.#isRunning) this.#spawn();
        const healthy = (await nodeStatus(this.host)).filter(({ fields }) => fields.Status === "Healthy");
        return healthy.length >= nodes ? true : undefined;
      });
    } catch (error) {
      throw new Error(this.#log.slice(-2_000), { cause: error });
    }
  }

  #spawn(): void {
    const { store, discovery, flags = [] } = this.#options;
    const child = spawn(SHOAL, ["manage", "--store", store, "-H", this.host, ...flags, discovery], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env.PATH ?? "", HOME: this.#state, XDG_RUNTIME_DIR: this.#state },
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        this.#log += chunk.toString();
      });
    }
    this.#child = child;
    this.#ended = new Promise((done) => {
      child.once("close", done);
      child.once("error", done);
    });
  }

  /** Without warning. */
  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#ended;
  }

  /** Orderly. */
  async stop(): Promise<void> {
    this.#child?.kill("SIGTERM");
    await this.#ended;
  }

  /** It stands still, with its connections open. */
  pause(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  /** Of every container that it lists, sorted. */
  async names(): Promise<readonly string[]> {
    const listed = await get<readonly { readonly Names: readonly string[] }[]>(this.host, "/containers/json?all=1");
    return listed.flatMap(({ Names }) => Names.map((name) => name.slice(1))).sort();
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#state, { recursive: true, force: true });
  }

  get #isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }
}

/** What `shoal` prints. Rejects unless it ends well and without complaint. */
export async function shoal(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(SHOAL, args);
  if (code !== 0 || stderr !== "") throw new Error(`shoal ${args[0]}: exit ${code}: ${stderr}`);
  return stdout;
}
