/**
 * The way from one manager to another, behind the wire's interface: what is passed on to the leader goes through its real
 * API, and the answer comes back piece by piece. Owns the calls under way.
 */
import type { ServerResponse } from "node:http";
import { type Duplex, Readable, Writable } from "node:stream";
import type { Api } from "../../src/api/api.ts";
import { Answer, sendError } from "../../src/api/listener/answer.ts";
import { BodyMemory } from "../../src/api/listener/body-memory.ts";
import { parseTarget } from "../../src/api/listener/path.ts";
import type { ApiRequest } from "../../src/api/listener/request.ts";
import type { News } from "../../src/cluster/changes.ts";
import { toDockerError } from "../../src/docker/errors.ts";
import { abortError } from "../../src/engine/wire/faults.ts";
import { type EngineWire, type WireAnswer, WireError, type WireRequest } from "../../src/engine/wire/wire.ts";
import { ENGINE_DIAL_MS } from "../../src/kit/limits.ts";
import type { Random } from "../../src/kit/random.ts";
import { type Life, never } from "./life.ts";
import { bodyOf } from "./link.ts";
import type { Path } from "./path.ts";
import type { VirtualTime } from "./time.ts";

/** Who answers at an address now. */
export interface Peer {
  readonly life: Life;
  readonly api: Api;
}

export interface PeerWireParts {
  readonly time: VirtualTime;
  readonly life: Life;
  readonly path: Path;
  readonly random: Random;
  readonly address: string;
  readonly peer: () => Peer | undefined;
}

export class PeerWire implements EngineWire {
  readonly address: string;
  readonly #parts: PeerWireParts;
  readonly #open = new Set<(error: WireError) => void>();

  constructor(parts: PeerWireParts) {
    this.#parts = parts;
    this.address = parts.address;
  }

  async request(request: WireRequest): Promise<WireAnswer> {
    const { life } = this.#parts;
    if (request.signal?.aborted) throw new WireError("aborted", false, "aborted before it was sent");
    const body = await bodyOf(request.body);
    await life.sending(false);
    if (!life.goesOut()) return never();
    return this.#exchange(request, body);
  }

  connect(): Promise<Duplex> {
    return Promise.reject(new WireError("broken", false, "streams are not simulated"));
  }

  async close(): Promise<void> {
    for (const fail of [...this.#open]) fail(broken());
  }

  #exchange(request: WireRequest, body: string): Promise<WireAnswer> {
    const { time, life, path, peer, address } = this.#parts;
    const { signal } = request;
    return new Promise((resolve, reject) => {
      const gone = new AbortController();
      const answer = new Readable({ read() {} });
      answer.on("error", () => {});
      answer.once("close", () => finish());
      let answered = false;
      const unhooks: (() => void)[] = [];
      const finish = (): void => {
        this.#open.delete(fail);
        for (const unhook of unhooks.splice(0)) unhook();
        gone.abort(GONE);
      };
      const fail = (error: WireError): void => {
        finish();
        if (answered) answer.destroy(error);
        else reject(error);
      };
      this.#open.add(fail);
      const onAbort = (): void => fail(abortError(signal?.reason, address, true));
      signal?.addEventListener("abort", onAbort, { once: true });
      unhooks.push(() => signal?.removeEventListener("abort", onAbort));
      if (path.isCut) {
        const silent = new WireError("silent", false, `dial ${address}: no answer`);
        const timer = time.after(ENGINE_DIAL_MS, () => life.whenAwake(() => fail(silent)));
        unhooks.push(() => timer.cancel());
        return;
      }
      let last = 0;
      /** Back to the one who asked, in order. */
      const back = (what: () => void): void => {
        last = Math.max(last, time.now + this.#delay());
        time.after(last - time.now, () => path.whenWhole(() => life.whenAwake(() => gone.signal.aborted || what())));
      };
      time.after(this.#delay(), () =>
        path.whenWhole(() => {
          if (gone.signal.aborted) return;
          const there = peer();
          if (!there?.life.alive) {
            back(() => fail(new WireError("refused", false, `dial ${address}: connection refused`)));
            return;
          }
          unhooks.push(there.life.onEnd(() => back(() => fail(broken()))));
          const response = new PeerResponse({
            head(status, headers) {
              back(() => {
                answered = true;
                resolve({ status, headers, body: answer });
              });
            },
            chunk: (chunk) => back(() => answer.push(chunk)),
            end: (whole) => back(() => (whole ? answer.push(null) : fail(broken()))),
          });
          there.life.whenAwake(() => void serve(there.api, request, body, response, gone.signal));
        }),
      );
    });
  }

  #delay(): number {
    return 0.1 + this.#parts.random.int(2_000) / 1_000;
  }
}

/** The same, but that no change is told which the other one made. */
export function untold(wire: EngineWire): EngineWire {
  return {
    address: wire.address,
    async request(request) {
      const answer = await wire.request(request);
      if (answer.status !== 200 || !request.path.startsWith("/shoal/changes?")) return answer;
      const news = JSON.parse(await bodyOf(answer.body)) as News;
      const nothing = { ...news, changes: news.changes && [] };
      return { ...answer, body: Readable.from([Buffer.from(JSON.stringify(nothing))]) };
    },
    connect: (signal) => wire.connect(signal),
    close: () => wire.close(),
  };
}

const GONE = new Error("nobody reads any more");
const broken = (): WireError => new WireError("broken", true, "the connection broke");

interface Told {
  head(status: number, headers: readonly string[]): void;
  chunk(chunk: Buffer): void;
  /** @param whole false: it breaks off */
  end(whole: boolean): void;
}

/** What the other manager's handlers write. */
class PeerResponse extends Writable {
  headersSent = false;
  statusCode = 0;
  readonly #told: Told;

  constructor(told: Told) {
    super();
    this.#told = told;
    this.on("error", () => {});
    this.once("finish", () => told.end(true));
    this.once("close", () => this.writableFinished || told.end(false));
  }

  writeHead(status: number, _reason: string, headers: readonly string[]): this {
    this.headersSent = true;
    this.statusCode = status;
    this.#told.head(status, headers);
    return this;
  }

  flushHeaders(): void {}

  override _write(chunk: Buffer | string, _encoding: BufferEncoding, done: () => void): void {
    this.#told.chunk(Buffer.from(chunk));
    done();
  }
}

async function serve(
  api: Api,
  { method, path, headers = [] }: WireRequest,
  text: string,
  response: PeerResponse,
  signal: AbortSignal,
): Promise<void> {
  const named: Record<string, string> = {};
  for (let at = 0; at + 1 < headers.length; at += 2) named[(headers[at] ?? "").toLowerCase()] = headers[at + 1] ?? "";
  if (text !== "") named["content-length"] = String(Buffer.byteLength(text));
  const request: ApiRequest = {
    id: "sim",
    ...parseTarget(path),
    method,
    headers: named,
    rawHeaders: Object.entries(named).flat(),
    hasBody: text !== "",
    body: Readable.from(text === "" ? [] : [Buffer.from(text)]),
    remote: { address: "a manager", transport: "tcp" },
    memory: new BodyMemory().hold(),
    expire: () => {},
    dropBody: () => {},
    signal,
  };
  const answer = new Answer(response as unknown as ServerResponse, api.headers, "sim");
  try {
    await api.handler(request, answer);
  } catch (error) {
    sendError(answer, toDockerError(error));
  }
}
