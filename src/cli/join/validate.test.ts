import { describe, expect, it } from "vitest";
import type { AgentOptions } from "../../agent/options.ts";
import { CliError } from "../fail.ts";
import { fromGoFlags } from "../go-flags.ts";
import type { Env } from "../io.ts";
import { testIo } from "../test-io.ts";
import { joinCommand } from "./command.ts";

async function join(line: string, env: Env = {}): Promise<AgentOptions> {
  let seen: AgentOptions | undefined;
  const command = joinCommand(testIo({ HOME: "/home/joe", ...env }), async () => async (options) => {
    seen = options;
  });
  await command.parseAsync(fromGoFlags(command, line.split(" ").filter(Boolean)), { from: "user" });
  if (!seen) throw new Error("not started");
  return seen;
}

describe("shoal join refuses as classic Swarm does", () => {
  it.each([
    ["--advertise a:1", "discovery required to join a cluster. See 'shoal join --help'."],
    ["token://x", "missing mandatory --advertise flag"],
    ["--advertise a token://x", "--advertise should be of the form ip:port or hostname:port"],
    ["--advertise a:0 token://x", "--advertise should be of the form ip:port or hostname:port"],
    ["--addr a:65536 token://x", "--advertise should be of the form ip:port or hostname:port"],
    ["--addr a:1 --heartbeat 999ms token://x", "--heartbeat should be at least one second"],
    ["--addr a:1 --heartbeat 60 token://x", 'invalid --heartbeat: time: missing unit in duration "60"'],
    ["--addr a:1 --ttl 60s token://x", "--ttl must be strictly superior to the heartbeat value"],
    ["--addr a:1 --delay -1s token://x", "--delay should not be a negative number"],
    ["--addr a:1 --label x token://x", 'invalid --label "x": it should be of the form key=value'],
    ["--addr a:1 --name a/b token://x", 'invalid --name "a/b": only [a-zA-Z0-9][a-zA-Z0-9_.-]* are allowed'],
    ["--addr a:1 --discovery-opt x token://x", 'invalid --discovery-opt "x": it should be of the form key=value'],
  ])("%s", async (line, message) => {
    await expect(join(line)).rejects.toThrow(new CliError(message));
  });
});

describe("shoal join's options", () => {
  it("have classic Swarm's defaults", async () => {
    expect(await join("--advertise 10.0.0.1:2375 token://0a1b")).toMatchObject({
      discovery: "token://0a1b",
      advertise: "10.0.0.1:2375",
      heartbeatMs: 60_000,
      ttlMs: 180_000,
      delayMs: 0,
      name: undefined,
      labels: {},
    });
  });

  it("take docker-machine's command line, the slides', Go's spelling and the environment", async () => {
    expect((await join("--advertise 10.0.0.1:2376 token://0a1b")).advertise).toBe("10.0.0.1:2376");
    expect((await join("--add=10.0.0.1 token://0a1b")).advertise).toBe("10.0.0.1:2375");
    expect((await join("-addr a:1 -heartbeat 20s -ttl 1m token://0a1b")).ttlMs).toBe(60_000);
    const env = {
      SWARM_DISCOVERY: "token://e",
      SWARM_ADVERTISE: "e:1",
      SWARM_DISCOVERY_URL: "http://hub",
      SHOAL_HUB_TOKEN: "t",
    };
    expect(await join("", env)).toMatchObject({
      discovery: "token://e",
      advertise: "e:1",
      hub: { url: "http://hub", token: "t" },
    });
    const { labels } = await join("--addr a:1 --constraint storage=ssd --label region==us-east --label x= token://x");
    expect(labels).toEqual({ storage: "ssd", region: "us-east", x: "" });
  });
});
