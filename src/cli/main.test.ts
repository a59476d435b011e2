import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { run } from "./main.ts";
import { testIo } from "./test-io.ts";

async function shoal(...args: string[]) {
  const io = testIo();
  const code = await run(args, io);
  return { code, out: io.stdout(), err: io.stderr() };
}

describe("shoal", () => {
  it("shows its commands", async () => {
    const { code, out } = await shoal();
    expect(code).toBe(0);
    for (const name of [
      "manage|m",
      "create|c",
      "join|j",
      "hub",
      "list|l",
      "machine",
      "ps",
      "node",
      "images",
      "why",
      "setup-cli",
      "run",
    ]) {
      expect(out).toMatch(new RegExp(`^  ${name.replace("|", "\\|")} `, "m"));
    }
    expect((await shoal("-h")).out).toBe(out);
    expect((await shoal("help")).out).toBe(out);
    expect((await shoal("help", "ps")).out).toContain("--no-trunc");
  });

  it("shows its version in classic Swarm's form", async () => {
    for (const flag of ["-v", "--version", "-version"]) {
      expect((await shoal(flag)).out).toMatch(/^shoal version \d+\.\d+\.\d+/);
    }
  });

  it.each([
    [["foo"], "shoal: unknown command: shoal foo\n\nRun 'shoal --help' for more information\n"],
    [["--foo"], "shoal: unknown flag: --foo\n\nRun 'shoal --help' for more information\n"],
    [["node", "foo"], "shoal: unknown command: shoal node foo\n\nRun 'shoal node --help' for more information\n"],
    [
      ["ps", "--foo"],
      "shoal: unknown flag: --foo\n\nUsage:  shoal ps [OPTIONS]\n\nRun 'shoal ps --help' for more information\n",
    ],
    [["ps", "-z"], /^shoal: unknown shorthand flag: 'z' in -z\n/],
    [["ps", "-n"], /^shoal: flag needs an argument: -n, --last\n/],
    [["ps", "-n", "x"], /^shoal: invalid argument "x" for "-n, --last" flag: expected a whole number\n/],
    [["ps", "x"], /^shoal: 'shoal ps' accepts no arguments\n/],
    [["why"], /^shoal: 'shoal why' requires an argument: container\n/],
    [["-H", "x", "manage", "nodes://a"], /^shoal: --host belongs after the command/],
    [["-debug", "m", "-strategy", "x", "nodes://a"], "shoal: strategy not supported\n"],
    [["-l", "loud", "manage", "nodes://a"], /^shoal: invalid --log-level "loud"/],
    [["manage", "a", "b"], /^shoal: 'shoal manage' accepts at most 1 argument\n/],
  ])("%j fails in docker's words", async (args, expected) => {
    const { code, err, out } = await shoal(...args);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    if (typeof expected === "string") expect(err).toBe(expected);
    else expect(err).toMatch(expected);
  });

  it("lists what discovery finds", async () => {
    expect((await shoal("list", "nodes://10.0.0.[1:3]:2375")).out).toBe(
      "10.0.0.1:2375\n10.0.0.2:2375\n10.0.0.3:2375\n",
    );
    expect((await shoal("l", "--format", "json", "nodes://a:1")).out).toBe('{"Address":"a:1"}\n');
    expect((await shoal("list", "--timeout", "0s", "nodes://a:1")).err).toContain(
      "--timeout should be a positive number",
    );
  });
});

describe("bin/shoal", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "shoal-bin-"));
    cpSync(join(import.meta.dirname, "../../bin"), join(dir, "bin"), { recursive: true });
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const call = (path: string, ...args: string[]) => spawnSync(process.execPath, [path, ...args], { encoding: "utf8" });

  it("says how to build what is not built", () => {
    const { status, stderr } = call(join(dir, "bin/shoal"), "ps");
    expect(status).toBe(1);
    expect(stderr).toBe(`shoal: not built yet: run npm ci && npm run build in ${dir}.\n`);
  });

  it("runs through a link, under the link's name, with main's exit code", () => {
    mkdirSync(join(dir, "dist/cli"), { recursive: true });
    writeFileSync(join(dir, "package.json"), '{"type":"module"}');
    writeFileSync(
      join(dir, "dist/cli/main.js"),
      "export const main = async (argv) => (console.log(argv[1], argv[2]), 7);",
    );
    symlinkSync(join(dir, "bin/shoal"), join(dir, "docker-shoal"));
    const { status, stdout } = call(join(dir, "docker-shoal"), "metadata");
    expect(stdout).toBe(`${dir}/docker-shoal metadata\n`);
    expect(status).toBe(7);
  });
});
