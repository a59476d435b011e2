/** A small Engine API client for load: keep-alive connections to one address, every failure counted as an error. */
import { Pool } from "undici";

export class BenchClient {
  readonly #pool: Pool;

  /** `address` is `unix:///path`, `tcp://host:port` or `host:port`; `connections` bounds the calls under way. */
  constructor(address: string, connections: number) {
    const options = { connections, pipelining: 1, headersTimeout: 60_000, bodyTimeout: 60_000 };
    this.#pool = address.startsWith("unix://")
      ? new Pool("http://localhost", { ...options, socketPath: address.slice("unix://".length) })
      : new Pool(`http://${address.replace(/^tcp:\/\//, "")}`, options);
  }

  /** The answer's text. Throws on a status of 400 and above. */
  async call(method: "GET" | "POST" | "DELETE", path: string, body?: unknown): Promise<string> {
    const answer = await this.#pool.request({
      method,
      path,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 400) throw new Error(`${method} ${path}: ${answer.statusCode} ${text.trim()}`);
    return text;
  }

  async json<T>(method: "GET" | "POST" | "DELETE", path: string, body?: unknown): Promise<T> {
    return JSON.parse(await this.call(method, path, body)) as T;
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}
