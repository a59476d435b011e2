/** The clients that are tried, where each is had from, and how it runs its cases. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type Packages, packageCache, unpackedPackages, unpackedProgram } from "../support/debian.ts";
import { output, retried } from "../support/exec.ts";
import { fleet } from "../support/fleet.ts";
import { CLI_CASES, CLI_SWEEP } from "./cli-cases.ts";
import { type Client, chosenOf, type Prepared, runProgram, runScripts, type Share } from "./client.ts";
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
function cli(line: string, share: Share, find: () => Promise<string>): Client {
  const prepare = async (): Promise<Prepared> => {
    const bin = await find();
    const version = versionIn(await output(join(bin, "docker"), ["--version"]));
    return { version, run: (side, cases) => runScripts(chosenOf(CLI_CASES, cases), side, path(bin), CLI_SWEEP) };
  };
  return { name: `docker CLI ${line}`, share, prepare };
}

async function unpackedCli(suite: string): Promise<string> {
  const bin = emptyBin(`cli-${suite}`);
  const program = { package: "docker-cli", suite, program: "usr/bin/docker" };
  symlinkSync(await unpackedProgram(program, packageCache()), join(bin, "docker"));
  return bin;
}

/** A Compose: `link` puts `docker-compose` into a folder. */
function compose(line: string, share: Share, link: (bin: string) => Promise<void>): Client {
  const prepare = async (): Promise<Prepared> => {
    const bin = emptyBin(`compose-${line}`);
    await link(bin);
    const version = versionIn(await output(join(bin, "docker-compose"), ["version", "--short"], { timeout: 120_000 }));
    const run: Prepared["run"] = (side, cases) => {
      const env = { ...path(bin, fleet().clis["28"].bin), COMPOSE_PROJECT_NAME: `cc-${side.name}` };
      return runScripts(chosenOf(COMPOSE_CASES, cases), side, env, "true").finally(() =>
        runScripts([{ name: "sweep", script: COMPOSE_SWEEP }], side, env, "true"),
      );
    };
    return { version, run };
  };
  return { name: `Compose ${line}`, share, prepare };
}

/** Compose v1, docker-py 5 and Ansible, which wants a locale and runs commands. */
const PYTHON = "python-clients-bookworm";
const PYTHON_PACKAGES: Packages = {
  suite: "bookworm",
  packages: ["docker-compose", "ansible", "libc-bin", "dash", "coreutils"],
  whole: true,
};

/** Puts Compose v1 as `docker-compose` into a folder, with the docker CLI that it calls; it sees the suite's work folder alone. */
export async function linkComposeV1(bin: string): Promise<void> {
  copyFileSync(realpathSync(join(fleet().clis["28"].bin, "docker")), join(bin, "docker"));
  const root = await unpackedPackages(PYTHON, PYTHON_PACKAGES, packageCache());
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
function dockerPy(line: string, share: Share, name: string, packages: Packages): Client {
  const prepare = async (): Promise<Prepared> => {
    const root = await unpackedPackages(name, packages, packageCache());
    const bin = emptyBin(`py-${line}`);
    linkIntoRoot(bin, "python3", root, fleet().work, ["/usr/bin/python3"]);
    const said = await output(join(bin, "python3"), ["-c", "import docker; print(docker.__version__)"]);
    const source = readFileSync(join(programs, "docker_py.py"), "utf8");
    return { version: said, run: (side) => runProgram([join(bin, "python3"), "-c", source], side, {}) };
  };
  return { name: `docker-py ${line}`, share, prepare };
}

const require = createRequire(import.meta.url);

const DOCKERODE: Client = {
  name: "dockerode",
  share: "all",
  prepare: async () => {
    const module = require.resolve("dockerode");
    const { version } = require("dockerode/package.json") as { version: string };
    const argv = [process.execPath, join(programs, "dockerode.mjs"), module];
    return { version, run: (side) => runProgram(argv, side, {}) };
  },
};

const TESTCONTAINERS_NODE: Client = {
  name: "Testcontainers for Node",
  share: "all",
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
  if (existsSync(folder)) return;
  const work = `${folder}-${process.pid}`;
  mkdirSync(work, { recursive: true });
  const argv = ["install", "--prefix", work, "--no-audit", "--no-fund", "--ignore-scripts", wanted];
  try {
    await retried(() => output("npm", argv, { timeout: 300_000 }));
    renameSync(work, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const ANSIBLE_CASES = [
  "docker_host_info",
  "docker_container",
  "docker_container_exec",
  "docker_network",
  "docker_volume",
  "docker_image",
  "docker_prune",
];

const ANSIBLE: Client = {
  name: "Ansible community.docker",
  // Each of its cases takes ten seconds or more, most of them Ansible's own.
  share: ["docker_container"],
  prepare: async () => {
    const root = await unpackedPackages(PYTHON, PYTHON_PACKAGES, packageCache());
    const bin = emptyBin("ansible");
    linkIntoRoot(bin, "ansible-playbook", root, fleet().work, ["/usr/bin/python3", "/usr/bin/ansible-playbook"]);
    const collection = join(root, "usr/lib/python3/dist-packages/ansible_collections/community/docker/MANIFEST.json");
    const { collection_info } = JSON.parse(readFileSync(collection, "utf8")) as {
      collection_info: { version: string };
    };
    const run: Prepared["run"] = async (side, cases) => {
      const out = join(side.work, "told");
      await output("cp", ["-r", join(programs, "ansible"), side.work]);
      const variables = JSON.stringify({ out, wanted: cases === "all" ? ANSIBLE_CASES : cases });
      const play = `"$1" -i localhost, -e "$2" ansible/cases.yml >&2; cat "$3"`;
      const argv = ["sh", "-c", play, "sh", join(bin, "ansible-playbook"), variables, out];
      return runProgram(argv, side, { ANSIBLE_PYTHON_INTERPRETER: "/usr/bin/python3", ANSIBLE_NOCOLOR: "1" });
    };
    return { version: collection_info.version, run };
  },
};

/** Every command of the CLI is compared with 28 and 20.10 in test/e2e/compare, and Compose has test/e2e/compose.test.ts. */
const FEW_CLI: Share = ["version, info", "run", "ps and its filters"];
const FEW_COMPOSE: Share = ["config", "up -d, with a dependency on health", "down -v leaves nothing"];

/** Those for which nothing has to be fetched come first, so that the others are fetched meanwhile. */
export const CLIENTS: readonly Client[] = [
  cli("20.10", "none", async () => fleet().clis["20.10"].bin),
  cli("26.1", "none", () => unpackedCli("trixie")),
  cli("28", FEW_CLI, async () => fleet().clis["28"].bin),
  DOCKERODE,
  TESTCONTAINERS_NODE,
  PROMETHEUS,
  CADVISOR,
  dockerPy("5", "all", PYTHON, PYTHON_PACKAGES),
  dockerPy("7", "none", "docker-py-trixie", { suite: "trixie", packages: ["python3-docker"], whole: true }),
  ANSIBLE,
  compose("v1", FEW_COMPOSE, linkComposeV1),
  compose("v2.26", "none", (bin) => linkComposeV2(bin, "trixie")),
  compose("v2.40", FEW_COMPOSE, linkComposeV2),
  GO,
];
