/**
 * One round: containers on a node, the node is lost and comes back, and all three engines and the manager are looked at.
 * Owns what has to hold, which fails the round where it does not; must not know goals.
 */
import { systemClock } from "../src/kit/clock.ts";
import { sleep, until } from "../test/e2e/support/exec.ts";
import type { BenchClient } from "./client.ts";
import type { EngineRow, Hosts } from "./hosts.ts";
import type { LossCase, Measure } from "./lost-cases.ts";

export const NODES = ["node-1", "node-2", "node-3"] as const;
const LOST = "node-3";
const OTHERS = NODES.filter((node) => node !== LOST);
/** Far more than it ever takes. */
const PATIENCE_MS = 120_000;
/** An engine is away for longer than any other case takes to move what it ran. */
const AWAY_MS = 40_000;
/** What is right stays so. */
const STEADY_MS = 3_000;
/** Ends when it is told to, as services do; what does not is killed ten seconds later, by an engine's default. */
const SERVICE = ["sh", "-c", "trap 'exit 0' TERM; sleep 100000 & wait"];

/** Milliseconds. */
export type Times = Partial<Record<Measure["name"], number>>;

interface Row {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly State: string;
  readonly Status: string;
  readonly Labels: Readonly<Record<string, string>>;
}

interface Shown {
  readonly id: string;
  readonly node: string;
  readonly state: string;
  readonly status: string;
}

/** The manager under test and its engines. */
export interface Site {
  readonly client: BenchClient;
  readonly hosts: Hosts;
}

/** Throws what does not hold. */
export async function playRound(site: Site, one: LossCase, number: number): Promise<Times> {
  const round = new Round(site, one, number);
  const played = await round.play().catch((error: unknown) => ({ error }));
  await round.clear().catch((error: unknown) => {
    const first = "error" in played ? `${String(played.error)}; then ` : "";
    throw new Error(`${first}${String(error)}`, { cause: "error" in played ? played.error : error });
  });
  if ("error" in played) throw played.error;
  return played;
}

class Round {
  readonly #client: BenchClient;
  readonly #hosts: Hosts;
  readonly #case: LossCase;
  /** May move, may not, and runs on another node. */
  readonly #web: string;
  readonly #stays: string;
  readonly #other: string;

  constructor({ client, hosts }: Site, one: LossCase, number: number) {
    this.#client = client;
    this.#hosts = hosts;
    this.#case = one;
    [this.#web, this.#stays, this.#other] = [`web-${number}`, `stays-${number}`, `other-${number}`];
  }

  async play(): Promise<Times> {
    // It may run anywhere, and begins on the node that will be lost.
    const id = await this.#run(this.#web, `constraint:node==~${LOST}`, "always");
    await this.#run(this.#stays, `constraint:node==${LOST}`, "no");
    await this.#run(this.#other, `constraint:node==${OTHERS[0]}`, "always");
    const begun = await this.#shown(this.#web);
    must(begun?.node === LOST && begun.state === "running", `${this.#web} does not run on ${LOST}: ${told(begun)}`);
    const starts = await this.#starts();
    const times = this.#case.moves ? await this.#moves(id) : await this.#staysAway(id);
    await this.#checkStarts(starts);
    return times;
  }

  /** Of everything; never leaves the node as it was lost. */
  async clear(): Promise<void> {
    await this.#hosts.mend(LOST);
    await until(
      "three healthy nodes",
      PATIENCE_MS,
      async () => (await this.#healthy()).size === NODES.length || undefined,
    );
    for (const { Id } of await this.#rows()) await this.#client.call("DELETE", `/containers/${Id}?force=1`);
    for (const node of NODES) {
      for (const { id } of await this.#hosts.containersOf(node)) await this.#hosts.remove(node, id);
    }
    await until("no container", PATIENCE_MS, async () => (await this.#rows()).length === 0 || undefined);
  }

  async #run(name: string, constraint: string, restart: "always" | "no"): Promise<string> {
    const body = {
      Image: "busybox",
      Cmd: SERVICE,
      Env: [constraint],
      HostConfig: { RestartPolicy: { Name: restart } },
    };
    const { Id } = await this.#client.json<{ Id: string }>("POST", `/containers/create?name=${name}`, body);
    await this.#client.call("POST", `/containers/${Id}/start`);
    return Id;
  }

  async #moves(id: string): Promise<Times> {
    const { lose, giveBack, title } = this.#case;
    const from = systemClock.monotonic();
    await lose(this.#hosts, LOST);
    const noticed = await this.#noticed(from);
    const moved = await until(`${this.#web} elsewhere after: ${title}`, PATIENCE_MS, async () => {
      const shown = await this.#shown(this.#web);
      if (shown === undefined || shown.node === LOST || shown.state !== "running") return undefined;
      return (await this.#copies([shown.node])).some(isRunning) ? shown : undefined;
    });
    const elsewhere = systemClock.monotonic() - from;
    must(moved.id === id, `${this.#web} has another ID: ${moved.id}, not ${id}`);
    const running = (await this.#copies(OTHERS)).filter(isRunning);
    must(running.length === 1, `${running.length} running copies on the other engines`);
    const left = await this.#shown(this.#stays);
    must(left?.node === LOST && left.status === "Host Down", `${this.#stays} is not Host Down: ${told(left)}`);
    const home = moved.node;

    await giveBack(this.#hosts, LOST);
    const returned = systemClock.monotonic();
    await until(`one copy, the old one aside after: ${title}`, PATIENCE_MS, async () => {
      const trouble = (await this.#healthy()).has(LOST) ? await this.#trouble(id, home) : `${LOST} is not healthy`;
      // The last one is told when that takes too long.
      if (trouble !== undefined) throw new Error(trouble);
      return true;
    });
    const back = systemClock.monotonic() - returned;
    await sleep(STEADY_MS);
    const trouble = await this.#trouble(id, home);
    must(trouble === undefined, `${STEADY_MS / 1000} s later: ${trouble}`);
    return { noticed, elsewhere, back };
  }

  async #staysAway(id: string): Promise<Times> {
    const { lose, giveBack } = this.#case;
    const from = systemClock.monotonic();
    await lose(this.#hosts, LOST);
    const noticed = await this.#noticed(from);
    while (systemClock.monotonic() - from < AWAY_MS) {
      await this.#checkUnmoved(id);
      await sleep(1_000);
    }
    await giveBack(this.#hosts, LOST);
    const returned = systemClock.monotonic();
    await until(`${LOST} back by itself`, PATIENCE_MS, async () => {
      const shown = await Promise.all([this.#shown(this.#web), this.#shown(this.#stays)]);
      const isBack = (await this.#healthy()).has(LOST) && shown.every((one) => one?.state === "running");
      return isBack || undefined;
    });
    const back = systemClock.monotonic() - returned;
    await sleep(STEADY_MS);
    await this.#checkUnmoved(id);
    const copies = await this.#copies([LOST]);
    must(
      copies.length === 1 && copies[0]?.name === this.#web && isRunning(copies[0]),
      `${LOST} has not just ${this.#web}, running: ${JSON.stringify(copies)}`,
    );
    return { noticed, back };
  }

  async #noticed(from: number): Promise<number> {
    await until(
      `${LOST} is no longer healthy`,
      PATIENCE_MS,
      async () => !(await this.#healthy()).has(LOST) || undefined,
    );
    return systemClock.monotonic() - from;
  }

  async #checkUnmoved(id: string): Promise<void> {
    const shown = await this.#shown(this.#web);
    must(shown?.id === id && shown.node === LOST, `${this.#web} moved: ${told(shown)}`);
    const copies = await this.#copies(OTHERS);
    must(copies.length === 0, `other engines have copies of it: ${JSON.stringify(copies)}`);
  }

  /** What of a return is not as it has to be; undefined when all is. */
  async #trouble(id: string, home: string): Promise<string | undefined> {
    const shown = await this.#shown(this.#web);
    if (shown?.id !== id || shown.node !== home || shown.state !== "running") return `it is shown as ${told(shown)}`;
    const running = (await this.#copies(NODES)).filter(isRunning);
    if (running.length !== 1) return `${running.length} copies run`;
    const old = await this.#copies([LOST]);
    const isAside = old.length === 1 && old[0]?.name.startsWith(`${this.#web}.kept-`) === true && !isRunning(old[0]);
    if (!isAside) return `${LOST} has ${JSON.stringify(old)}`;
    const stays = await this.#shown(this.#stays);
    const isThere = stays?.node === LOST && stays.status !== "Host Down";
    return isThere ? undefined : `${this.#stays} is shown as ${told(stays)}`;
  }

  /** When what stays where it is was started last. */
  async #starts(): Promise<readonly [string, string]> {
    const [other = NODES[0]] = OTHERS;
    return [await this.#hosts.startedAt(other, this.#other), await this.#hosts.startedAt(LOST, this.#stays)];
  }

  async #checkStarts([other, stays]: readonly [string, string]): Promise<void> {
    const now = await this.#starts();
    must(now[0] === other, `${this.#other} was restarted`);
    must(now[1] === stays, `${this.#stays} was restarted`);
    const [shown, left] = await Promise.all([this.#shown(this.#other), this.#shown(this.#stays)]);
    must(shown?.state === "running", `${this.#other} does not run: ${told(shown)}`);
    const isAsLeft = (left?.state === "running") === this.#case.keepsRunning;
    must(isAsLeft, `${this.#stays} is ${told(left)}`);
  }

  /** Of the one that may move, whatever it is called; these nodes' engines answer. */
  async #copies(nodes: readonly string[]): Promise<readonly EngineRow[]> {
    const lists = await Promise.all(nodes.map((node) => this.#hosts.containersOf(node)));
    return lists.flat().filter(({ name }) => name === this.#web || name.startsWith(`${this.#web}.`));
  }

  async #shown(name: string): Promise<Shown | undefined> {
    const row = (await this.#rows()).find(({ Names }) => Names.includes(`/${name}`));
    return row && { id: row.Id, node: row.Labels["shoal.NODE"] ?? "", state: row.State, status: row.Status };
  }

  #rows(): Promise<readonly Row[]> {
    return this.#client.json<readonly Row[]>("GET", "/containers/json?all=1");
  }

  /** Names of the nodes that `docker info` calls so. */
  async #healthy(): Promise<ReadonlySet<string>> {
    const { SystemStatus } = await this.#client.json<{ SystemStatus?: [string, string][] | null }>("GET", "/info");
    const healthy = new Set<string>();
    let node = "";
    for (const [label, value] of SystemStatus ?? []) {
      const isField = /^\s*└ /.test(label);
      if (!isField && /^\s/.test(label)) node = label.trim();
      else if (/└ Status$/.test(label) && value === "Healthy") healthy.add(node);
    }
    return healthy;
  }
}

const isRunning = ({ state }: EngineRow): boolean => state === "running";
const told = (shown: Shown | undefined): string => (shown ? JSON.stringify(shown) : "not there");

function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
