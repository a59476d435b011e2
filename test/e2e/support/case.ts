/**
 * "As on one engine": runs a case's shell lines against the reference engine and against the subject, and compares
 * standard output, standard error and exit codes, line by line, after normalisation.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CliName, Target } from "./docker.ts";
import { shell } from "./docker.ts";
import { at, clis, emptyFleet, fleet } from "./fleet.ts";
import { type Manager, startManager } from "./manager.ts";
import { Normalizer } from "./normalize.ts";

export interface Case {
  readonly name: string;
  /**
   * Shell lines. `docker` is the CLI under test, `$N` a name of the case's own, the working folder is empty and the
   * case's own. A line must succeed on the reference engine; one that begins with `! ` must fail there.
   */
  readonly steps: readonly string[];
  /** Only with this CLI: the other has no such command or flag. */
  readonly only?: CliName;
  /** Takes out what may rightly differ; applied to both sides after normalisation. */
  readonly drop?: RegExp;
}

/** The addresses that the sides of a comparison show for published ports. */
export function normalizerFor(side: "reference" | "subject"): Normalizer {
  const one = side === "reference" || fleet().subject === "engine";
  return new Normalizer({
    // The engine's own address is in its words about its resolver.
    addresses: [...(one ? ["0.0.0.0"] : []), ...[...fleet().nodes, fleet().reference].map(({ address }) => address)],
    ipv6Twins: one,
  });
}

/** Runs one case at one address and answers what happened as one readable text. */
async function transcript(one: Case, target: Target, side: "reference" | "subject", env: Variables): Promise<string> {
  const cwd = join(fleet().work, `${env.N}-${side}`);
  rmSync(cwd, { recursive: true, force: true });
  mkdirSync(cwd, { recursive: true });
  const normalizer = normalizerFor(side);
  let told = "";
  const own = { ...env, SIDE: side };
  for (const step of one.steps) {
    const fails = step.startsWith("! ");
    const line = fails ? step.slice(2) : step;
    const done = await shell(target, `set -o pipefail\n${line}`, { cwd, env: own, timeout: 120_000 });
    const shown = normalizer.printed(done);
    told += `$ ${line}\n${one.drop === undefined ? shown : shown.replace(one.drop, "")}[exit ${done.code}]\n`;
    if (side === "reference" && (done.code !== 0) !== fails) {
      throw new Error(`the case itself is wrong: ${line}: exit ${done.code}\n${told}`);
    }
  }
  rmSync(cwd, { recursive: true, force: true });
  return told;
}

/** What the cases of one call need beside the engines. */
export interface Beside {
  /** Variables of the shell lines, which have N (the case's own name) and SIDE (reference or subject) as well. */
  readonly env: Record<string, string>;
  stop(): Promise<void>;
}

/** Declares one test for each case and CLI, with a manager that they share. */
export function compareCases(title: string, cases: readonly Case[], start?: () => Promise<Beside>): void {
  describe(title, () => {
    let manager: Manager;
    let beside: Beside | undefined;
    beforeAll(async () => {
      await emptyFleet();
      beside = await start?.();
      manager = await startManager();
    });
    afterAll(async () => {
      await manager?.stop();
      await emptyFleet();
      await beside?.stop();
    });
    for (const cli of clis()) {
      const wanted = cases.filter(({ only }) => only === undefined || only === cli);
      describe(`docker ${cli}`, () => {
        it.for(wanted.map((one, index) => ({ ...one, index })))("$name", async (one, { onTestFailed }) => {
          onTestFailed(() => manager.printLog());
          const name = `c${one.index + 1}x${cli.replace(".", "")}`;
          await compare(one, cli, manager.host, { ...beside?.env, N: name });
        });
      });
    }
  });
}

type Variables = Readonly<Record<string, string>> & { readonly N: string };

async function compare(one: Case, cli: CliName, host: string, env: Variables): Promise<void> {
  const name = env.N;
  const reference = at(fleet().reference.host, cli);
  const subject = at(host, cli);
  try {
    const [wanted, got] = await Promise.all([
      transcript(one, reference, "reference", env),
      transcript(one, subject, "subject", env),
    ]);
    expect(got).toBe(wanted);
  } finally {
    // Names begin with $N; what a case made without a name carries the label.
    const sweep = `docker ps -aq --filter name=${name} --filter label=case=${name} | xargs -r docker rm -f -v; docker ps -aq --filter name=${name} | xargs -r docker rm -f -v`;
    await Promise.all([shell(reference, sweep), shell(subject, sweep)]);
  }
}
