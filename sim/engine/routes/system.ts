/** Routes about the engine itself: ping, version, info, events, auth, disk usage. */
import { PassThrough } from "node:stream";
import { compareVersions } from "../../../src/docker/version.ts";
import { type Answer, type Call, json, readJson, stream } from "../call.ts";
import { isRunning } from "../container.ts";
import type { Daemon } from "../daemon.ts";
import { eventPasses, eventTime, type SimEvent } from "../events.ts";
import { infoAnswer, versionAnswer } from "../facts.ts";
import { Filters } from "../filters.ts";
import { imageListed } from "../images.ts";
import type { Routes } from "../router.ts";
import { volumeForm } from "../volumes.ts";
import { isOld } from "../words.ts";

/** Bytes that wait for a slow reader of /events; then it is cut off. */
const EVENTS_WAITING = 16 << 20;

/** Engines before 23.0 tell neither their builder nor their swarm state. */
const ping = (daemon: Daemon, body: string): Answer => ({
  status: 200,
  headers: {
    ...(isOld(daemon.facts) ? {} : { "Builder-Version": "2", Swarm: "inactive" }),
    "Cache-Control": "no-cache, no-store, must-revalidate",
    "Content-Type": "text/plain; charset=utf-8",
    Pragma: "no-cache",
  },
  body,
});

function info(daemon: Daemon): Answer {
  const all = daemon.containers.all();
  const running = all.filter(isRunning).length;
  const paused = all.filter(({ status }) => status === "paused").length;
  const counts = {
    containers: all.length,
    running: running - paused,
    paused,
    stopped: all.length - running,
    images: daemon.images.size,
    eventListeners: daemon.events.readers,
  };
  const facts = daemon.faults.clonedId === undefined ? daemon.facts : { ...daemon.facts, id: daemon.faults.clonedId };
  return json(200, infoAnswer(facts, counts, daemon.clock.now()));
}

function events(daemon: Daemon, call: Call): Answer {
  const filters = new Filters(call.query.get("filters"));
  const since = eventTime(call.query.get("since"));
  const until = eventTime(call.query.get("until"));
  const out = new PassThrough();
  // It may be cut before its reader has come: the closed stream tells them.
  out.on("error", () => undefined);
  const passes = (event: SimEvent): boolean =>
    eventPasses(event, filters) && (until === undefined || event.timeNano <= until);
  if (since !== undefined) for (const event of daemon.events.since(since)) if (passes(event)) out.write(event.line);
  const left = until === undefined ? undefined : Number(until / 1_000_000n) - daemon.clock.now();
  if (left !== undefined && left <= 0) {
    out.end();
    return stream("application/json", out);
  }
  const frozen: string[] = [];
  const unsubscribe = daemon.events.subscribe((event) => {
    if (!passes(event)) return;
    if (daemon.faults.isHung) {
      if (frozen.length === 0)
        void daemon.faults.gate(call.signal).then(
          () => out.write(frozen.splice(0).join("")),
          () => undefined,
        );
      frozen.push(event.line);
      return;
    }
    out.write(event.line);
    if (out.writableLength > EVENTS_WAITING) out.destroy();
  });
  const uncut = daemon.faults.onEventCut(() => out.destroy(new Error("event stream cut")));
  const timer = left === undefined ? undefined : daemon.clock.after(left, () => out.end(), { background: true });
  const stop = (): void => {
    unsubscribe();
    uncut();
    timer?.cancel();
  };
  out.once("close", stop);
  call.signal.addEventListener("abort", () => out.destroy(), { once: true });
  return stream("application/json", out);
}

/** Engines since 1.42 measure what they are asked for, all else is null; older ones measure everything. */
function diskUsage(daemon: Daemon, call: Call): Answer {
  const old = compareVersions(call.version, "1.42") < 0;
  const types = old ? [] : call.query.getAll("type");
  const wanted = <T>(type: string, rows: T): T | null => (types.length === 0 || types.includes(type) ? rows : null);
  const images = daemon.images.all();
  return json(200, {
    LayersSize:
      wanted(
        "image",
        images.reduce((sum, { size }) => sum + size, 0),
      ) ?? 0,
    Images: wanted(
      "image",
      images.map((image) => imageListed(image, daemon.containers.using(image.id) ? 1 : 0)),
    ),
    Containers: wanted("container", []),
    Volumes: wanted(
      "volume",
      daemon.volumes.all().map((volume) => ({ ...volumeForm(volume), UsageData: { RefCount: 0, Size: 10 } })),
    ),
    BuildCache: wanted("build-cache", [{ ID: `cache-${daemon.facts.name}`, Size: 100, InUse: false, Shared: false }]),
    ...(old && { BuilderSize: 100 }),
  });
}

export function systemRoutes(daemon: Daemon): Routes {
  return {
    "HEAD /_ping": () => ping(daemon, ""),
    "GET /_ping": () => ping(daemon, "OK"),
    "GET /version": () => json(200, versionAnswer(daemon.facts)),
    "GET /info": () => info(daemon),
    "GET /events": (call) => events(daemon, call),
    "GET /system/df": (call) => diskUsage(daemon, call),
    "POST /build/prune": () => json(200, { CachesDeleted: null, SpaceReclaimed: 0 }),
    "POST /auth": async (call) => {
      await readJson(call);
      return json(200, { IdentityToken: "", Status: "Login Succeeded" });
    },
  };
}
