/**
 * A process that serves many simulated engines.
 *
 *   fleet --engines 200 --containers 50 --dir DIR [--tcp] [--name sim]
 *
 * Writes their addresses to DIR/engines (one a line, as file:// discovery reads it), answers calls counts on the unix
 * socket DIR/control (`GET /calls`, `POST /reset`), lets an agent for each engine join a cluster (`POST /join`, `GET /agents`),
 * prints one JSON line when ready, and ends with its standard input.
 */
import { writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { SimEngine } from "../sim/engine/engine.ts";
import { systemClock } from "../src/kit/clock.ts";
import { seededRandom } from "../src/kit/random.ts";
import { Agents, type AgentsOrder } from "./agents.ts";

/** Large enough that load tests never fill an engine. */
const ENGINE = { cpus: 64, memory: 512 * 1024 ** 3 };

function countsOf(engines: readonly SimEngine[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const engine of engines) {
    for (const [route, count] of Object.entries(engine.calls.snapshot())) sum[route] = (sum[route] ?? 0) + count;
  }
  return sum;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}

interface Parts {
  readonly engines: readonly SimEngine[];
  readonly addresses: readonly string[];
  readonly agents: Agents;
}

function control({ engines, addresses, agents }: Parts, path: string): Promise<() => void> {
  const answerOf = async (request: IncomingMessage): Promise<unknown> => {
    switch (request.url) {
      case "/reset":
        for (const engine of engines) engine.calls.reset();
        break;
      case "/join":
        agents.join(addresses, JSON.parse(await bodyOf(request)) as AgentsOrder);
        break;
      case "/agents":
        return agents.count;
    }
    return countsOf(engines);
  };
  const server = createServer((request, response) => {
    answerOf(request).then(
      (answer) => response.end(JSON.stringify(answer)),
      (error: Error) => response.writeHead(500).end(error.message),
    );
  });
  return new Promise((resolve) => server.listen(path, () => resolve(() => server.close())));
}

export async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      engines: { type: "string", default: "200" },
      containers: { type: "string", default: "50" },
      dir: { type: "string" },
      tcp: { type: "boolean", default: false },
      seed: { type: "string", default: "1" },
      name: { type: "string", default: "sim" },
    },
  });
  const { dir } = values;
  if (dir === undefined) throw new Error("--dir is missing");
  const from = systemClock.monotonic();
  const engines: SimEngine[] = [];
  const addresses: string[] = [];
  for (let index = 0; index < Number(values.engines); index++) {
    const name = `${values.name}-${index + 1}`;
    const random = seededRandom(Number(values.seed) * 100_003 + index);
    const engine = new SimEngine({ clock: systemClock, random, name, pullable: "any", ...ENGINE });
    engine.preload(Number(values.containers), { labels: { "bench.preloaded": "1" } });
    addresses.push(await engine.listen(values.tcp ? { port: 0 } : { path: join(dir, `${name}.sock`) }));
    engines.push(engine);
  }
  writeFileSync(join(dir, "engines"), `${addresses.join("\n")}\n`);
  const agents = new Agents(dir);
  const stopControl = await control({ engines, addresses, agents }, join(dir, "control"));
  const rssMiB = Math.round(process.memoryUsage.rss() / 2 ** 20);
  console.log(JSON.stringify({ engines: engines.length, seconds: (systemClock.monotonic() - from) / 1000, rssMiB }));
  process.stdin.resume();
  process.stdin.once("end", () => {
    stopControl();
    void Promise.all([agents.close(), ...engines.map((engine) => engine.close())]).then(() => process.exit(0));
  });
}
