/** The containers of one engine by ID, name and prefix, and the making and removing of them. */

import {
  ambiguousPrefix,
  badRequest,
  conflict,
  type DockerError,
  invalidName,
  nameInUse,
  noSuchContainer,
} from "../../src/docker/errors.ts";
import { compareVersions } from "../../src/docker/version.ts";
import type { Clock } from "../../src/kit/clock.ts";
import type { Random } from "../../src/kit/random.ts";
import { isRunning, labelsOf, mountsOf, type SimContainer } from "./container.ts";
import type { Events } from "./events.ts";
import type { SimFacts } from "./facts.ts";
import type { Images } from "./images.ts";
import { type Json, list, num, obj, str, stringMap, strings } from "./json.ts";
import { randomName } from "./names.ts";
import type { Networks } from "./networks.ts";
import { mountpointOf, type Volumes } from "./volumes.ts";
import { isOld, say } from "./words.ts";

const NAME = /^\/?[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

export interface Makers {
  readonly clock: Clock;
  readonly random: Random;
  readonly events: Events;
  readonly images: Images;
  readonly networks: Networks;
  readonly volumes: Volumes;
  readonly facts: SimFacts;
  /** Of the host. */
  readonly paths: Set<string>;
}

/** What a container's events say of it. */
export function eventAttributes(container: SimContainer, more: Record<string, string> = {}): Record<string, string> {
  return { ...labelsOf(container), image: str(container.config.Image), name: container.name, ...more };
}

export class Containers {
  readonly #with: Makers;
  readonly #byId = new Map<string, SimContainer>();
  readonly #byName = new Map<string, SimContainer>();
  #serial = 0;

  constructor(makers: Makers) {
    this.#with = makers;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Newest first, as dockerd lists. */
  all(): SimContainer[] {
    return [...this.#byId.values()].reverse();
  }

  find(reference: string): SimContainer | undefined {
    return this.#byId.get(reference) ?? this.#byName.get(reference.replace(/^\//, ""));
  }

  /** By ID, name or unambiguous prefix. Throws 404 and, for an ambiguous prefix, 400. */
  get(reference: string): SimContainer {
    const exact = this.find(reference);
    if (exact) return exact;
    if (reference === "") throw badRequest("page not found");
    const found = /^[0-9a-f]+$/.test(reference) ? this.all().filter(({ id }) => id.startsWith(reference)) : [];
    if (found.length > 1) throw ambiguousPrefix(reference);
    const [only] = found;
    if (!only) throw noSuchContainer(reference);
    return only;
  }

  /** Containers that run from the image, running ones first. */
  using(imageId: string): SimContainer | undefined {
    const users = this.all().filter((container) => container.imageId === imageId);
    return users.find(isRunning) ?? users[0];
  }

  /** `version` is the API version of the request. Throws 400, 404, 409 in dockerd's words. */
  create(name: string, posted: Json, version: string): SimContainer {
    const { images, clock, random, facts } = this.#with;
    this.#checkMounts(obj(posted.HostConfig));
    if (name !== "" && !NAME.test(name)) throw invalidName(name);
    const reference = str(posted.Image);
    if (reference === "") throw badRequest(say(facts, "config cannot be empty in order to create a container"));
    const hostConfig = normalHostConfig(obj(posted.HostConfig), version);
    checkLimits(hostConfig);
    const wanted = this.#endpoints(posted, hostConfig, version);
    const image = images.get(reference);
    this.#checkTargets(hostConfig);
    const id = random.hex(32);
    const plain = this.#reserve(name.replace(/^\//, ""), id);
    const config = normalConfig(posted, image.config, id);
    const mounts = mountsOf(config, hostConfig, () => random.hex(32), mountpointOf);
    for (const mount of mounts) if (mount.Type === "volume") this.#with.volumes.create(mount.Name ?? "", {});
    const entry = strings(config.Entrypoint);
    const container: SimContainer = {
      id,
      name: plain,
      serial: this.#serial++,
      created: clock.now(),
      imageId: image.id,
      config,
      hostConfig,
      wanted,
      mounts,
      argv: [...entry, ...strings(config.Cmd)],
      status: "created",
      health: undefined,
      pid: 0,
      startedAt: 0,
      finishedAt: 0,
      exitCode: 0,
      error: "",
      restarts: 0,
      ports: {},
      endpoints: new Map(),
      process: undefined,
      output: undefined,
      onStart: [],
      execs: new Set(),
      archive: undefined,
      archivePath: "",
      waiters: new Set(),
    };
    this.#byId.set(id, container);
    this.#byName.set(plain, container);
    this.#with.events.emit("container", "create", id, eventAttributes(container));
    return container;
  }

  #reserve(name: string, id: string): string {
    if (name === "") {
      let made = randomName(this.#with.random);
      while (this.#byName.has(made)) made = `${made}_${this.#with.random.hex(4)}`;
      return made;
    }
    const holder = this.#byName.get(name);
    if (holder && holder.id !== id) throw nameInUse(name, holder.id);
    return name;
  }

  /** Sources of mounts must be there; those of binds are made when the container starts. */
  #checkMounts(hostConfig: Json): void {
    for (const { Type, Source, BindOptions } of list(hostConfig.Mounts).map(obj)) {
      if (Type !== "bind" || this.#with.paths.has(str(Source)) || obj(BindOptions).CreateMountpoint === true) continue;
      throw badRequest(`invalid mount config for type "bind": bind source path does not exist: ${str(Source)}`);
    }
  }

  /** Links and volumes-from are looked up at create, and what is missing there is a 400. */
  #checkTargets(hostConfig: Json): void {
    for (const link of strings(hostConfig.Links)) {
      const target = link.split(":")[0] ?? "";
      if (!this.#known(target)) {
        throw badRequest(`could not get container for ${target}: No such container: ${target}`);
      }
    }
    for (const from of strings(hostConfig.VolumesFrom)) {
      const target = from.split(":")[0] ?? "";
      if (!this.#known(target)) throw badRequest(`No such container: ${target}`);
    }
  }

  #known(reference: string): boolean {
    return this.find(reference) !== undefined || this.all().some(({ id }) => id.startsWith(reference));
  }

  #endpoints(posted: Json, hostConfig: Json, version: string): Map<string, Json> {
    const wanted = new Map<string, Json>();
    const mode = str(hostConfig.NetworkMode);
    const given = obj(obj(posted.NetworkingConfig).EndpointsConfig);
    const names = Object.keys(given);
    if (names.length > 1 && compareVersions(version, "1.44") < 0) {
      throw badRequest(`Container cannot be connected to network endpoints: ${names.join(", ")}`);
    }
    const own = mode === "default" ? "bridge" : mode;
    if (!own.startsWith("container:") && !names.includes(own)) wanted.set(own, {});
    for (const name of names) wanted.set(name === "default" ? "bridge" : name, obj(given[name]));
    return wanted;
  }

  rename(container: SimContainer, to: string): void {
    const name = to.replace(/^\//, "");
    if (name === "") throw badRequest("Neither old nor new names may be empty");
    if (!NAME.test(to)) throw badRequest(`Error when allocating new name: ${invalidName(`/${name}`).message}`);
    if (name === container.name) {
      throw badRequest("Renaming a container with the same name as its current name");
    }
    const holder = this.#byName.get(name);
    if (holder) throw conflict(`Error when allocating new name: ${nameInUse(name, holder.id).message}`);
    const oldName = `/${container.name}`;
    this.#byName.delete(container.name);
    container.name = name;
    this.#byName.set(name, container);
    this.#with.events.emit("container", "rename", container.id, eventAttributes(container, { oldName }));
  }

  /** Takes the record away; the container is already stopped. */
  forget(container: SimContainer, withVolumes: boolean): void {
    this.#byId.delete(container.id);
    this.#byName.delete(container.name);
    this.#with.events.emit("container", "destroy", container.id, eventAttributes(container));
    for (const waiter of [...container.waiters]) waiter.done(container.exitCode);
    if (!withVolumes) return;
    for (const { Type, Name = "" } of container.mounts) {
      if (Type === "volume" && /^[0-9a-f]{64}$/.test(Name)) this.#with.volumes.remove(Name, []);
    }
  }

  /** IDs of the containers that mount a volume. */
  mounting(volume: string): string[] {
    return this.all()
      .filter(({ mounts }) => mounts.some(({ Name }) => Name === volume))
      .map(({ id }) => id);
  }
}

function normalHostConfig(posted: Json, version: string): Json {
  const mode = str(posted.NetworkMode);
  const modern = compareVersions(version, "1.44") >= 0;
  const restart = obj(posted.RestartPolicy);
  const memory = num(posted.Memory);
  return {
    ...posted,
    ...(memory > 0 && num(posted.MemorySwap) === 0 ? { MemorySwap: memory * 2 } : {}),
    NetworkMode: mode === "" || mode === "default" ? (modern ? "bridge" : "default") : mode,
    RestartPolicy: { Name: str(restart.Name) || "no", MaximumRetryCount: restart.MaximumRetryCount ?? 0 },
  };
}

/** dockerd's refusals of resources that any engine gives. */
function checkLimits(hostConfig: Json): void {
  const memory = Number(hostConfig.Memory ?? 0);
  if (memory > 0 && memory < 6 * 1024 * 1024) throw badRequest("Minimum memory limit allowed is 6MB");
  if (hostConfig.AutoRemove === true && obj(hostConfig.RestartPolicy).Name !== "no") {
    throw badRequest("can't create 'AutoRemove' container with restart policy");
  }
}

function normalConfig(posted: Json, image: Json, id: string): Json {
  const { HostConfig: _hostConfig, NetworkingConfig: _networking, ...config } = posted;
  const given = strings(config.Entrypoint).length > 0 || strings(config.Cmd).length > 0;
  return {
    ...config,
    Hostname: str(config.Hostname) || id.slice(0, 12),
    Env: [...strings(config.Env), ...strings(image.Env).filter((line) => !hasEnv(config.Env, line))],
    Cmd: given ? (config.Cmd ?? null) : (image.Cmd ?? null),
    Entrypoint: config.Entrypoint ?? image.Entrypoint ?? null,
    Labels: { ...stringMap(image.Labels), ...stringMap(config.Labels) },
    ...withPorts({ ...obj(image.ExposedPorts), ...obj(config.ExposedPorts) }),
  };
}

const withPorts = (ports: Json): Json => (Object.keys(ports).length > 0 ? { ExposedPorts: ports } : {});
const hasEnv = (env: unknown, line: string): boolean =>
  strings(env).some((given) => given.split("=")[0] === line.split("=")[0]);

/** 409 of `rm` without force. */
export function stillRunning(container: SimContainer, facts: SimFacts): DockerError {
  const { status, name, id } = container;
  if (!isOld(facts)) {
    return conflict(
      `cannot remove container "/${name}": container is ${status}: stop the container before removing or force remove`,
    );
  }
  const remedy = status === "paused" ? "Unpause and then stop" : "Stop";
  return conflict(
    `You cannot remove a ${status} container ${id}. ${remedy} the container before attempting removal or force remove`,
  );
}
