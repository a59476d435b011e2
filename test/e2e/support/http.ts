/** Plain HTTP to an engine or a manager, for what the CLI cannot ask; one connection a call unless an agent is given. */
import { Agent, type IncomingMessage, request } from "node:http";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

export interface CallOptions {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly agent?: Agent;
  readonly timeout?: number;
  /** Cuts the connection. */
  readonly signal?: AbortSignal;
}

/** An agent with `width` connections, to be destroyed by its owner. */
export const pool = (width: number): Agent => new Agent({ keepAlive: true, maxSockets: width });

/** Sends one request to `tcp://host:port` or `unix:///path`. Rejects only when no answer came in time. */
export function call(host: string, path: string, options: CallOptions = {}): Promise<Answer> {
  const url = new URL(host);
  const where =
    url.protocol === "unix:" ? { socketPath: url.pathname } : { host: url.hostname, port: Number(url.port || 2375) };
  const body = options.body === undefined ? undefined : JSON.stringify(options.body);
  const headers: Record<string, string> = { ...options.headers };
  if (body !== undefined) {
    headers["content-type"] = "application/json";
    headers["content-length"] = String(Buffer.byteLength(body));
  }
  return new Promise((resolve, reject) => {
    const sent = request(
      { ...where, path, method: options.method ?? "GET", headers, agent: options.agent, signal: options.signal },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            text: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    sent.setTimeout(options.timeout ?? 60_000, () => sent.destroy(new Error(`no answer from ${host}${path}`)));
    sent.on("error", reject);
    sent.end(body);
  });
}

/** GETs JSON that must be there. */
export async function get<T>(host: string, path: string): Promise<T> {
  const answer = await call(host, path);
  if (answer.status !== 200) throw new Error(`GET ${path} at ${host}: ${answer.status} ${answer.text}`);
  return JSON.parse(answer.text) as T;
}
