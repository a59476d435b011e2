/** The volumes of one engine, by name; creating one that exists answers the old one, as dockerd does. */
import { badRequest, conflict, notFound } from "../../src/docker/errors.ts";
import type { Clock } from "../../src/kit/clock.ts";
import type { Events } from "./events.ts";
import { goTime, type Json, obj, stringMap } from "./json.ts";

export interface SimVolume {
  readonly name: string;
  readonly driver: string;
  readonly created: number;
  readonly labels: Record<string, string>;
  readonly options: Json;
}

export class Volumes {
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #byName = new Map<string, SimVolume>();

  constructor(clock: Clock, events: Events) {
    this.#clock = clock;
    this.#events = events;
  }

  all(): SimVolume[] {
    return [...this.#byName.values()];
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  get(name: string): SimVolume {
    const volume = this.#byName.get(name);
    if (!volume) throw notFound(`get ${name}: no such volume`);
    return volume;
  }

  create(name: string, posted: Json): SimVolume {
    const had = this.#byName.get(name);
    if (had) return had;
    if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) {
      throw badRequest(
        `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
      );
    }
    const volume: SimVolume = {
      name,
      driver: String(posted.Driver ?? "") || "local",
      created: this.#clock.now(),
      labels: stringMap(posted.Labels),
      options: obj(posted.DriverOpts),
    };
    this.#byName.set(name, volume);
    this.#events.emit("volume", "create", name, { driver: volume.driver });
    return volume;
  }

  remove(name: string, usedBy: readonly string[]): void {
    const volume = this.get(name);
    if (usedBy.length > 0) throw conflict(`remove ${name}: volume is in use - [${usedBy.join(", ")}]`);
    this.#byName.delete(name);
    this.#events.emit("volume", "destroy", name, { driver: volume.driver });
  }
}

export const mountpointOf = (name: string): string => `/var/lib/docker/volumes/${name}/_data`;

export function volumeForm(volume: SimVolume): Json {
  return {
    CreatedAt: goTime(volume.created).replace(/\.\d+Z$/, "Z"),
    Driver: volume.driver,
    Labels: Object.keys(volume.labels).length > 0 ? volume.labels : null,
    Mountpoint: mountpointOf(volume.name),
    Name: volume.name,
    Options: Object.keys(volume.options).length > 0 ? volume.options : null,
    Scope: "local",
  };
}
