/** Fences at a hub. */
import { type FenceBoard, type FenceEntry, type FenceRecord, readFence } from "../fences.ts";
import { type HubClient, HubRefusal } from "./client.ts";

export class HubFences implements FenceBoard {
  readonly #client: HubClient;

  constructor(client: HubClient) {
    this.#client = client;
  }

  /** A hub that knows no fences has none. */
  async list(signal?: AbortSignal): Promise<readonly FenceEntry[]> {
    try {
      const { text } = await this.#client.call({ path: "/fences", signal });
      return (JSON.parse(text) as unknown[]).map(entryOf);
    } catch (error) {
      if (error instanceof HubRefusal && error.status === 404) return [];
      throw error;
    }
  }

  async get(node: string, signal?: AbortSignal): Promise<FenceEntry | undefined> {
    const { text } = await this.#client.call({ path: `/fences/${node}`, signal });
    const entry: unknown = JSON.parse(text);
    return entry === null ? undefined : entryOf(entry);
  }

  async write(
    node: string,
    record: FenceRecord,
    version: string | undefined,
    signal?: AbortSignal,
  ): Promise<string | undefined> {
    const body = JSON.stringify({ version: version ?? null, record });
    const { text } = await this.#client.call({ method: "PUT", path: `/fences/${node}`, body, signal });
    const written = (JSON.parse(text) as { version?: unknown }).version;
    return typeof written === "string" ? written : undefined;
  }
}

/** What another hub made up is not taken on trust. */
function entryOf(value: unknown): FenceEntry {
  const { node, version, record } = (value ?? {}) as Partial<FenceEntry>;
  if (typeof node !== "string" || typeof version !== "string") throw new Error("the hub's answer is no fence");
  return { node, version, record: readFence(JSON.stringify(record)) };
}
