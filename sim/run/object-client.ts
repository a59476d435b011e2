/**
 * What a client does about networks and volumes: its requests, what it remembers of the answers, and how it compares them
 * with what it was told before.
 */
import { HINT_LABEL } from "../../src/cluster/hint.ts";
import type { ApiAnswer } from "./api-call.ts";
import type { History } from "./history.ts";
import type { Host } from "./host.ts";
import type {
  JoinItem,
  ObjectCreateItem,
  ObjectItem,
  ObjectKind,
  ObjectPlainItem,
  ObjectUseItem,
} from "./object-items.ts";
import { checkObjects, isStanding, type ObjectRow } from "./object-lists.ts";
import { declined, isAnswer, type Outcome, succeeded } from "./outcome.ts";
import { labelsOfProject } from "./plan.ts";
import type { Thing, Things } from "./things.ts";
import type { VirtualTime } from "./time.ts";
import { type Complain, TOKEN_LABEL } from "./witness.ts";

export interface ObjectClientParts {
  readonly time: VirtualTime;
  readonly history: History;
  readonly things: Things;
  readonly complain: Complain;
  readonly ask: (method: string, target: string, body?: unknown) => Promise<Outcome>;
  /** Whether the manager has ever read the host. */
  readonly knows: (host: Host) => boolean;
}

const NEVER = Number.POSITIVE_INFINITY;
const pathOf = (kind: ObjectKind): string => `/${kind}s`;

export class ObjectClient {
  readonly #parts: ObjectClientParts;

  constructor(parts: ObjectClientParts) {
    this.#parts = parts;
  }

  do(item: ObjectItem): Promise<void> {
    switch (item.do) {
      case "object create":
        return this.#create(item);
      case "object remove":
        return this.#remove(item);
      case "object inspect":
        return this.#inspect(item);
      case "object list":
        return this.#list(item);
      case "object prune":
        return this.#prune(item);
      case "connect":
      case "disconnect":
        return this.#join(item);
    }
  }

  async #create({ kind, name, project, perNode }: ObjectCreateItem): Promise<void> {
    const { things, time, ask } = this.#parts;
    const asked = time.now;
    const token = things.ask(kind, name);
    const Labels = {
      [TOKEN_LABEL]: token,
      ...(project && labelsOfProject(project)),
      ...(perNode && { "shoal.network": "per-node" }),
    };
    const outcome = await ask("POST", `${pathOf(kind)}/create`, { Name: name, Labels });
    things.settle(token, outcome);
    if (!succeeded(outcome)) return;
    const told = JSON.parse((outcome as ApiAnswer).text) as { Id?: string; Name?: string };
    const isMeant = (thing: Thing): boolean =>
      kind === "network" ? thing.token === token : thing.kind === kind && thing.name === name;
    const made = things.all.filter((thing) => isMeant(thing) && thing.goneAt >= asked);
    if (made.length === 0) this.#parts.complain("answered", `the ${kind} ${name} was told of, and no engine has it`);
    // Several volumes of a name are told apart by their nodes, and a client asked for one.
    if (kind === "volume" && made.length > 1) return;
    for (const thing of made) {
      thing.toldAt = Math.min(thing.toldAt, time.now);
      thing.id = told.Id;
    }
  }

  /** The one of that name that somebody was told of, if there is no other. */
  #known(kind: ObjectKind, name: string): Thing | undefined {
    const [only, ...more] = this.#parts.things.living(kind).filter((thing) => thing.name === name);
    return more.length === 0 && only?.removedAt === NEVER ? only : undefined;
  }

  #refOf({ kind, name, byId }: ObjectUseItem): string {
    return (byId ? this.#known(kind, name)?.id : undefined) ?? name;
  }

  async #remove(item: ObjectUseItem): Promise<void> {
    const { things, time, ask } = this.#parts;
    const { kind, name } = item;
    const sure = this.#known(kind, name);
    const ref = this.#refOf(item);
    const asked = time.now;
    const covers = (thing: Thing): boolean =>
      thing.kind === kind && (ref === name ? thing.name === name : thing.id === ref);
    const removal = things.removal(covers);
    const outcome = await ask("DELETE", `${pathOf(kind)}/${ref}`);
    if (succeeded(outcome) || declined(outcome)) removal.open = false;
    this.#checkFound(sure, outcome, asked);
    if (!succeeded(outcome)) return;
    for (const thing of things.all) if (covers(thing) && thing.goneAt >= asked) this.#removed(thing);
  }

  #removed(thing: Thing): void {
    if (thing.goneAt < NEVER) thing.removedAt = Math.min(thing.removedAt, this.#parts.time.now);
  }

  async #inspect(item: ObjectUseItem): Promise<void> {
    const { time, ask, complain } = this.#parts;
    const { kind, name } = item;
    const sure = this.#known(kind, name);
    const asked = time.now;
    const outcome = await ask("GET", `${pathOf(kind)}/${this.#refOf(item)}`);
    this.#checkFound(sure, outcome, asked);
    if (!isAnswer(outcome) || outcome.status !== 200) return;
    const found = JSON.parse(outcome.text) as ObjectRow;
    if (found.Labels?.[HINT_LABEL] !== undefined) complain("hint", `the ${kind} ${name} shows it`);
    if (!sure || sure.toldAt > asked || sure.goneAt < NEVER) return;
    if (found.Name !== name || found.Labels?.[TOKEN_LABEL] !== sure.token || found.Id !== sure.id) {
      complain("identity", `the ${kind} ${name} (${sure.id}) is ${found.Id}, called ${found.Name}`);
    }
  }

  /** What exists is never answered with 404. */
  #checkFound(sure: Thing | undefined, outcome: Outcome, asked: number): void {
    if (!sure || !isAnswer(outcome) || outcome.status !== 404) return;
    const { things, complain, knows } = this.#parts;
    if (!isStanding(things, sure, asked) || !knows(sure.host)) return;
    complain("gone", `the ${sure.kind} ${sure.name} is on ${sure.host.name}, and was answered with 404`);
  }

  async #list({ kind }: ObjectPlainItem): Promise<void> {
    const { time, things, ask, complain, knows } = this.#parts;
    const asked = time.now;
    const outcome = await ask("GET", pathOf(kind));
    if (!isAnswer(outcome)) return;
    if (outcome.status !== 200) {
      complain("list", `a list of ${kind}s was answered with ${outcome.status}: ${outcome.text.trim()}`);
      return;
    }
    const told = JSON.parse(outcome.text) as ObjectRow[] | { Volumes: ObjectRow[] };
    checkObjects(things, kind, Array.isArray(told) ? told : told.Volumes, asked, knows, complain);
  }

  async #prune({ kind }: ObjectPlainItem): Promise<void> {
    const { time, things, ask } = this.#parts;
    const asked = time.now;
    const removal = things.removal((thing) => thing.kind === kind);
    const all = kind === "volume" ? `?filters=${encodeURIComponent('{"all":["true"]}')}` : "";
    const outcome = await ask("POST", `${pathOf(kind)}/prune${all}`);
    if (succeeded(outcome) || declined(outcome)) removal.open = false;
    if (!isAnswer(outcome) || outcome.status !== 200) return;
    const answer = JSON.parse(outcome.text) as Record<string, string[] | null>;
    const names = new Set(answer[kind === "network" ? "NetworksDeleted" : "VolumesDeleted"]);
    for (const thing of things.all) {
      if (thing.kind === kind && thing.goneAt >= asked && names.has(thing.name)) this.#removed(thing);
    }
  }

  async #join(item: JoinItem): Promise<void> {
    const { history, things, ask, complain } = this.#parts;
    const known = history.standing();
    const made = known[item.which % Math.max(1, known.length)];
    if (made?.id === undefined) return;
    const outcome = await ask("POST", `/networks/${item.name}/${item.do}`, { Container: made.id });
    const host = made.copy?.host;
    if (!succeeded(outcome) || !host) return;
    const there = things.all.filter((thing) => thing.kind === "network" && thing.name === item.name);
    const here = there.filter((thing) => thing.host === host);
    if (here.length === 0) complain("network", `${made.token} on ${host.name} joined ${item.name}, which is not there`);
    if (here.length > 0 && here.every(({ foreign }) => foreign)) {
      complain("foreign", `${made.token} was told of a ${item.do} of the foreign network ${item.name}`);
    }
  }
}
