/** Discovery by a hub: asked now and then, and told heartbeats. Whether a node still beats, the hub judges. */
import type { Clock } from "../../kit/clock.ts";
import { DISCOVERY_ENTRIES, HUB_POLL_MS } from "../../kit/limits.ts";
import {
  type Discovery,
  type Entry,
  type ManagerRegistry,
  type Promotion,
  type Registration,
  type Registry,
  sameEntries,
} from "../discovery.ts";
import type { FenceBoard } from "../fences.ts";
import { entryOf, readRecord, writeRecord } from "../record.ts";
import type { HubClient } from "./client.ts";
import { HubFences } from "./fences.ts";

export class HubDiscovery implements Discovery {
  readonly url: string;
  readonly registry: Registry;
  readonly fences: FenceBoard;
  readonly managers: ManagerRegistry;
  readonly #client: HubClient;
  readonly #clock: Clock;
  readonly #everyMs: number;

  /** @param heartbeatMs between two questions, if it is shorter than a hub is asked anyway */
  constructor(url: string, client: HubClient, clock: Clock, heartbeatMs: number) {
    this.url = url;
    this.#client = client;
    this.#clock = clock;
    this.#everyMs = Math.min(heartbeatMs, HUB_POLL_MS);
    this.fences = new HubFences(client);
    this.managers = {
      register: async ({ ttlMs, ...registration }, signal) => {
        const path = `/managers?ttl=${Math.ceil(ttlMs / 1000)}`;
        const { text } = await client.call({ method: "POST", path, body: writeRecord(registration), signal });
        return promotionIn(text);
      },
    };
    this.registry = {
      register: async (registration: Registration, signal) => {
        const path = `?ttl=${Math.ceil(registration.ttlMs / 1000)}`;
        await client.call({ method: "POST", path, body: writeRecord(registration), signal });
      },
      withdraw: async (address, signal) => {
        await client.call({ method: "DELETE", path: `/nodes/${encodeURIComponent(address)}`, signal });
      },
    };
  }

  async list(signal?: AbortSignal): Promise<readonly Entry[]> {
    const { text } = await this.#client.call({ path: "/nodes", signal });
    return entriesOf(text);
  }

  async watch(
    onEntries: (entries: readonly Entry[]) => void,
    onError: (error: Error) => void,
    signal: AbortSignal,
  ): Promise<void> {
    let known: readonly Entry[] | undefined;
    let etag: string | undefined;
    while (!signal.aborted) {
      try {
        const headers = etag === undefined ? [] : ["If-None-Match", etag];
        const answer = await this.#client.call({ path: "/nodes", headers, signal });
        if (signal.aborted) return;
        if (answer.status !== 304) {
          const entries = entriesOf(answer.text);
          etag = answer.etag;
          if (!sameEntries(known, entries)) onEntries(entries);
          known = entries;
        }
      } catch (error) {
        if (signal.aborted) return;
        known = undefined;
        etag = undefined;
        onError(error instanceof Error ? error : new Error(String(error)));
      }
      await this.#clock.sleep(this.#everyMs, signal).catch(() => undefined);
    }
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

function promotionIn(text: string): Promotion | undefined {
  const { promotion } = JSON.parse(text) as {
    readonly promotion?: { readonly id?: unknown; readonly address?: unknown };
  };
  if (typeof promotion?.id !== "string") return undefined;
  return { id: promotion.id, address: typeof promotion.address === "string" ? promotion.address : undefined };
}

/** What another hub made up is not taken on trust. */
function entriesOf(text: string): readonly Entry[] {
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list)) throw new Error("the hub's answer is no list of nodes");
  if (list.length > DISCOVERY_ENTRIES) throw new Error(`the hub lists more than ${DISCOVERY_ENTRIES} nodes`);
  return list.map((one) => entryOf(readRecord(JSON.stringify(one))));
}
