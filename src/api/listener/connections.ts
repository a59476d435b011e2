/**
 * The client connections of one listener. Owns who is idle, who is busy, and the end of all of them; must not know what
 * is said on them.
 */
import type { Socket } from "node:net";
import type { Remote } from "./request.ts";

export interface Connection {
  readonly socket: Socket;
  readonly remote: Remote;
  /** Answers under way. */
  answers: number;
  /** Taken over by a handler: it closes by itself. */
  hijacked: boolean;
}

/** Every open connection, from being accepted to being closed. */
export class Connections {
  readonly #open = new Map<Socket, Connection>();
  /** Accepted on a TLS port, whether their handshake is done or not. */
  readonly #carriers = new Set<Socket>();
  #closing = false;

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
    this.#open.set(socket, { socket, remote, answers: 0, hijacked: false });
    socket.once("close", () => this.#open.delete(socket));
  }

  /** A TCP connection below TLS; without a handshake it is never more than that. */
  addCarrier(socket: Socket): void {
    this.#carriers.add(socket);
    socket.once("close", () => this.#carriers.delete(socket));
  }

  begin(connection: Connection): void {
    connection.answers++;
  }

  /** An answer is over; when all are closing, so is its connection. */
  settle(connection: Connection): void {
    connection.answers--;
    if (this.#closing && connection.answers === 0 && !connection.hijacked) connection.socket.destroySoon();
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
