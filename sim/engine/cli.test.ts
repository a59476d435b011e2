/** The stock docker CLI against a simulated engine over a unix socket. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/kit/clock.ts";
import { seededRandom } from "../../src/kit/random.ts";
import { SimEngine } from "./engine.ts";

const folder = mkdtempSync(join(tmpdir(), "sim-cli-"));
const engine = new SimEngine({
  clock: systemClock,
  random: seededRandom(1),
  name: "node-1",
  images: ["busybox"],
  pullable: ["redis"],
});

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function docker(args: readonly string[], input = ""): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env.PATH, HOME: folder, DOCKER_HOST: `unix://${join(folder, "e.sock")}` };
    const child = spawn("docker", args, { env });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk) => {
      out += String(chunk);
    });
    child.stderr.on("data", (chunk) => {
      err += String(chunk);
    });
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? -1, out, err }));
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}

const ok = async (...args: string[]): Promise<string> => {
  const { code, out, err } = await docker(args);
  expect({ args, code, err }).toMatchObject({ code: 0 });
  return out.trim();
};

beforeAll(async () => {
  await engine.listen({ path: join(folder, "e.sock") });
});
afterAll(async () => {
  await engine.close();
  rmSync(folder, { recursive: true });
});

describe("docker CLI", () => {
  it("runs, lists, inspects, logs and removes", async () => {
    const id = await ok("run", "-d", "-P", "--expose", "6379", "--name", "web", "-m", "64m", "busybox");
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(await ok("ps", "--format", "{{.Names}} {{.State}} {{.Image}}")).toBe("web running busybox");
    expect(await ok("inspect", "-f", "{{.HostConfig.Memory}} {{.State.Status}}", "web")).toBe("67108864 running");
    expect(await ok("port", "web", "6379")).toMatch(/^0\.0\.0\.0:32768/);
    const { out, err } = await docker(["logs", "web"]);
    expect([out, err]).toEqual(["serve: ready\n", "warning: simulated\n"]);
    const refused = await docker(["rm", "web"]);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain("container is running: stop the container before removing or force remove");
    await ok("rm", "-f", "web");
    expect(await ok("ps", "-aq")).toBe("");
  });

  it("carries input, output and exit codes of run and exec", async () => {
    expect(await ok("run", "--rm", "busybox", "echo", "hello")).toBe("hello");
    expect((await docker(["run", "--rm", "busybox", "sh", "-c", "exit 7"])).code).toBe(7);
    expect(await docker(["run", "--rm", "-i", "busybox", "cat"], "a\nb\n")).toMatchObject({ code: 0, out: "a\nb\n" });
    await ok("run", "-d", "--name", "box", "busybox", "sleep", "infinity");
    expect(await ok("exec", "box", "echo", "inside")).toBe("inside");
    expect(await docker(["exec", "-i", "box", "cat"], "through")).toMatchObject({ code: 0, out: "through" });
    expect((await docker(["exec", "box", "false"])).code).toBe(1);
    await ok("rm", "-f", "box");
  });

  it("pulls what is missing, or says so", async () => {
    expect((await docker(["run", "-d", "--name", "rr", "redis"])).code).toBe(0);
    const missing = await docker(["run", "-d", "nowhere"]);
    expect(missing.code).toBe(125);
    expect(missing.err).toContain("pull access denied for nowhere");
    expect(await ok("images", "--format", "{{.Repository}}:{{.Tag}}", "redis")).toBe("redis:latest");
    expect((await docker(["rmi", "redis"])).err).toContain("conflict: unable to");
    await ok("rm", "-f", "rr");
    await ok("rmi", "redis");
  });

  it("reports events as they happened", async () => {
    const since = String(Math.floor(systemClock.now() / 1000));
    await ok("run", "--name", "once", "busybox", "true");
    await ok("rename", "once", "twice");
    await ok("rm", "twice");
    const until = String(Math.floor(systemClock.now() / 1000) + 1);
    const text = await ok(
      "events",
      "--since",
      since,
      "--until",
      until,
      "--filter",
      "container=once",
      "--format",
      "{{.Action}}",
    );
    expect(text.split("\n")).toEqual(["create", "attach", "start", "die"]);
    const renamed = await ok(
      "events",
      "--since",
      since,
      "--until",
      until,
      "--filter",
      "container=twice",
      "--format",
      "{{.Action}}",
    );
    expect(renamed.split("\n")).toEqual(["rename", "destroy"]);
  });

  it("copies, commits and answers the rest", async () => {
    await ok("run", "-d", "--name", "cc", "busybox");
    const file = join(folder, "note.txt");
    writeFileSync(file, "kept");
    await ok("cp", file, "cc:/tmp/");
    await ok("cp", "cc:/tmp/note.txt", join(folder, "back.txt"));
    expect(await ok("top", "cc")).toContain("serve");
    expect(await ok("diff", "cc")).toBe("C /tmp");
    expect(await ok("stats", "--no-stream", "--format", "{{.Name}}", "cc")).toBe("cc");
    for (const verb of ["pause", "unpause", "restart", "stop", "start", "kill"]) await ok(verb, "cc");
    expect(await ok("wait", "cc")).toBe("137");
    await ok("update", "--cpus", "1", "cc");
    expect(await ok("inspect", "-f", "{{.HostConfig.NanoCpus}}", "cc")).toBe("1000000000");
    expect(await ok("commit", "cc", "mine:1")).toMatch(/^sha256:/);
    expect(await ok("network", "ls", "--format", "{{.Name}}")).toBe("bridge\nhost\nnone");
    expect(await ok("volume", "create", "data")).toBe("data");
    expect(await ok("info", "-f", "{{.Name}} {{.NCPU}} {{.Swarm.LocalNodeState}}")).toBe("node-1 4 inactive");
    expect(await ok("version", "-f", "{{.Server.Version}} {{.Server.APIVersion}}")).toBe("28.2.2 1.51");
    expect(await ok("system", "prune", "-f", "--volumes")).toContain("Deleted Containers");
  });
});
