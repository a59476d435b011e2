/** A client of the real API over a simulated cluster: the whole way through listener, route table and handlers. */
import { request } from "node:http";
import { type Api, createApi } from "../../src/api/api.ts";
import { openRig, type Rig } from "../../src/api/listener/testing.ts";
import { HOST, type World } from "./world.ts";

export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
  /** The answer's `message`, "" when it is no error. */
  readonly message: string;
  /** The header, "" when there is none. */
  readonly warning: string;
}

export class ApiClient {
  readonly #rig: Rig;
  readonly #stopping: AbortController;

  private constructor(rig: Rig, stopping: AbortController) {
    this.#rig = rig;
    this.#stopping = stopping;
  }

  static open(world: World): Promise<ApiClient> {
    const stopping = new AbortController();
    return ApiClient.of(createApi(world.cluster, HOST, stopping.signal), stopping);
  }

  /** @param stopping what the API takes for its manager's end */
  static async of(api: Api, stopping = new AbortController()): Promise<ApiClient> {
    return new ApiClient(await openRig("unix", api), stopping);
  }

  /** `unix:///path`, for whoever wants to ask by itself. */
  get address(): string {
    const { address } = this.#rig;
    return address.kind === "unix" ? `unix://${address.path}` : "";
  }

  /** One request on a connection of its own. @param body bytes as they are, anything else as JSON */
  call(method: string, path: string, body?: unknown, more: Record<string, string> = {}): Promise<ApiAnswer> {
    const { address } = this.#rig;
    if (address.kind !== "unix") throw new Error("no unix socket");
    const raw = Buffer.isBuffer(body);
    const sentBody = raw || body === undefined ? body : JSON.stringify(body);
    const type = raw ? "application/x-tar" : "application/json";
    const headers = { ...(sentBody !== undefined && { "Content-Type": type }), ...more };
    return new Promise((resolve, reject) => {
      const sent = request({ socketPath: address.path, method, path, headers, agent: false }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          const status = answer.statusCode ?? 0;
          const message = status < 400 ? "" : (JSON.parse(text) as { message: string }).message;
          resolve({ status, text, message, warning: answer.headers.warning ?? "" });
        });
      });
      sent.on("error", reject);
      sent.end(sentBody);
    });
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#rig.close();
  }
}
