/**
 * The seam between shoal and the network: what an engine's address can do for us. Real sockets implement it in this
 * folder; the simulator implements it in memory. Nothing above this folder imports net, tls, http or undici.
 */
import type { Duplex, Readable } from "node:stream";

export interface WireRequest {
  readonly method: string;
  /** Path and query as sent, version prefix included. */
  readonly path: string;
  /** Name, value, name, value …; Host and framing headers are the wire's business. */
  readonly headers?: readonly string[];
  /** A Buffer or string is sent with its length; a stream chunked, unless `content-length` is among the headers. */
  readonly body?: Buffer | string | Readable | undefined;
  /** Aborting closes the connection of this call, also while the body streams. */
  readonly signal?: AbortSignal | undefined;
  /** Which connections it may use; `long` unless the call certainly ends soon by itself. */
  readonly lane?: WireLane | undefined;
}

/**
 * Calls of one kind wait only for each other: `health` (pings: never behind anything), `quick` (ends by itself: lists,
 * inspect, create), `long` (may stay open for hours: logs, wait, stats, events, pull).
 */
export type WireLane = "health" | "quick" | "long";

export interface WireAnswer {
  readonly status: number;
  /** Name, value, name, value …, letter case kept where the wire allows. */
  readonly headers: readonly string[];
  /** Must be consumed or destroyed (which closes the connection). Errors with WireError when the engine breaks off. */
  readonly body: Readable;
}

export interface EngineWire {
  /** For people and logs, such as `10.0.0.1:2375` or `unix:///var/run/docker.sock`. */
  readonly address: string;
  /** Resolves when the head of the answer is there; no time limit of its own. Rejects with WireError. */
  request(request: WireRequest): Promise<WireAnswer>;
  /** A raw connection (TLS done) for an upgrade that the caller speaks itself. Half-open: our end() leaves reading open. */
  connect(signal?: AbortSignal): Promise<Duplex>;
  /** Ends idle connections and breaks all others. */
  close(): Promise<void>;
}

/**
 * Why there is no answer: `refused` (the host answers, nobody listens), `silent` (no answer in time), `broken` (cut off
 * or not HTTP), `tls`, `aborted` (the caller gave up: says nothing about the engine).
 */
export type WireFault = "refused" | "silent" | "broken" | "tls" | "aborted";

export class WireError extends Error {
  readonly fault: WireFault;
  /** False only when the request certainly never reached the engine, so that it may be sent elsewhere. */
  readonly sent: boolean;
  constructor(fault: WireFault, sent: boolean, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "WireError";
    this.fault = fault;
    this.sent = sent;
  }
}
