/** ZooKeeper's servers: the connection that is used now, and the next server when it is lost. Must not know what is asked. */
import type { Clock } from "../../../kit/clock.ts";
import { orAbort } from "../../../kit/deadline.ts";
import { StoreError } from "../../store.ts";
import { type Address, serverName } from "../remote/address.ts";
import { Connection, LostError, ZooKeeperError } from "./wire/connection.ts";

export class Sessions {
  /** Of the store, with its servers. */
  readonly name: string;
  readonly #address: Address;
  readonly #clock: Clock;
  #next = 0;
  #current: Promise<Connection> | undefined;
  readonly #closing = new AbortController();

  constructor(address: Address, clock: Clock) {
    this.#address = address;
    this.#clock = clock;
    this.name = `ZooKeeper at ${address.servers.map(serverName).join(", ")}`;
  }

  /** The connection that all share. Rejects with StoreError when no server gives one: nothing was asked. */
  async connection(signal: AbortSignal): Promise<Connection> {
    const opening = this.#shared();
    const connection = await orAbort(opening, signal).catch((error: unknown) => {
      if (error instanceof StoreError) throw error;
      throw new StoreError(`${this.name}: no connection in time`, { cause: error });
    });
    if (!connection.ended.aborted) return connection;
    if (this.#current === opening) this.#current = undefined;
    return this.connection(signal);
  }

  /** Opened for all who wait for it: who asked first may have less time than the others. */
  #shared(): Promise<Connection> {
    if (this.#current) return this.#current;
    const opening = this.open(this.#closing.signal);
    opening.catch(() => {
      if (this.#current === opening) this.#current = undefined;
    });
    this.#current = opening;
    return opening;
  }

  /** One of one's own, to the first server that gives one. */
  async open(signal: AbortSignal, onEvent: (path: string) => void = () => {}): Promise<Connection> {
    const { servers, tls, user, password } = this.#address;
    for (let left = servers.length - 1; ; left--) {
      const server = servers[this.#next % servers.length];
      if (server === undefined) throw new RangeError("shoal bug: a store without servers");
      try {
        return await Connection.open({ server, tls, user, password, clock: this.#clock, onEvent }, signal);
      } catch (error) {
        this.#next++;
        if (left === 0 || signal.aborted) throw this.#failure(error, serverName(server));
      }
    }
  }

  /** What only reads, and so may be asked again on another connection when one is lost. */
  async read<T>(work: (connection: Connection) => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let left = this.#address.servers.length; ; left--) {
      const connection = await this.connection(signal);
      try {
        return await work(connection);
      } catch (error) {
        if (!(error instanceof LostError) || left === 0) throw this.failure(error);
      }
    }
  }

  /** As a StoreError; what was lost may have happened, what was refused has not. */
  failure(error: unknown): Error {
    if (error instanceof ZooKeeperError) return new StoreError(`${this.name}: ${error.message}`, { cause: error });
    if (error instanceof LostError) {
      return new StoreError(`${this.name}: the connection was lost: ${error.message}`, {
        uncertain: true,
        cause: error,
      });
    }
    return error instanceof Error ? error : new Error(String(error));
  }

  close(): void {
    this.#closing.abort();
    void this.#current?.then(
      (connection) => connection.close(),
      () => undefined,
    );
  }

  #failure(error: unknown, server: string): StoreError {
    const why = error instanceof Error ? error.message : String(error);
    return new StoreError(`${this.name}: ${server}: ${why}`, { cause: error });
  }
}
