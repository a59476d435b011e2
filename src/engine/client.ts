/** Calls to one engine: version prefix, whole answers, errors in dockerd's words. Must not know health or lists. */
import type { Readable } from "node:stream";
import { DockerError } from "../docker/errors.ts";
import { API_VERSION, clampVersion } from "../docker/version.ts";
import type { Clock } from "../kit/clock.ts";
import { withDeadline } from "../kit/deadline.ts";
import { ANSWER_BYTES, ENGINE_CALL_MS, ERROR_BODY_BYTES } from "../kit/limits.ts";
import { type CallWatch, changesSomething, type Outcome } from "./call-watch.ts";
import { requestUpgrade, type UpgradeAnswer, type UpgradeRequest } from "./wire/upgrade.ts";
import { type EngineWire, type WireAnswer, WireError, type WireRequest } from "./wire/wire.ts";

export interface EngineCall extends WireRequest {
  /** The API version that the client asked for; without it shoal's own. Brought into what the engine speaks. */
  readonly version?: string | undefined;
}

export interface EngineUpgrade extends UpgradeRequest {
  readonly version?: string | undefined;
}

export interface WholeOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for the whole answer; ENGINE_CALL_MS without. */
  readonly deadlineMs?: number | undefined;
  readonly version?: string | undefined;
  readonly headers?: readonly string[] | undefined;
}

export interface ClientParts {
  readonly wire: EngineWire;
  readonly clock: Clock;
  readonly callMs?: number;
  readonly watch?: CallWatch | undefined;
  /** Told of each call that failed in a way that may say something about the engine. */
  onFault(error: WireError): void;
}

export class EngineClient {
  readonly #parts: ClientParts;
  #versions: { min: string; max: string } | undefined;
  /** What ends each call and each upgraded connection under way. */
  readonly #open = new Set<(error: WireError) => void>();

  constructor(parts: ClientParts) {
    this.#parts = parts;
  }

  /** Until this is known, paths go out without a version. */
  speaks(min: string, max: string): void {
    this.#versions = { min, max };
  }

  /** The path as this engine takes it; `path` begins with `/` and has no version. */
  path(path: string, version: string = API_VERSION): string {
    if (!this.#versions) return path;
    return `/v${clampVersion(version, this.#versions.min, this.#versions.max)}${path}`;
  }

  /** The answer as it comes, whatever its status. Its body must be consumed or destroyed. Rejects with WireError. */
  async call(call: EngineCall): Promise<WireAnswer> {
    const tell = changesSomething(call.method) ? await this.#follow(call.method, call.path) : nobody;
    const { signal, over } = this.#begin(call.signal);
    try {
      const answer = await this.#parts.wire.request({ ...call, signal, path: this.path(call.path, call.version) });
      tell(answer.status);
      answer.body.on("error", (error) => this.#note(error)).once("close", over);
      return answer;
    } catch (error) {
      tell(undefined);
      over();
      this.#note(error);
      throw error;
    }
  }

  /** Ends every call, answer and upgraded connection under way with this error: nobody waits for an engine that is lost. */
  giveUp(error: WireError): void {
    for (const end of [...this.#open]) end(error);
  }

  /** A signal that aborts with the caller's or when the engine is given up, until `over` is called. */
  #begin(outer: AbortSignal | undefined): { signal: AbortSignal; over: () => void } {
    const call = new AbortController();
    const end = (error: WireError): void => call.abort(error);
    const onAbort = (): void => call.abort(outer?.reason);
    if (outer?.aborted) onAbort();
    outer?.addEventListener("abort", onAbort, { once: true });
    this.#open.add(end);
    const over = (): void => {
      this.#open.delete(end);
      outer?.removeEventListener("abort", onAbort);
    };
    return { signal: call.signal, over };
  }

  /**
   * The whole answer as text. Rejects with WireError, or with DockerError (the engine's status and message) from 400 on.
   * @param body a string or Buffer is sent as it is, anything else as JSON
   */
  text(method: string, path: string, body?: unknown, options: WholeOptions = {}): Promise<string> {
    const { clock, wire, callMs } = this.#parts;
    const ms = options.deadlineMs ?? callMs ?? ENGINE_CALL_MS;
    const work = async (signal: AbortSignal): Promise<string> => {
      const answer = await this.call({
        method,
        path,
        headers:
          body === undefined ? options.headers : ["Content-Type", "application/json", ...(options.headers ?? [])],
        body: body === undefined || typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body),
        signal,
        version: options.version,
        lane: "quick",
      });
      const failed = answer.status >= 400;
      const text = await readWhole(answer.body, failed ? ERROR_BODY_BYTES : ANSWER_BYTES, wire.address);
      if (failed) throw new DockerError(answer.status, engineMessage(answer.status, text));
      return text;
    };
    return withDeadline(clock, ms, `${method} ${path}`, work, options.signal);
  }

  /** `text`, parsed; an empty answer is null. Rejects with WireError `broken` when it is not JSON. */
  async json<T>(method: string, path: string, body?: unknown, options?: WholeOptions): Promise<T> {
    const text = await this.text(method, path, body, options);
    try {
      return JSON.parse(text.length === 0 ? "null" : text) as T;
    } catch (cause) {
      throw notJson(this.#parts.wire.address, method, path, cause);
    }
  }

  /** See requestUpgrade; `path` is without version here. */
  async upgrade(request: EngineUpgrade, signal?: AbortSignal): Promise<UpgradeAnswer> {
    // It opens a way into the engine, whatever its method.
    const tell = await this.#follow(request.method, request.path);
    const call = this.#begin(signal);
    try {
      const path = this.path(request.path, request.version);
      const answer = await requestUpgrade(this.#parts.wire, { ...request, path }, call.signal);
      tell(answer.status);
      const { socket } = answer;
      const end = (error: WireError): void => void socket.destroy(error);
      this.#open.add(end);
      socket.once("close", () => this.#open.delete(end));
      if (socket.closed) this.#open.delete(end);
      return answer;
    } catch (error) {
      tell(undefined);
      this.#note(error);
      throw error;
    } finally {
      call.over();
    }
  }

  /** Before a call that changes something; gives what is to be told of its outcome. */
  async #follow(method: string, path: string): Promise<Outcome> {
    return (await this.#parts.watch?.(method, path)) ?? nobody;
  }

  #note(error: unknown): void {
    if (error instanceof WireError && error.fault !== "aborted") this.#parts.onFault(error);
  }
}

function nobody(): void {}

/** What answers in something else than JSON is seldom an engine. */
export function notJson(address: string, method: string, path: string, cause?: unknown): WireError {
  const words = `${address}: the answer to ${method} ${path} is not JSON: is this a Docker Engine, and no HTTP proxy?`;
  return new WireError("broken", true, words, { cause });
}

/** dockerd's `{"message": …}`, else the text as far as it is readable. */
export function engineMessage(status: number, text: string): string {
  try {
    const json = JSON.parse(text) as { message?: unknown } | null;
    if (typeof json?.message === "string" && json.message !== "") return json.message;
  } catch {
    // Old engines and proxies answer in plain text.
  }
  const plain = /<html|<!doctype/i.test(text) ? "" : text.trim().slice(0, 1_000);
  return plain || `the engine answered with status ${status}`;
}

export function readWhole(body: Readable, limit: number, address: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    body.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > limit) {
        body.destroy(new WireError("broken", true, `${address}: the answer exceeds ${limit} bytes`));
      } else chunks.push(chunk);
    });
    body.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    body.on("error", reject);
    body.on("close", () => reject(new WireError("broken", true, `${address}: the answer was cut off`)));
  });
}
