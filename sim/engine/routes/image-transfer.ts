/** Routes by which images come and go: save, load, import, push. An archive is JSON here, not tar. */
import { createHash } from "node:crypto";
import { PassThrough } from "node:stream";
import { badRequest } from "../../../src/docker/errors.ts";
import { type Answer, type Call, readAll, stream } from "../call.ts";
import type { Daemon } from "../daemon.ts";
import { familiar, type SimImage } from "../images.ts";
import type { Json } from "../json.ts";
import type { Routes } from "../router.ts";

interface Archived {
  readonly id: string;
  readonly created: number;
  readonly tags: readonly string[];
  readonly config: Json;
}

/** A progress stream of these lines. */
function lines(all: readonly Json[]): Answer {
  const out = new PassThrough();
  for (const line of all) out.write(`${JSON.stringify(line)}\r\n`);
  out.end();
  return stream("application/json", out);
}

const failed = (message: string): Answer => lines([{ errorDetail: { message }, error: message }]);

/** Of a name without a tag, all its tags. */
function archived(daemon: Daemon, name: string): Archived {
  const { images } = daemon;
  const repository = /[:@]/.test(name.split("/").at(-1) ?? "") ? undefined : familiar(name).replace(/:latest$/, "");
  const ofRepository = (tag: string): boolean => tag.replace(/:[^:/]+$/, "") === repository;
  const image = images.all().find(({ tags }) => [...tags].some(ofRepository)) ?? images.get(name);
  const { id, created, config } = image;
  const tag = image.tags.has(familiar(name)) ? [familiar(name)] : [];
  return { id, created, config, tags: [...new Set([...tag, ...[...image.tags].filter(ofRepository)])] };
}

function save(daemon: Daemon, names: readonly string[]): Answer {
  const body = JSON.stringify(names.map((name) => archived(daemon, name)));
  return { status: 200, headers: { "Content-Type": "application/x-tar" }, body };
}

/** Undefined when the text is none. */
function archive(text: string): readonly Archived[] | undefined {
  try {
    const all: unknown = JSON.parse(text);
    return Array.isArray(all) && all.every(isArchived) ? all : undefined;
  } catch {
    return undefined;
  }
}

function isArchived(value: unknown): value is Archived {
  if (typeof value !== "object" || value === null) return false;
  const { id, created, tags, config } = value as Partial<Archived>;
  if (typeof id !== "string" || typeof created !== "number" || typeof config !== "object" || config === null)
    return false;
  return Array.isArray(tags) && tags.every((tag) => typeof tag === "string");
}

async function load(daemon: Daemon, call: Call): Promise<Answer> {
  const all = archive((await readAll(call.body)).toString("utf8"));
  if (!all) return failed("Error processing tar file(exit status 1): unexpected EOF");
  return lines(
    all.flatMap((one) => {
      daemon.images.load(one);
      if (one.tags.length === 0) return [{ stream: `Loaded image ID: ${one.id}\n` }];
      return one.tags.map((tag) => ({ stream: `Loaded image: ${tag}\n` }));
    }),
  );
}

/** Each engine makes another image of the same archive. */
export async function importImage(daemon: Daemon, call: Call): Promise<Answer> {
  const repo = call.query.get("repo") ?? "";
  if (repo !== repo.toLowerCase()) throw badRequest("invalid reference format: repository name must be lowercase");
  const bytes = await readAll(call.body);
  const id = `sha256:${createHash("sha256").update(bytes).update(daemon.facts.name).digest("hex")}`;
  const tag = call.query.get("tag") ?? "";
  const tags = repo === "" ? [] : [familiar(tag === "" ? repo : `${repo}:${tag}`)];
  daemon.images.load({ id, created: daemon.clock.now(), tags, config: { Comment: call.query.get("message") } });
  return lines([{ status: id }]);
}

function push(daemon: Daemon, call: Call): Answer {
  if (!call.headers["x-registry-auth"]) throw badRequest("Bad parameters and missing X-Registry-Auth: EOF");
  const tag = call.query.get("tag") ?? "";
  const name = call.params.name ?? "";
  const wanted = familiar(tag === "" ? name : `${name}:${tag}`);
  const repository = wanted.replace(/:[^:/]+$/, "");
  const pushed = daemon.images
    .all()
    .flatMap((image) => [...image.tags].map((known): [string, SimImage] => [known, image]))
    .filter(([known]) => (tag === "" ? known.replace(/:[^:/]+$/, "") === repository : known === wanted));
  const begin = { status: `The push refers to repository [docker.io/library/${repository}]` };
  if (pushed.length === 0) {
    const message = `An image does not exist locally with the tag: ${repository}`;
    return lines([begin, { errorDetail: { message }, error: message }]);
  }
  for (const [, image] of pushed) image.digests.add(`${repository}@${image.id}`);
  return lines([begin, ...pushed.map(([known, { id }]) => ({ status: `${known}: digest: ${id} size: 1` }))]);
}

export function imageTransferRoutes(daemon: Daemon): Routes {
  return {
    "GET /images/get": (call) => save(daemon, call.query.getAll("names")),
    "GET /images/{name...}/get": (call) => save(daemon, [call.params.name ?? ""]),
    "POST /images/load": (call) => load(daemon, call),
    "POST /images/{name...}/push": (call) => push(daemon, call),
  };
}
