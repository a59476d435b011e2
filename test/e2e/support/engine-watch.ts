/**
 * Watches over engines as an operator does in a long run: one whose networks answer nobody any more shows what it waits for,
 * and is killed and started again. (dockerd 20.10 can wait for itself for ever there, when a container looks a name up while
 * another one leaves: https://github.com/moby/moby/issues/46661.) Knows nothing of the test.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { LocalMachines } from "../../../src/machine/local.ts";
import { sleep } from "./exec.ts";
import type { EngineAddress } from "./fleet.ts";
import { call } from "./http.ts";

/** Longer than any busy machine takes for a list of networks. */
const SILENT_MS = 60_000;
const EVERY_MS = 5_000;
/** What dockerd writes when it is asked what it is doing. */
const STACKS = /^goroutine-stacks-.*\.log$/;
const STACKS_MS = 3_000;

export interface EngineWatch {
  /** Engines that were started again so far. */
  readonly restarts: number;
  /** Resolves when each engine has answered since the call, or was started again. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

export function watchEngines(nodes: readonly EngineAddress[], machines: LocalMachines): EngineWatch {
  const stopping = new AbortController();
  let restarts = 0;
  const look = async ({ name, host }: EngineAddress): Promise<void> => {
    try {
      await call(host, "/networks", { timeout: SILENT_MS });
    } catch (error) {
      // One that is down is somebody's doing, or is being started.
      if (stopping.signal.aborted || !String(error).includes("no answer")) return;
      console.log(`${name} does not answer and is started again: ${await stacksOf(await machines.enginePid(name))}`);
      restarts++;
      await machines.stopEngine(name, "SIGKILL");
      await machines.startEngine(name);
    }
  };
  const looks = new Map<EngineAddress, Promise<void>>();
  const lookOnce = (node: EngineAddress): Promise<void> => {
    const under = looks.get(node);
    if (under) return under;
    const now = look(node).finally(() => looks.delete(node));
    looks.set(node, now);
    return now;
  };
  const over = Promise.all(
    nodes.map(async (node) => {
      while (!stopping.signal.aborted) {
        await lookOnce(node);
        await sleep(EVERY_MS);
      }
    }),
  );
  over.catch(() => {}); // Told by stop.
  return {
    get restarts() {
      return restarts;
    },
    settled: async () => {
      await Promise.all(looks.values());
      await Promise.all(nodes.map(lookOnce));
    },
    stop: async () => {
      stopping.abort();
      await over;
    },
  };
}

/** Where most of its goroutines wait. */
async function stacksOf(pid: number | null): Promise<string> {
  const folder = `/proc/${pid}/root/run/docker`;
  if (pid === null || !existsSync(folder)) return "nothing is known of it";
  process.kill(pid, "SIGUSR1");
  await sleep(STACKS_MS);
  const file = readdirSync(folder)
    .filter((name) => STACKS.test(name))
    .sort()
    .at(-1);
  if (file === undefined) return "it does not say what it waits for";
  const waiting = new Map<string, number>();
  for (const stack of readFileSync(join(folder, file), "utf8").split("\n\n")) {
    const [head = "", ...lines] = stack.split("\n");
    if (!/semacquire|sync\./.test(head)) continue;
    const calls = lines.filter((line) => /^github\.com/.test(line)).map((line) => line.replace(/\(.*/, ""));
    const where = calls.slice(0, 4).join(" < ");
    waiting.set(where, (waiting.get(where) ?? 0) + 1);
  }
  const most = [...waiting].sort(([, a], [, b]) => b - a).slice(0, 12);
  return `goroutines that wait for a lock:\n${most.map(([where, count]) => `  ${count} ${where}`).join("\n")}`;
}
