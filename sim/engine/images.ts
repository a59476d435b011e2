/** The images of one engine: references, IDs that are the same on every engine, and what is pullable. */
import { createHash } from "node:crypto";
import { conflict, noSuchImage, notFound } from "../../src/docker/errors.ts";
import type { Clock } from "../../src/kit/clock.ts";
import type { Events } from "./events.ts";
import { goTime, type Json } from "./json.ts";

export interface SimImage {
  /** `sha256:…` */
  readonly id: string;
  readonly created: number;
  readonly size: number;
  readonly tags: Set<string>;
  readonly digests: Set<string>;
  readonly config: Json;
}

/** `docker.io/library/redis` → `redis:latest`: the reference as Docker shows it. */
export function familiar(reference: string): string {
  const plain = reference.replace(/^(?:index\.)?docker\.io\//, "").replace(/^library\//, "");
  if (plain.includes("@")) return plain;
  return /:[^/]+$/.test(plain) ? plain : `${plain}:latest`;
}

const sha = (text: string): string => createHash("sha256").update(text).digest("hex");

/** What the simulated images run unless told otherwise. */
const CONFIG: Json = {
  Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
  Entrypoint: null,
  Cmd: ["serve"],
  WorkingDir: "/",
  ExposedPorts: {},
  Labels: {},
};

export class Images {
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #salt: string;
  readonly #pullable: readonly string[] | "any";
  readonly #byId = new Map<string, SimImage>();
  readonly #byTag = new Map<string, SimImage>();

  constructor(clock: Clock, events: Events, pullable: readonly string[] | "any", salt: string) {
    this.#clock = clock;
    this.#events = events;
    this.#salt = salt;
    this.#pullable = pullable === "any" ? "any" : pullable.map(familiar);
  }

  get size(): number {
    return this.#byId.size;
  }

  all(): SimImage[] {
    return [...this.#byId.values()];
  }

  /** By reference, full or abbreviated ID, digest. */
  find(reference: string): SimImage | undefined {
    const tagged = this.#byTag.get(familiar(reference));
    if (tagged) return tagged;
    const hex = reference.replace(/^sha256:/, "");
    const exact = this.#byId.get(`sha256:${hex}`);
    if (exact || !/^[0-9a-f]+$/.test(hex)) return exact ?? this.all().find((image) => image.digests.has(reference));
    return this.all().find((image) => image.id.startsWith(`sha256:${hex}`));
  }

  get(reference: string): SimImage {
    const image = this.find(reference);
    if (image) return image;
    throw noSuchImage(/^sha256:/.test(reference) ? reference : familiar(reference));
  }

  /** Makes an image present without any event, as if it had always been there. */
  add(reference: string, config: Json = {}): SimImage {
    const tag = familiar(reference);
    const id = `sha256:${sha(`image ${tag} ${this.#salt}`)}`;
    const image = this.#byId.get(id) ?? {
      id,
      created: this.#clock.now() - 86_400_000,
      size: 4_000_000 + (Number.parseInt(id.slice(7, 12), 16) % 90_000_000),
      tags: new Set<string>(),
      digests: new Set([`${tag.replace(/[:@].*$/, "")}@sha256:${sha(`manifest ${tag}`)}`]),
      config: { ...CONFIG, ...config },
    };
    this.#byId.set(id, image);
    this.#move(tag, image);
    return image;
  }

  #move(tag: string, image: SimImage): void {
    this.#byTag.get(tag)?.tags.delete(tag);
    if (!tag.includes("@")) image.tags.add(tag);
    this.#byTag.set(tag, image);
  }

  /** An image out of an archive. */
  load({
    id,
    created,
    tags,
    config,
  }: Pick<SimImage, "id" | "created" | "config"> & { readonly tags: Iterable<string> }): void {
    const image: SimImage = this.#byId.get(id) ?? {
      id,
      created,
      size: 5_000_000,
      tags: new Set(),
      digests: new Set(),
      config,
    };
    this.#byId.set(id, image);
    this.#events.emit("image", "load", id, { name: id });
    for (const tag of tags) this.tag(id, tag);
  }

  /** An image made from a container. */
  commit(tag: string | undefined, config: Json, seed: string): SimImage {
    const image: SimImage = {
      id: `sha256:${sha(seed)}`,
      created: this.#clock.now(),
      size: 5_000_000,
      tags: new Set(),
      digests: new Set(),
      config,
    };
    this.#byId.set(image.id, image);
    this.#events.emit("image", "create", image.id, { name: image.id });
    if (tag !== undefined) this.tag(image.id, tag);
    return image;
  }

  isPullable(reference: string): boolean {
    return this.#pullable === "any" || this.#pullable.includes(familiar(reference));
  }

  /** Throws 404 in the registry's words for what is not pullable; answers whether it was new. */
  pull(reference: string): { image: SimImage; fresh: boolean } {
    const tag = familiar(reference);
    const had = this.#byTag.get(tag);
    if (!had && !this.isPullable(tag)) {
      const repository = tag.replace(/[:@].*$/, "");
      throw notFound(
        `pull access denied for ${repository}, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`,
      );
    }
    const image = had ?? this.add(tag);
    this.#events.emit("image", "pull", tag, { name: tag.replace(/[:@].*$/, "") });
    return { image, fresh: had === undefined };
  }

  tag(reference: string, tag: string): void {
    const image = this.get(reference);
    this.#move(familiar(tag), image);
    this.#events.emit("image", "tag", image.id, { name: familiar(tag) });
  }

  /** `usedBy` is the ID of a container that runs from the image. Throws 404 and 409. */
  remove(reference: string, force: boolean, usedBy: { id: string; running: boolean } | undefined): Json[] {
    const image = this.get(reference);
    const byId = image.id.startsWith(`sha256:${reference.replace(/^sha256:/, "")}`);
    const tag = familiar(reference);
    const last = image.tags.size <= 1;
    const short = image.id.slice(7, 19);
    if (usedBy && last && (!force || usedBy.running)) {
      const who = usedBy.id.slice(0, 12);
      throw conflict(
        byId || force
          ? `conflict: unable to delete ${short} (cannot be forced) - image is being used by running container ${who}`
          : `conflict: unable to remove repository reference "${reference}" (must force) - container ${who} is using its referenced image ${short}`,
      );
    }
    if (byId && image.tags.size > 1 && !force) {
      throw conflict(
        `conflict: unable to delete ${short} (must be forced) - image is referenced in multiple repositories`,
      );
    }
    const out: Json[] = [];
    for (const name of byId ? [...image.tags] : [tag]) {
      image.tags.delete(name);
      this.#byTag.delete(name);
      out.push({ Untagged: name });
      this.#events.emit("image", "untag", image.id, { name: image.id });
    }
    if (image.tags.size === 0 && !usedBy) {
      this.#byId.delete(image.id);
      out.push({ Deleted: image.id });
      this.#events.emit("image", "delete", image.id, { name: image.id });
    }
    return out;
  }
}

export function imageListed(image: SimImage, containers: number): Json {
  return {
    Containers: containers,
    Created: Math.floor(image.created / 1000),
    Id: image.id,
    Labels: image.config.Labels ?? null,
    ParentId: "",
    RepoDigests: [...image.digests],
    RepoTags: [...image.tags],
    SharedSize: -1,
    Size: image.size,
  };
}

export function imageInspected(image: SimImage): Json {
  return {
    Id: image.id,
    RepoTags: [...image.tags],
    RepoDigests: [...image.digests],
    Parent: "",
    Comment: "",
    Created: goTime(image.created),
    DockerVersion: "",
    Author: "",
    Config: image.config,
    Architecture: "amd64",
    Os: "linux",
    Size: image.size,
    GraphDriver: { Data: null, Name: "overlay2" },
    RootFS: { Type: "layers", Layers: [`sha256:${sha(image.id)}`] },
    Metadata: { LastTagTime: goTime(0) },
  };
}
