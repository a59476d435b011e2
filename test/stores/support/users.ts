/**
 * Users who create one container after another and look meanwhile, each at one of several managers and for what it made
 * at the next, whatever becomes of these; and what they were told, when, and after how long.
 */
import { vi } from "vitest";
import { sleep } from "../../e2e/support/exec.ts";
import { type Answer, call } from "../../e2e/support/http.ts";

/** Nobody waits longer for an answer. */
const PATIENCE_MS = 15_000;
const PAUSE_MS = 100;

export interface Told {
  readonly host: string;
  /** Monotonic milliseconds when it was asked, and when it was answered. */
  readonly from: number;
  readonly to: number;
  readonly what: "create" | "read";
  /** 0: there was no answer. */
  readonly status: number;
  /** The error's sentence; empty where there is none. */
  readonly words: string;
}

export class Users {
  readonly told: Told[] = [];
  /** Names of containers whose create was answered 201. */
  readonly created: string[] = [];
  readonly #hosts: readonly string[];
  readonly #users: readonly Promise<void>[];
  readonly #looks: Promise<unknown>[] = [];
  #stopped = false;

  /** One at each host. */
  constructor(hosts: readonly string[], prefix: string) {
    this.#hosts = hosts;
    this.#users = hosts.flatMap((_, at) => [this.#create(`${prefix}-${at}`, at), this.#read(at)]);
  }

  /** The first answer of this kind, once there is one. */
  toldOf(wanted: (told: Told) => boolean): Promise<Told> {
    return vi.waitFor(() => {
      const told = this.told.find(wanted);
      if (told === undefined) throw new Error(`nobody was told so; the last: ${JSON.stringify(this.told.slice(-9))}`);
      return told;
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#users);
    await Promise.all(this.#looks);
  }

  async #create(prefix: string, at: number): Promise<void> {
    const body = { Image: "busybox", Cmd: ["true"] };
    for (let n = 0; !this.#stopped; n++) {
      const name = `${prefix}-${n}`;
      const made = await this.#ask("create", at, `/containers/create?name=${name}`, { method: "POST", body });
      if (made?.status === 201) {
        this.created.push(name);
        // Whoever is asked must know of it. Who stands still keeps nobody from going on.
        this.#looks.push(this.#ask("read", at + 1, `/containers/${name}/json`));
      }
      await sleep(PAUSE_MS);
    }
  }

  async #read(at: number): Promise<void> {
    while (!this.#stopped) {
      await this.#ask("read", at, "/containers/json?all=1&limit=3");
      await sleep(PAUSE_MS);
    }
  }

  async #ask(what: Told["what"], at: number, path: string, options: object = {}): Promise<Answer | undefined> {
    const from = performance.now();
    const host = this.#hosts[at % this.#hosts.length] ?? "";
    let answer: Answer | undefined;
    let words = "";
    try {
      answer = await call(host, path, { ...options, timeout: PATIENCE_MS });
      if (answer.status >= 400) words = (JSON.parse(answer.text) as { readonly message: string }).message;
    } catch (error) {
      words = error instanceof Error ? error.message : String(error);
    }
    this.told.push({ host, from, to: performance.now(), what, status: answer?.status ?? 0, words });
    return answer;
  }
}
