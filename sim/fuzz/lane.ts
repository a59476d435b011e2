/**
 * One client after the other on a listener of its own: sends an input, reads what comes back, and judges it. Owns the
 * sockets and the deadlines; must not know how inputs are made.
 */
import { connect, type Socket } from "node:net";
import type { Api } from "../../src/api/api.ts";
import { createAccess } from "../../src/api/listener/access.ts";
import { parseHost } from "../../src/api/listener/host.ts";
import { type Listeners, openListeners } from "../../src/api/listener/listen.ts";
import type { ApiRequest } from "../../src/api/listener/request.ts";
import { ROUTES } from "../../src/api/table.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { type Logger, silentLog } from "../../src/kit/log.ts";
import { systemRandom } from "../../src/kit/random.ts";
import { type Read, readAnswers } from "./answers.ts";
import type { Input } from "./input.ts";
import { hopsOf, type Seen, type Watch } from "./watch.ts";

/** An answer, or the end of what a client began, comes within this: longer than ENGINE_UNREAD_MS, which is no hang. */
const HANG_MS = 90_000;
/** After this silence nothing more is expected of an input that is not whole, or of a stream. */
const QUIET_MS = 30;
/** Words that no client may ever be told. */
const BUG =
  /shoal bug|is not a function|undefined|not iterable|Cannot read|Maximum call stack|Invalid (?:array|string) length/;

export class Lane {
  readonly #path: string;
  readonly #api: Api;
  readonly #watch: Watch;
  #listeners: Listeners | undefined;
  #problems: string[] = [];
  #requests: Seen[] = [];
  #pending = 0;

  constructor(path: string, api: Api, watch: Watch) {
    this.#path = path;
    this.#api = api;
    this.#watch = watch;
  }

  async open(): Promise<void> {
    const host = parseHost(`unix://${this.#path}`);
    const complain = (message: string, fields?: Record<string, unknown>): void => {
      this.#problems.push(`logged: ${message} ${JSON.stringify(fields)}`);
    };
    const log: Logger = { ...silentLog, error: complain, with: () => log };
    this.#listeners = await openListeners([host], {
      headers: this.#api.headers,
      takesUpgrade: this.#api.takesUpgrade,
      handler: (request, answer) => this.#handle(request, () => this.#api.handler(request, answer)),
      upgrade: (upgrade) => this.#handle(upgrade.request, () => this.#api.upgrade(upgrade)),
      access: createAccess({ hosts: [host] }),
      log,
      clock: systemClock,
      random: systemRandom,
    });
  }

  async close(): Promise<void> {
    await this.#listeners?.close(0);
  }

  async #handle(request: ApiRequest, work: () => Promise<void>): Promise<void> {
    const { method, path } = request;
    const report = (problem: string): void => {
      this.#problems.push(problem);
    };
    const seen: Seen = { method, path, match: ROUTES.match(method, path), hops: hopsOf(request), report };
    this.#requests.push(seen);
    this.#pending++;
    try {
      await this.#watch.within(seen, work);
    } finally {
      this.#pending--;
    }
  }

  /** What was wrong with how this input was taken; empty when nothing was. */
  async run(input: Input): Promise<readonly string[]> {
    this.#problems = [];
    this.#requests = [];
    const { bytes, closed, late } = await this.#exchange(input);
    if (late) this.#problems.push("no answer came");
    if (!(await this.#allEnded())) {
      const paths = this.#requests.map(({ method, path }) => `${method} ${path}`).join(", ");
      this.#problems.push(`after the client left, ${this.#pending} of its requests are under way (${paths})`);
      this.#problems.push(`after the client left, ${this.#listeners?.connections()} of its connections are open`);
    }
    try {
      const answers = this.#read(bytes, closed, input);
      for (const [index, answer] of answers.entries()) this.#judge(answer, this.#requests[index]);
    } catch (error) {
      this.#problems.push(`malformed: ${error instanceof Error ? error.message : String(error)}`);
    }
    return this.#problems;
  }

  #read(bytes: Buffer, closed: boolean, input: Input): Read[] {
    const methods = this.#requests.map(({ method }) => method);
    try {
      return readAnswers(bytes, methods, closed);
    } catch (error) {
      // One that was refused before it had a route is not among the requests.
      if (methods.length > 0 || input.bytes.subarray(0, 5).toString("latin1") !== "HEAD ") throw error;
      return readAnswers(bytes, ["HEAD"], closed);
    }
  }

  #judge(answer: Read, seen: Seen | undefined): void {
    const { status, headers, body, complete } = answer;
    const where = seen ? `${seen.method} ${seen.path}` : "a refused request";
    if (status < 400 || !complete || body.length === 0) return;
    const say = (problem: string): void => void this.#problems.push(`${where}: ${status}: ${problem}`);
    if (headers.get("content-type") !== "application/json") say(`an error as ${headers.get("content-type")}`);
    try {
      const { message } = JSON.parse(body.toString("utf8")) as { message?: unknown };
      if (typeof message !== "string" || message === "") say("an error without a message");
      else if (BUG.test(message)) say(message);
    } catch {
      say(`an error that is not JSON: ${body.toString("utf8", 0, 100)}`);
    }
  }

  #exchange(input: Input): Promise<{ bytes: Buffer; closed: boolean; late: boolean }> {
    return new Promise((resolve) => {
      const chunks: Buffer[] = [];
      let over = false;
      const socket: Socket = connect({ path: this.#path, allowHalfOpen: true });
      const finish = (closed: boolean, late = false): void => {
        if (over) return;
        over = true;
        quiet.cancel();
        deadline.cancel();
        socket.destroy();
        resolve({ bytes: Buffer.concat(chunks), closed, late });
      };
      const look = (): void => {
        const all = Buffer.concat(chunks);
        if (this.#mayLeave(all, input)) finish(false);
        else quiet = systemClock.after(QUIET_MS, look);
      };
      let quiet = systemClock.after(QUIET_MS, look);
      const deadline = systemClock.after(HANG_MS, () => finish(false, true));
      socket.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        quiet.cancel();
        quiet = systemClock.after(QUIET_MS, look);
      });
      socket
        .on("error", () => finish(true))
        .on("end", () => finish(true))
        .on("close", () => finish(true));
      socket.write(input.bytes);
    });
  }

  /** Nothing more can be demanded: an answer is complete, or a stream has begun, or the input leaves us waiting for more. */
  #mayLeave(bytes: Buffer, input: Input): boolean {
    if (!input.whole) return true;
    try {
      return this.#read(bytes, false, input).length > 0;
    } catch {
      return true;
    }
  }

  /** Also: what this input sent cannot be taken for the next one's. */
  async #allEnded(): Promise<boolean> {
    const end = systemClock.monotonic() + HANG_MS;
    while (this.#pending > 0 || (this.#listeners?.connections() ?? 0) > 0) {
      if (systemClock.monotonic() > end) return false;
      await systemClock.sleep(1);
    }
    return true;
  }
}
