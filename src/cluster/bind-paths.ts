/**
 * Bind mounts of paths that a node does not have: its engine would make empty directories without a word. Each node is
 * asked before it is given such a container, by a create that no engine can carry out. Owns that question and the
 * refusal when no node has the paths.
 */
import { DockerError } from "../docker/errors.ts";
import { BIND_NODES_ASKED, ENGINE_CALL_MS } from "../kit/limits.ts";
import { type Decision, refusalError } from "../scheduler/place.ts";
import type { Bind } from "../scheduler/request.ts";
import type { Cluster } from "./cluster.ts";
import { nodeFailure } from "./exchange.ts";
import { NOBODY } from "./judge.ts";
import type { ClusterNode } from "./node.ts";

/** Ask nodes whether they have what is bind-mounted, or leave it to their engines. */
export type BindMode = "check" | "engine";

/**
 * Without `--bind-mounts`, a cluster that has only ever been one node is that engine under another address, and its
 * engine makes what is missing, as engines do.
 */
function checksBinds(cluster: Cluster): boolean {
  return (cluster.options.bindMounts ?? (cluster.hadSeveralNodes ? "check" : "engine")) === "check";
}

/** The search for a node that has the paths of one create. */
export class PathSearch {
  readonly #cluster: Cluster;
  readonly #paths: readonly string[];
  /** Names of the nodes that lack something, and the path that each lacks. */
  readonly #lacking = new Map<string, string>();
  #failure: DockerError | undefined;

  constructor(cluster: Cluster, binds: readonly Bind[]) {
    this.#cluster = cluster;
    this.#paths = checksBinds(cluster) ? binds.filter(({ made }) => !made).map(({ path }) => path) : [];
  }

  /** Enough nodes were asked. */
  get exhausted(): boolean {
    return this.#lacking.size >= BIND_NODES_ASKED;
  }

  /** Why the node will not do, as a clause without its name; undefined when it has every path. Never rejects. */
  async whyNot(node: ClusterNode): Promise<string | undefined> {
    if (this.#paths.length === 0) return undefined;
    try {
      const lacks = await firstMissing(node, this.#paths);
      if (lacks === undefined) return undefined;
      this.#lacking.set(node.name, lacks);
      return `has no ${lacks}`;
    } catch (error) {
      this.#failure = nodeFailure(this.#cluster, node, error);
      return "did not tell whether it has what is mounted";
    }
  }

  /** What the client is told when no node is left; undefined when that was for other reasons. */
  refusal(decision: Decision | undefined): DockerError | undefined {
    const [lacks] = this.#lacking.values();
    if (lacks === undefined) return this.#failure;
    const nodes = [...this.#lacking.keys()].join(", ");
    const others = decision?.filters.some(({ filter }) => filter !== "tried")
      ? `\n${refusalError(decision).message}`
      : "";
    return new DockerError(
      400,
      `invalid mount config for type "bind": bind source path does not exist: ${lacks} on ${nodes}; mount a path that a node has, use a volume, give the engines that share it the label shoal.path=${lacks}, or start the manager with --bind-mounts engine to have it made${others}`,
    );
  }
}

/** Engines look at mounts before they look at the name, and refuse the first whose source is missing. Rejects when it does not answer. */
async function firstMissing(node: ClusterNode, paths: readonly string[]): Promise<string | undefined> {
  const Mounts = paths.map((Source, i) => ({ Type: "bind", Source, Target: `/${i}` }));
  const question = JSON.stringify({ Cmd: [NOBODY], HostConfig: { Mounts } });
  try {
    await node.engine.text("POST", `/containers/create?name=${NOBODY}`, question, { deadlineMs: ENGINE_CALL_MS });
  } catch (error) {
    if (!(error instanceof DockerError)) throw error;
    const found = /invalid mount config for type "bind": .*?(\/.*?)(?:: not a directory)?$/.exec(error.message);
    // In its own words, the path may have another form: what was asked first of what it names is meant.
    if (found) return paths.find((path) => error.message.includes(path)) ?? found[1];
  }
  return undefined;
}
