/**
 * Several managers over one real etcd: started, replaced and ended, and which of them leads. Must not know what is asked of
 * them.
 */
import { existsSync } from "node:fs";
import type { Store } from "../../../src/store/store.ts";
import { etcd } from "../../stores/support/etcd.ts";
import { open } from "../../stores/support/open.ts";
import { etcdProgram } from "../../stores/support/packages.ts";
import { Server } from "../../stores/support/server.ts";
import { until } from "./exec.ts";
import { freePort, type Manager, startManager } from "./manager.ts";

/** Far more than an election ever takes. */
const PATIENCE = 90_000;

export interface Replica extends Manager {
  /** Where the others reach it. */
  readonly address: string;
}

export class Replicas {
  readonly server: Server;
  /** What all of them share. */
  readonly store: Store;
  readonly #all: Replica[] = [];

  private constructor(server: Server, store: Store) {
    this.server = server;
    this.store = store;
  }

  /** Resolves when each of them answers and all nodes are healthy. */
  static async start(count: number): Promise<Replicas> {
    const server = await Server.start(etcd(await etcdProgram()));
    const store = await open(urlOf(server)).catch(async (error: unknown) => {
      await server.remove();
      throw error;
    });
    const replicas = new Replicas(server, store);
    try {
      while (replicas.all.length < count) await replicas.add();
    } catch (error) {
      await replicas.close();
      throw error;
    }
    return replicas;
  }

  /** Those that were not killed. */
  get all(): readonly Replica[] {
    return this.#all;
  }

  /** One more, as `start` makes them. */
  async add(): Promise<void> {
    const address = `127.0.0.1:${await freePort()}`;
    const flags = ["--replication", "--advertise", address, "-H", `tcp://${address}`];
    this.#all.push({ ...(await startManager({ flags, env: { SHOAL_STORE: urlOf(this.server) } })), address });
  }

  /** As the store has it, whether it still answers or not. */
  async leaderAddress(): Promise<string | undefined> {
    const record = await this.store.get("leader");
    return record && (JSON.parse(record.value) as { readonly holder?: string }).holder?.split("#", 1)[0];
  }

  /** Waits until one of those that were not killed leads. */
  leader(): Promise<Replica> {
    return until("a leader", PATIENCE, async () => {
      const address = await this.leaderAddress();
      return this.#all.find((replica) => replica.address === address);
    });
  }

  async followers(): Promise<Replica[]> {
    const { address } = await this.leader();
    return this.#all.filter((replica) => replica.address !== address);
  }

  /** Without warning; resolves when its process is gone and its connections are closed. */
  async kill(replica: Replica): Promise<void> {
    process.kill(replica.pid, "SIGKILL");
    this.#all.splice(this.#all.indexOf(replica), 1);
    await replica.stop();
  }

  async close(): Promise<void> {
    for (const replica of this.#all) {
      // One that was stopped has to be woken up to end; one that ended is not there.
      if (existsSync(`/proc/${replica.pid}`)) process.kill(replica.pid, "SIGCONT");
      await replica.stop();
    }
    await this.store.close();
    await this.server.remove();
  }
}

const urlOf = (server: Server): string => `etcd://${server.address}/shoal`;
