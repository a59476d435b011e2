/**
 * Stands between a client and one manager, and keeps what the client asked and how it was answered, so that a test can say
 * what was under way at a moment. Passes requests and answers on as they are; takes no upgrades.
 */
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Exchange {
  readonly method: string;
  readonly path: string;
  /** Monotonic milliseconds. */
  readonly from: number;
  /** Undefined while it is under way. */
  to: number | undefined;
  /** `left`: by the client, who did not wait for the end; `broken`: by the manager, before the end. */
  end: "answered" | "left" | "broken" | undefined;
  /** 0 while there is no answer. */
  status: number;
  retryAfter: string | undefined;
  /** Of an error. */
  text: string;
}

export class Exchanges {
  /** `tcp://127.0.0.1:port`, for the client. */
  readonly host: string;
  readonly #server: Server;
  readonly #to: URL;
  /** A connection for each request: none is found closed when a request is sent over it. */
  readonly #agent = new Agent({ keepAlive: false });
  #all: Exchange[] = [];
  #waiting: { readonly changes: number; readonly done: () => void }[] = [];

  private constructor(server: Server, to: string) {
    this.#server = server;
    this.#to = new URL(to);
    this.host = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("request", (asked, answered) => this.#pass(asked, answered));
  }

  /** @param to the manager, `tcp://host:port` */
  static async with(to: string): Promise<Exchanges> {
    const server = createServer();
    // The client's connections stay: one that is closed just when it is used again fails the client.
    server.keepAliveTimeout = 0;
    server.requestTimeout = 0;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(0, "127.0.0.1", resolve);
    });
    return new Exchanges(server, to);
  }

  /** Since the last `forget`, in the order in which they were asked. */
  get all(): readonly Exchange[] {
    return this.#all;
  }

  /** Those that a client cannot take for an answer. */
  get failed(): readonly Exchange[] {
    return this.#all.filter(({ end, status }) => end === "broken" || status >= 500);
  }

  forget(): void {
    this.#all = [];
  }

  /** Resolves when so many changes were asked for since the last `forget`. */
  asked(changes: number): Promise<void> {
    return new Promise((done) => {
      this.#waiting.push({ changes, done });
      this.#look();
    });
  }

  #look(): void {
    const changes = this.#all.filter(({ method }) => method !== "GET" && method !== "HEAD").length;
    const due = this.#waiting.filter((one) => one.changes <= changes);
    this.#waiting = this.#waiting.filter((one) => one.changes > changes);
    for (const { done } of due) done();
  }

  #pass(asked: IncomingMessage, answered: ServerResponse): void {
    const exchange: Exchange = {
      method: asked.method ?? "",
      path: asked.url ?? "",
      from: performance.now(),
      to: undefined,
      end: undefined,
      status: 0,
      retryAfter: undefined,
      text: "",
    };
    this.#all.push(exchange);
    const passed = request(
      {
        host: this.#to.hostname,
        port: this.#to.port,
        method: asked.method,
        path: asked.url,
        headers: asked.headers,
        agent: this.#agent,
      },
      (answer) => {
        exchange.status = answer.statusCode ?? 0;
        exchange.retryAfter = answer.headers["retry-after"];
        if (exchange.status >= 400) {
          answer.on("data", (chunk: Buffer) => {
            exchange.text += chunk.toString();
          });
        }
        answer.on("error", broken);
        answered.writeHead(exchange.status, answer.rawHeaders);
        answer.pipe(answered);
      },
    );
    const broken = (): void => {
      exchange.end ??= "broken";
      answered.destroy();
    };
    passed.on("error", broken);
    asked.on("error", () => passed.destroy());
    answered.on("close", () => {
      exchange.to = performance.now();
      exchange.end ??= answered.writableFinished ? "answered" : "left";
      passed.destroy();
    });
    asked.pipe(passed);
    this.#look();
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
    this.#agent.destroy();
  }
}
