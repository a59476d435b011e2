/** What becomes of calls and streams whose node falls silent in the middle, as clients of the API see it. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeFrame, STDERR } from "../../src/docker/frames.ts";
import { type ApiFace, openApi } from "./api-face.ts";
import { type Body, World } from "./world.ts";

const on = (node: string, more: Body = {}): Body => ({
  Cmd: ["server"],
  Labels: { "com.docker.swarm.constraints": `["node==${node}"]` },
  ...more,
});
const SENTENCE = /node node-2: \S+: no answer to \d+ pings in [\d.]+ s/;

let world: World;
let api: ApiFace;
beforeEach(async () => {
  world = await World.open({ nodes: 2 });
  api = await openApi(world);
});
afterEach(async () => {
  await api.close();
  await world.close();
});

const hang = async (): Promise<void> => {
  world.engine("node-2").faults.hung();
  await world.until("it is seen", () => !world.node("node-2").reachable);
};
/** The sentence in a frame of stderr, the last thing on the stream. */
const expectFrame = (text: string): void => {
  const sentence = SENTENCE.exec(text)?.[0] ?? "";
  expect(text.endsWith(encodeFrame(STDERR, Buffer.from(`${sentence}\n`)).toString("latin1"))).toBe(true);
};

describe("a node that falls silent", () => {
  it("ends a wait with an error in Docker's form, never with an exit code of 0", async () => {
    await world.run("web", on("node-2"));
    const wait = api.call("POST", "/v1.41/containers/web/wait");
    expect(await wait.begun).toBe(200);
    await hang();
    const { text, whole } = await wait.over;
    expect(whole).toBe(true);
    expect(JSON.parse(text)).toEqual({ StatusCode: -1, Error: { Message: expect.stringMatching(SENTENCE) } });
  });

  it("ends an attach with a sentence in a frame of stderr", async () => {
    await world.run("web", on("node-2"));
    const attach = await api.upgrade("/v1.41/containers/web/attach?stream=1&stdout=1&stderr=1");
    await hang();
    expectFrame(await attach.over);
  });

  it("ends an attach to a terminal with the sentence as it is", async () => {
    await world.run("web", on("node-2", { Tty: true }));
    const attach = await api.upgrade("/v1.41/containers/web/attach?stream=1&stdout=1");
    await hang();
    expect(await attach.over).toMatch(new RegExp(`\r\n${SENTENCE.source}\r\n$`));
  });

  it.each([false, true])(
    "ends an exec with a sentence (terminal: %s), and its exit code is not told as 0",
    async (Tty) => {
      await world.run("web", on("node-2"));
      const made = await api.call("POST", "/containers/web/exec", {
        Cmd: ["cat"],
        AttachStdin: true,
        AttachStdout: true,
        Tty,
      }).over;
      const { Id } = JSON.parse(made.text);
      const exec = await api.upgrade(`/exec/${Id}/start`, { Tty });
      await hang();
      const text = await exec.over;
      if (Tty) expect(text).toMatch(new RegExp(`\r\n${SENTENCE.source}\r\n$`));
      else expectFrame(text);
      expect(await api.call("GET", `/exec/${Id}/json`).over).toMatchObject({ status: 503 });
    },
  );

  it("says it behind the logs that are followed, and breaks them off", async () => {
    await world.run("web", on("node-2"));
    const logs = api.call("GET", "/containers/web/logs?follow=1&stdout=1&stderr=1");
    await world.until("the logs are there", () => logs.text().includes("simulated"));
    await hang();
    const { text, whole } = await logs.over;
    expect(whole).toBe(false);
    expect(text).toContain("server: ready");
    expectFrame(text);
  });

  it.each([
    ["stats", "/containers/web/stats"],
    ["a copy", "/containers/web/archive?path=/big"],
  ])("breaks %s off, so that no client takes the part for the whole", async (_name, path) => {
    await world.run("web", on("node-2"));
    const call = api.call("GET", path);
    if (path.endsWith("stats")) await call.begun;
    await hang();
    const { status, text, whole } = await call.over;
    expect(status === 200 ? !whole : SENTENCE.test(text) || text.includes("/big")).toBe(true);
  });

  it("answers what was only asked with the sentence, reading and changing alike", async () => {
    await world.run("web", on("node-2"));
    world.engine("node-2").faults.hung();
    const calls = [
      api.call("GET", "/containers/web/json"),
      api.call("POST", "/containers/web/stop?t=3600"),
      api.call("POST", "/containers/web/rename?name=www"),
      api.call("POST", "/containers/create?name=new", on("node-2", { Image: "busybox" })),
    ];
    for (const { over } of calls) {
      const { status, text } = await over;
      expect(status).toBeGreaterThanOrEqual(502);
      expect(JSON.parse(text).message).toContain("node-2");
    }
  });

  it("leaves the streams of others alone", async () => {
    await world.run("web", on("node-2"));
    await world.run("other", on("node-1", { Cmd: ["cat"], OpenStdin: true, Tty: true }));
    const attach = await api.upgrade("/containers/other/attach?stream=1&stdin=1&stdout=1");
    const wait = api.call("POST", "/containers/other/wait");
    await wait.begun;
    await hang();
    attach.socket.write("still here");
    await world.until("it comes back", () => attach.text().includes("still here"));
    await world.change("other", "kill");
    expect(JSON.parse((await wait.over).text).StatusCode).toBe(137);
    await attach.over;
  });
});

describe("an engine that only restarts", () => {
  it("does not make a wait look like an end: its connection broke, and another wait goes on", async () => {
    await world.run("web", on("node-2"));
    const wait = api.call("POST", "/containers/web/wait");
    await wait.begun;
    world.engine("node-2").faults.dead();
    expect(JSON.parse((await wait.over).text)).toMatchObject({ StatusCode: -1 });
    world.engine("node-2").faults.dead(false);
    await world.healthy();
    const again = api.call("POST", "/containers/web/wait");
    expect(await again.begun).toBe(200);
    await world.change("web", "kill");
    expect(JSON.parse((await again.over).text).StatusCode).toBe(137);
  });
});
