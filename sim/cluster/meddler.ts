/**
 * A wire that a test meddles with: answers held back, lost on their way, requests lost before they arrive, events late or
 * lost. The engine behind it does its work as ever. Owns nothing of the engine.
 */
import { type Duplex, pipeline, type Readable, Transform } from "node:stream";
import { type EngineWire, type WireAnswer, WireError, type WireRequest } from "../../src/engine/wire/wire.ts";

/** What has an end is a question about the past. */
const STREAM = /^GET \/events(?!.*[?&]until=)/;

interface Rule {
  readonly pattern: RegExp;
  readonly kind: "hold" | "lose answer" | "lose request";
  readonly until: Promise<void>;
  times: number;
}

export class Meddler {
  readonly #rules: Rule[] = [];
  readonly #recorders: { readonly pattern: RegExp; readonly bodies: string[] }[] = [];
  #eventsPass = Promise.resolve();
  #lostEvents: RegExp | undefined;

  /** Answers to the next call that matches `METHOD /path` wait until the function returned is called. */
  hold(pattern: RegExp, times = 1): () => void {
    let release = (): void => {};
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#rules.push({ pattern, kind: "hold", until, times });
    return release;
  }

  /** The engine does what it is asked; its answer never arrives. */
  loseAnswer(pattern: RegExp, times = 1): void {
    this.#rules.push({ pattern, kind: "lose answer", until: Promise.resolve(), times });
  }

  /** The connection breaks when the request is on its way: nobody knows whether it arrived, and it did not. */
  loseRequest(pattern: RegExp, times = 1): void {
    this.#rules.push({ pattern, kind: "lose request", until: Promise.resolve(), times });
  }

  /** Event streams that are open and later ones stand still until the function returned is called. */
  holdEvents(): () => void {
    let release = (): void => {};
    this.#eventsPass = new Promise<void>((resolve) => {
      release = resolve;
    });
    return release;
  }

  /** Event streams that are open and later ones leave out the lines that match. */
  loseEvents(pattern: RegExp): void {
    this.#lostEvents = pattern;
  }

  /** The bodies of all calls that match from now on, as they were sent. */
  record(pattern: RegExp): readonly string[] {
    const bodies: string[] = [];
    this.#recorders.push({ pattern, bodies });
    return bodies;
  }

  wrap(wire: EngineWire): EngineWire {
    return {
      address: wire.address,
      request: (request) => this.#request(wire, request),
      connect: (signal): Promise<Duplex> => wire.connect(signal),
      close: () => wire.close(),
    };
  }

  async #request(wire: EngineWire, request: WireRequest): Promise<WireAnswer> {
    const call = `${request.method} ${request.path.replace(/^\/v[\d.]+/, "")}`;
    for (const { pattern, bodies } of this.#recorders) {
      if (pattern.test(call) && typeof request.body === "string") bodies.push(request.body);
    }
    const rule = this.#ruleFor(call);
    if (rule?.kind === "lose request") throw broken();
    const answer = await wire.request(request);
    await rule?.until;
    if (STREAM.test(call)) return { ...answer, body: this.#events(answer.body) };
    if (rule?.kind !== "lose answer") return answer;
    answer.body.destroy();
    throw broken();
  }

  /** The engine writes whole lines. */
  #events(told: Readable): Readable {
    const meddled = new Transform({
      transform: (lines: Buffer, _encoding, done) => {
        void this.#eventsPass.then(() =>
          done(
            null,
            lines.toString().replace(/.*\n/g, (line) => this.#unlost(line)),
          ),
        );
      },
    });
    pipeline(told, meddled, () => {});
    return meddled;
  }

  #unlost(line: string): string {
    return this.#lostEvents?.test(line) ? "" : line;
  }

  #ruleFor(call: string): Rule | undefined {
    const rule = this.#rules.find(({ pattern, times }) => times > 0 && pattern.test(call));
    if (rule) rule.times--;
    return rule;
  }
}

const broken = (): WireError => new WireError("broken", true, "the connection broke");
