/** Asks a hub over HTTP. Owns the protocol's client side; must not know what is made of the answers. */
import { openWire } from "../../engine/wire/http-wire.ts";
import { type EngineWire, WireError } from "../../engine/wire/wire.ts";
import type { Clock } from "../../kit/clock.ts";
import { withDeadline } from "../../kit/deadline.ts";
import { HUB_ANSWER_BYTES, HUB_CALL_MS } from "../../kit/limits.ts";
import type { HubAddress } from "./address.ts";

export interface HubTls {
  readonly ca?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

export interface HubRequest {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  /** Below the address's own path; begins with a slash, or is a query, or empty. */
  readonly path?: string;
  readonly body?: string | undefined;
  readonly headers?: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

export interface HubAnswer {
  readonly status: number;
  readonly etag: string | undefined;
  readonly text: string;
}

/** The hub answered, and refused. */
export class HubRefusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "HubRefusal";
    this.status = status;
  }
}

export class HubClient {
  readonly #address: HubAddress;
  readonly #wire: EngineWire;
  readonly #clock: Clock;

  /** Throws Error when the TLS material cannot be used. */
  constructor(address: HubAddress, clock: Clock, tls: HubTls = {}) {
    this.#address = address;
    this.#clock = clock;
    this.#wire = openWire(address.host, address.tls ? { ...tls, verify: true } : undefined, { clock });
  }

  /** Rejects with an Error of one sentence: no connection, no answer in time, or what the hub refuses. */
  async call({ method = "GET", path = "", body, headers = [], signal }: HubRequest): Promise<HubAnswer> {
    const { host, path: base, credential } = this.#address;
    const sent = [
      ...(credential === undefined ? [] : ["Authorization", `Bearer ${credential}`]),
      ...(body === undefined ? [] : ["Content-Type", "application/json"]),
      ...headers,
    ];
    const request = { method, path: `${base}${path}` || "/", headers: sent, body, lane: "quick" } as const;
    const answer = await withDeadline(
      this.#clock,
      HUB_CALL_MS,
      `hub ${host}`,
      async (until) => {
        try {
          const { status, headers, body } = await this.#wire.request({ ...request, signal: until });
          return { status, etag: headerOf(headers, "etag"), text: await read(body) };
        } catch (error) {
          if (until.aborted && !(signal?.aborted ?? false)) throw until.reason;
          if (error instanceof WireError) throw new Error(`hub ${host} cannot be reached: ${error.message}`);
          throw error;
        }
      },
      signal,
    );
    if (answer.status >= 400) throw new HubRefusal(answer.status, `hub ${host}: ${messageOf(answer)}`);
    return answer;
  }

  close(): Promise<void> {
    return this.#wire.close();
  }
}

async function read(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > HUB_ANSWER_BYTES) throw new Error(`the hub's answer is longer than ${HUB_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function headerOf(headers: readonly string[], name: string): string | undefined {
  for (let i = 0; i + 1 < headers.length; i += 2) if (headers[i]?.toLowerCase() === name) return headers[i + 1];
  return undefined;
}

function messageOf({ status, text }: HubAnswer): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    if (typeof message === "string") return message;
  } catch {
    // Something else answered there.
  }
  return `it answered ${status}`;
}
