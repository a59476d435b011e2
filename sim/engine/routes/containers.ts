/** Routes about containers that answer at once. Streams are in container-streams.ts. */
import { badRequest, conflict, notFound } from "../../../src/docker/errors.ts";
import { type Answer, type Call, empty, json, readJson } from "../call.ts";
import { inspected, isRunning, labelsOf, listed, type SimContainer } from "../container.ts";
import { eventAttributes } from "../containers.ts";
import type { Daemon } from "../daemon.ts";
import { Filters } from "../filters.ts";
import { flag, str, strings } from "../json.ts";
import type { Routes } from "../router.ts";
import { notRunningText, say } from "../words.ts";

const LIST_FILTERS = [
  "ancestor",
  "before",
  "exited",
  "expose",
  "health",
  "id",
  "is-task",
  "isolation",
  "label",
  "name",
  "network",
  "publish",
  "since",
  "status",
  "volume",
];

function matches(daemon: Daemon, container: SimContainer, filters: Filters): boolean {
  const { id, name, wanted, mounts, status, exitCode, serial } = container;
  const published = (value: string): boolean =>
    Object.entries(container.ports).some(([port, bound]) =>
      bound?.some((b) => `${b.HostPort}/${port.split("/")[1]}` === value || b.HostPort === value),
    );
  return (
    filters.any("id", (value) => id.startsWith(value)) &&
    filters.any("name", (value) => new RegExp(value).test(name) || new RegExp(value).test(`/${name}`)) &&
    filters.any("status", (value) => value === status) &&
    filters.any("health", (value) => value === "none") &&
    filters.any("exited", (value) => status === "exited" && String(exitCode) === value) &&
    filters.any("ancestor", (value) => daemon.images.find(value)?.id === container.imageId) &&
    filters.any(
      "network",
      (value) => wanted.has(value) || daemon.networks.all().some((n) => n.id === value && wanted.has(n.name)),
    ) &&
    filters.any("volume", (value) => mounts.some((mount) => mount.Name === value || mount.Destination === value)) &&
    filters.any("publish", published) &&
    filters.any("before", (value) => serial < daemon.containers.get(value).serial) &&
    filters.any("since", (value) => serial > daemon.containers.get(value).serial) &&
    filters.labels(labelsOf(container))
  );
}

function listContainers(daemon: Daemon, call: Call): Answer {
  const filters = new Filters(call.query.get("filters"), LIST_FILTERS);
  for (const status of filters.values("status")) {
    if (!["created", "restarting", "running", "removing", "paused", "exited", "dead"].includes(status)) {
      throw badRequest(say(daemon.facts, `invalid filter 'status=${status}'`));
    }
  }
  const limit = Number(call.query.get("limit") ?? 0);
  const every =
    flag(call.query.get("all")) || limit > 0 || ["status", "exited", "before", "since"].some((key) => filters.has(key));
  const chosen = daemon.containers.all().filter((one) => (every || isRunning(one)) && matches(daemon, one, filters));
  const now = daemon.clock.now();
  const size = flag(call.query.get("size"));
  return json(
    200,
    (limit > 0 ? chosen.slice(0, limit) : chosen).map((one) => listed(one, now, size)),
  );
}

async function createContainer(daemon: Daemon, call: Call): Promise<Answer> {
  const posted = await readJson(call);
  const wanted = call.query.get("platform");
  const image = wanted === null ? undefined : daemon.images.find(str(posted.Image));
  const actual = `linux/${str(image?.config.Architecture) || "amd64"}`;
  if (image && wanted !== actual) {
    throw notFound(
      `image with reference ${str(posted.Image)} was found but does not match the specified platform: wanted ${wanted}, actual: ${actual}`,
    );
  }
  const container = daemon.containers.create(call.query.get("name") ?? "", posted, call.version);
  return json(201, { Id: container.id, Warnings: [] });
}

async function updateContainer(daemon: Daemon, call: Call, container: SimContainer): Promise<Answer> {
  daemon.lifecycle.update(container, await readJson(call));
  return json(200, { Warnings: null });
}

function prune(daemon: Daemon, call: Call): Answer {
  const filters = new Filters(call.query.get("filters"), ["label", "label!", "until"]);
  const gone = daemon.containers.all().filter((one) => !isRunning(one) && filters.labels(labelsOf(one)));
  for (const one of gone) daemon.lifecycle.remove(one, false, false);
  daemon.events.emit("container", "prune", "", { reclaimed: "0" });
  return json(200, { ContainersDeleted: gone.length > 0 ? gone.map(({ id }) => id) : null, SpaceReclaimed: 0 });
}

async function commit(daemon: Daemon, call: Call): Promise<Answer> {
  const container = daemon.containers.get(call.query.get("container") ?? "");
  const config = { ...container.config, ...(await readJson(call)) };
  const repo = call.query.get("repo") ?? "";
  const tag = call.query.get("tag") ?? "";
  const name = repo === "" ? undefined : tag === "" ? repo : `${repo}:${tag}`;
  const image = daemon.images.commit(name, config, daemon.random.hex(16));
  daemon.events.emit(
    "container",
    "commit",
    container.id,
    eventAttributes(container, { comment: "", imageID: image.id, imageRef: name ?? "" }),
  );
  return json(201, { Id: image.id });
}

function top(daemon: Daemon, container: SimContainer): Answer {
  if (!isRunning(container)) throw conflict(notRunningText(daemon.facts, container.id));
  daemon.lifecycle.note(container, "top");
  return json(200, {
    Processes: [["root", String(container.pid), "1", "0", "00:00", "?", "00:00:00", container.argv.join(" ")]],
    Titles: ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"],
  });
}

export function containerRoutes(daemon: Daemon): Routes {
  const { containers, lifecycle } = daemon;
  const on = (handler: (container: SimContainer, call: Call) => Answer | Promise<Answer>) => (call: Call) =>
    handler(containers.get(call.params.name ?? ""), call);
  const done = (handler: (container: SimContainer, call: Call) => void) =>
    on((container, call) => {
      handler(container, call);
      return empty(204);
    });
  return {
    "GET /containers/json": (call) => listContainers(daemon, call),
    "POST /containers/create": (call) => createContainer(daemon, call),
    "POST /containers/prune": (call) => prune(daemon, call),
    "POST /commit": (call) => commit(daemon, call),
    "GET /containers/{name}/json": on((container, call) =>
      json(200, inspected(container, daemon.facts.driver, flag(call.query.get("size")))),
    ),
    "POST /containers/{name}/start": on((container) => empty(lifecycle.start(container) ? 204 : 304)),
    "POST /containers/{name}/stop": on((container) => empty(lifecycle.stop(container) ? 204 : 304)),
    "POST /containers/{name}/restart": done((container) => lifecycle.restart(container)),
    "POST /containers/{name}/kill": done((container, call) =>
      lifecycle.kill(container, call.query.get("signal") ?? ""),
    ),
    "POST /containers/{name}/pause": done((container) => lifecycle.pause(container)),
    "POST /containers/{name}/unpause": done((container) => lifecycle.unpause(container)),
    "POST /containers/{name}/rename": done((container, call) =>
      containers.rename(container, call.query.get("name") ?? ""),
    ),
    "POST /containers/{name}/update": on((container, call) => updateContainer(daemon, call, container)),
    "DELETE /containers/{name}": done((container, call) =>
      lifecycle.remove(container, flag(call.query.get("force")), flag(call.query.get("v"))),
    ),
    "GET /containers/{name}/top": on((container) => top(daemon, container)),
    "GET /containers/{name}/changes": on((container) =>
      json(
        200,
        strings(isRunning(container) ? ["/tmp"] : []).map((Path) => ({ Path, Kind: 0 })),
      ),
    ),
    "POST /containers/{name}/resize": on((container, call) => {
      lifecycle.note(container, "resize", { height: str(call.query.get("h")), width: str(call.query.get("w")) });
      return empty(200);
    }),
  };
}
