/** The clients that are tried, where each is had from, and how it runs its cases. */
import { copyFileSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type Packages, packageCache, unpackedPackages, unpackedProgram } from "../support/debian.ts";
import { output } from "../support/exec.ts";
import { fleet } from "../support/fleet.ts";
import { CLI_CASES, CLI_SWEEP } from "./cli-cases.ts";
import { type Client, type Prepared, runProgram, runScripts, type Side } from "./client.ts";
import { COMPOSE_CASES, COMPOSE_SWEEP } from "./compose-cases.ts";
import { GO } from "./go.ts";
import { CADVISOR, PROMETHEUS } from "./monitors.ts";
import { linkIntoRoot } from "./root.ts";

const programs = join(import.meta.dirname, "programs");
const TESTCONTAINERS = "11.14.0";

/** A folder to go first in PATH, with nothing in it yet. */
function emptyBin(name: string): string {
  const bin = join(fleet().work, `bin-${name}`);
  rmSync(bin, { recursive: true, force: true });
  mkdirSync(bin, { recursive: true });
  return bin;
}

const path = (...folders: readonly string[]): { PATH: string } => ({
  PATH: [...folders, process.env.PATH ?? ""].join(":"),
});

const versionIn = (text: string): string => /(\d+\.\d+[\w.+~]*)/.exec(text)?.[1] ?? text;

/** The docker CLI whose folder `find` answers. */
function cli(line: string, quick: boolean, find: () => Promise<string>): Client {
  const prepare = async (): Promise<Prepared> => {
    const bin = await find();
    const version = versionIn(await output(join(bin, "docker"), ["--version"]));
    return { version, run: (side) => runScripts(CLI_CASES, side, path(bin), CLI_SWEEP) };
  };
  return { name: `docker CLI ${line}`, quick, prepare };
}

async function unpackedCli(suite: string): Promise<string> {
  const bin = emptyBin(`cli-${suite}`);
  const program = { package: "docker-cli", suite, program: "usr/bin/docker" };
  symlinkSync(await unpackedProgram(program, packageCache()), join(bin, "docker"));
  return bin;
}

/** A Compose: `link` puts `docker-compose` into a folder. */
function compose(line: string, quick: boolean, link: (bin: string) => Promise<void>): Client {
  const prepare = async (): Promise<Prepared> => {
    const bin = emptyBin(`compose-${line}`);
    await link(bin);
    const version = versionIn(await output(join(bin, "docker-compose"), ["version", "--short"], { timeout: 120_000 }));
    const run = (side: Side) => {
      const env = { ...path(bin, fleet().clis["28"].bin), COMPOSE_PROJECT_NAME: `cc-${side.name}` };
      return runScripts(COMPOSE_CASES, side, env, "true").finally(() =>
        runScripts([{ name: "sweep", script: COMPOSE_SWEEP }], side, env, "true"),
      );
    };
    return { version, run };
  };
  return { name: `Compose ${line}`, quick, prepare };
}

const PYTHON_COMPOSE: Packages = { suite: "bookworm", packages: ["docker-compose"], whole: true };

/** Puts Compose v1 as `docker-compose` into a folder, with the docker CLI that it calls; it sees the suite's work folder alone. */
export async function linkComposeV1(bin: string): Promise<void> {
  copyFileSync(realpathSync(join(fleet().clis["28"].bin, "docker")), join(bin, "docker"));
  const root = await unpackedPackages("compose-v1-bookworm", PYTHON_COMPOSE, packageCache());
  linkIntoRoot(bin, "docker-compose", root, fleet().work, ["/usr/bin/python3", "/usr/bin/docker-compose"]);
}

/** Puts Compose v2 as `docker-compose` into a folder. */
export async function linkComposeV2(bin: string, suite = "forky"): Promise<void> {
  const program = "usr/libexec/docker/cli-plugins/docker-compose";
  symlinkSync(
    await unpackedProgram({ package: "docker-compose", suite, program }, packageCache()),
    join(bin, "docker-compose"),
  );
}

/** docker-py, in the root of one suite. */
function dockerPy(line: string, quick: boolean, name: string, packages: Packages): Client {
  const prepare = async (): Promise<Prepared> => {
    const root = await unpackedPackages(name, packages, packageCache());
    const bin = emptyBin(name);
    linkIntoRoot(bin, "python3", root, fleet().work, ["/usr/bin/python3"]);
    const said = await output(join(bin, "python3"), ["-c", "import docker; print(docker.__version__)"]);
    const source = readFileSync(join(programs, "docker_py.py"), "utf8");
    return { version: said, run: (side) => runProgram([join(bin, "python3"), "-c", source], side, {}) };
  };
  return { name: `docker-py ${line}`, quick, prepare };
}

const require = createRequire(import.meta.url);

const DOCKERODE: Client = {
  name: "dockerode",
  quick: true,
  prepare: async () => {
    const module = require.resolve("dockerode");
    const { version } = require("dockerode/package.json") as { version: string };
    const argv = [process.execPath, join(programs, "dockerode.mjs"), module];
    return { version, run: (side) => runProgram(argv, side, {}) };
  },
};

const TESTCONTAINERS_NODE: Client = {
  name: "Testcontainers for Node",
  quick: false,
  prepare: async () => {
    const folder = join(packageCache(), `testcontainers-${TESTCONTAINERS}`);
    const module = join(folder, "node_modules/testcontainers");
    await installed(folder, `testcontainers@${TESTCONTAINERS}`);
    const argv = [process.execPath, join(programs, "testcontainers.mjs"), join(module, "build/index.js")];
    // Without its reaper, which would have to be reached through a mapped port.
    const env = { TESTCONTAINERS_RYUK_DISABLED: "true" };
    return { version: TESTCONTAINERS, run: (side) => runProgram(argv, side, env) };
  },
};

/** Installs an npm package into a folder of the cache, whole or not at all. */
async function installed(folder: string, wanted: string): Promise<void> {
  const work = `${folder}-${process.pid}`;
  if (
    await output("test", ["-d", folder]).then(
      () => true,
      () => false,
    )
  )
    return;
  mkdirSync(work, { recursive: true });
  const argv = ["install", "--prefix", work, "--no-audit", "--no-fund", "--ignore-scripts", wanted];
  try {
    await output("npm", argv, { timeout: 300_000 });
    renameSync(work, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const ANSIBLE: Client = {
  name: "Ansible community.docker",
  quick: false,
  prepare: async () => {
    // It wants a locale, and runs commands.
    const packages = {
      suite: "bookworm",
      packages: ["ansible", "python3-docker", "libc-bin", "dash", "coreutils"],
      whole: true,
    };
    const root = await unpackedPackages("ansible-shell-bookworm", packages, packageCache());
    const bin = emptyBin("ansible");
    linkIntoRoot(bin, "ansible-playbook", root, fleet().work, ["/usr/bin/python3", "/usr/bin/ansible-playbook"]);
    const collection = join(root, "usr/lib/python3/dist-packages/ansible_collections/community/docker/MANIFEST.json");
    const { collection_info } = JSON.parse(readFileSync(collection, "utf8")) as {
      collection_info: { version: string };
    };
    const run = async (side: Side) => {
      const out = join(side.work, "told");
      await output("cp", ["-r", join(programs, "ansible"), side.work]);
      const play = `"$1" -i localhost, -e out="$2" ansible/cases.yml >&2; cat "$2"`;
      const argv = ["sh", "-c", play, "sh", join(bin, "ansible-playbook"), out];
      return runProgram(argv, side, { ANSIBLE_PYTHON_INTERPRETER: "/usr/bin/python3", ANSIBLE_NOCOLOR: "1" });
    };
    return { version: collection_info.version, run };
  },
};

export const CLIENTS: readonly Client[] = [
  cli("20.10", false, async () => fleet().clis["20.10"].bin),
  cli("26.1", false, () => unpackedCli("trixie")),
  // Its every command is compared in test/e2e/compare, and Compose has test/e2e/compose.test.ts.
  cli("28", false, async () => fleet().clis["28"].bin),
  compose("v1", false, linkComposeV1),
  compose("v2.26", false, (bin) => linkComposeV2(bin, "trixie")),
  compose("v2.40", false, linkComposeV2),
  DOCKERODE,
  dockerPy("5", true, "compose-v1-bookworm", PYTHON_COMPOSE),
  dockerPy("7", false, "docker-py-trixie", { suite: "trixie", packages: ["python3-docker"], whole: true }),
  ANSIBLE,
  GO,
  TESTCONTAINERS_NODE,
  PROMETHEUS,
  CADVISOR,
];
