/**
 * One connection to one ZooKeeper server, with a session of its own that ends with it. Owns the order of answers, pings, and
 * noticing that the server is gone; must not know what is asked.
 */
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Clock, Timer } from "../../../../kit/clock.ts";
import { orAbort, withDeadline } from "../../../../kit/deadline.ts";
import { STORE_ANSWER_BYTES, STORE_DIAL_MS, ZOOKEEPER_SESSION_MS } from "../../../../kit/store-limits.ts";
import { type Server, serverName, type Tls } from "../../remote/address.ts";
import { JuteReader, JuteWriter } from "./jute.ts";
import { authRequest, OP, type Request } from "./operations.ts";

const XID_EVENT = -1;
const XID_PING = -2;
const XID_AUTH = -4;
const PASSWORD_BYTES = 16;

/** The server's own refusal, by its number. */
export class ZooKeeperError extends Error {
  readonly code: number;
  constructor(code: number) {
    super(MEANING[code] ?? `error ${code}`);
    this.code = code;
  }
}

const MEANING: Readonly<Record<number, string>> = {
  [-5]: "the server could not read the request",
  [-6]: "the server does not know this: ZooKeeper 3.6 or later is needed",
  [-8]: "bad arguments",
  [-101]: "no such node",
  [-102]: "not authorized",
  [-112]: "the session has expired",
  [-115]: "authentication failed",
};

/** The connection ended before the answer came. */
export class LostError extends Error {}

export interface Reply {
  /** Of the last transaction that the server knew; of a change: its own. */
  readonly zxid: bigint;
  readonly body: JuteReader;
}

interface Waiting {
  readonly xid: number;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

export interface ConnectOptions {
  readonly server: Server;
  readonly tls: Tls | undefined;
  readonly user: string;
  readonly password: string;
  readonly clock: Clock;
  /** Takes the path of each node that changed, if watches are set. */
  readonly onEvent?: (path: string) => void;
}

export class Connection {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #onEvent: (path: string) => void;
  readonly #waiting: Waiting[] = [];
  readonly #ended = new AbortController();
  #xid = 0;
  #unread: Buffer = Buffer.alloc(0);
  #greet: ((body: JuteReader) => void) | undefined;
  #heardAt: number;
  #ping: Timer | undefined;

  private constructor(socket: Socket, { clock, onEvent = () => {} }: ConnectOptions) {
    this.#socket = socket;
    this.#clock = clock;
    this.#onEvent = onEvent;
    this.#heardAt = clock.monotonic();
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.once("error", (error) => this.#end(error.message || "connection failed"));
    socket.once("close", () => this.#end("the server closed the connection"));
  }

  /** Rejects when there is no session, and then nothing was asked. */
  static async open(options: ConnectOptions, signal: AbortSignal): Promise<Connection> {
    const { server, clock, user, password } = options;
    return withDeadline(
      clock,
      STORE_DIAL_MS,
      serverName(server),
      async (signal) => {
        const connection = new Connection(openSocket(options), options);
        const abandon = () => connection.#end("no session in time");
        signal.addEventListener("abort", abandon, { once: true });
        try {
          await connection.#begin();
          if (user) await connection.#send(authRequest(user, password), XID_AUTH);
          return connection;
        } catch (error) {
          connection.#end("no session");
          signal.throwIfAborted();
          throw error;
        } finally {
          signal.removeEventListener("abort", abandon);
        }
      },
      signal,
    );
  }

  /** Aborts when the connection is over, with a LostError. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** Answers come in the order of the requests. Rejects with ZooKeeperError, or LostError: it may have been done. */
  async ask(request: Request, signal: AbortSignal): Promise<Reply> {
    signal.throwIfAborted();
    const reply = this.#send(request, ++this.#xid);
    return orAbort(reply, signal);
  }

  /** Ends the session as well, if the server still hears it. */
  close(): void {
    if (this.#ended.signal.aborted) return;
    this.#socket.write(
      new JuteWriter()
        .int(++this.#xid)
        .int(OP.close)
        .framed(),
    );
    this.#socket.destroySoon();
    this.#end("closed", false);
  }

  async #begin(): Promise<void> {
    const greeting = new Promise<JuteReader>((resolve, reject) => {
      this.#greet = resolve;
      this.ended.addEventListener("abort", () => reject(this.ended.reason), { once: true });
    });
    const hello = new JuteWriter().int(0).long(0n).int(ZOOKEEPER_SESSION_MS).long(0n);
    this.#socket.write(hello.buffer(Buffer.alloc(PASSWORD_BYTES)).boolean(false).framed());
    const body = await greeting;
    body.int();
    const sessionMs = body.int();
    if (sessionMs <= 0) throw new LostError("the server gave no session");
    this.#pingEvery(sessionMs);
  }

  /** A server that says nothing for two thirds of the session's time is gone. */
  #pingEvery(sessionMs: number): void {
    this.#ping = this.#clock.after(
      sessionMs / 3,
      () => {
        if (this.#clock.monotonic() - this.#heardAt > (sessionMs * 2) / 3) this.#end("the server says nothing");
        if (this.#ended.signal.aborted) return;
        this.#socket.write(new JuteWriter().int(XID_PING).int(OP.ping).framed());
        this.#pingEvery(sessionMs);
      },
      { background: true },
    );
  }

  #send(request: Request, xid: number): Promise<Reply> {
    if (this.#ended.signal.aborted) return Promise.reject(this.#ended.signal.reason);
    const writer = new JuteWriter().int(xid).int(request.type);
    request.write(writer);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ xid, resolve, reject });
      this.#socket.write(writer.framed());
    });
  }

  #take(chunk: Buffer): void {
    this.#heardAt = this.#clock.monotonic();
    this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    while (this.#unread.length >= 4 && !this.#ended.signal.aborted) {
      try {
        const length = this.#unread.readInt32BE();
        if (length < 0 || length > STORE_ANSWER_BYTES) throw new RangeError(`an answer of ${length} bytes`);
        if (this.#unread.length < 4 + length) return;
        const message = this.#unread.subarray(4, 4 + length);
        this.#unread = this.#unread.subarray(4 + length);
        this.#hear(new JuteReader(message));
      } catch (error) {
        this.#end((error as Error).message);
      }
    }
  }

  #hear(body: JuteReader): void {
    if (this.#greet) {
      this.#greet(body);
      this.#greet = undefined;
      return;
    }
    const [xid, zxid, error] = [body.int(), body.long(), body.int()];
    if (xid === XID_PING) return;
    if (xid === XID_EVENT) {
      body.int();
      body.int();
      this.#onEvent(body.text());
      return;
    }
    const next = this.#waiting.shift();
    if (next?.xid !== xid) throw new Error("the server answered out of order");
    if (error === 0) next.resolve({ zxid, body });
    else next.reject(new ZooKeeperError(error));
  }

  #end(why: string, destroys = true): void {
    if (this.#ended.signal.aborted) return;
    const lost = new LostError(why);
    this.#ended.abort(lost);
    this.#ping?.cancel();
    this.#socket.on("error", () => {});
    if (destroys) this.#socket.destroy();
    for (const { reject } of this.#waiting.splice(0)) reject(lost);
  }
}

function openSocket({ server: { host, port }, tls }: ConnectOptions): Socket {
  if (!tls) return connect({ host, port });
  const { ca, cert, key } = tls;
  return connectTls({ host, port, ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) });
}
