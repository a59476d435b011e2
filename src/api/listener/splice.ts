/**
 * Two connections made one: what a hijacked stream (attach, exec, session, websocket) is after its head.
 * Owns bytes, ends and failures in both directions; must not know what is said.
 */
import type { Duplex } from "node:stream";
import { invariant } from "../../kit/invariant.ts";
import { CLIENT_STALL_MS, ENGINE_UNREAD_MS } from "../../kit/limits.ts";
import { closeGently, responseHead, type Upgrade } from "./hijack.ts";
import { pass } from "./pass.ts";

/** An engine's answer to an upgrade, its connection not read any further. */
export interface EngineSide {
  readonly status: number;
  readonly statusText: string;
  /** Name, value, name, value … as received. */
  readonly rawHeaders: readonly string[];
  /** What the engine sent behind the head and was read already. */
  readonly rest: Buffer;
  readonly socket: Duplex;
}

/** Whether the engine handed its connection over: 101, or a raw stream as engines give to clients of before 1.20. */
export function isHijacked(engine: Pick<EngineSide, "status" | "rawHeaders">): boolean {
  if (engine.status === 101) return true;
  if (engine.status !== 200) return false;
  let raw = false;
  for (let i = 0; i < engine.rawHeaders.length; i += 2) {
    const name = engine.rawHeaders[i]?.toLowerCase();
    if (name === "content-length" || name === "transfer-encoding") return false;
    if (name === "content-type")
      raw = /^application\/vnd\.docker\.(raw|multiplexed)-stream\b/.test(engine.rawHeaders[i + 1] ?? "");
  }
  return raw;
}

export interface SpliceOptions {
  /** Aborting breaks both connections. */
  readonly signal?: AbortSignal | undefined;
  /** Sees what comes from the engine before the client does; must not keep it. */
  readonly watch?: (chunk: Buffer) => void;
  /** What the client still gets, and then its end, when the engine's side fails; without it the client's breaks too. */
  readonly lastWords?: (error: Error) => Buffer | undefined;
}

/**
 * Passes the engine's head on as it came, then every byte both ways: with back-pressure (never more than the streams'
 * own buffers in memory), each side's end as an end to the other while the opposite direction goes on, a failure of one
 * side as the breaking of the other. Only for an answer that `isHijacked`: otherwise the client's next request would
 * bypass us. Resolves when both connections are closed; never rejects.
 */
export async function spliceUpgrade(
  client: Pick<Upgrade, "socket" | "head" | "clock">,
  engine: EngineSide,
  options: SpliceOptions = {},
): Promise<void> {
  invariant(isHijacked(engine), `splicing an answer with status ${engine.status}`);
  const { socket } = client;
  const { watch } = options;
  const closed = bothClosed(client, engine.socket, options);
  if (!socket.destroyed && !engine.socket.destroyed) {
    socket.write(responseHead(engine.status, engine.statusText, engine.rawHeaders));
    if (engine.rest.length > 0) {
      watch?.(engine.rest);
      socket.write(engine.rest);
    }
    if (client.head.length > 0) engine.socket.write(client.head);
    if (watch) engine.socket.on("data", watch);
    pass(socket, engine.socket);
    pass(engine.socket, socket);
  }
  await closed;
}

async function bothClosed(
  { socket, clock }: Pick<Upgrade, "socket" | "clock">,
  engine: Duplex,
  { signal, lastWords }: SpliceOptions,
): Promise<void> {
  const onAbort = (): void => {
    socket.destroy();
    engine.destroy();
  };
  const breakClient = (error: Error | undefined): void => {
    if (socket.destroyed || socket.writableEnded) return void socket.destroy();
    const words = error && lastWords?.(error);
    if (words) closeGently(socket, clock, words);
    else socket.destroy();
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) onAbort();
  const leave = (side: Duplex, ms: number): void => {
    if (side.closed) return;
    const timer = clock.after(ms, () => side.destroy(), { background: true });
    side.once("close", () => timer.cancel());
  };
  await Promise.all([
    closing(
      socket,
      () => engine.destroy(),
      () => leave(engine, ENGINE_UNREAD_MS),
    ),
    closing(engine, breakClient, () => leave(socket, CLIENT_STALL_MS)),
  ]);
  signal?.removeEventListener("abort", onAbort);
}

/**
 * Resolves when `side` is closed. When both of its directions ended properly, what it still sent to the other is given a
 * while to be read, but not for ever (`leaveOther`); otherwise the other side is broken too, once.
 */
function closing(side: Duplex, breakOther: (error: Error | undefined) => void, leaveOther: () => void): Promise<void> {
  return new Promise((resolve) => {
    let broken = false;
    const onBreak = (error?: Error): void => {
      if (!broken) breakOther(error);
      broken = true;
    };
    const onClose = (): void => {
      if (side.readableEnded && side.writableFinished) leaveOther();
      else onBreak();
      resolve();
    };
    side.on("error", onBreak);
    if (side.closed) onClose();
    else side.once("close", onClose);
  });
}
