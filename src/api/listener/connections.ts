/**
 * The client connections of one listener. Owns who is idle, who is busy, and the end of all of them; must not know what
 * is said on them.
 */
import type { Socket } from "node:net";
import { CLIENT_CONNECTIONS_EACH } from "../../kit/limits.ts";
import type { Remote } from "./request.ts";

export interface Connection {
  readonly socket: Socket;
  readonly remote: Remote;
  /** Answers under way. */
  answers: number;
  /** Requests that came before the answer to the one in front of them: begun one after the other. */
  readonly waiting: (() => void)[];
  /** Taken over by a handler: it closes by itself. */
  hijacked: boolean;
}

/** Every open connection, from being accepted to being closed. */
export class Connections {
  readonly #each: number;
  readonly #perAddress = new Map<string, number>();
  readonly #open = new Map<Socket, Connection>();
  /** Accepted on a TLS port, whether their handshake is done or not. */
  readonly #carriers = new Set<Socket>();
  #closing = false;

  /** @param each connections that one address may have */
  constructor(each = CLIENT_CONNECTIONS_EACH) {
    this.#each = each;
  }

  /** Whether this address may have one more. On a unix socket all may: it is guarded by its file's mode. */
  hasRoomFor(address: string): boolean {
    return address === "" || (this.#perAddress.get(address) ?? 0) < this.#each;
  }

  get size(): number {
    return this.#open.size;
  }

  of(socket: Socket): Connection | undefined {
    return this.#open.get(socket);
  }

  add(socket: Socket, remote: Remote): void {
    if (this.#closing) {
      socket.destroy();
      return;
    }
    this.#open.set(socket, { socket, remote, answers: 0, waiting: [], hijacked: false });
    this.#count(remote.address, 1);
    socket.once("close", () => {
      this.#open.delete(socket);
      this.#count(remote.address, -1);
    });
  }

  #count(address: string, by: 1 | -1): void {
    const now = (this.#perAddress.get(address) ?? 0) + by;
    if (now === 0) this.#perAddress.delete(address);
    else this.#perAddress.set(address, now);
  }

  /** A TCP connection below TLS; without a handshake it is never more than that. */
  addCarrier(socket: Socket): void {
    this.#carriers.add(socket);
    socket.once("close", () => this.#carriers.delete(socket));
  }

  begin(connection: Connection): void {
    connection.answers++;
  }

  /** An answer is over: the next one begins. When all are closing, its connection ends instead. */
  settle(connection: Connection): void {
    connection.answers--;
    const { socket } = connection;
    if (socket.destroyed || socket.writableEnded) connection.waiting.length = 0;
    else if (this.#closing && connection.answers === 0 && !connection.hijacked) socket.destroySoon();
    else connection.waiting.shift()?.();
  }

  /** From now on what is idle is closed: at once, or when its answer is over. */
  drain(): void {
    this.#closing = true;
    const busy = new Set<string>();
    for (const { socket, answers, hijacked } of this.#open.values()) {
      if (answers === 0 && !hijacked) socket.destroy();
      else busy.add(peerOf(socket));
    }
    for (const carrier of this.#carriers) if (!busy.has(peerOf(carrier))) carrier.destroy();
  }

  destroyAll(): void {
    this.#closing = true;
    for (const { socket } of this.#open.values()) socket.destroy();
    for (const carrier of this.#carriers) carrier.destroy();
  }
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress}`;
}
