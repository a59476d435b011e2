/** A hub's routes for fences: each change names the version that it replaces. Whoever may register nodes may change them. */
import { sendJson } from "../api/listener/answer.ts";
import { type FenceRecord, readFence } from "../discovery/fences.ts";
import { badRequest, DockerError } from "../docker/errors.ts";
import { DISCOVERY_ENTRIES } from "../kit/limits.ts";
import type { Route } from "./routes.ts";
import type { HubState } from "./state.ts";

/** @param ofCluster makes a route below a cluster's two paths */
export function fenceRoutes(
  state: HubState,
  ofCluster: (method: string, path: string, handle: Route["handle"]) => Route,
): readonly Route[] {
  const one = "/fences/([a-z0-9]{16,64})";
  return [
    ofCluster("GET", "/fences", async (call) => {
      sendJson(call.answer, 200, await state.fencesOf(call.member()).list(call.request.signal));
    }),
    ofCluster("GET", one, async (call) => {
      const fences = state.fencesOf(call.member());
      sendJson(call.answer, 200, (await fences.get(call.params[3] ?? "", call.request.signal)) ?? null);
    }),
    ofCluster("PUT", one, async (call) => {
      const fences = state.fencesOf(call.member());
      const { version, record } = await call.json();
      const before = typeof version === "string" ? version : undefined;
      if (before === undefined && (await fences.list()).length >= DISCOVERY_ENTRIES) {
        throw new DockerError(403, `this cluster has ${DISCOVERY_ENTRIES} fences already`);
      }
      const { signal } = call.request;
      const written = await fences.write(call.params[3] ?? "", recordOf(record), before, signal);
      // Another version is an answer, no error: its reader goes on with that one.
      sendJson(call.answer, 200, { version: written ?? null });
    }),
  ];
}

function recordOf(value: unknown): FenceRecord {
  try {
    return readFence(JSON.stringify(value ?? null));
  } catch (error) {
    throw badRequest(error instanceof Error ? error.message : String(error));
  }
}
