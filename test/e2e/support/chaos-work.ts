/**
 * Clients' work by chance, for as long as it is wanted: containers, volumes and networks come, change and go. What
 * fails is no matter to it: something is down, or in use, or gone already.
 */
import { pick, type Random } from "../../../src/kit/random.ts";
import { sleep } from "./exec.ts";
import { call } from "./http.ts";

/** A call that meets a dead manager or engine ends by itself; this is for one that never would. */
const CALL_MS = 60_000;
/** Of each kind that one client has at most: two more, and a small machine does nothing but start processes. */
const MOST = { containers: 3, volumes: 2, networks: 2 };
/** Nobody answers: after this it is tried again. */
const REST_MS = 200;

interface Row {
  readonly Id: string;
  readonly State: string;
}

/** Several clients that begin and stop together, as often as it is wanted. */
export class Workers {
  readonly #all: readonly Worker[];
  #working = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(randoms: readonly Random[]) {
    this.#all = randoms.map((random, index) => new Worker(`${index}`, random));
  }

  /** Calls so far that somebody answered, whatever the answer. */
  get answered(): number {
    return this.#all.reduce((sum, { answered }) => sum + answered, 0);
  }

  /** IDs of all containers that anybody was told of. */
  get known(): ReadonlySet<string> {
    return new Set(this.#all.flatMap(({ known }) => [...known]));
  }

  start(host: string): void {
    this.#working = true;
    this.#running = Promise.all(this.#all.map((worker) => worker.run(host, () => this.#working)));
  }

  /** Resolves when every call is answered. */
  async stop(): Promise<void> {
    this.#working = false;
    await this.#running;
  }
}

class Worker {
  answered = 0;
  readonly known = new Set<string>();
  #host = "";
  readonly #name: string;
  readonly #random: Random;
  #made = 0;
  /** Names: what became of them is found out by using them. */
  readonly #volumes = new Set<string>();
  readonly #networks = new Set<string>();

  /** @param name unlike any other worker's */
  constructor(name: string, random: Random) {
    this.#name = name;
    this.#random = random;
  }

  async run(host: string, goesOn: () => boolean): Promise<void> {
    this.#host = host;
    while (goesOn()) {
      const mine = await this.#containers();
      const turn = this.#random.int(10);
      if (!mine) await sleep(REST_MS);
      else if (turn === 0) await this.#useVolume();
      else if (turn === 1) await this.#useNetwork(mine);
      else await this.#useContainer(mine);
    }
  }

  async #useVolume(): Promise<void> {
    if (this.#volumes.size < MOST.volumes && this.#random.int(2) === 0) {
      const name = this.#fresh("volume");
      this.#volumes.add(name);
      await this.#ask("POST", "/volumes/create", { Name: name });
    } else if (this.#volumes.size > 0) {
      const name = pick(this.#random, [...this.#volumes]);
      if (isOver(await this.#ask("DELETE", `/volumes/${name}`))) this.#volumes.delete(name);
    }
  }

  async #useNetwork(mine: readonly Row[]): Promise<void> {
    if (this.#networks.size < MOST.networks && this.#random.int(2) === 0) {
      const name = this.#fresh("network");
      this.#networks.add(name);
      await this.#ask("POST", "/networks/create", { Name: name });
      return;
    }
    if (this.#networks.size === 0 || mine.length === 0) return;
    const name = pick(this.#random, [...this.#networks]);
    const turn = this.#random.int(3);
    if (turn === 0) {
      if (isOver(await this.#ask("DELETE", `/networks/${name}`))) this.#networks.delete(name);
    } else {
      const body = { Container: pick(this.#random, mine).Id, Force: true };
      await this.#ask("POST", `/networks/${name}/${turn === 1 ? "connect" : "disconnect"}`, body);
    }
  }

  async #useContainer(mine: readonly Row[]): Promise<void> {
    if (mine.length < MOST.containers) return this.#runContainer();
    const { Id, State } = pick(this.#random, mine);
    const turn = this.#random.int(10);
    if (State === "paused") await this.#ask("POST", `/containers/${Id}/unpause`);
    else if (turn < 2) await this.#ask("DELETE", `/containers/${Id}?force=1&v=${this.#random.int(2)}`);
    else if (State !== "running") await this.#ask("POST", `/containers/${Id}/start`);
    else if (turn < 4) await this.#ask("POST", `/containers/${Id}/restart?t=1`);
    else if (turn < 5) await this.#ask("POST", `/containers/${Id}/kill`);
    else if (turn < 6) await this.#ask("POST", `/containers/${Id}/pause`);
    else if (turn < 7) await this.#ask("POST", `/containers/${Id}/rename?name=${this.#fresh("container")}`);
    else if (turn < 8) await this.#ask("POST", `/containers/${Id}/update`, { CpuShares: 512 });
    else if (turn < 9) await this.#execute(Id);
    else await this.#ask("POST", `/containers/${Id}/stop?t=1`);
  }

  async #execute(id: string): Promise<void> {
    const made = await this.#ask("POST", `/containers/${id}/exec`, { Cmd: ["true"] });
    if (made?.status === 201) await this.#ask("POST", `/exec/${JSON.parse(made.text).Id}/start`, { Detach: true });
  }

  async #runContainer(): Promise<void> {
    const among = (names: ReadonlySet<string>): string[] =>
      names.size > 0 && this.#random.int(3) === 0 ? [pick(this.#random, [...names])] : [];
    const [network] = among(this.#networks);
    const body = {
      Image: "busybox",
      Cmd: ["sh", "-c", "trap 'exit 0' TERM; while sleep 1; do :; done"],
      Labels: { worker: this.#name },
      Volumes: this.#random.int(4) === 0 ? { "/scratch": {} } : {},
      HostConfig: {
        Binds: among(this.#volumes).map((name) => `${name}:/data`),
        ...(network === undefined ? {} : { NetworkMode: network }),
        ...(this.#random.int(3) === 0 ? { RestartPolicy: { Name: "always" } } : {}),
      },
    };
    const made = await this.#ask("POST", `/containers/create?name=${this.#fresh("container")}`, body);
    if (made?.status !== 201) return;
    const { Id } = JSON.parse(made.text) as { readonly Id: string };
    this.known.add(Id);
    await this.#ask("POST", `/containers/${Id}/start`);
  }

  /** Its own; undefined when nobody answers. */
  async #containers(): Promise<Row[] | undefined> {
    const filters = encodeURIComponent(JSON.stringify({ label: [`worker=${this.#name}`] }));
    const listed = await this.#ask("GET", `/containers/json?all=1&filters=${filters}`);
    if (listed?.status !== 200) return undefined;
    const rows = JSON.parse(listed.text) as Row[];
    for (const { Id } of rows) this.known.add(Id);
    return rows;
  }

  #fresh(kind: string): string {
    return `chaos-${this.#name}-${kind}-${this.#made++}`;
  }

  async #ask(method: string, path: string, body?: unknown) {
    try {
      const answer = await call(this.#host, path, { method, body, timeout: CALL_MS });
      this.answered++;
      return answer;
    } catch {
      return undefined;
    }
  }
}

const isOver = (answer: { readonly status: number } | undefined): boolean =>
  answer?.status === 204 || answer?.status === 404;
