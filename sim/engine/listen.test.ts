/** The engine over real sockets: keep-alive, upgrades with a body, large input, and what a dead engine looks like. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/kit/clock.ts";
import { seededRandom } from "../../src/kit/random.ts";
import { readAll } from "./call.ts";
import { SimEngine } from "./engine.ts";

const folder = mkdtempSync(join(tmpdir(), "sim-listen-"));
const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  rmSync(folder, { recursive: true, force: true });
});

function engine(): SimEngine {
  const made = new SimEngine({ clock: systemClock, random: seededRandom(3), name: "node-1" });
  opened.push(made);
  return made;
}

function ask(
  address: string,
  method: string,
  path: string,
  body = "",
  agent?: Agent,
): Promise<{ status: number; text: string }> {
  const [host, port] = address.split(":");
  return new Promise((resolve, reject) => {
    const call = request({ host, port, method, path, ...(agent ? { agent } : {}) }, (answer) => {
      readAll(answer).then((bytes) => resolve({ status: answer.statusCode ?? 0, text: bytes.toString() }), reject);
    });
    call.once("error", reject);
    call.end(body);
  });
}

async function dialed(address: string): Promise<Socket> {
  const [host = "", port] = address.split(":");
  const socket = connect({ host, port: Number(port), allowHalfOpen: true });
  await once(socket, "connect");
  return socket;
}

describe("listening", () => {
  it("answers over a kept connection with dockerd's headers", async () => {
    const sim = engine();
    const address = await sim.listen({ port: 0 });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let turn = 0; turn < 3; turn++)
      expect(await ask(address, "GET", "/v1.51/_ping", "", agent)).toEqual({ status: 200, text: "OK" });
    agent.destroy();
    const socket = await dialed(address);
    socket.end("HEAD /_ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const head = (await readAll(socket)).toString();
    for (const line of [
      "Api-Version: 1.51",
      "Ostype: linux",
      "Builder-Version: 2",
      "Swarm: inactive",
      "Server: Docker/28.2.2 (linux)",
    ]) {
      expect(head).toContain(`${line}\r\n`);
    }
    expect(sim.calls.of("HEAD /_ping")).toBe(1);
  });

  it("dead: refuses and cuts over sockets too, and comes back at the same addresses", async () => {
    const sim = engine();
    const address = await sim.listen({ port: 0 });
    const path = join(mkdtempSync(join(tmpdir(), "sim-dead-")), "e.sock");
    expect(await sim.listen({ path })).toBe(`unix://${path}`);
    const socket = await dialed(address);
    const ended = once(socket, "end");
    socket.on("error", () => undefined);
    socket.resume();
    socket.write("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(socket, "data");
    sim.faults.dead();
    await ended;
    socket.destroy();
    await sim.settled();
    await expect(ask(address, "GET", "/_ping")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    expect(existsSync(path)).toBe(false);
    sim.faults.dead(false);
    await sim.settled();
    expect((await ask(address, "GET", "/_ping")).text).toBe("OK");
    expect(existsSync(path)).toBe(true);
    rmSync(join(path, ".."), { recursive: true });
  });

  it("half an answer: promises a length, sends half, breaks off", async () => {
    const sim = engine();
    const address = await sim.listen({ port: 0 });
    sim.faults.halfAnswer = true;
    const socket = await dialed(address);
    socket.write("GET /version HTTP/1.1\r\nHost: x\r\n\r\n");
    const [head = "", body = ""] = (await readAll(socket)).toString().split("\r\n\r\n");
    const promised = Number(/Content-Length: (\d+)/.exec(head)?.[1]);
    expect(body.length).toBeGreaterThan(0);
    expect(body.length).toBeLessThan(promised);
  });

  it("exec takes a body before the stream and loses no byte of a large input", async () => {
    const sim = engine();
    const address = await sim.listen({ port: 0 });
    const [id = ""] = sim.preload(1);
    const posted = JSON.stringify({ Cmd: ["cat"], AttachStdin: true, AttachStdout: true, Tty: true });
    const { Id } = JSON.parse((await ask(address, "POST", `/containers/${id}/exec`, posted)).text) as { Id: string };
    const body = JSON.stringify({ Detach: false, Tty: true });
    const input = Buffer.alloc(8 << 20, "0123456789abcdef!");
    const socket = await dialed(address);
    socket.write(
      `POST /v1.51/exec/${Id}/start HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    socket.end(input);
    const all = await readAll(socket);
    const output = all.subarray(all.indexOf("\r\n\r\n") + 4);
    const digest = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
    expect(output.length).toBe(input.length);
    expect(digest(output)).toBe(digest(input));
    expect(JSON.parse((await ask(address, "GET", `/exec/${Id}/json`)).text)).toMatchObject({
      Running: false,
      ExitCode: 0,
    });
  });

  it("refuses an upgrade of what is not there as an ordinary answer", async () => {
    const address = await engine().listen({ port: 0 });
    const socket = await dialed(address);
    socket.write(
      "POST /exec/none/start HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 2\r\n\r\n{}",
    );
    const text = (await readAll(socket)).toString();
    expect(text).toMatch(/^HTTP\/1\.1 404 /);
    expect(text).toContain('{"message":"No such exec instance: none"}');
  });
});
