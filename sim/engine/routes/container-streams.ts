/** Routes about containers that stream or wait: logs, attach, stats, wait, and execs. */
import type { Duplex } from "node:stream";
import { PassThrough } from "node:stream";
import { badRequest, conflict } from "../../../src/docker/errors.ts";
import { compareVersions } from "../../../src/docker/version.ts";
import { type Answer, type Call, empty, json, readJson, stream } from "../call.ts";
import { isRunning, type SimContainer, ttyOf } from "../container.ts";
import type { Daemon } from "../daemon.ts";
import { eventTime } from "../events.ts";
import { execForm } from "../execs.ts";
import { flag, goTime, type Json } from "../json.ts";
import type { Process } from "../process.ts";
import type { Routes } from "../router.ts";
import { joinSession } from "../session.ts";
import { isOld } from "../words.ts";

const RAW = "application/vnd.docker.raw-stream";
const MULTIPLEXED = "application/vnd.docker.multiplexed-stream";

/** Since API 1.42 the type tells frames from raw bytes. */
const streamType = (tty: boolean, version: string): string =>
  tty || compareVersions(version, "1.42") < 0 ? RAW : MULTIPLEXED;

function checkNumber(text: string): void {
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
}

function logs(daemon: Daemon, container: SimContainer, call: Call): Answer {
  const { query } = call;
  const wanted = { stdout: flag(query.get("stdout")), stderr: flag(query.get("stderr")), tty: ttyOf(container) };
  if (!wanted.stdout && !wanted.stderr) throw badRequest("Bad parameters: you must choose at least one stream");
  const tail = query.get("tail") ?? "all";
  const ms = (name: string): number | undefined => {
    const nanos = eventTime(query.get(name));
    return nanos === undefined || nanos === 0n ? undefined : Number(nanos / 1_000_000n);
  };
  const out = new PassThrough();
  const output = daemon.lifecycle.output(container);
  const kept = output.kept(wanted, {
    tail: /^\d+$/.test(tail) ? Number(tail) : -1,
    timestamps: flag(query.get("timestamps")),
    since: ms("since") ?? 0,
    until: ms("until") ?? Number.POSITIVE_INFINITY,
  });
  for (const chunk of kept) out.write(chunk);
  if (flag(query.get("follow")) && isRunning(container)) {
    output.attach(out, wanted);
    call.signal.addEventListener("abort", () => out.destroy(), { once: true });
  } else out.end();
  return stream(streamType(wanted.tty, call.version), out);
}

function attach(daemon: Daemon, container: SimContainer, call: Call): Answer {
  if (container.status === "paused") {
    throw conflict(`container ${container.id} is paused, unpause the container before attach`);
  }
  const { query } = call;
  const tty = ttyOf(container);
  const live = flag(query.get("stream"));
  const wanted = { stdout: flag(query.get("stdout")), stderr: flag(query.get("stderr")), tty };
  const output = daemon.lifecycle.output(container);
  daemon.lifecycle.note(container, "attach");
  return {
    status: 200,
    headers: { "Content-Type": streamType(tty, call.version) },
    hijack: (connection: Duplex) => {
      if (flag(query.get("logs"))) {
        const all = { tail: -1, timestamps: false, since: 0, until: Number.POSITIVE_INFINITY };
        for (const chunk of output.kept(wanted, all)) connection.write(chunk);
      }
      if (!live || container.status === "exited") connection.end();
      const endsInput = container.config.StdinOnce === true;
      joinSession(connection, output, (run) => daemon.lifecycle.whenStarted(container, run), {
        ...wanted,
        stdin: flag(query.get("stdin")),
        endsInput,
      });
    },
  };
}

function statsForm(daemon: Daemon, container: SimContainer): Json {
  const on = isRunning(container);
  const read = goTime(daemon.clock.now());
  const cpu = {
    cpu_usage: { total_usage: on ? 1_000_000 : 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
    system_cpu_usage: 1_000_000_000,
    online_cpus: daemon.facts.cpus,
  };
  return {
    name: `/${container.name}`,
    id: container.id,
    num_procs: 0,
    read,
    preread: goTime(0),
    cpu_stats: cpu,
    precpu_stats: { ...cpu, system_cpu_usage: 0 },
    memory_stats: on
      ? { usage: 4_000_000, stats: { anon: 1_000_000, inactive_file: 0 }, limit: daemon.facts.memory }
      : {},
    pids_stats: on ? { current: 1 } : {},
    blkio_stats: { io_service_bytes_recursive: null },
    networks: on ? { eth0: { rx_bytes: 0, tx_bytes: 0 } } : {},
    storage_stats: {},
  };
}

function stats(daemon: Daemon, container: SimContainer, call: Call): Answer {
  if (!flag(call.query.get("stream") ?? "1")) return json(200, statsForm(daemon, container));
  const out = new PassThrough();
  const tick = (): void => {
    if (out.destroyed || !daemon.containers.find(container.id)) {
      out.end();
      return;
    }
    out.write(`${JSON.stringify(statsForm(daemon, container))}\n`);
    daemon.clock.after(1000, tick, { background: true });
  };
  tick();
  call.signal.addEventListener("abort", () => out.destroy(), { once: true });
  return stream("application/json", out);
}

function wait(daemon: Daemon, container: SimContainer, call: Call): Answer {
  const condition = call.query.get("condition") || "not-running";
  if (!["not-running", "next-exit", "removed"].includes(condition)) {
    throw badRequest(`invalid condition: "${condition}"`);
  }
  const out = new PassThrough();
  void daemon.lifecycle.wait(container, condition, call.signal).then((code) => {
    if (!out.destroyed)
      out.end(`${JSON.stringify(isOld(daemon.facts) ? { Error: null, StatusCode: code } : { StatusCode: code })}\n`);
  });
  call.signal.addEventListener("abort", () => out.destroy(), { once: true });
  return stream("application/json", out);
}

async function execStart(daemon: Daemon, call: Call): Promise<Answer> {
  const exec = daemon.execs.get(call.params.id ?? "");
  const posted = await readJson(call);
  if (exec.started) throw conflict(`exec command ${exec.id} has already run`);
  if (posted.Detach === true) {
    daemon.execs.start(exec);
    return empty(200);
  }
  const tty = exec.posted.Tty === true;
  const wanted = { stdout: exec.posted.AttachStdout === true, stderr: exec.posted.AttachStderr === true, tty };
  return {
    status: 200,
    headers: { "Content-Type": streamType(tty, call.version) },
    hijack: (connection: Duplex) => {
      const stdin = exec.posted.AttachStdin === true;
      const start = (run: (process: Process) => void): void => run(daemon.execs.start(exec));
      joinSession(connection, exec.output, start, { ...wanted, stdin, endsInput: true });
    },
  };
}

export function containerStreamRoutes(daemon: Daemon): Routes {
  const on = (handler: (container: SimContainer, call: Call) => Answer | Promise<Answer>) => (call: Call) =>
    handler(daemon.containers.get(call.params.name ?? ""), call);
  return {
    "GET /containers/{name}/logs": on((container, call) => logs(daemon, container, call)),
    "POST /containers/{name}/attach": on((container, call) => attach(daemon, container, call)),
    "GET /containers/{name}/stats": on((container, call) => stats(daemon, container, call)),
    "POST /containers/{name}/wait": on((container, call) => wait(daemon, container, call)),
    "POST /containers/{name}/exec": on(async (container, call) =>
      json(201, { Id: daemon.execs.create(container, await readJson(call)).id }),
    ),
    "POST /exec/{id}/start": (call) => execStart(daemon, call),
    "GET /exec/{id}/json": (call) => json(200, execForm(daemon.execs.get(call.params.id ?? ""))),
    "POST /exec/{id}/resize": (call) => {
      for (const side of ["h", "w"]) checkNumber(call.query.get(side) ?? "");
      daemon.execs.get(call.params.id ?? "");
      return empty(200);
    },
  };
}
