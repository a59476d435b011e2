/**
 * Which containers may run elsewhere when their node is lost. What Docker's users call `--restart no` means "not again",
 * and what keeps something on its node cannot leave it: neither moves unless it was asked for by name. Pure.
 */
import { goGet } from "../../docker/json-text.ts";
import type { Request } from "../../scheduler/request.ts";

/**
 * What moves that does not say: `auto`: what restarts by itself (`always`, `unless-stopped`) and keeps nothing on its
 * node; `on`: everything that keeps nothing there, as in the first seed; `off`: nothing.
 */
export type RescheduleMode = "auto" | "on" | "off";

/**
 * `unasked`: by its restart policy alone, so not when it turns out to have a volume that its image declares. `never`: an
 * update took that policy from it.
 */
export type Moves = "asked" | "unasked" | "never";

/** Undefined: it waits for its own node. @param body the parsed create body */
export function movesOf(request: Request, body: unknown, mode: RescheduleMode): Exclude<Moves, "never"> | undefined {
  switch (request.reschedule) {
    case "always":
    case "on-node-failure":
      return "asked";
    case "never":
    case "off":
      return undefined;
  }
  if (mode === "off" || keepsSomething(request, body)) return undefined;
  const host = goGet(body, "HostConfig");
  if (mode === "on") return goGet(host, "AutoRemove") === true ? undefined : "asked";
  const policy = goGet(host, "RestartPolicy", "Name");
  return policy === "always" || policy === "unless-stopped" ? "unasked" : undefined;
}

/** Volumes, paths and devices of its node. Volumes that the image alone declares are not known yet. */
function keepsSomething({ volumes, binds }: Request, body: unknown): boolean {
  const host = goGet(body, "HostConfig");
  return (
    volumes.length > 0 ||
    binds.length > 0 ||
    isFilled(goGet(body, "Volumes")) ||
    isFilled(goGet(host, "VolumesFrom")) ||
    isFilled(goGet(host, "Devices")) ||
    isFilled(goGet(host, "DeviceRequests")) ||
    mountsOf(host).some((mount) => goGet(mount, "Type") !== "tmpfs")
  );
}

function mountsOf(host: unknown): readonly unknown[] {
  const mounts = goGet(host, "Mounts");
  return Array.isArray(mounts) ? mounts : [];
}

function isFilled(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}
