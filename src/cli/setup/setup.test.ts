import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { run } from "../main.ts";
import { testIo } from "../test-io.ts";
import { PS_FORMAT } from "./ps-format.ts";

/** Stands in for the docker CLI: contexts are files, calls are logged. */
const DOCKER = `#!/bin/sh
echo "$DOCKER_HOST|$*" >> "$HOME/calls"
case "$1 $2" in
"context inspect") test -f "$HOME/$3.ctx" || exit 1; printf '[{"Metadata":{"Description":"%s"}}]' "$(cat "$HOME/$3.ctx")" ;;
"context create"|"context update") echo "$5" > "$HOME/$3.ctx" ;;
"context rm") rm "$HOME/$4.ctx" ;;
esac
`;

let home: string;
let docker: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "shoal-setup-"));
  docker = join(home, ".docker");
  mkdirSync(join(home, "bin"));
  writeFileSync(join(home, "bin", "docker"), DOCKER);
  chmodSync(join(home, "bin", "docker"), 0o755);
});
afterEach(() => rmSync(home, { recursive: true }));

async function setup(...args: string[]) {
  const io = testIo({ HOME: home, PATH: `${home}/bin:/usr/bin:/bin`, DOCKER_HOST: "tcp://10.0.0.1:2375" });
  const code = await run(["setup-cli", ...args], io);
  return { code, out: io.stdout(), err: io.stderr() };
}

const calls = (): string[] => readFileSync(join(home, "calls"), "utf8").trim().split("\n");
const config = (): string => readFileSync(join(docker, "config.json"), "utf8");

describe("shoal setup-cli", () => {
  it("makes a context and the plugin link, and leaves config.json alone", async () => {
    mkdirSync(docker);
    writeFileSync(join(docker, "config.json"), '{"auths":{}}');
    expect(await setup()).toMatchObject({ code: 0, err: "" });
    expect(calls()).toEqual([
      "|context inspect shoal",
      "|context create shoal --description shoal manager --docker host=tcp://10.0.0.1:2375",
    ]);
    expect(readlinkSync(join(docker, "cli-plugins", "docker-shoal"))).toMatch(/\/bin\/shoal$/);
    expect(config()).toBe('{"auths":{}}');
  });

  it("updates on the second time, and undoes all", async () => {
    await setup();
    expect((await setup()).out).toContain("linked already");
    expect(calls().at(-1)).toMatch(/^\|context update shoal /);
    expect(await setup("--undo")).toMatchObject({ code: 0 });
    expect(existsSync(join(home, "shoal.ctx"))).toBe(false);
    expect(existsSync(join(docker, "cli-plugins", "docker-shoal"))).toBe(false);
    expect((await setup("--undo")).out).toContain("there is no docker context shoal");
  });

  it("touches neither another's context nor another's plugin", async () => {
    writeFileSync(join(home, "prod.ctx"), "the real thing");
    expect(await setup("--context", "prod")).toMatchObject({ code: 1 });
    expect((await setup("--context", "prod", "--undo")).out).toContain("not shoal's and is left alone");
    mkdirSync(join(docker, "cli-plugins"), { recursive: true });
    writeFileSync(join(docker, "cli-plugins", "docker-shoal"), "mine");
    expect((await setup()).out).toContain("left alone");
    await setup("--undo");
    expect(readFileSync(join(docker, "cli-plugins", "docker-shoal"), "utf8")).toBe("mine");
  });

  it("replaces a link to a shoal that has moved", async () => {
    mkdirSync(join(docker, "cli-plugins"), { recursive: true });
    symlinkSync("/old/place/bin/shoal", join(docker, "cli-plugins", "docker-shoal"));
    await setup();
    expect(readlinkSync(join(docker, "cli-plugins", "docker-shoal"))).not.toBe("/old/place/bin/shoal");
  });

  it("works without a docker CLI", async () => {
    rmSync(join(home, "bin", "docker"));
    const io = testIo({ HOME: home, PATH: join(home, "bin") });
    expect(await run(["setup-cli"], io)).toBe(0);
    expect(io.stdout()).toContain("no docker CLI found");
  });
});

describe("shoal setup-cli --ps-format", () => {
  const original = '{\n\t"auths": {"x": {"auth": "e30="}},\n\t"currentContext": "default"\n}';

  it("merges a NODE column, keeps the rest, backs up, and puts back byte for byte", async () => {
    mkdirSync(docker);
    writeFileSync(join(docker, "config.json"), original, { mode: 0o640 });
    await setup("--ps-format");
    expect(JSON.parse(config())).toEqual({ ...JSON.parse(original), psFormat: PS_FORMAT });
    expect(config().startsWith(original.slice(0, -2))).toBe(true);
    expect(statSync(join(docker, "config.json")).mode & 0o777).toBe(0o640);
    expect(readFileSync(join(docker, "config.json.before-shoal"), "utf8")).toBe(original);
    expect((await setup("--ps-format")).out).toContain("already has a NODE column");
    expect(readFileSync(join(docker, "config.json.before-shoal"), "utf8")).toBe(original);
    await setup("--undo");
    expect(config()).toBe(original);
    expect(readdirSync(docker).filter((name) => name.startsWith("config"))).toEqual(["config.json"]);
  });

  it("keeps what others changed since, and gives the user's own psFormat back", async () => {
    mkdirSync(docker);
    writeFileSync(join(docker, "config.json"), '{"psFormat":"mine"}');
    await setup("--ps-format");
    writeFileSync(join(docker, "config.json"), config().replace(/\}$/, ',"new":1}'));
    expect(JSON.parse(config())).toEqual({ psFormat: PS_FORMAT, new: 1 });
    await setup("--undo");
    expect(config()).toBe('{"psFormat":"mine","new":1}');
  });

  it("makes the file where there was none, and removes it again", async () => {
    await setup("--ps-format");
    expect(JSON.parse(config())).toEqual({ psFormat: PS_FORMAT });
    await setup("--undo");
    expect(existsSync(join(docker, "config.json"))).toBe(false);
  });

  it("edits a linked file where it is", async () => {
    mkdirSync(docker);
    writeFileSync(join(home, "dotfiles.json"), "{}");
    symlinkSync(join(home, "dotfiles.json"), join(docker, "config.json"));
    await setup("--ps-format");
    expect(lstatSync(join(docker, "config.json")).isSymbolicLink()).toBe(true);
    expect(JSON.parse(readFileSync(join(home, "dotfiles.json"), "utf8"))).toEqual({ psFormat: PS_FORMAT });
  });

  it("leaves a broken file alone and says so", async () => {
    mkdirSync(docker);
    writeFileSync(join(docker, "config.json"), "{ broken");
    const { code, err } = await setup("--ps-format");
    expect(code).toBe(1);
    expect(err).toContain("config.json is left alone");
    expect(config()).toBe("{ broken");
  });
});
