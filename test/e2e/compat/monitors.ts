/** Two long-running clients that watch: Prometheus finds targets through the API, cAdvisor names cgroups by it. */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageCache, unpackedPackages, unpackedProgram } from "../support/debian.ts";
import { output, sleep, until } from "../support/exec.ts";
import { fleet } from "../support/fleet.ts";
import { call, get } from "../support/http.ts";
import { freePort } from "../support/manager.ts";
import type { Client, Result, Side } from "./client.ts";
import { linkIntoRoot } from "./root.ts";

const NAME = "cc-watched";
const SEEN_MS = 90_000;

/** Runs a program beside what is asked of it; ends it whatever comes of that. */
async function beside<T>(argv: readonly string[], side: Side, work: () => Promise<T>): Promise<T> {
  const [program = "", ...args] = argv;
  const child = spawn(program, args, {
    cwd: side.work,
    stdio: ["ignore", "ignore", "pipe"],
    env: { PATH: "/usr/bin:/bin" },
  });
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-2000);
  });
  const ended = new Promise<void>((done) => {
    child.on("error", () => done());
    child.on("close", () => done());
  });
  try {
    return await work().catch((error: unknown) => {
      throw new Error(`${String(error)}\n${log}`, { cause: error });
    });
  } finally {
    child.kill("SIGTERM");
    await Promise.race([ended, sleep(5000)]);
    child.kill("SIGKILL");
    await ended;
  }
}

async function startWatched(side: Side): Promise<string> {
  const body = { Image: "nginx", Labels: { compat: "watched" } };
  const made = await call(side.host, `/containers/create?name=${NAME}`, { method: "POST", body });
  const { Id } = JSON.parse(made.text) as { Id: string };
  const started = await call(side.host, `/containers/${Id}/start`, { method: "POST" });
  if (started.status !== 204) throw new Error(started.text);
  return Id;
}

const removeWatched = (side: Side) => call(side.host, `/containers/${NAME}?force=1`, { method: "DELETE" });

/** One case after the other; once one fails, so do those that follow. */
async function told(cases: readonly (readonly [string, () => Promise<unknown>])[]): Promise<Result[]> {
  const results: Result[] = [];
  for (const [name, ask] of cases) {
    results.push(
      await ask().then(
        () => ({ name }),
        (error: unknown) => ({ name, error: String(error) }),
      ),
    );
  }
  return results;
}

interface Target {
  readonly discoveredLabels: Readonly<Record<string, string>>;
}

async function runPrometheus(program: string, side: Side): Promise<Result[]> {
  const port = await freePort();
  const config = join(side.work, "prometheus.yml");
  const discovery = `docker_sd_configs: [{host: "${side.host}", refresh_interval: 1s}]`;
  writeFileSync(config, `scrape_configs: [{job_name: docker, ${discovery}}]\n`);
  const data = join(side.work, "data");
  mkdirSync(data);
  const argv = [
    program,
    `--config.file=${config}`,
    `--storage.tsdb.path=${data}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const found = async (): Promise<Target | undefined> => {
    const answer = await get<{ data: { activeTargets: Target[] } }>(`tcp://127.0.0.1:${port}`, "/api/v1/targets");
    return answer.data.activeTargets.find((one) => one.discoveredLabels.__meta_docker_container_name === `/${NAME}`);
  };
  const id = await startWatched(side);
  try {
    return await beside(argv, side, () =>
      told([
        [
          "a container is a target, with its network, port and labels",
          async () => {
            const { discoveredLabels: labels } = await until("the target", SEEN_MS, found);
            const got = [
              labels.__meta_docker_container_id,
              labels.__meta_docker_container_label_compat,
              labels.__meta_docker_network_name,
              labels.__meta_docker_port_private,
            ];
            const wanted = [id, "watched", "bridge", "80"];
            if (got.join() !== wanted.join()) throw new Error(`found ${got.join()}`);
          },
        ],
        [
          "it is none when it is gone",
          async () => {
            await removeWatched(side);
            await until("its end", SEEN_MS, async () => ((await found()) === undefined ? true : undefined));
          },
        ],
      ]),
    );
  } finally {
    await removeWatched(side);
  }
}

export const PROMETHEUS: Client = {
  name: "Prometheus docker_sd",
  quick: false,
  prepare: async () => {
    const wanted = { package: "prometheus", suite: "bookworm", program: "usr/bin/prometheus" };
    const program = await unpackedProgram(wanted, packageCache());
    const version = /version (\d[\d.]*)/.exec(await output("sh", ["-c", `${program} --version 2>&1`]))?.[1] ?? "?";
    return { version, run: (side) => runPrometheus(program, side) };
  },
};

/** What it needs of the API; the files of the engine that it reads beside it are on no machine but the engine's. */
async function runCadvisor(program: string, side: Side): Promise<Result[]> {
  const port = await freePort();
  const argv = [program, "--docker", side.host, "--listen_ip=127.0.0.1", `--port=${port}`, "--logtostderr"];
  const page = async (path: string) => (await call(`tcp://127.0.0.1:${port}`, path)).text;
  const shows = async (path: string, pattern: RegExp) => (pattern.test(await page(path)) ? true : undefined);
  return beside(argv, side, () =>
    told([
      [
        "takes the engine's version for a supported one",
        () => until("the verdict", SEEN_MS, () => shows("/validate/", /Docker version: \[Supported/)),
      ],
      [
        "its metrics have the engine's version",
        () => until("it", SEEN_MS, () => shows("/metrics", /dockerVersion="[^"]/)),
      ],
    ]),
  );
}

export const CADVISOR: Client = {
  name: "cAdvisor",
  quick: false,
  prepare: async () => {
    const packages = { suite: "bullseye", packages: ["cadvisor"], whole: true };
    const root = await unpackedPackages("cadvisor-bullseye", packages, packageCache());
    const bin = join(fleet().work, "bin-cadvisor");
    linkIntoRoot(bin, "cadvisor", root, fleet().work, ["/usr/bin/cadvisor"]);
    const said = await output("sh", ["-c", `${join(bin, "cadvisor")} --version 2>&1`]);
    return {
      version: /v?(\d+\.\d+\.\d+)/.exec(said)?.[1] ?? said,
      run: (side) => runCadvisor(join(bin, "cadvisor"), side),
    };
  },
};
