/**
 * One call of the Engine API and its answer, apart from any transport: the HTTP server and the in-memory wire both
 * speak to the engine in these terms.
 */
import type { Duplex, Readable } from "node:stream";
import { badRequest } from "../../src/docker/errors.ts";
import { type Json, obj } from "./json.ts";

export interface Call {
  readonly method: string;
  /** Without version prefix and query, decoded by the router part by part. */
  readonly path: string;
  /** The path's named parts, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** What the client asked for, or the engine's own. */
  readonly version: string;
  readonly body: Readable;
  /** Fires when the client is gone. */
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | Readable;
  /** Send about half of the body, then break the connection. */
  readonly breakOff?: boolean;
  /** Takes the connection over: 101 when the client asked for an upgrade, else a raw stream under 200. */
  readonly hijack?: (stream: Duplex) => void;
}

export const json = (status: number, value: unknown): Answer => ({
  status,
  headers: { "Content-Type": "application/json" },
  body: `${JSON.stringify(value)}\n`,
});
export const empty = (status: number): Answer => ({ status });
export const stream = (type: string, body: Readable): Answer => ({
  status: 200,
  headers: { "Content-Type": type },
  body,
});

/** The whole body. */
export async function readAll(body: Readable): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

/** The body as a JSON object; {} when there is none. */
export async function readJson(call: Call): Promise<Json> {
  const text = (await readAll(call.body)).toString("utf8");
  if (text.trim() === "") return {};
  try {
    return obj(JSON.parse(text));
  } catch {
    throw badRequest(`invalid character '${text.trim()[0] ?? ""}' looking for beginning of value`);
  }
}
