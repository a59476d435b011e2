/** Opens one socket to an engine: tcp, TLS or unix. Owns socket options and the dial deadline; must not know HTTP. */
import { connect, isIP, type Socket } from "node:net";
import { createSecureContext, type SecureContext, connect as tlsConnect } from "node:tls";
import type { Clock } from "../../kit/clock.ts";
import { DeadlineError } from "../../kit/deadline.ts";
import { ENGINE_DIAL_MS, ENGINE_KEEPALIVE_MS } from "../../kit/limits.ts";
import { type EngineAddress, formatAddress } from "./address.ts";
import { abortError, toWireError } from "./faults.ts";

/** PEM texts. Without `ca` the system's authorities count; `verify` false accepts any certificate. */
export interface TlsMaterial {
  readonly ca?: string | Buffer | undefined;
  readonly cert?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
  readonly verify: boolean;
}

export interface DialOptions {
  /** Our end() leaves reading open, and the engine's end leaves writing open. */
  readonly halfOpen: boolean;
  readonly signal?: AbortSignal | undefined;
}

export class Dialer {
  readonly #address: EngineAddress;
  readonly #name: string;
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  readonly #verify: boolean;
  readonly #secure: SecureContext | undefined;

  /** Throws when the TLS material cannot be read. */
  constructor(address: EngineAddress, tls: TlsMaterial | undefined, clock: Clock, deadlineMs = ENGINE_DIAL_MS) {
    this.#address = address;
    this.#name = formatAddress(address);
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
    this.#verify = tls?.verify ?? true;
    this.#secure = tls && createSecureContext({ ca: tls.ca, cert: tls.cert, key: tls.key });
  }

  /**
   * Resolves with a connected socket (TLS agreed upon), which keeps one silent error listener so that an error between
   * two owners ends nothing but the socket. Rejects with WireError, `sent` false, at the latest after ENGINE_DIAL_MS.
   */
  dial(options: DialOptions): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const { signal, halfOpen } = options;
      if (signal?.aborted) {
        reject(abortError(signal.reason, this.#name, false));
        return;
      }
      let handshake = false;
      const tcp = this.#open(halfOpen);
      let socket = tcp;
      const settle = (error?: Error) => {
        timer.cancel();
        signal?.removeEventListener("abort", onAbort);
        socket.off("error", onError).off("close", onClose);
        tcp.off("error", onError);
        if (error) {
          socket.destroy();
          tcp.destroy();
          reject(error);
        } else resolve(socket);
      };
      const onError = (error: unknown) => settle(toWireError(error, this.#name, false, handshake));
      const onClose = () => onError(new Error("connection closed by the engine"));
      const onAbort = () => settle(abortError(signal?.reason, this.#name, false));
      const timer = this.#clock.after(this.#deadlineMs, () =>
        settle(abortError(new DeadlineError("dial", this.#deadlineMs), this.#name, false)),
      );
      signal?.addEventListener("abort", onAbort, { once: true });
      tcp.on("error", ignore).on("error", onError).on("close", onClose);
      tcp.once("connect", () => {
        if (!this.#secure) {
          settle();
          return;
        }
        handshake = true;
        tcp.off("close", onClose);
        socket = this.#handshake(tcp, this.#secure);
        socket.on("error", ignore).on("error", onError).on("close", onClose);
        socket.once("secureConnect", () => settle());
      });
    });
  }

  #open(halfOpen: boolean): Socket {
    if (this.#address.kind === "unix") return connect({ path: this.#address.path, allowHalfOpen: halfOpen });
    return connect({
      host: this.#address.host,
      port: this.#address.port,
      allowHalfOpen: halfOpen,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: ENGINE_KEEPALIVE_MS,
    });
  }

  /** TLS takes half-open over from the socket below it. */
  #handshake(socket: Socket, secureContext: SecureContext): Socket {
    const host = this.#address.kind === "tcp" ? this.#address.host : "localhost";
    return tlsConnect({
      socket,
      host,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      secureContext,
      rejectUnauthorized: this.#verify,
    });
  }
}

function ignore(): void {}
