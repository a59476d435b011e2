/**
 * Load on one Engine API address, engine or manager: loops of one operation at a fixed concurrency.
 *
 *   load --host unix:///path [--op run|create|ps|inspect|ping|info] [--count 1000] [--concurrency 16]
 *        [--image busybox] [--memory BYTES] [--label k=v]… [--env constraint:…]… [--publish] [--port N] [--keep]
 */
import { parseArgs } from "node:util";
import { systemClock } from "../src/kit/clock.ts";
import { BenchClient } from "./client.ts";
import { figure, percentile, table } from "./stats.ts";

export interface CreateOptions {
  readonly image: string;
  /** Bytes; 0 reserves nothing. */
  readonly memory?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly env?: readonly string[];
  /** Publish one exposed port on a random host port. */
  readonly publish?: boolean;
  /** Publish on this host port. */
  readonly port?: number;
}

export interface Outcome {
  readonly count: number;
  readonly errors: number;
  readonly firstError: string | undefined;
  readonly seconds: number;
  /** Milliseconds of each operation that succeeded. */
  readonly samples: readonly number[];
}

/** Runs `operation` `count` times, at most `concurrency` at once. */
export async function repeat(
  count: number,
  concurrency: number,
  operation: (index: number) => Promise<unknown>,
): Promise<Outcome> {
  const samples: number[] = [];
  let next = 0;
  let errors = 0;
  let firstError: string | undefined;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      const from = systemClock.monotonic();
      try {
        await operation(index);
        samples.push(systemClock.monotonic() - from);
      } catch (error) {
        errors++;
        firstError ??= String(error);
      }
    }
  };
  const from = systemClock.monotonic();
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, worker));
  return { count, errors, firstError, seconds: (systemClock.monotonic() - from) / 1000, samples };
}

/** The body of a create as the docker CLI would send it, as far as placement cares. */
export function createBody(options: CreateOptions): Record<string, unknown> {
  const open = options.publish === true || options.port !== undefined;
  return {
    Image: options.image,
    Cmd: ["sleep", "infinity"],
    Env: options.env ?? [],
    Labels: options.labels ?? {},
    ...(open ? { ExposedPorts: { "80/tcp": {} } } : {}),
    HostConfig: {
      Memory: options.memory ?? 0,
      PublishAllPorts: options.publish === true,
      ...(options.port === undefined ? {} : { PortBindings: { "80/tcp": [{ HostPort: String(options.port) }] } }),
    },
  };
}

/** Creates and starts `count` containers; `made` collects their IDs. */
export function createAndStart(
  client: BenchClient,
  count: number,
  concurrency: number,
  options: CreateOptions,
  made: string[],
): Promise<Outcome> {
  const body = createBody(options);
  return repeat(count, concurrency, async () => {
    const { Id } = await client.json<{ Id: string }>("POST", "/containers/create", body);
    made.push(Id);
    await client.call("POST", `/containers/${Id}/start`);
  });
}

/** Removes containers, running or not. */
export async function removeAll(client: BenchClient, ids: readonly string[], concurrency = 8): Promise<Outcome> {
  return await repeat(ids.length, concurrency, (index) => client.call("DELETE", `/containers/${ids[index]}?force=1`));
}

/** A row: operations each second, p50 and p99 in milliseconds, errors. */
export function outcomeRow(name: string, { samples, seconds, errors }: Outcome): string[] {
  const rate = figure(samples.length / seconds);
  return [name, rate, figure(percentile(samples, 0.5)), figure(percentile(samples, 0.99)), String(errors)];
}

export const OUTCOME_HEAD = ["operation", "ops/s", "p50 ms", "p99 ms", "errors"] as const;

async function operate(
  client: BenchClient,
  op: string,
  count: number,
  concurrency: number,
  options: CreateOptions,
  made: string[],
): Promise<Outcome> {
  if (op === "run") return await createAndStart(client, count, concurrency, options, made);
  if (op === "create") {
    return await repeat(count, concurrency, async () => {
      made.push((await client.json<{ Id: string }>("POST", "/containers/create", createBody(options))).Id);
    });
  }
  if (op === "inspect") {
    const rows = await client.json<{ Id: string }[]>("GET", "/containers/json?all=1");
    if (rows.length === 0) throw new Error("inspect needs at least one container");
    return await repeat(count, concurrency, (index) =>
      client.call("GET", `/containers/${rows[index % rows.length]?.Id}/json`),
    );
  }
  const paths: Record<string, string> = { ps: "/containers/json?all=1", ping: "/_ping", info: "/info" };
  const path = paths[op];
  if (path === undefined) throw new Error(`unknown operation ${op}`);
  return await repeat(count, concurrency, () => client.call("GET", path));
}

/** The command line's options. */
function options() {
  const { values } = parseArgs({
    options: {
      host: { type: "string" },
      op: { type: "string", default: "run" },
      count: { type: "string", default: "1000" },
      concurrency: { type: "string", default: "16" },
      image: { type: "string", default: "busybox" },
      memory: { type: "string", default: "0" },
      label: { type: "string", multiple: true, default: [] },
      env: { type: "string", multiple: true, default: [] },
      publish: { type: "boolean", default: false },
      port: { type: "string" },
      keep: { type: "boolean", default: false },
    },
  });
  if (values.host === undefined) throw new Error("--host is missing");
  return { ...values, host: values.host };
}

export async function main(): Promise<void> {
  const given = options();
  const concurrency = Number(given.concurrency);
  const client = new BenchClient(given.host, concurrency);
  const labels = Object.fromEntries(given.label.map((text) => [text.split("=")[0] ?? "", text.split("=")[1] ?? ""]));
  const create: CreateOptions = {
    image: given.image,
    memory: Number(given.memory),
    labels,
    env: given.env,
    publish: given.publish,
    ...(given.port === undefined ? {} : { port: Number(given.port) }),
  };
  const made: string[] = [];
  try {
    const outcome = await operate(client, given.op, Number(given.count), concurrency, create, made);
    console.log(table(OUTCOME_HEAD, [outcomeRow(`${given.op}, c${concurrency}`, outcome)]));
    if (outcome.firstError !== undefined) console.error(`first error: ${outcome.firstError}`);
    if (outcome.errors > 0) process.exitCode = 3;
  } finally {
    if (!given.keep) await removeAll(client, made);
    await client.close();
  }
}
