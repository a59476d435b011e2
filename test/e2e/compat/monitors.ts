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

const NAMES = ["cc-watched", "cc-watched-too"];
const SEEN_MS = 240_000;

/** Runs cases beside a program, which ends whatever comes of them; what it logged is told with those that fail. */
async function beside(argv: readonly string[], side: Side, cases: Cases): Promise<Result[]> {
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
    return await told(cases, () => log);
  } finally {
    child.kill("SIGTERM");
    await Promise.race([ended, sleep(5000)]);
    child.kill("SIGKILL");
    await ended;
  }
}

async function startWatched(side: Side, name: string): Promise<string> {
  const body = { Image: "nginx", Labels: { compat: "watched" }, HostConfig: { PublishAllPorts: true } };
  const made = await call(side.host, `/containers/create?name=${name}`, { method: "POST", body });
  const { Id } = JSON.parse(made.text) as { Id: string };
  const started = await call(side.host, `/containers/${Id}/start`, { method: "POST" });
  if (started.status !== 204) throw new Error(started.text);
  return Id;
}

const removeWatched = (side: Side) =>
  Promise.all(NAMES.map((name) => call(side.host, `/containers/${name}?force=1`, { method: "DELETE" })));

type Cases = readonly (readonly [string, () => Promise<unknown>])[];

/** One case after the other; once one fails, so do those that follow. */
async function told(cases: Cases, log: () => string): Promise<Result[]> {
  const results: Result[] = [];
  for (const [name, ask] of cases) {
    const failed = (error: unknown) => {
      const cause = error instanceof Error && error.cause !== undefined ? `: ${String(error.cause)}` : "";
      return { name, error: `${String(error)}${cause}\n${log()}` };
    };
    results.push(await ask().then(() => ({ name }), failed));
  }
  return results;
}

interface Target {
  readonly discoveredLabels: Readonly<Record<string, string>>;
}

/**
 * To Prometheus two targets of one job with one address and the same labels are one, and two nodes' bridges give the same
 * address to two containers: the label by which people tell containers apart is what keeps them apart.
 */
export const RELABEL = "{source_labels: [__meta_docker_container_name], target_label: container}";

async function runPrometheus(program: string, side: Side): Promise<Result[]> {
  const port = await freePort();
  const config = join(side.work, "prometheus.yml");
  const discovery = `docker_sd_configs: [{host: "${side.host}", refresh_interval: 1s}]`;
  writeFileSync(config, `scrape_configs: [{job_name: docker, ${discovery}, relabel_configs: [${RELABEL}]}]\n`);
  const data = join(side.work, "data");
  mkdirSync(data);
  const argv = [
    program,
    `--config.file=${config}`,
    `--storage.tsdb.path=${data}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const targets = async (): Promise<Target["discoveredLabels"][]> => {
    const answer = await get<{ data: { activeTargets: Target[] } }>(`tcp://127.0.0.1:${port}`, "/api/v1/targets");
    return answer.data.activeTargets.map(({ discoveredLabels }) => discoveredLabels);
  };
  const nameOf = (labels: Target["discoveredLabels"]) => labels.__meta_docker_container_name?.slice(1) ?? "";
  /** The first target of each container. Throws with the names that there are while one is missing. */
  const found = async (): Promise<Target["discoveredLabels"][]> => {
    const all = await targets();
    return NAMES.map((name) => {
      const one = all.find((labels) => nameOf(labels) === name);
      if (one === undefined) throw new Error(`no ${name} among ${all.map(nameOf).join(" ")}`);
      return one;
    });
  };
  try {
    const ids: string[] = [];
    for (const name of NAMES) ids.push(await startWatched(side, name));
    return await beside(argv, side, [
      [
        "each container is a target, with its network, ports and labels",
        async () => {
          const got = (await until("the targets", SEEN_MS, found)).map((labels) => [
            labels.__meta_docker_container_id,
            labels.__meta_docker_container_label_compat,
            labels.__meta_docker_network_name,
            labels.__meta_docker_port_private,
            Number(labels.__meta_docker_port_public) > 0,
          ]);
          const wanted = ids.map((id) => [id, "watched", "bridge", "80", true]);
          if (got.join() !== wanted.join()) throw new Error(`found ${got.join()}`);
        },
      ],
      [
        "they are none when they are gone",
        async () => {
          await removeWatched(side);
          await until("their end", SEEN_MS, async () => {
            const left = (await targets()).map(nameOf).filter((name) => NAMES.includes(name));
            if (left.length > 0) throw new Error(`there is ${left.join(" ")}`);
            return true;
          });
        },
      ],
    ]);
  } finally {
    await removeWatched(side);
  }
}

export const PROMETHEUS: Client = {
  name: "Prometheus docker_sd",
  share: "all",
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
  return beside(argv, side, [
    [
      "takes the engine's version for a supported one",
      () => until("the verdict", SEEN_MS, () => shows("/validate/", /Docker version: \[Supported/)),
    ],
    [
      "its metrics have the engine's version",
      () => until("it", SEEN_MS, () => shows("/metrics", /dockerVersion="[^"]/)),
    ],
  ]);
}

export const CADVISOR: Client = {
  name: "cAdvisor",
  share: "all",
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
