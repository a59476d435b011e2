/**
 * The audit log: one line for each change, written before its answer's head goes out. A client's request has one line
 * (streams have a second when they ended) that names every call which changed something on an engine; what shoal does
 * unasked has lines of its own. Owns who is told what when; must not know where lines are kept.
 *
 * The request that a call to an engine belongs to is carried along by the runtime (AsyncLocalStorage), so that no code
 * on the way can forget to pass it on: no call that changes something leaves without a line.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { ContainerRecord } from "../cluster/record.ts";
import { type DockerError, toDockerError } from "../docker/errors.ts";
import type { CallWatch, Outcome } from "../engine/call-watch.ts";
import type { Clock } from "../kit/clock.ts";
import {
  type AuditedObject,
  type AuditLine,
  cut,
  type EngineCall,
  formatLine,
  optionsOf,
  type Stage,
  whoIs,
  withoutQuotes,
} from "./audit-line.ts";
import type { AuditNotes, Context, Mutation, Route } from "./route.ts";
import { ROUTES } from "./table.ts";

/** Where lines are kept. */
export interface AuditSink {
  /** Rejects with DockerError 503 while lines cannot be kept: then nothing may be changed. */
  ready(): Promise<void>;
  /** Resolves when the line is kept for good. Rejects with DockerError 503; then it is kept as soon as it can be. */
  write(line: string): Promise<void>;
}

export class Audit {
  readonly #sink: AuditSink;
  readonly #clock: Clock;
  readonly #scope = new AsyncLocalStorage<Change>();

  constructor(sink: AuditSink, clock: Clock) {
    this.#sink = sink;
    this.#clock = clock;
  }

  /**
   * Runs `work`, a request's handler, under its line: refused when no line can be kept. `work` says through
   * `context.audit` when it answers; what it throws has its line before this rejects with it.
   */
  async accompany(
    context: Context,
    route: Route,
    mutation: Mutation,
    work: (context: Context) => Promise<void>,
  ): Promise<void> {
    const change = new Change(this.#sink, this.#clock, context, route, mutation);
    await this.#sink.ready();
    try {
      await this.#scope.run(change, () => work({ ...context, audit: change }));
    } catch (error) {
      await change.threw(toDockerError(error));
      throw error;
    }
    await change.ended();
  }

  /** For the engine of one node. @param node its name now */
  watch(node: () => string): CallWatch {
    return async (method, path) => {
      const [call = ""] = path.split("?", 1);
      const noted: EngineCall = { node: node(), call: `${method} ${cut(call)}`, status: null };
      const cause = this.#scope.getStore();
      if (cause && !cause.told) {
        cause.calls.push(noted);
        return (status) => {
          noted.status = status ?? null;
        };
      }
      return this.#ownChange(method, call, noted, cause);
    };
  }

  /** A call that no request answers for (any more): crash recovery, copies taken away, containers moved. */
  async #ownChange(method: string, path: string, noted: EngineCall, cause: Change | undefined): Promise<Outcome> {
    const route = ROUTES.match(method, path)?.route;
    const served = route !== undefined && route.how !== "unsupported" && route.how !== "no swarm";
    if (served && route.mutates === false) return () => {};
    await this.#sink.ready();
    const began = { now: this.#clock.now(), monotonic: this.#clock.monotonic() };
    return (status) => {
      noted.status = status ?? null;
      const line: AuditLine = {
        time: new Date(began.now).toISOString(),
        request: cause?.id,
        who: { via: "shoal" },
        action: (route?.mutates || undefined)?.action ?? "engine.call",
        stage: "done",
        method,
        route: route?.path ?? path,
        engines: [noted],
        status: noted.status,
        ms: elapsed(this.#clock, began.monotonic),
      };
      // Nobody waits for it; the sink keeps what it could not write.
      this.#sink.write(formatLine(line)).catch(() => {});
    };
  }
}

function actionOf({ action, instead }: Mutation, query: URLSearchParams): string {
  return instead && (query.get(instead.given) ?? "") !== "" ? instead.action : action;
}

/** One request that changes something, from its beginning to its last line. */
class Change implements AuditNotes {
  readonly calls: EngineCall[] = [];
  readonly #sink: AuditSink;
  readonly #clock: Clock;
  readonly #context: Context;
  readonly #route: Route;
  readonly #mutation: Mutation;
  readonly #began: { readonly now: number; readonly monotonic: number };
  #record: ContainerRecord | undefined;
  #made: AuditedObject | undefined;
  #status = 0;
  #error: string | undefined;
  #told: Promise<void> | undefined;

  constructor(sink: AuditSink, clock: Clock, context: Context, route: Route, mutation: Mutation) {
    this.#sink = sink;
    this.#clock = clock;
    this.#context = context;
    this.#route = route;
    this.#mutation = mutation;
    this.#began = { now: clock.now(), monotonic: clock.monotonic() };
  }

  get id(): string {
    return this.#context.request.id;
  }

  /** Its line is written, or about to be: what is done from now on is not in it. */
  get told(): boolean {
    return this.#told !== undefined;
  }

  concerns = (record: ContainerRecord): void => {
    this.#record = record;
  };

  made: AuditNotes["made"] = ({ id, name, node }) => {
    this.#made = { id, name, node: node.name };
  };

  failed = (message: string): void => {
    this.#error = withoutQuotes(message);
  };

  answering = (status: number): Promise<void> => {
    if (this.#told) return this.#told;
    this.#status = status;
    this.#told = this.#write(this.#goesOn ? "begun" : "done");
    return this.#told;
  };

  /** Rejects instead when the line cannot be kept. */
  async threw(error: DockerError): Promise<void> {
    this.failed(error.message);
    if (this.#told) await this.ended();
    else await this.answering(error.status);
  }

  /** The handler is through. */
  async ended(): Promise<void> {
    // What could not be kept is kept later, and the answer is over: nobody can be told.
    if (this.#told && this.#goesOn) await this.#write("ended").catch(() => {});
  }

  get #goesOn(): boolean {
    return this.#mutation.streams === true && this.#status < 400;
  }

  #write(stage: Stage): Promise<void> {
    const { request } = this.#context;
    const line: AuditLine = {
      time: new Date(this.#began.now).toISOString(),
      request: request.id,
      who: whoIs(request.remote),
      action: actionOf(this.#mutation, request.query),
      stage,
      method: request.method,
      route: this.#route.path,
      ...this.#object(),
      options: optionsOf(request.query, this.#mutation.options),
      engines: this.calls,
      status: this.#status,
      error: this.#error,
      ms: elapsed(this.#clock, this.#began.monotonic),
    };
    return this.#sink.write(formatLine(line));
  }

  #object(): { readonly object?: AuditedObject } {
    const { params, cluster } = this.#context;
    const typed = params.name ?? params.id;
    if (this.#made) return { object: this.#made };
    if (typed === undefined && !this.#record) return {};
    // It may have been renamed or made again on another node meanwhile.
    const record = this.#record && (cluster.inventory.byId(this.#record.id) ?? this.#record);
    return {
      object: {
        typed: typed === undefined ? undefined : cut(typed),
        id: record?.id,
        name: record?.name,
        node: record?.node.name,
      },
    };
  }
}

/** Milliseconds with one decimal. */
function elapsed(clock: Clock, since: number): number {
  return Math.round((clock.monotonic() - since) * 10) / 10;
}
