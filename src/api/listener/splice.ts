/**
 * Two connections made one: what a hijacked stream (attach, exec, session, websocket) is after its head.
 * Owns bytes, ends and failures in both directions; must not know what is said.
 */
import type { Duplex } from "node:stream";
import { invariant } from "../../kit/invariant.ts";
import { responseHead, type Upgrade } from "./hijack.ts";
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

/**
 * Passes the engine's head on as it came, then every byte both ways: with back-pressure (never more than the streams'
 * own buffers in memory), each side's end as an end to the other while the opposite direction goes on, a failure of one
 * side as the breaking of the other. Only for an answer that `isHijacked`: otherwise the client's next request would
 * bypass us. Resolves when both connections are closed; never rejects. Aborting `signal` breaks both.
 */
export async function spliceUpgrade(
  client: Pick<Upgrade, "socket" | "head">,
  engine: EngineSide,
  signal?: AbortSignal,
): Promise<void> {
  invariant(isHijacked(engine), `splicing an answer with status ${engine.status}`);
  const { socket } = client;
  const closed = bothClosed(socket, engine.socket, signal);
  if (!socket.destroyed && !engine.socket.destroyed) {
    socket.write(responseHead(engine.status, engine.statusText, engine.rawHeaders));
    if (engine.rest.length > 0) socket.write(engine.rest);
    if (client.head.length > 0) engine.socket.write(client.head);
    pass(socket, engine.socket);
    pass(engine.socket, socket);
  }
  await closed;
}

async function bothClosed(client: Duplex, engine: Duplex, signal: AbortSignal | undefined): Promise<void> {
  const onAbort = (): void => {
    client.destroy();
    engine.destroy();
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) onAbort();
  await Promise.all([closing(client, engine), closing(engine, client)]);
  signal?.removeEventListener("abort", onAbort);
}

/** Resolves when `side` is closed; unless both of its directions ended properly, the other side is broken too. */
function closing(side: Duplex, other: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const onClose = (): void => {
      if (!(side.readableEnded && side.writableFinished)) other.destroy();
      resolve();
    };
    side.on("error", () => other.destroy());
    if (side.closed) onClose();
    else side.once("close", onClose);
  });
}
