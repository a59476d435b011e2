/**
 * K7: seeded random changes by the stock CLI and by HTTP, and the audit log held against what the engines' own events
 * say: no change without its line, no successful line without its event, and no secret that was used in any line.
 *
 * SHOAL_FULL=1 goes on for an hour; SHOAL_AUDIT_SEED=N replays one run's choices.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AuditLine } from "../../src/api/audit-line.ts";
import { pick, type Random, seededRandom } from "../../src/kit/random.ts";
import { disagreements } from "./support/audit-replay.ts";
import { shell } from "./support/docker.ts";
import { type EventLog, logEvents } from "./support/event-log.ts";
import { until } from "./support/exec.ts";
import { at, emptyFleet, fleet } from "./support/fleet.ts";
import { call } from "./support/http.ts";
import { type Manager, startManager } from "./support/manager.ts";

const WORKERS = 4;
const STEPS = 40;
const HOUR = 3_600_000;
const seed = Number(process.env.SHOAL_AUDIT_SEED ?? 20_261_126);

interface Container {
  name: string;
  /** Running in a loop until it is told to stop. */
  state: "created" | "running" | "paused" | "exited";
}

/** Each brings an event of its own exactly once. */
const TELLING = ["container.create", "container.start", "container.rename", "container.update", "exec.create"];

/** One client: its own containers, names and secrets, and what it does to them by chance. */
class Worker {
  readonly secrets: string[] = [];
  readonly #random: Random;
  readonly #index: number;
  readonly #containers: Container[] = [];
  #names = 0;

  constructor(index: number) {
    this.#index = index;
    this.#random = seededRandom(seed * 31 + index);
  }

  #name(): string {
    return `audit-${this.#index}-${this.#names++}`;
  }

  #secret(): string {
    const secret = `Zq${this.#random.hex(8)}`;
    this.secrets.push(secret);
    return secret;
  }

  /** As a registry's header has them: the whole header is a secret. */
  #credentials(): string {
    const header = Buffer.from(JSON.stringify({ username: "u", password: this.#secret() })).toString("base64url");
    this.secrets.push(header);
    return header;
  }

  #say(method: string, path: string, body?: unknown, headers?: Record<string, string>) {
    return call(manager.host, `/v1.41${path}`, { method, body, headers, timeout: 110_000 });
  }

  async step(): Promise<void> {
    const one = this.#containers.length > 0 ? pick(this.#random, this.#containers) : undefined;
    const turn = this.#random.int(20);
    if (one === undefined || (turn < 4 && this.#containers.length < 5)) await this.#make();
    else if (turn < 5) await this.#run();
    else if (turn < 6) await this.#refused();
    else if (turn < 8) await this.#images();
    else await this.#change(one);
  }

  async #make(): Promise<void> {
    const name = this.#name();
    const answer = await this.#say(
      "POST",
      `/containers/create?name=${name}`,
      {
        Image: "busybox",
        Cmd: ["sh", "-c", `trap 'exit 0' TERM; : ${this.#secret()}; while sleep 1; do :; done`],
        Env: [`PASSWORD=${this.#secret()}`],
        Labels: { token: this.#secret() },
      },
      { "X-Registry-Config": this.#credentials() },
    );
    if (answer.status === 201) this.#containers.push({ name, state: "created" });
  }

  /** The stock CLI: create, attach, start, and remove by itself. */
  async #run(): Promise<void> {
    const name = this.#name();
    const line = `docker run --name ${name} -e A=${this.#secret()} -l b=${this.#secret()} busybox echo ${this.#secret()}`;
    await shell(at(manager.host), `${line}; docker rm -f ${name}`);
  }

  /** What fails, in words that quote what was asked. */
  async #refused(): Promise<void> {
    const name = this.#name();
    const secret = this.#secret();
    if (this.#random.int(2) === 0) {
      await this.#say("POST", `/containers/create?name=${name}`, { Image: "busybox", Env: [`=${secret}`] });
      return;
    }
    await this.#say("POST", `/containers/create?name=${name}`, { Image: "busybox", Cmd: [`/bin/${secret}`] });
    await this.#say("POST", `/containers/${name}/start`);
    await this.#say("DELETE", `/containers/${name}?force=1`);
  }

  async #images(): Promise<void> {
    const tag = this.#name();
    const auth = this.#credentials();
    const turn = this.#random.int(3);
    if (turn === 0) {
      await this.#say("POST", `/images/busybox/tag?repo=audited&tag=${tag}`);
      await this.#say("DELETE", `/images/audited:${tag}`);
    } else if (turn === 1) {
      await this.#say("POST", `/images/create?fromImage=127.0.0.1:1/none&tag=${tag}`, undefined, {
        "X-Registry-Auth": auth,
      });
    } else {
      const filters = encodeURIComponent(JSON.stringify({ label: [`token=${this.#secret()}`] }));
      await this.#say("POST", `/containers/prune?filters=${filters}`);
    }
  }

  async #change(one: Container): Promise<void> {
    const { name, state } = one;
    const post = (action: string, query = "", body?: unknown) =>
      this.#say("POST", `/containers/${name}/${action}${query}`, body);
    if (state === "paused") {
      await post("unpause");
      one.state = "running";
      return;
    }
    const turn = this.#random.int(10);
    if (turn < 2 && state !== "running") {
      await post("start");
      one.state = "running";
    } else if (turn < 3) {
      await this.#say("DELETE", `/containers/${name}?force=1`);
      this.#containers.splice(this.#containers.indexOf(one), 1);
    } else if (turn < 4) {
      const next = this.#name();
      await post("rename", `?name=${next}`);
      one.name = next;
    } else if (turn < 5) {
      await post("update", "", { CpuShares: 512 });
    } else if (turn < 6) {
      const comment = this.#secret();
      await this.#say(
        "POST",
        `/commit?container=${name}&repo=audited&tag=${name}&comment=${comment}&changes=${encodeURIComponent(`ENV A=${this.#secret()}`)}`,
      );
      await this.#say("DELETE", `/images/audited:${name}`);
    } else if (turn < 7) {
      await shell(at(manager.host), `echo ${this.#secret()} >$$.txt; docker cp $$.txt ${name}:/tmp/; rm $$.txt`, {
        cwd: fleet().work,
      });
    } else if (state === "running") await this.#running(one);
    else
      await post("start").then(() => {
        one.state = "running";
      });
  }

  async #running(one: Container): Promise<void> {
    const { name } = one;
    const turn = this.#random.int(6);
    if (turn === 0) {
      await this.#say("POST", `/containers/${name}/pause`);
      one.state = "paused";
    } else if (turn === 1) {
      await this.#say("POST", `/containers/${name}/stop?t=2`);
      one.state = "exited";
    } else if (turn === 2) {
      await this.#say("POST", `/containers/${name}/kill?signal=KILL`);
      await this.#say("POST", `/containers/${name}/wait`);
      one.state = "exited";
    } else if (turn === 3) await this.#say("POST", `/containers/${name}/restart?t=2`);
    else if (turn === 4) {
      await shell(at(manager.host), `docker exec -e A=${this.#secret()} ${name} echo ${this.#secret()}`);
    } else {
      const made = await this.#say("POST", `/containers/${name}/exec`, { Cmd: ["echo", this.#secret()] });
      const { Id } = JSON.parse(made.text) as { Id?: string };
      if (Id) await this.#say("POST", `/exec/${Id}/start`, { Detach: true });
    }
  }
}

let manager: Manager;
let log: string;
const records: EventLog[] = [];

const raw = (): string => readFileSync(log, "utf8");
const lines = (): AuditLine[] =>
  raw()
    .trimEnd()
    .split("\n")
    .map((text) => JSON.parse(text) as AuditLine);

describe.runIf(fleet().subject === "shoal")("the audit log of a random run", () => {
  beforeAll(async () => {
    await emptyFleet();
    log = join(fleet().work, "audit.log");
    manager = await startManager({ flags: ["--audit-log", log] });
    records.push(...(await Promise.all(fleet().nodes.map(({ name, host }) => logEvents(host, name)))));
  });
  afterAll(async () => {
    for (const record of records) record.stop();
    await manager?.stop();
    await emptyFleet();
  });

  it(
    "tells what the engines tell, and no secret",
    async () => {
      console.log(`SHOAL_AUDIT_SEED=${seed}`);
      const chance = seededRandom(seed);
      const workers = Array.from({ length: WORKERS }, (_, index) => new Worker(index));
      const end = performance.now() + HOUR;
      const more = (step: number): boolean => (fleet().full ? performance.now() < end : step < STEPS);
      await Promise.all(
        workers.map(async (worker) => {
          for (let step = 0; more(step); step++) await worker.step();
        }),
      );
      // An engine's event may come after its answer.
      let wrong: string[] = [];
      await until("log and engines to agree", 30_000, () => {
        wrong = disagreements(
          lines(),
          records.flatMap(({ events }) => events),
        );
        return wrong.length === 0 ? true : undefined;
      }).catch(() => {});
      expect(wrong).toEqual([]);
      const told = lines();
      expect(new Set(told.map(({ action }) => action)).size).toBeGreaterThanOrEqual(fleet().full ? 19 : 15);
      console.log(`${told.length} lines, ${records.reduce((sum, { events }) => sum + events.length, 0)} events`);
      // The comparison would see it if a line were missing.
      const events = records.flatMap((record) => record.events);
      const telling = told.filter(({ action, status }) => TELLING.includes(action) && status !== null && status < 300);
      for (let turn = 0; turn < 20; turn++) {
        const missing = pick(chance, telling);
        expect(
          disagreements(
            told.filter((line) => line !== missing),
            events,
          ),
          JSON.stringify(missing),
        ).not.toEqual([]);
      }
      const text = raw();
      for (const secret of workers.flatMap(({ secrets }) => secrets)) {
        expect(text.includes(secret), secret).toBe(false);
      }
    },
    HOUR + 600_000,
  );
});
