/** The audit log of a whole manager over simulated engines: every change has its line before its answer, and no secret is in any. */
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AuditLine } from "../../src/api/audit-line.ts";
import { readUntil, until } from "../../src/api/listener/testing.ts";
import { manageFlags } from "../../src/cli/manage/flags.ts";
import { validateManage } from "../../src/cli/manage/validate.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { silentLog } from "../../src/kit/log.ts";
import { seededRandom } from "../../src/kit/random.ts";
import { runManager } from "../../src/manager/run.ts";
import { SimEngine } from "../engine/engine.ts";

interface Said {
  readonly status: number;
  readonly id: string;
  readonly text: string;
  /** The audit log when the answer's head came. */
  readonly log: AuditLine[];
}

let folder: string;
let engines: SimEngine[];
let stop: () => Promise<void>;
let hangup: () => void;

const logPath = (): string => join(folder, "log/audit.log");
const raw = (): string => readFileSync(logPath(), "utf8");
const lines = (): AuditLine[] =>
  raw()
    .trim()
    .split("\n")
    .flatMap((text) => (text === "" ? [] : [JSON.parse(text) as AuditLine]));

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "shoal-audit-"));
  mkdirSync(join(folder, "log"));
  engines = [1, 2].map(
    (n) =>
      new SimEngine({
        clock: systemClock,
        random: seededRandom(n),
        name: `node-${n}`,
        pullable: "any",
        images: ["busybox"],
        cpus: 4,
        memory: 8 * 2 ** 30,
      }),
  );
  const entries = await Promise.all(
    engines.map((engine, n) => engine.listen({ path: join(folder, `engine-${n}.sock`) })),
  );
  const flags = ["-H", `unix://${join(folder, "api.sock")}`, "--strategy", "spread", "--audit-log", logPath()];
  const command = manageFlags().parse(flags, { from: "user" });
  const { options } = validateManage(command.opts(), `nodes://${entries.join(",")}`, {});
  const stopping = new AbortController();
  const running = runManager(options, silentLog, stopping.signal, (listener) => {
    hangup = listener;
  });
  stop = async () => {
    stopping.abort();
    await running;
  };
  await until(() => engines.every(({ calls }) => (calls.snapshot()["GET /containers/json"] ?? 0) > 0));
  while (!(await say("GET", "/info").catch(() => undefined))?.text.includes("Healthy")) await systemClock.sleep(10);
});
afterEach(async () => {
  await stop();
  for (const engine of engines) engine.close();
  rmSync(folder, { recursive: true, force: true });
});

function say(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Said> {
  const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      {
        socketPath: join(folder, "api.sock"),
        method,
        path,
        headers: { ...(text !== undefined && { "Content-Type": "application/json" }), ...headers },
      },
      (answer) => {
        const log = lines();
        const parts: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => parts.push(chunk));
        answer.on("end", () =>
          resolve({
            status: answer.statusCode ?? 0,
            id: String(answer.headers["x-request-id"]),
            text: Buffer.concat(parts).toString(),
            log,
          }),
        );
      },
    );
    sent.on("error", reject);
    sent.end(text);
  });
}

const container = (more: object = {}): object => ({ Image: "busybox", Cmd: ["sleep", "60"], ...more });

describe("every change", () => {
  it("has one line before its answer, with who, what, where and what came of it", async () => {
    const made = await say("POST", "/containers/create?name=web", container());
    const { Id } = JSON.parse(made.text) as { Id: string };
    expect(made.log).toHaveLength(1);
    expect(made.log[0]).toMatchObject({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      request: made.id,
      who: { via: "unix" },
      action: "container.create",
      stage: "done",
      method: "POST",
      route: "/containers/create",
      object: { id: Id, name: "web", node: expect.stringMatching(/^node-[12]$/) },
      options: { name: "web" },
      engines: [{ node: made.log[0]?.object?.node, call: "POST /containers/create", status: 201 }],
      status: 201,
      ms: expect.any(Number),
    });
    const steps: [string, string, number, string][] = [
      ["POST", `/containers/web/start`, 204, "container.start"],
      ["POST", `/containers/web/start`, 304, "container.start"],
      ["POST", `/containers/${Id.slice(0, 12)}/pause`, 204, "container.pause"],
      ["POST", `/containers/web/unpause`, 204, "container.unpause"],
      ["POST", `/containers/web/rename?name=web2`, 204, "container.rename"],
      ["POST", `/containers/web2/kill?signal=KILL`, 204, "container.kill"],
      ["POST", `/images/busybox/tag?repo=mine&tag=1`, 201, "image.tag"],
      ["DELETE", `/containers/web2?force=1`, 204, "container.remove"],
    ];
    for (const [index, [method, path, status, action]] of steps.entries()) {
      const answer = await say(method, path);
      expect([path, answer.status]).toEqual([path, status]);
      expect(answer.log).toHaveLength(index + 2);
      expect(answer.log.at(-1)).toMatchObject({ action, status, stage: "done", request: answer.id });
      if (action.startsWith("container")) expect(answer.log.at(-1)?.object).toMatchObject({ id: Id });
    }
    const renamed = lines().find(({ action }) => action === "container.rename");
    expect(renamed?.object).toMatchObject({ typed: "web", name: "web2" });
    expect(lines().find(({ action }) => action === "image.tag")?.engines).toHaveLength(2);
    expect(lines().find(({ action }) => action === "container.kill")?.options).toEqual({ signal: "KILL" });
  });

  it("that is refused has a line as well; what only reads has none", async () => {
    await say("GET", "/containers/json?all=1");
    await say("POST", "/containers/none/wait");
    await say("POST", "/nothing");
    expect(raw()).toBe("");
    const bad = await say("POST", "/containers/create", "{", { "X-Request-Id": "mine" });
    expect(bad.status).toBe(400);
    // An engine was asked for its words.
    const asked = [{ call: "POST /containers/create", status: 400 }];
    expect(bad.log).toMatchObject([{ request: "mine", action: "container.create", status: 400, engines: asked }]);
    const gone = await say("DELETE", "/containers/none");
    expect(gone.log.at(-1)).toMatchObject({ object: { typed: "none" }, status: 404, error: "No such container" });
  });

  it("that one node failed names each node that was asked", async () => {
    for (const engine of engines) engine.faults.failNext("create", 500, "no space left on device", 1);
    const made = await say("POST", "/containers/create?name=aa", container());
    expect(made.status).toBe(500);
    expect(made.log[0]?.engines).toMatchObject([
      { call: "POST /containers/create", status: 500 },
      { call: "POST /containers/create", status: 500 },
    ]);
    expect(new Set(made.log[0]?.engines.map(({ node }) => node)).size).toBe(2);
  });

  it("of shoal's own, for a start that moves, is in the line of the request that caused it", async () => {
    await say("POST", "/containers/create?name=aa", container());
    for (const engine of engines) engine.faults.failNext("start", 500, "no space left on device", 1);
    const first = lines()[0]?.object?.node === "node-1" ? engines[1] : engines[0];
    first?.faults.clear();
    const started = await say("POST", "/containers/aa/start");
    expect([started.status, started.text]).toEqual([204, ""]);
    const last = started.log.at(-1);
    expect(
      last?.engines.map(({ call, status }) => [call.replace(/(?<=containers\/)([0-9a-f]{64}|aa)/, "ID"), status]),
    ).toEqual([
      ["POST /containers/ID/start", 500],
      ["POST /containers/create", 201],
      ["DELETE /containers/ID", 204],
      ["POST /containers/ID/start", 204],
    ]);
    expect(last?.object?.node).not.toBe(lines()[0]?.object?.node);
  });

  it("at once from many clients has its own line", async () => {
    const made = await Promise.all(
      Array.from({ length: 100 }, (_, n) => say("POST", `/containers/create?name=c${n}`, container())),
    );
    for (const answer of made) {
      const own = answer.log.filter(({ request }) => request === answer.id);
      expect(own).toHaveLength(1);
      expect(own[0]?.object?.id).toBe((JSON.parse(answer.text) as { Id: string }).Id);
    }
    expect(lines()).toHaveLength(100);
  });
});

describe("a stream", () => {
  it("that pulls has a line at its beginning and one at its end", async () => {
    const pulled = await say("POST", "/images/create?fromImage=alpine&tag=3");
    // A short one may be over by the time that its head is read.
    expect(pulled.log[0]).toMatchObject({ action: "image.pull", stage: "begun", status: 200, request: pulled.id });
    await until(() => lines().length === 2);
    expect(lines()[1]).toMatchObject({ stage: "ended", status: 200, request: pulled.id, options: { tag: "3" } });
  });

  it("into an exec has its line before the switch, and one when it is over", async () => {
    const { Id } = JSON.parse((await say("POST", "/containers/create?name=aa", container())).text) as { Id: string };
    await say("POST", "/containers/aa/start");
    const exec = await say("POST", "/containers/aa/exec", { Cmd: ["cat"], AttachStdin: true, AttachStdout: true });
    expect([exec.status, exec.text]).toEqual([201, expect.stringContaining("Id")]);
    const { Id: execId } = JSON.parse(exec.text) as { Id: string };
    const socket = connect({ path: join(folder, "api.sock"), allowHalfOpen: true });
    const body = '{"Detach":false,"Tty":true}';
    const head = ["Host: x", "Connection: Upgrade", "Upgrade: tcp", "Content-Type: application/json"];
    const length = `Content-Length: ${body.length}`;
    socket.write(`POST /exec/${execId}/start HTTP/1.1\r\n${[...head, length].join("\r\n")}\r\n\r\n${body}`);
    const answer = await readUntil(socket, (text) => text.includes("\r\n\r\n"));
    expect(answer).toMatch(/^HTTP\/1\.1 101 /);
    const own = (): AuditLine[] => lines().filter(({ action }) => action === "exec.start");
    expect(own()).toMatchObject([{ stage: "begun", status: 101, object: { typed: execId, id: Id, name: "aa" } }]);
    expect(answer).toContain(`\r\nX-Request-Id: ${own()[0]?.request}\r\n`);
    socket.destroy();
    await until(() => own().length === 2);
    expect(own()[1]).toMatchObject({ stage: "ended", request: own()[0]?.request });
    const refused = await say("POST", `/exec/${"0".repeat(64)}/start`, { Detach: false });
    expect(refused.log.at(-1)).toMatchObject({ action: "exec.start", stage: "done", status: 404 });
  });
});

describe("nothing secret", () => {
  it("of bodies, headers, filters and what engines repeat of them is in any line", async () => {
    const secret = (n: number): string => `s3cr3t-${n}-Zq`;
    const secrets = Array.from({ length: 8 }, (_, n) => secret(n));
    const body = container({
      Env: [`PASSWORD=${secret(0)}`],
      Cmd: ["login", `--password=${secret(1)}`],
      Labels: { token: secret(2) },
    });
    const auth = { "X-Registry-Auth": Buffer.from(secret(3)).toString("base64"), "X-Registry-Config": secret(3) };
    await say("POST", "/containers/create?name=aa", body, auth);
    const words = [`exec: "${secret(1)}": not found`, `invalid environment variable: =${secret(0)}`];
    for (const message of words) {
      for (const engine of engines) engine.faults.failNext("create", 400, message, 1);
      expect((await say("POST", "/containers/create?name=bb", body, auth)).status).toBe(400);
    }
    await say("POST", "/containers/aa/exec", { Cmd: ["sh", "-c", secret(4)], Env: [`A=${secret(4)}`] });
    await say("POST", `/containers/prune?filters=${encodeURIComponent(JSON.stringify({ label: [`a=${secret(5)}`] }))}`);
    await say("POST", `/images/create?fromImage=x&changes=${secret(6)}&message=${secret(6)}`, undefined, auth);
    await say("PUT", "/containers/aa/archive?path=/", secret(7), { "Content-Type": "application/x-tar" });
    await say("POST", "/auth", { username: "me", password: secret(3) });
    expect(lines().length).toBeGreaterThan(5);
    for (const one of [...secrets, ...secrets.map((text) => Buffer.from(text).toString("base64"))]) {
      expect(raw()).not.toContain(one);
    }
  });
});

describe("a log that cannot be written", () => {
  it("stops changes with a sentence and no call to any engine, not the reading, and ends when it can be", async () => {
    await say("POST", "/containers/create?name=aa", container());
    const before = lines().length;
    renameSync(join(folder, "log"), join(folder, "away"));
    hangup();
    const untold = await new Promise<Said>((resolve, reject) => {
      mkdirSync(join(folder, "log/audit.log"), { recursive: true });
      const sent = httpRequest(
        { socketPath: join(folder, "api.sock"), method: "POST", path: "/containers/aa/start" },
        (answer) => {
          let text = "";
          answer.on("data", (chunk) => {
            text += String(chunk);
          });
          answer.on("end", () => resolve({ status: answer.statusCode ?? 0, id: "", text, log: [] }));
        },
      );
      sent.on("error", reject);
      sent.end();
    });
    expect(untold.status).toBe(503);
    expect(untold.text).toContain("this request was carried out, but its audit line cannot be written");
    rmSync(join(folder, "log"), { recursive: true });
    const calls = (): number =>
      engines.reduce((sum, { calls }) => sum + (calls.snapshot()["POST /containers/create"] ?? 0), 0);
    const creates = calls();
    const refused = await rawSay("POST", "/containers/create?name=bb");
    expect(refused).toMatch(/^HTTP\/1\.1 503 [\s\S]*nothing is changed without its line/);
    expect(calls()).toBe(creates);
    expect(await rawSay("GET", "/containers/json")).toMatch(/^HTTP\/1\.1 200 /);
    renameSync(join(folder, "away"), join(folder, "log"));
    const after = await say("POST", "/containers/create?name=bb", container());
    expect([after.status, after.text]).toEqual([201, expect.stringContaining("Id")]);
    // The line of what was carried out meanwhile came with it.
    expect(lines().slice(before)).toMatchObject([
      { action: "container.start", status: 204 },
      { action: "container.create", status: 201 },
    ]);
  });
});

/** Without a look at the log. */
async function rawSay(method: string, path: string): Promise<string> {
  const body = JSON.stringify(container());
  const socket = connect({ path: join(folder, "api.sock") });
  const head = `${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  socket.write(head + body);
  const text = await readUntil(socket, (all) => /\r\n\r\n[\s\S]/.test(all));
  socket.destroy();
  return text;
}
