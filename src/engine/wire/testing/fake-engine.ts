/** A small engine for tests: facts, four lists, an event stream with a memory as dockerd's, and faults at will. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { httpServer, type TestServer } from "./servers.ts";

export type FakeHandler = (req: IncomingMessage, res: ServerResponse) => void;

export class FakeEngine {
  id = "ENGINE-1";
  info: Record<string, unknown> = {};
  containers = "[]";
  /** Takes a path (without version and query) out of the engine's hands. */
  readonly faults = new Map<string, FakeHandler>();
  /** Method and URL of every request. */
  readonly requests: string[] = [];
  readonly #streams = new Set<ServerResponse>();
  #events: { nano: bigint; line: string }[] = [];
  #nano = 1_700_000_000_123_456_789n;
  #server: TestServer | undefined;
  #port = 0;

  async start(): Promise<void> {
    this.#server = await httpServer((req, res) => this.#answer(req, res), this.#port);
    this.#port = Number(this.#server.address.split(":").pop());
  }
  /** Every later connection is refused, until the next start at the same address. */
  async stop(): Promise<void> {
    this.#streams.clear();
    await this.#server?.close();
    this.#server = undefined;
  }
  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }
  get connections(): number {
    return this.#server?.connections.size ?? 0;
  }
  get streams(): number {
    return this.#streams.size;
  }
  /** dockerd's memory does not outlive it. */
  forgetEvents(): void {
    this.#events = [];
  }

  emit(action: string, id: string, attributes: Record<string, string> = {}): void {
    this.#nano += 1_000_003n;
    const event = {
      Type: "container",
      Action: action,
      Actor: { ID: id, Attributes: attributes },
      scope: "local",
      time: Number(this.#nano / 1_000_000_000n),
    };
    const line = `${JSON.stringify(event).slice(0, -1)},"timeNano":${this.#nano}}\n`;
    this.#events.push({ nano: this.#nano, line });
    for (const stream of this.#streams) stream.write(line);
  }

  /** Ends or breaks the event streams, and nothing else. */
  dropStreams(how: "end" | "break"): void {
    for (const stream of this.#streams) {
      if (how === "end") stream.end();
      else stream.destroy();
    }
    this.#streams.clear();
  }

  #answer(req: IncomingMessage, res: ServerResponse): void {
    const url = new URL(req.url ?? "/", "http://engine");
    const path = url.pathname.replace(/^\/v\d+\.\d+/, "");
    this.requests.push(`${req.method} ${req.url}`);
    const fault = this.faults.get(path);
    if (fault) fault(req, res);
    else if (path === "/events") this.#stream(url, res);
    else {
      const answer = this.#fixed(path);
      if (answer === undefined) res.writeHead(404, { "content-type": "application/json" });
      res.end(answer ?? JSON.stringify({ message: `no route ${path}` }));
    }
  }

  #fixed(path: string): string | undefined {
    const info = {
      ID: this.id,
      Name: "node-1",
      NCPU: 2,
      MemTotal: 2 ** 31,
      Labels: ["storage=ssd", "bare", "eq=a=b"],
      Driver: "overlay2",
      OSType: "linux",
      // After each event so far, and before the next.
      SystemTime: new Date(Number(this.#nano / 1_000_000n) + 1).toISOString(),
      ...this.info,
    };
    const answers: Record<string, string> = {
      "/_ping": "OK",
      "/version": JSON.stringify({ ApiVersion: "1.41", MinAPIVersion: "1.12", Version: "20.10.24" }),
      "/info": JSON.stringify(info),
      "/networks/bridge": JSON.stringify({ Id: "bridge-1" }),
      "/networks": "[]",
      "/containers/json": this.containers,
      "/images/json": "[]",
      "/volumes": '{"Volumes":null}',
    };
    return answers[path];
  }

  #stream(url: URL, res: ServerResponse): void {
    res.writeHead(200, { "content-type": "application/json" });
    res.flushHeaders();
    const time = (name: string): bigint | undefined => {
      const [sec = "0", frac = "0"] = url.searchParams.get(name)?.split(".") ?? [];
      return url.searchParams.has(name) ? BigInt(sec) * 1_000_000_000n + BigInt(frac.padEnd(9, "0")) : undefined;
    };
    const [since, until] = [time("since"), time("until")];
    const isAsked = ({ nano }: { nano: bigint }) =>
      since !== undefined && nano >= since && (until === undefined || nano <= until);
    for (const { line } of this.#events.slice(-256).filter(isAsked)) res.write(line);
    if (until !== undefined) {
      // Times in the past alone are asked for.
      res.end();
      return;
    }
    this.#streams.add(res);
    res.on("close", () => this.#streams.delete(res));
  }
}
