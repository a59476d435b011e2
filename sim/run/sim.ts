/**
 * `npm run sim`: plays many seeds and says which fail, or one seed with its trace, or makes a failing one small. Owns the
 * command line.
 */
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import type { Weakness } from "./open-cluster.ts";
import { type Plan, planOf } from "./plan.ts";
import { PROTECTIONS } from "./protections.ts";
import { SCENES } from "./scenes.ts";
import { shrink } from "./shrink.ts";
import { catchWithout } from "./weak.ts";
import { play, type Result, type Violation } from "./world.ts";

const USAGE = `Usage: npm run sim -- [flags]
  --seeds N    play this many seeds (100)
  --from M     beginning with this one (1)
  --jobs J     in this many processes (1)
  --seed N     play one seed, and say the hash of its trace
  --trace      with --seed: print what happens
  --shrink     with --seed: leave out what the failure does not need, and print the plan and the trace of the rest
  --nodes N    as many engines instead of a few
  --scene NAME the same scene again and again: ${Object.keys(SCENES).join(", ")}
  --off NAME   with this protection switched off (list: every one in turn, until a seed fails)
  --without R  rules that do not count, with commas between: ${"foreign,missing"} for example`;

interface Flags {
  readonly planOf: (seed: number) => Plan;
  readonly without: readonly string[];
  readonly weakness: Weakness;
}

const print = (line: string): void => void process.stdout.write(line);
const broken = (result: Result, { without }: Flags): Violation[] =>
  result.violations.filter(({ rule }) => !without.includes(rule));

async function one(seed: number, flags: Flags, trace: boolean, small: boolean): Promise<boolean> {
  let plan = flags.planOf(seed);
  const { weakness } = flags;
  const result = await play(plan, trace && !small ? { sink: print, weakness } : { weakness });
  const [first] = broken(result, flags);
  print(`seed ${seed}: ${first ? "fails" : "holds"}, trace ${result.hash}\n`);
  for (const { rule, what, at } of broken(result, flags)) print(`  ${rule} at ${at / 1000} s: ${what}\n`);
  if (!first || !small) return !first;
  const shrunk = await shrink(plan, first.rule, { weakness });
  plan = shrunk.plan;
  print(`\nafter ${shrunk.runs} runs, ${plan.items.length} items on ${plan.nodes.length} nodes:\n`);
  for (const item of plan.items) print(`${JSON.stringify(item)}\n`);
  print("\n");
  await play(plan, { sink: print, weakness });
  return false;
}

/** One line for each seed that fails. @returns how many failed */
async function many(from: number, count: number, flags: Flags): Promise<number> {
  let failed = 0;
  for (let seed = from; seed < from + count; seed++) {
    const found = broken(await play(flags.planOf(seed), flags), flags);
    const [first] = found;
    if (!first) continue;
    failed++;
    const more = found.length > 1 ? ` (and ${found.length - 1} more)` : "";
    print(`seed ${seed}: ${first.rule} at ${first.at / 1000} s: ${first.what}${more}\n`);
  }
  return failed;
}

/** @returns whether each protection is missed when it is off */
async function eachOff(seeds: number): Promise<boolean> {
  let all = true;
  for (const [name, { why }] of Object.entries(PROTECTIONS)) {
    const found = await catchWithout(name, seeds);
    all &&= found !== undefined;
    const told = found ? `seed ${found.seed}: ${found.violation.rule}: ${found.violation.what}` : `not within ${seeds}`;
    print(`${name} (${why})\n  ${told}\n`);
  }
  return all;
}

/** The same in several processes. @returns how many of them saw a failure */
async function inJobs(jobs: number, from: number, count: number, more: readonly string[]): Promise<number> {
  const share = Math.ceil(count / jobs);
  const codes = Array.from({ length: jobs }, (_, job) => {
    const mine = Math.min(share, count - job * share);
    if (mine <= 0) return Promise.resolve(0);
    const args = [process.argv[1] ?? "", "--from", String(from + job * share), "--seeds", String(mine), ...more];
    return new Promise<number>((resolve) =>
      spawn(process.execPath, args, { stdio: "inherit" }).once("close", (code) => resolve(code ?? 1)),
    );
  });
  return (await Promise.all(codes)).filter((code) => code !== 0).length;
}

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      seed: { type: "string" },
      seeds: { type: "string", default: "100" },
      from: { type: "string", default: "1" },
      jobs: { type: "string", default: "1" },
      nodes: { type: "string" },
      scene: { type: "string" },
      without: { type: "string", default: "" },
      off: { type: "string", default: "" },
      trace: { type: "boolean", default: false },
      shrink: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    print(`${USAGE}\n`);
    return true;
  }
  const nodes = values.nodes === undefined ? undefined : Number(values.nodes);
  if (values.off === "list") return eachOff(Number(values.seeds));
  const off = PROTECTIONS[values.off];
  const flags: Flags = {
    planOf: SCENES[values.scene ?? off?.scene ?? ""] ?? ((seed) => planOf(seed, nodes)),
    without: values.without.split(","),
    weakness: off?.off ?? {},
  };
  if (values.seed !== undefined) return one(Number(values.seed), flags, values.trace, values.shrink);
  const from = Number(values.from);
  const count = Number(values.seeds);
  const jobs = Number(values.jobs);
  if (jobs > 1) {
    const more = [
      "--without",
      values.without,
      "--off",
      values.off,
      ...(nodes === undefined ? [] : ["--nodes", String(nodes)]),
      ...(values.scene === undefined ? [] : ["--scene", values.scene]),
    ];
    return (await inJobs(jobs, from, count, more)) === 0;
  }
  const began = performance.now();
  const failed = await many(from, count, flags);
  const each = ((performance.now() - began) / count).toFixed(0);
  print(`${count} seeds from ${from}: ${count - failed} held, ${failed} failed, ${each} ms each\n`);
  return failed === 0;
}

process.exitCode = (await main()) ? 0 : 1;
