/**
 * Which containers of this machine's engine a manager may make elsewhere, so that a fence stops them: made through shoal,
 * and marked so in their hint. The engine is asked while it answers; for what it did not tell, its own files are read.
 * What inherited its hint from an image is not ours, as for managers.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeHint, HINT_LABEL } from "../../cluster/hint.ts";
import { DockerError } from "../../docker/errors.ts";
import type { EngineClient } from "../../engine/client.ts";
import { FENCE_ASK_MS } from "../../kit/limits.ts";

type Labels = Readonly<Record<string, string>> | null | undefined;

/** A row of the engine's list. */
export interface Row {
  readonly Id: string;
  readonly State: string;
  readonly ImageID: string;
  readonly Labels: Labels;
  readonly Mounts?: readonly unknown[] | null;
}

const OURS = encodeURIComponent(JSON.stringify({ label: [HINT_LABEL] }));
const DEFAULT_ROOT = "/var/lib/docker";

export class Movable {
  readonly #client: EngineClient;
  #root: string | undefined;
  /** Engine's container ID → whether it may be moved; as of the last list. */
  #known = new Map<string, boolean>();
  /** Likewise, as files told since. */
  readonly #fromFiles = new Map<string, boolean>();
  /** Image ID → the hint that it hands on. */
  readonly #images = new Map<string, string | undefined>();

  constructor(client: EngineClient) {
    this.#client = client;
  }

  /** Those that the engine has, whatever their state. Rejects when it does not answer. */
  async list(deadlineMs: number = FENCE_ASK_MS): Promise<readonly Row[]> {
    const rows = await this.#client.json<Row[]>("GET", `/containers/json?all=1&filters=${OURS}`, undefined, {
      deadlineMs,
    });
    this.#root ??= (
      await this.#client.json<{ DockerRootDir?: string }>("GET", "/info", undefined, { deadlineMs })
    ).DockerRootDir;
    const known = new Map<string, boolean>();
    for (const row of rows) known.set(row.Id, this.#known.get(row.Id) ?? (await this.#judge(row, deadlineMs)));
    this.#known = known;
    this.#fromFiles.clear();
    return rows.filter(({ Id }) => known.get(Id));
  }

  /** Never rejects: a container that neither the engine nor its files tell of is another's. */
  async has(id: string): Promise<boolean> {
    const known = this.#known.get(id) ?? this.#fromFiles.get(id);
    if (known !== undefined) return known;
    try {
      const read = await this.#read(id);
      this.#fromFiles.set(id, read);
      return read;
    } catch {
      return false;
    }
  }

  async #judge({ Labels, Mounts, ImageID }: Row, deadlineMs: number): Promise<boolean> {
    if (!isMarked(Labels, (Mounts ?? []).length > 0)) return false;
    if (!this.#images.has(ImageID)) this.#images.set(ImageID, await this.#askImage(ImageID, deadlineMs));
    return this.#images.get(ImageID) !== Labels?.[HINT_LABEL];
  }

  /** An image that is gone handed nothing on. */
  async #askImage(id: string, deadlineMs: number): Promise<string | undefined> {
    try {
      const path = `/images/${encodeURIComponent(id)}/json`;
      const image = await this.#client.json<{ Config?: { Labels?: Labels } }>("GET", path, undefined, { deadlineMs });
      return image.Config?.Labels?.[HINT_LABEL];
    } catch (error) {
      if (error instanceof DockerError) return undefined;
      throw error;
    }
  }

  /** Rejects when there is no such container here, or nothing tells whose its hint is. */
  async #read(id: string): Promise<boolean> {
    const root = this.#root ?? DEFAULT_ROOT;
    const text = await readFile(join(root, "containers", id, "config.v2.json"), "utf8");
    const {
      Config,
      MountPoints,
      Image = "",
    } = JSON.parse(text) as {
      Config?: { Labels?: Labels };
      MountPoints?: Readonly<Record<string, unknown>>;
      Image?: string;
    };
    const labels = Config?.Labels;
    if (!isMarked(labels, Object.keys(MountPoints ?? {}).length > 0)) return false;
    const inherited = this.#images.has(Image) ? this.#images.get(Image) : await hintOnDisk(root, Image);
    return inherited !== labels?.[HINT_LABEL];
  }
}

/** @param hasMounts what did not ask to be moved stays with its volumes */
function isMarked(labels: Labels, hasMounts: boolean): boolean {
  const moves = decodeHint(labels?.[HINT_LABEL])?.moves;
  return moves === "asked" || (moves === "unasked" && !hasMounts);
}

async function hintOnDisk(root: string, image: string): Promise<string | undefined> {
  const hex = image.replace(/^sha256:/, "");
  for (const driver of await readdir(join(root, "image"))) {
    const path = join(root, "image", driver, "imagedb/content/sha256", hex);
    const text = await readFile(path, "utf8").catch(() => undefined);
    if (text !== undefined) return (JSON.parse(text) as { config?: { Labels?: Labels } }).config?.Labels?.[HINT_LABEL];
  }
  throw new Error("it is in no image store that is read here");
}
