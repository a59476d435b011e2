/** Asks a shoal manager over HTTP and gives parsed answers. Must not know what is shown. */
import { openWire } from "../engine/wire/http-wire.ts";
import { type EngineWire, WireError } from "../engine/wire/wire.ts";
import type { Clock } from "../kit/clock.ts";
import { withDeadline } from "../kit/deadline.ts";
import { ANSWER_BYTES, ENGINE_CALL_MS } from "../kit/limits.ts";
import { type Endpoint, findEndpoint, type GlobalFlags } from "./endpoint.ts";
import { CliError, messageOf } from "./fail.ts";
import type { Io } from "./io.ts";

export interface ManagerClient {
  /** GET of a path without version prefix; the answer's JSON. Throws CliError with the manager's message. */
  get(path: string): Promise<unknown>;
  /** The same for a change. */
  ask(method: "POST" | "DELETE", path: string): Promise<unknown>;
  close(): Promise<void>;
}

/** Runs `work` with a client of the manager that flags, environment and docker context name; closes it afterwards. */
export async function withManager<T>(
  flags: GlobalFlags,
  io: Io,
  work: (manager: ManagerClient) => Promise<T>,
): Promise<T> {
  const client = await openManager(findEndpoint(flags, io.env), io.clock);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** Throws CliError when nothing answers there, or something that is not a shoal manager. */
export async function openManager(endpoint: Endpoint, clock: Clock): Promise<ManagerClient> {
  const wire = wireTo(endpoint, clock);
  try {
    const { headers } = await call(wire, endpoint, clock, "GET", "/_ping");
    if (!/^shoal\//i.test(headers.get("server") ?? "")) throw notShoal(endpoint);
  } catch (error) {
    await wire.close();
    throw error;
  }
  const ask = async (method: string, path: string): Promise<unknown> => {
    const { status, text } = await call(wire, endpoint, clock, method, path);
    const body = parseJson(text);
    if (status < 400) return body;
    const message = (body as { message?: unknown } | undefined)?.message;
    throw new CliError(typeof message === "string" ? message : `${path}: the manager answered ${status}`);
  };
  return {
    get: (path) => ask("GET", path),
    ask,
    close: () => wire.close(),
  };
}

function notShoal(endpoint: Endpoint): CliError {
  const hint =
    endpoint.from === "default"
      ? "start one with `shoal manage`, or set DOCKER_HOST"
      : "point -H, DOCKER_HOST or the docker context at a shoal manager";
  return new CliError(`${endpoint.host} (${endpoint.from}) is not a shoal manager; ${hint}`);
}

function wireTo(endpoint: Endpoint, clock: Clock): EngineWire {
  try {
    return openWire(endpoint.host, endpoint.tls, { clock });
  } catch (error) {
    throw new CliError(`${endpoint.from}: ${messageOf(error)}`);
  }
}

interface Answer {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
}

async function call(wire: EngineWire, endpoint: Endpoint, clock: Clock, method: string, path: string): Promise<Answer> {
  try {
    return await withDeadline(clock, ENGINE_CALL_MS, endpoint.host, async (signal) => {
      const answer = await wire.request({ method, path, signal });
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of answer.body as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > ANSWER_BYTES) throw new CliError(`${path}: the answer is longer than ${ANSWER_BYTES} bytes`);
        chunks.push(chunk);
      }
      return { status: answer.status, headers: byName(answer.headers), text: Buffer.concat(chunks).toString("utf8") };
    });
  } catch (error) {
    if (error instanceof WireError && error.fault === "tls") throw new CliError(messageOf(error));
    if (!(error instanceof WireError)) throw error;
    throw new CliError(
      `cannot connect to the shoal manager at ${endpoint.host} (${endpoint.from}): ${messageOf(error)}. Is it running?`,
    );
  }
}

function byName(headers: readonly string[]): Map<string, string> {
  const map = new Map<string, string>();
  for (let i = 0; i + 1 < headers.length; i += 2) map.set((headers[i] ?? "").toLowerCase(), headers[i + 1] ?? "");
  return map;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
