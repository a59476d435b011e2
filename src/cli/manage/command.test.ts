import { Command } from "commander";
import { describe, expect, it } from "vitest";
import type { ManageOptions } from "../../manager/options.ts";
import { testIo } from "../test-io.ts";
import { manageCommand, type RunManager } from "./command.ts";

function shoal(io: ReturnType<typeof testIo>, runManager: RunManager): Command {
  return new Command("shoal")
    .enablePositionalOptions()
    .option("--debug")
    .option("--tls")
    .option("-l, --log-level <level>")
    .addCommand(manageCommand(io, async () => runManager));
}

describe("shoal manage", () => {
  it("runs the manager with its options and logs notes as JSON lines off a terminal", async () => {
    const io = testIo();
    let seen: ManageOptions | undefined;
    const program = shoal(io, async (options, log, signal) => {
      seen = options;
      log.debug("started", { aborted: signal.aborted });
    });
    const line = ["--debug", "manage", "--refresh-on-node-filter", "-H", "tcp://127.0.0.1:0", "nodes://a:1"];
    await program.parseAsync(line, { from: "user" });
    expect(seen).toMatchObject({ logLevel: "debug", hosts: ["tcp://127.0.0.1:0"], discovery: "nodes://a:1" });
    const lines = io.stdout().trimEnd().split("\n");
    expect(lines.map((text) => JSON.parse(text))).toMatchObject([
      { level: "warn", msg: expect.stringContaining("--refresh-on-node-filter") },
      { level: "debug", msg: "started", aborted: false },
    ]);
  });

  it("logs readable lines on a terminal", async () => {
    const io = testIo({}, { width: 80 });
    const program = shoal(io, async (_, log) => log.info("listening", { address: "tcp://a:1" }));
    await program.parseAsync(["manage", "nodes://a:1"], { from: "user" });
    expect(io.stdout()).toMatch(/^\d\d:\d\d:\d\d INFO {2}listening {2}address=tcp:\/\/a:1\n$/);
  });

  it("takes global flags before its name and never starts on wrong ones", async () => {
    const never: RunManager = () => expect.unreachable();
    await expect(shoal(testIo(), never).parseAsync(["--tls", "manage", "nodes://a"], { from: "user" })).rejects.toThrow(
      "--tlscert and --tlskey must be provided when using --tls",
    );
  });

  it("fails with the manager's error and leaves no signal listener", async () => {
    const before = process.listenerCount("SIGTERM");
    const program = shoal(testIo(), () => Promise.reject(new Error("port 2375 is taken")));
    await expect(program.parseAsync(["manage", "nodes://a"], { from: "user" })).rejects.toThrow("port 2375 is taken");
    expect(process.listenerCount("SIGTERM")).toBe(before);
  });
});
