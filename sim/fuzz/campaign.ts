/**
 * Many inputs against the real API over simulated engines, a fresh world every few thousand. Owns the counting and the
 * rotation; a problem comes with all that is needed to see it again.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApi } from "../../src/api/api.ts";
import { ROUTES } from "../../src/api/table.ts";
import type { EngineWire } from "../../src/engine/wire/wire.ts";
import { HOST, World } from "../cluster/world.ts";
import { type Input, inputOf } from "./input.ts";
import { Lane } from "./lane.ts";
import { HOMES } from "./values.ts";
import { Watch } from "./watch.ts";

export interface Problem {
  readonly seed: number;
  /** The input's number; -1 for what belongs to none. */
  readonly index: number;
  readonly hex: string;
  readonly what: string;
}

export interface CampaignOptions {
  readonly seed: number;
  /** Numbers of the inputs: from `first` on, `count` of them. */
  readonly first: number;
  readonly count: number;
  /** Stops after so many problems. */
  readonly most?: number;
  /** Told at once, whatever becomes of the run. */
  readonly onProblem?: (problem: Problem) => void;
  readonly onProgress?: (done: number) => void;
}

const LANES = 48;
const INPUTS_PER_WORLD = 4_000;
/** Inputs rename and remove containers: what is missing is made again this often. */
const REFURNISHED_EVERY = 50;

/** Problems, and how many inputs were run: fewer than asked for when there were too many problems. */
export async function runCampaign(options: CampaignOptions): Promise<{ problems: Problem[]; inputs: number }> {
  const { seed, first, count, most = 20, onProblem, onProgress } = options;
  const problems: Problem[] = [];
  let done = 0;
  while (done < count && problems.length < most) {
    const size = Math.min(INPUTS_PER_WORLD, count - done);
    const numbers = Array.from({ length: size }, (_, i) => first + done + i);
    problems.push(...(await runInputs(seed, numbers, (index) => inputOf(seed, index, ROUTES.routes), onProblem)));
    done += size;
    onProgress?.(done);
  }
  return { problems, inputs: done };
}

/** The same inputs in one world; what nobody caught in this process counts as a problem, too. */
export async function runInputs(
  seed: number,
  numbers: readonly number[],
  make: (index: number) => Input,
  onProblem?: (problem: Problem) => void,
): Promise<Problem[]> {
  const problems: Problem[] = [];
  const under = new Set<number>();
  const add = (index: number, what: string): void => {
    const problem = { seed, index, what, hex: index < 0 ? "" : make(index).bytes.toString("hex") };
    problems.push(problem);
    onProblem?.(problem);
  };
  const onLoose = (error: unknown): void => {
    const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
    add(-1, `nobody caught, while ${[...under].join(", ")} were under way: ${words}`);
  };
  process.on("uncaughtException", onLoose).on("unhandledRejection", onLoose);
  const folder = mkdtempSync(join(tmpdir(), "shoal-fuzz-"));
  const stopping = new AbortController();
  const world = World.prepare({ nodes: 3, seed, wrapWire: (wire, engine): EngineWire => watch.wrap(wire, engine) });
  const watch = new Watch(world.engines, (what) => add(-1, what));
  try {
    world.join();
    await world.healthy();
    await watch.unwatched(() => furnish(world));
    const api = createApi(world.cluster, HOST, stopping.signal);
    let next = 0;
    const work = async (number: number): Promise<void> => {
      const lane = new Lane(join(folder, `${number}.sock`), api, watch);
      await lane.open();
      for (let index = numbers[next++]; index !== undefined; index = numbers[next++]) {
        if (index % REFURNISHED_EVERY === 0) await watch.unwatched(() => furnish(world));
        under.add(index);
        for (const what of await lane.run(make(index))) add(index, what);
        under.delete(index);
      }
      await lane.close();
    };
    await Promise.all(Array.from({ length: Math.min(LANES, numbers.length) }, (_, i) => work(i)));
  } finally {
    stopping.abort();
    await world.close();
    rmSync(folder, { recursive: true, force: true });
    process.off("uncaughtException", onLoose).off("unhandledRejection", onLoose);
  }
  return problems;
}

/** The containers that inputs name. One that somebody is just making or removing is left to the next time. */
async function furnish(world: World): Promise<void> {
  for (const [name, node] of Object.entries(HOMES)) {
    if (world.cluster.inventory.named(name).size > 0) continue;
    await world.run(name, { Env: [`constraint:node==${node}`] }).catch(() => undefined);
  }
}
