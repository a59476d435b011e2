/**
 * Swarm mode: what an engine that is in no swarm answers, so that clients which look for it take their usual way.
 * `swarm init` and `swarm join` are refused in unsupported.ts.
 */
import { unavailable } from "../../docker/errors.ts";
import type { Route } from "../route.ts";

const NO_MANAGER =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';
const NO_MEMBER = "This node is not part of a swarm";

/** What people call it → `METHOD /path` of API 1.51. */
const SWARM: Readonly<Record<string, readonly string[]>> = {
  "docker config": [
    "GET /configs",
    "POST /configs/create",
    "GET /configs/{id}",
    "DELETE /configs/{id}",
    "POST /configs/{id}/update",
  ],
  "docker node": ["GET /nodes", "GET /nodes/{id}", "DELETE /nodes/{id}", "POST /nodes/{id}/update"],
  "docker secret": [
    "GET /secrets",
    "POST /secrets/create",
    "GET /secrets/{id}",
    "DELETE /secrets/{id}",
    "POST /secrets/{id}/update",
  ],
  "docker service, docker stack": [
    "GET /services",
    "POST /services/create",
    "GET /services/{id}",
    "DELETE /services/{id}",
    "POST /services/{id}/update",
    "GET /services/{id}/logs",
    "GET /tasks",
    "GET /tasks/{id}",
    "GET /tasks/{id}/logs",
  ],
  "docker swarm": [
    "GET /swarm",
    "POST /swarm/leave",
    "POST /swarm/update",
    "GET /swarm/unlockkey",
    "POST /swarm/unlock",
  ],
};

export const SWARM_ROUTES: readonly Route[] = Object.entries(SWARM).flatMap(([what, routes]) =>
  routes.map((route): Route => {
    const [method = "", path = ""] = route.split(" ");
    const words = path === "/swarm/leave" ? NO_MEMBER : NO_MANAGER;
    const handle = async (): Promise<void> => {
      throw unavailable(words);
    };
    return { method, path, how: "no swarm", note: `\`${what}\``, mutates: false, handle };
  }),
);
