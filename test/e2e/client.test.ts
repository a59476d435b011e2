/** Client libraries: dockerode sends no version in its paths and hijacks in its own way. */
import { PassThrough } from "node:stream";
import Docker from "dockerode";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "./support/exec.ts";
import { emptyFleet } from "./support/fleet.ts";
import { type Manager, startManager } from "./support/manager.ts";

let manager: Manager;
let client: Docker;
beforeAll(async () => {
  await emptyFleet();
  manager = await startManager();
  const url = new URL(manager.host);
  client = new Docker({ protocol: "http", host: url.hostname, port: Number(url.port || 2375) });
});
afterAll(async () => {
  await manager?.stop();
  await emptyFleet();
});

const textOf = async (stream: NodeJS.ReadableStream): Promise<string> => {
  let text = "";
  for await (const chunk of stream) text += chunk.toString();
  return text;
};

describe("dockerode", () => {
  it("creates, lists, inspects and removes", async () => {
    const made = await client.createContainer({ Image: "busybox", Cmd: ["sleep", "60"], name: "rode" });
    const listed = await client.listContainers({ all: true, filters: { name: ["rode"] } });
    expect(listed.map(({ Id, Names }) => [Id, Names])).toEqual([[made.id, ["/rode"]]]);
    expect((await made.inspect()).Config.Cmd).toEqual(["sleep", "60"]);
    await made.remove();
    await expect(made.inspect()).rejects.toMatchObject({ statusCode: 404 });
  });

  it("attaches before the start and reads both streams to their end", async () => {
    const made = await client.createContainer({
      Image: "busybox",
      Cmd: ["sh", "-c", "cat; echo oops >&2"],
      OpenStdin: true,
      StdinOnce: true,
    });
    const stream = await made.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
    const [out, err] = [new PassThrough(), new PassThrough()];
    made.modem.demuxStream(stream, out, err);
    stream.on("end", () => {
      out.end();
      err.end();
    });
    await made.start();
    stream.end("typed\n");
    expect(await Promise.all([textOf(out), textOf(err)])).toEqual(["typed\n", "oops\n"]);
    expect(await made.wait()).toEqual(expect.objectContaining({ StatusCode: 0 }));
    await made.remove();
  });

  it("execs, with the exit code", async () => {
    const made = await client.createContainer({ Image: "busybox", Cmd: ["sleep", "60"] });
    await made.start();
    const exec = await made.exec({ Cmd: ["sh", "-c", "echo out; exit 5"], AttachStdout: true, AttachStderr: true });
    const stream = await exec.start({ hijack: true, stdin: false });
    const out = new PassThrough();
    made.modem.demuxStream(stream, out, out);
    stream.on("end", () => out.end());
    expect(await textOf(out)).toBe("out\n");
    expect((await exec.inspect()).ExitCode).toBe(5);
    await made.remove({ force: true });
  });

  it("gets events, one object a line", async () => {
    const events = await client.getEvents({ filters: { type: ["container"], event: ["create", "destroy"] } });
    let text = "";
    events.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    const made = await client.createContainer({ Image: "busybox" });
    await made.remove();
    const lines = await until("two events", 60_000, () => {
      const whole = text.split("\n").slice(0, -1);
      return whole.length >= 2 ? whole : undefined;
    });
    expect(lines.map((line) => [JSON.parse(line).Action, JSON.parse(line).Actor.ID])).toEqual([
      ["create", made.id],
      ["destroy", made.id],
    ]);
    (events as unknown as { destroy(): void }).destroy();
  });

  it("is told of a pull that fails", async () => {
    await expect(client.pull("nosuchimage:1")).rejects.toMatchObject({ statusCode: expect.any(Number) });
  });

  it("is told of what is missing and what is wrong", async () => {
    await expect(client.getContainer("missing").start()).rejects.toMatchObject({ statusCode: 404 });
    await expect(client.createContainer({ Image: "nosuchimage" })).rejects.toMatchObject({ statusCode: 404 });
    const made = await client.createContainer({ Image: "busybox", Cmd: ["sleep", "60"] });
    await made.start();
    await expect(made.remove()).rejects.toMatchObject({ statusCode: 409 });
    await expect(made.start()).rejects.toMatchObject({ statusCode: 304 });
    await made.remove({ force: true });
  });
});
