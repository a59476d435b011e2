/** docs/compatibility.md: what each client did on both sides, as one table and the cases that differ. */
import type { Result, Share } from "./client.ts";
import { RELABEL } from "./monitors.ts";

export interface Trial {
  readonly client: string;
  readonly version: string;
  /** Of its cases, with every end-to-end suite. */
  readonly share: Share;
  readonly direct: readonly Result[];
  readonly shoal: readonly Result[];
  /** Wall times in milliseconds. */
  readonly directMs: number;
  readonly shoalMs: number;
}

export interface Missing {
  readonly client: string;
  readonly reason: string;
}

const passed = (results: readonly Result[]): readonly string[] =>
  results.filter(({ error }) => error === undefined).map(({ name }) => name);

/** The names of the cases that do not come out alike, each with how. */
export function differences({ direct, shoal }: Pick<Trial, "direct" | "shoal">): string[] {
  const [one, many] = [passed(direct), passed(shoal)];
  const names = new Set([...direct, ...shoal].map(({ name }) => name));
  return [...names]
    .filter((name) => one.includes(name) !== many.includes(name))
    .map((name) => {
      const failed = [...direct, ...shoal].find((result) => result.name === name && result.error !== undefined);
      return `${name}: ${one.includes(name) ? "fails through shoal" : "passes through shoal alone"}: ${failed?.error ?? "not run"}`;
    });
}

const oneLine = (text: string): string => text.replace(/\s+/g, " ").replaceAll("|", "\\|").slice(0, 300);

function row(trial: Trial): string {
  const same = differences(trial).length === 0 ? "the same" : `${differences(trial).length} differ`;
  const counts = [trial.direct, trial.shoal].map((results) => `${passed(results).length}/${results.length}`);
  const ratio = (trial.shoalMs / trial.directMs).toFixed(2);
  return `| ${[trial.client, trial.version, ...counts, same, ratio, shareOf(trial)].join(" | ")} |`;
}

function shareOf({ share, direct }: Trial): string {
  if (share === "none") return "";
  return share === "all" ? "all" : `${share.length} of ${direct.length}`;
}

export interface Conditions {
  readonly date: string;
  readonly engine: string;
  readonly api: string;
}

export function report(trials: readonly Trial[], missing: readonly Missing[], conditions: Conditions): string {
  const differing = trials.flatMap((trial) =>
    differences(trial).map((text) => `- ${trial.client} ${trial.version}: ${oneLine(text)}`),
  );
  const failing = trials.flatMap((trial) => {
    const both = trial.direct.filter(({ name, error }) => error !== undefined && !passed(trial.shoal).includes(name));
    return both.map(({ name, error }) => `- ${trial.client} ${trial.version}: ${name}: ${oneLine(error ?? "")}`);
  });
  return `# Compatibility

Written by \`npm run compat\` (${conditions.date}), which runs the same cases of each client against one engine directly and against three engines through shoal. The cases are in [test/e2e/compat](../test/e2e/compat); Debian packages and npm packages of the clients are fetched and unpacked by the run itself.

The last column says which of the cases run with every end-to-end suite (\`npm test\`): one version of each kind does. Every command of the docker CLI is compared there with 28 and 20.10 ([test/e2e/compare](../test/e2e/compare)), and Compose v1 and v2 run an application of six services ([test/e2e/compose.test.ts](../test/e2e/compose.test.ts)), so that a few of their cases suffice here. In CI a client that cannot be had is a failure.

Engines: Docker ${conditions.engine}, on machines of 1 CPU and 2 GB made by the local driver. shoal serves API ${conditions.api}. The ratio is the wall time of all cases through shoal over that directly, on a machine with two cores which also run the engines: it tells orders of magnitude, not percents.

| client | version | directly | through shoal | pass set | wall time | every suite |
|---|---|---|---|---|---|---|
${trials.map(row).join("\n")}

## What differs

${differing.length === 0 ? "Nothing." : differing.join("\n")}

## What fails on both sides

${failing.length === 0 ? "Nothing." : failing.join("\n")}

## What was not tried

${missing.length === 0 ? "Every client could be had." : missing.map(({ client, reason }) => `- ${client}: ${oneLine(reason)}`).join("\n")}

A container that is connected to a network only after its start has to be on the network's node, and nothing tells shoal so beforehand: in those cases network and container have one label \`shoal.group\`, which one engine takes as any other label.

Prometheus takes two targets of one job for one when address and labels are the same, and keeps the last one's name. docker_sd's addresses are the containers' own, which bridges of two nodes may both have given: a job needs a label by which containers differ, here \`relabel_configs: ${RELABEL}\`. From outside a node only published ports are reached, through shoal as on one engine; their address is in \`__meta_docker_port_public_ip\` and \`__meta_docker_port_public\`.

Testcontainers ran without its reaper and without ports mapped to outside. Traefik, Telegraf, Jenkins, GitLab Runner and Portainer are not in Debian or npm and were not tried.
`;
}
