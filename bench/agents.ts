/** Many agents in one process: what `shoal join` does, with an ID and a heartbeat for each. Owns counting what is answered. */
import { setMaxListeners } from "node:events";
import { join } from "node:path";
import { Identity } from "../src/agent/identity.ts";
import type { AgentOptions } from "../src/agent/options.ts";
import { beat } from "../src/agent/run.ts";
import type { Discovery, Registry } from "../src/discovery/discovery.ts";
import { openDiscovery } from "../src/discovery/open.ts";
import { systemClock } from "../src/kit/clock.ts";
import { silentLog } from "../src/kit/log.ts";
import { systemRandom } from "../src/kit/random.ts";

export interface AgentsOrder {
  readonly discovery: string;
  readonly heartbeatMs: number;
  readonly ttlMs: number;
}

export interface AgentsCount {
  /** Nodes whose first registration was answered, and milliseconds until the last of these. */
  readonly joined: number;
  readonly joinedMs: number;
  /** Registrations that were answered, the first ones included. */
  readonly beats: number;
  /** Those that were refused or not answered; the agent tries again. */
  readonly failures: number;
  readonly firstFailure: string | undefined;
}

const CONTEXT = { clock: systemClock, random: systemRandom, log: silentLog };

export class Agents {
  readonly #dir: string;
  readonly #left = new AbortController();
  #since = 0;
  #running: readonly Promise<void>[] = [];
  readonly #count = { joined: 0, joinedMs: 0, beats: 0, failures: 0, firstFailure: undefined as string | undefined };

  /** @param dir each node's ID is kept below it */
  constructor(dir: string) {
    this.#dir = dir;
    // All agents end by it.
    setMaxListeners(0, this.#left.signal);
  }

  get count(): AgentsCount {
    return { ...this.#count };
  }

  /** All at once. */
  join(addresses: readonly string[], order: AgentsOrder): void {
    this.#since = systemClock.monotonic();
    this.#running = addresses.map((address, index) => this.#run(address, join(this.#dir, `agent-${index}`), order));
  }

  /** Registrations stay until their time is up, as after SIGTERM. */
  async close(): Promise<void> {
    this.#left.abort();
    await Promise.allSettled(this.#running);
  }

  async #run(advertise: string, stateDir: string, { discovery: url, heartbeatMs, ttlMs }: AgentsOrder): Promise<void> {
    const options: AgentOptions = {
      ...{ discovery: url, discoveryOptions: {}, hub: {}, advertise, heartbeatMs, ttlMs, delayMs: 0, stateDir },
      ...{ name: undefined, labels: {} },
    };
    const discovery = await openDiscovery(url, { ...CONTEXT, heartbeatMs });
    const identity = Identity.open(stateDir, systemRandom);
    try {
      await beat(options, discovery, this.#counting(discovery), identity, CONTEXT, this.#left.signal);
    } finally {
      identity.close();
      await discovery.close();
    }
  }

  #counting({ registry }: Discovery): Registry {
    if (!registry) throw new Error("nodes cannot register with this discovery");
    let isFirst = true;
    return {
      withdraw: (address, signal) => registry.withdraw(address, signal),
      register: async (registration, signal) => {
        try {
          await registry.register(registration, signal);
        } catch (error) {
          this.#count.failures++;
          this.#count.firstFailure ??= String(error);
          throw error;
        }
        this.#count.beats++;
        if (!isFirst) return;
        isFirst = false;
        this.#count.joined++;
        this.#count.joinedMs = systemClock.monotonic() - this.#since;
      },
    };
  }
}
