/** Routes about images. */
import { PassThrough } from "node:stream";
import { type Answer, type Call, empty, json, stream } from "../call.ts";
import { isRunning } from "../container.ts";
import type { Daemon } from "../daemon.ts";
import { Filters } from "../filters.ts";
import { familiar, imageInspected, imageListed, type SimImage } from "../images.ts";
import { flag, stringMap } from "../json.ts";
import type { Routes } from "../router.ts";
import { importImage } from "./image-transfer.ts";

function listImages(daemon: Daemon, call: Call): Answer {
  const filters = new Filters(call.query.get("filters"), [
    "before",
    "dangling",
    "label",
    "reference",
    "since",
    "until",
  ]);
  const fits = (image: SimImage): boolean =>
    filters.labels(stringMap(image.config.Labels)) &&
    filters.any("dangling", (value) => flag(value) === (image.tags.size === 0)) &&
    filters.any("reference", (value) =>
      [...image.tags].some((tag) => tag === familiar(value) || tag.split(":")[0] === value),
    );
  return json(
    200,
    daemon.images
      .all()
      .filter(fits)
      .map((image) => imageListed(image, -1)),
  );
}

/** Pull: progress as dockerd writes it, the error as its first line or as a 404. */
function pull(daemon: Daemon, call: Call): Answer {
  const name = call.query.get("fromImage") ?? "";
  const tag = call.query.get("tag") ?? "";
  const reference = tag === "" ? name : tag.includes(":") ? `${name}@${tag}` : `${name}:${tag}`;
  const shown = familiar(reference);
  const { image, fresh } = daemon.images.pull(reference);
  const Architecture = (call.query.get("platform") ?? "").split("/")[1];
  if (Architecture !== undefined && Architecture !== "amd64") {
    const id = image.id.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
    daemon.images.load({ id, created: image.created, tags: [shown], config: { ...image.config, Architecture } });
  }
  const out = new PassThrough();
  const layer = image.id.slice(7, 19);
  const lines = [
    {
      status: `Pulling from ${shown.includes("/") ? "" : "library/"}${shown.replace(/[:@].*$/, "")}`,
      id: tag || "latest",
    },
    ...(fresh
      ? [
          { status: "Pulling fs layer", progressDetail: {}, id: layer },
          { status: "Pull complete", progressDetail: {}, id: layer },
        ]
      : []),
    { status: `Digest: ${[...image.digests][0]?.split("@")[1] ?? ""}` },
    { status: fresh ? `Status: Downloaded newer image for ${shown}` : `Status: Image is up to date for ${shown}` },
  ];
  for (const line of lines) out.write(`${JSON.stringify(line)}\r\n`);
  out.end();
  return stream("application/json", out);
}

function remove(daemon: Daemon, call: Call): Answer {
  const reference = call.params.name ?? "";
  const user = daemon.containers.using(daemon.images.get(reference).id);
  const usedBy = user && { id: user.id, running: isRunning(user) };
  return json(200, daemon.images.remove(reference, flag(call.query.get("force")), usedBy));
}

function prune(daemon: Daemon, call: Call): Answer {
  const filters = new Filters(call.query.get("filters"));
  const all = filters.values("dangling").some((value) => !flag(value));
  const gone = daemon.images
    .all()
    .filter(
      (image) =>
        (all || image.tags.size === 0) &&
        filters.labels(stringMap(image.config.Labels)) &&
        !daemon.containers.using(image.id),
    );
  const deleted = gone.flatMap((image) => daemon.images.remove(image.id, true, undefined));
  daemon.events.emit("image", "prune", "", { reclaimed: "0" });
  return json(200, { ImagesDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: 0 });
}

export function imageRoutes(daemon: Daemon): Routes {
  const { images } = daemon;
  return {
    "GET /images/json": (call) => listImages(daemon, call),
    "POST /images/create": (call) =>
      (call.query.get("fromImage") ?? "") === "" ? importImage(daemon, call) : pull(daemon, call),
    "POST /images/prune": (call) => prune(daemon, call),
    "GET /images/{name...}/json": (call) => json(200, imageInspected(images.get(call.params.name ?? ""))),
    "GET /images/{name...}/history": (call) => {
      const image = images.get(call.params.name ?? "");
      const Created = Math.floor(image.created / 1000);
      return json(200, [
        { Id: image.id, Created, CreatedBy: "CMD serve", Tags: [...image.tags], Size: image.size, Comment: "" },
      ]);
    },
    "POST /images/{name...}/tag": (call) => {
      const tag = call.query.get("tag") ?? "";
      images.tag(call.params.name ?? "", `${call.query.get("repo") ?? ""}${tag === "" ? "" : `:${tag}`}`);
      return empty(201);
    },
    "DELETE /images/{name...}": (call) => remove(daemon, call),
  };
}
