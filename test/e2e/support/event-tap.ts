/**
 * Stands between a manager and one engine and keeps what the engine's event streams told the manager: an engine waits for
 * no reader longer than 100 ms, so one reader may be told what another one is not. Passes every byte on unchanged.
 */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { eventReader, identity, type LoggedEvent, nanoNow } from "./event-log.ts";
import type { EngineAddress } from "./fleet.ts";

export interface EventTap {
  /** `address:port`, where the manager finds the engine. */
  readonly address: string;
  /** What the engine told the manager, live or of the past: each once, by identity, in the order of arrival. */
  readonly told: ReadonlyMap<string, LoggedEvent>;
  /** The manager's live streams so far, in nanoseconds since the epoch. */
  readonly streams: readonly Stream[];
  stop(): void;
}

export interface Stream {
  readonly from: bigint;
  /** Undefined while it is open. */
  to: bigint | undefined;
}

const EVENTS = /^GET (?:\/v[\d.]+)?\/events(\?\S*)? HTTP/;

export async function tapEvents({ name, host }: EngineAddress): Promise<EventTap> {
  const { hostname, port } = new URL(host);
  const told = new Map<string, LoggedEvent>();
  const streams: Stream[] = [];
  const open = new Set<Socket>();
  let connections = 0;
  const keep = (event: LoggedEvent): void => {
    if (!told.has(identity(event))) told.set(identity(event), event);
  };

  const server = createServer({ allowHalfOpen: true }, (manager) => {
    const engine = connect({ host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true });
    let stream: Stream | undefined;
    let take: ((text: string) => void) | undefined;
    manager.on("data", (chunk) => {
      const [asked, query = ""] = EVENTS.exec(chunk.toString("latin1")) ?? [];
      // One connection may bring one answer after the other.
      take = asked === undefined ? undefined : eventReader(name, ++connections, keep);
      if (asked === undefined || query.includes("until=")) return;
      stream = { from: nanoNow(), to: undefined };
      streams.push(stream);
    });
    engine.on("data", (chunk) => take?.(chunk.toString("latin1")));
    manager.pipe(engine).pipe(manager);
    // What the engine told last is still passed on; what the manager cuts is cut.
    engine.on("error", () => {}).on("close", () => manager.destroySoon());
    manager
      .on("error", () => {})
      .on("close", () => {
        engine.destroy();
        open.delete(manager);
        if (stream) stream.to = nanoNow();
      });
    open.add(manager.setNoDelay());
  });
  await new Promise<void>((resolve, reject) => {
    server.on("error", reject).listen(0, "127.0.0.1", resolve);
  });
  const { port: own } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${own}`,
    told,
    streams,
    stop: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
