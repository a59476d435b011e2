/** The clusters of a hub: each with a token, and perhaps an owner and a name. Owns finding and making them. */
import { badRequest, conflict, DockerError } from "../docker/errors.ts";
import { HUB_CLUSTERS, HUB_CLUSTERS_EACH } from "../kit/limits.ts";
import type { Random } from "../kit/random.ts";
import { Mirror, type MirrorOptions } from "./mirror.ts";
import { clusterToken, hashOf, sameHash } from "./secrets.ts";

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;

export interface Cluster {
  /** Of its nodes' keys: another one when a cluster of the same name is made again. */
  readonly id: string;
  readonly token: string;
  /** Undefined: made without signing in, and belongs to who knows its token. */
  readonly owner: string | undefined;
  readonly name: string | undefined;
}

export class Clusters {
  readonly #all: Mirror<Cluster>;
  readonly #byHash = new Map<string, Cluster>();
  readonly #random: Random;

  constructor(options: Omit<MirrorOptions<Cluster>, "prefix" | "onChange">, random: Random) {
    this.#random = random;
    this.#all = new Mirror({
      ...options,
      prefix: "hub/clusters/",
      onChange: (before, now) => {
        if (before) this.#byHash.delete(hashOf(before.token));
        if (now) this.#byHash.set(hashOf(now.token), now);
      },
    });
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#all.run(signal);
  }

  byToken(token: string): Cluster | undefined {
    const hash = hashOf(token);
    const cluster = this.#byHash.get(hash);
    return cluster && sameHash(hash, hashOf(cluster.token)) ? cluster : undefined;
  }

  byName(owner: string, name: string): Cluster | undefined {
    return this.#all.get(`u/${owner}/${name}`);
  }

  /** Of one owner, or all there are, by owner and name. */
  list(owner?: string): readonly Cluster[] {
    return [...this.#all.values()]
      .filter((cluster) => owner === undefined || cluster.owner === owner)
      .sort((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1));
  }

  /** Throws DockerError. */
  async create(owner: string | undefined, name: string | undefined): Promise<Cluster> {
    if (name !== undefined && !NAME.test(name)) {
      throw badRequest(`invalid cluster name ${JSON.stringify(name)}: [a-zA-Z0-9][a-zA-Z0-9_.-]*, 63 at most`);
    }
    if (this.#all.size >= HUB_CLUSTERS) throw new DockerError(403, `this hub has ${HUB_CLUSTERS} clusters already`);
    if (owner !== undefined && this.list(owner).length >= HUB_CLUSTERS_EACH) {
      throw new DockerError(403, `${owner} has ${HUB_CLUSTERS_EACH} clusters already`);
    }
    const id = this.#random.hex(12);
    // Who is signed in has all clusters in a list, so that each needs a name.
    const called = name ?? (owner === undefined ? undefined : `cluster-${id.slice(0, 6)}`);
    const cluster = { id, token: clusterToken(this.#random), owner, name: called };
    if (!(await this.#all.add(pathOf(cluster), cluster)))
      throw conflict(`there is a cluster ${owner}/${called} already`);
    return cluster;
  }

  async remove(cluster: Cluster): Promise<void> {
    await this.#all.put(pathOf(cluster), undefined);
  }
}

const pathOf = ({ id, owner, name }: Cluster): string =>
  owner === undefined || name === undefined ? `t/${id}` : `u/${owner}/${name}`;
