/**
 * The clients of a simulated world: each does its items one after the other through the manager's API, remembers what it
 * was told, and compares each answer with that. Owns the requests; the rules for lists are in lists.ts.
 */
import type { ApiAnswer } from "./api-call.ts";
import type { History, Made, Removal } from "./history.ts";
import type { Host } from "./host.ts";
import { STRAY_MS } from "./link.ts";
import { checkList, type Row } from "./lists.ts";
import { ObjectClient } from "./object-client.ts";
import { declined, isAnswer, type Outcome, succeeded } from "./outcome.ts";
import {
  type By,
  type ChangeItem,
  type ClientItem,
  type CreateItem,
  labelsOfProject,
  MB,
  type PlainItem,
  type RemoveItem,
  type RenameItem,
  type UpdateItem,
} from "./plan.ts";
import type { Things } from "./things.ts";
import type { VirtualTime } from "./time.ts";
import type { Trace } from "./trace.ts";
import { type Complain, TOKEN_LABEL } from "./witness.ts";

export interface ClientParts {
  readonly time: VirtualTime;
  readonly history: History;
  readonly things: Things;
  readonly trace: Trace;
  readonly complain: Complain;
  /** Tags of images that were committed, oldest first. */
  readonly committed: string[];
  ask(client: number, method: string, target: string, body?: unknown): Promise<Outcome>;
  /** Whether its node has a fault, or had one a moment ago: refusals are no wonder. */
  troubled(made: Made): boolean;
  /** Whether the manager has ever read the host. */
  knows(host: Host): boolean;
  /** Of several managers none may lead for a moment, and then even a list is refused. */
  readonly mayLackLeader: boolean;
}

type Aimed = ChangeItem | RemoveItem | RenameItem | UpdateItem;

interface Target {
  readonly ref: string;
  /** Undefined when a name may be another's by now. */
  readonly sure: Made | undefined;
  /** Whom the client means. */
  readonly meant: Made;
  readonly covers: (made: Made) => boolean;
}

export class Client {
  readonly #parts: ClientParts;
  readonly #number: number;
  readonly #objects: ObjectClient;
  /** What it waits for; undefined when it has nothing to do. */
  busy: string | undefined;

  constructor(parts: ClientParts, number: number) {
    this.#parts = parts;
    this.#number = number;
    this.#objects = new ObjectClient({
      ...parts,
      ask: (method, target, body) => this.#ask(method, target, body),
      complain: (rule, what) => parts.complain(rule, `client ${number}: ${what}`),
    });
  }

  async run(items: readonly ClientItem[]): Promise<void> {
    const { time } = this.#parts;
    for (const item of items) {
      if (item.at > time.now) await new Promise<void>((resolve) => time.after(item.at - time.now, resolve));
      this.busy = `${item.do} of client ${this.#number} at ${item.at}`;
      await this.#do(item);
      this.busy = undefined;
    }
  }

  #do(item: ClientItem): Promise<void> {
    switch (item.do) {
      case "create":
        return this.#create(item);
      case "remove":
        return this.#remove(item);
      case "rename":
        return this.#rename(item);
      case "update":
        return this.#update(item);
      case "list":
        return this.list();
      case "prune":
        return this.#prune(item);
      case "inspect":
        return this.#inspect(item);
      case "commit":
        return this.#commit(item);
      case "object create":
      case "object remove":
      case "object inspect":
      case "object list":
      case "object prune":
      case "connect":
      case "disconnect":
        return this.#objects.do(item);
      default:
        return this.#change(item);
    }
  }

  async #ask(method: string, target: string, body?: unknown): Promise<Outcome> {
    const outcome = await this.#parts.ask(this.#number, method, target, body);
    if (isAnswer(outcome) && /shoal bug/.test(outcome.text)) this.#parts.complain("bug", outcome.text.trim());
    return outcome;
  }

  async #create(item: CreateItem): Promise<void> {
    const { history, time, complain, committed } = this.#parts;
    const made = history.create(this.#number, item);
    const name = item.name === 0 ? "" : `c${item.name}`;
    if (name !== "") made.names.add(name);
    const image = item.committed ? committed[item.at % Math.max(1, committed.length)] : undefined;
    const outcome = await this.#ask("POST", `/containers/create?name=${name}`, bodyOf(made, image));
    if (!succeeded(outcome)) {
      made.untold = true;
      if (declined(outcome)) made.refused = isAnswer(outcome) ? outcome.status : 0;
      return;
    }
    made.id = (JSON.parse((outcome as ApiAnswer).text) as { Id: string }).Id;
    made.toldAt = time.now;
    if (made.living().length === 0 && !history.mayBeRemoved(made) && made.goneAt < 0) {
      complain("answered", `client ${this.#number} was told of ${made.token}, and no engine has it`);
    }
    if (item.start)
      await this.#changeTo("start", {
        ref: made.id,
        sure: made,
        meant: made,
        covers: (one) => one === made,
      });
  }

  /** A container by the item's index: mostly one that somebody was told of. */
  #target(item: Aimed): Target | undefined {
    const { history } = this.#parts;
    const project = "project" in item ? item.project : undefined;
    const known = history.standing().filter((made) => project === undefined || made.item.project?.name === project);
    const own = known.filter(({ client }) => client === this.#number);
    const from = item.which % 10 < 7 && own.length > 0 ? own : known;
    const made = from[item.which % Math.max(1, from.length)];
    if (made?.id === undefined) return undefined;
    const ref = refOf(made, made.id, item.by);
    if (item.by !== "name") return { ref, sure: made, meant: made, covers: (one) => one === made };
    return { ref, sure: undefined, meant: made, covers: (one) => one.names.has(ref) };
  }

  async #change(item: ChangeItem): Promise<void> {
    const target = this.#target(item);
    if (target) await this.#changeTo(item.do, target);
  }

  async #changeTo(action: string, target: Target): Promise<void> {
    const { time } = this.#parts;
    const asked = time.now;
    const outcome = await this.#ask("POST", `/containers/${target.ref}/${action}`);
    this.#checkFound(target, outcome, asked);
    // What a signal does comes later than the answer to kill.
    if (succeeded(outcome) && target.sure && action !== "kill") target.sure.stateTold = { asked, at: time.now };
  }

  async #inspect(item: ChangeItem): Promise<void> {
    const target = this.#target(item);
    if (!target) return;
    const asked = this.#parts.time.now;
    const outcome = await this.#ask("GET", `/containers/${target.ref}/json`);
    this.#checkFound(target, outcome, asked);
    if (!isAnswer(outcome) || outcome.status !== 200) return;
    const found = JSON.parse(outcome.text) as { Id: string; Config: { Labels: Record<string, string> } };
    const { sure } = target;
    if (sure && (found.Id !== sure.id || found.Config.Labels[TOKEN_LABEL] !== sure.token)) {
      this.#parts.complain("identity", `${sure.id} is ${found.Id} with ${found.Config.Labels[TOKEN_LABEL]}`);
    }
  }

  async #commit(item: ChangeItem): Promise<void> {
    const target = this.#target(item);
    if (!target) return;
    const { committed, time } = this.#parts;
    const repo = `committed-${this.#number}-${item.at}`;
    const asked = time.now;
    const outcome = await this.#ask("POST", `/commit?container=${target.ref}&repo=${repo}`);
    this.#checkFound(target, outcome, asked);
    if (succeeded(outcome)) committed.push(`${repo}:latest`);
  }

  async #remove(item: RemoveItem): Promise<void> {
    const target = this.#target(item);
    if (!target) return;
    const { history, time } = this.#parts;
    const asked = time.now;
    const removal = history.removal(target.covers, item.volumes);
    const query = `force=${item.force ? 1 : 0}&v=${item.volumes ? 1 : 0}`;
    const outcome = await this.#ask("DELETE", `/containers/${target.ref}?${query}`);
    this.#checkFound(target, outcome, asked);
    this.#settle(removal, outcome);
    if (!succeeded(outcome)) return;
    const gone = history.made.filter((made) => target.covers(made) && made.goneAt >= asked);
    // On a node that is lost it stays, and is kept aside when the node is back.
    for (const made of gone.length > 0 ? gone : [target.meant]) made.removedAt = Math.min(made.removedAt, time.now);
  }

  async #prune(_item: PlainItem): Promise<void> {
    const { history, time } = this.#parts;
    const removal = history.removal(() => true, false);
    const outcome = await this.#ask("POST", "/containers/prune");
    this.#settle(removal, outcome);
    if (!isAnswer(outcome) || outcome.status !== 200) return;
    const { ContainersDeleted } = JSON.parse(outcome.text) as { ContainersDeleted: string[] | null };
    const gone = new Set(ContainersDeleted);
    for (const made of history.made) {
      if (made.id !== undefined && gone.has(made.id)) made.removedAt = Math.min(made.removedAt, time.now);
    }
  }

  /**
   * An engine that failed in the middle may still do it: only a clear word ends a removal. One that was refused may have been
   * sent twice, and may come true when the second arrives.
   */
  #settle(removal: Removal, outcome: Outcome): void {
    const close = (): void => {
      removal.open = false;
    };
    if (succeeded(outcome)) close();
    else if (declined(outcome)) this.#parts.time.after(STRAY_MS, close);
  }

  async #rename(item: RenameItem): Promise<void> {
    const target = this.#target(item);
    if (!target) return;
    const { history, time } = this.#parts;
    const asked = time.now;
    const name = `c${item.name}`;
    const covered = history.made.filter((made) => target.covers(made));
    for (const made of covered) {
      made.names.add(name);
      made.openRenames.add(item);
    }
    const outcome = await this.#ask("POST", `/containers/${target.ref}/rename?name=${name}`);
    if (succeeded(outcome) || declined(outcome)) {
      for (const made of covered) {
        made.openRenames.delete(item);
        made.renameEndedAt = time.now;
      }
    }
    this.#checkFound(target, outcome, asked);
    if (succeeded(outcome) && target.sure) target.sure.nameTold = { asked, at: time.now };
  }

  async #update(item: UpdateItem): Promise<void> {
    const target = this.#target(item);
    if (!target) return;
    const asked = this.#parts.time.now;
    const body = { Memory: item.mb * MB, MemorySwap: -1 };
    this.#checkFound(target, await this.#ask("POST", `/containers/${target.ref}/update`, body), asked);
  }

  async list(): Promise<void> {
    const { time, history, complain } = this.#parts;
    const asked = time.now;
    const outcome = await this.#ask("GET", "/containers/json?all=1");
    if (!isAnswer(outcome)) return;
    if (outcome.status === 503 && this.#parts.mayLackLeader) return;
    if (outcome.status !== 200) {
      complain("list", `a list was answered with ${outcome.status}: ${outcome.text.trim()}`);
      return;
    }
    if (outcome.warned) return;
    checkList(history, JSON.parse(outcome.text) as Row[], asked, (rule, what) =>
      complain(rule, `list of client ${this.#number}: ${what}`),
    );
  }

  /** What exists is never «gone», whatever state its node is in: tools take 404 for that and make another. */
  #checkFound(target: Target, outcome: Outcome, asked: number): void {
    const { sure, ref } = target;
    if (!sure || !isAnswer(outcome) || outcome.status !== 404 || !/No such container/.test(outcome.text)) return;
    const { history, complain, troubled } = this.#parts;
    if (sure.toldAt > asked || sure.living().length === 0 || sure.goneAt >= asked) return;
    if (sure.removedAt < Number.POSITIVE_INFINITY || history.mayBeRemoved(sure)) return;
    complain(
      "gone",
      `${ref} (${sure.token}) is there, and was answered with 404${troubled(sure) ? " in trouble" : ""}`,
    );
  }
}

function refOf(made: Made, id: string, by: By): string {
  if (by === "id") return id;
  if (by === "short") return id.slice(0, 12);
  return made.copy?.container.name ?? id;
}

function bodyOf({ token, item }: Made, image: string | undefined): Record<string, unknown> {
  const [mode, ...more] = item.networks ?? [];
  const named = [...(item.volume === "named" ? [`vol${item.client}`] : []), ...(item.volumes ?? [])];
  return {
    Image: image ?? "busybox",
    Cmd: ["sleep", "infinity"],
    Labels: { [TOKEN_LABEL]: token, ...(item.project && labelsOfProject(item.project)) },
    ...(item.volume === "anonymous" && { Volumes: { "/data": {} } }),
    HostConfig: {
      Memory: item.mb * MB,
      NanoCpus: item.cpus * 1e9,
      RestartPolicy: { Name: item.restart },
      ...(named.length > 0 && { Binds: named.map((name, i) => `${name}:/data${i === 0 ? "" : i}`) }),
      ...(mode !== undefined && { NetworkMode: mode }),
      ...(item.port > 0 && { PortBindings: { "80/tcp": [{ HostPort: String(item.port) }] } }),
    },
    ...(more.length > 0 && {
      NetworkingConfig: { EndpointsConfig: Object.fromEntries([mode, ...more].map((name) => [name, {}])) },
    }),
  };
}
