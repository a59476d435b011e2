/** Routes that Docker documents and shoal does not serve yet: 501 with a clear sentence, never a silent 404. */
import { notSupportedYet } from "../../docker/errors.ts";
import type { Route } from "../route.ts";

/** What people call it → `METHOD /path` of API 1.51. */
const UNSUPPORTED: Readonly<Record<string, readonly string[]>> = {
  "docker build": ["POST /build", "POST /build/cancel", "POST /session", "POST /grpc"],
  "docker checkpoint": [
    "GET /containers/{name}/checkpoints",
    "POST /containers/{name}/checkpoints",
    "DELETE /containers/{name}/checkpoints/{id}",
  ],
  "docker config": [
    "GET /configs",
    "POST /configs/create",
    "GET /configs/{id}",
    "DELETE /configs/{id}",
    "POST /configs/{id}/update",
  ],
  "docker image load": ["POST /images/load"],
  "docker image push": ["POST /images/{name}/push"],
  "docker image save": ["GET /images/get", "GET /images/{name}/get"],
  "docker manifest inspect": ["GET /distribution/{name}/json"],
  "docker network": [
    "GET /networks",
    "POST /networks/create",
    "GET /networks/{id}",
    "DELETE /networks/{id}",
    "POST /networks/{id}/connect",
    "POST /networks/{id}/disconnect",
  ],
  "docker node": ["GET /nodes", "GET /nodes/{id}", "DELETE /nodes/{id}", "POST /nodes/{id}/update"],
  "docker plugin": [
    "GET /plugins",
    "GET /plugins/privileges",
    "POST /plugins/pull",
    "POST /plugins/create",
    "GET /plugins/{name}/json",
    "DELETE /plugins/{name}",
    "POST /plugins/{name}/enable",
    "POST /plugins/{name}/disable",
    "POST /plugins/{name}/upgrade",
    "POST /plugins/{name}/push",
    "POST /plugins/{name}/set",
  ],
  "docker search": ["GET /images/search"],
  "docker secret": [
    "GET /secrets",
    "POST /secrets/create",
    "GET /secrets/{id}",
    "DELETE /secrets/{id}",
    "POST /secrets/{id}/update",
  ],
  "docker service": [
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
    "POST /swarm/init",
    "POST /swarm/join",
    "POST /swarm/leave",
    "POST /swarm/update",
    "GET /swarm/unlockkey",
    "POST /swarm/unlock",
  ],
  "docker system df": ["GET /system/df"],
  "docker volume": [
    "GET /volumes",
    "POST /volumes/create",
    "GET /volumes/{name}",
    "PUT /volumes/{name}",
    "DELETE /volumes/{name}",
  ],
};

export const UNSUPPORTED_ROUTES: readonly Route[] = Object.entries(UNSUPPORTED).flatMap(([what, routes]) =>
  routes.map((route): Route => {
    const [method = "", path = ""] = route.split(" ");
    const refuse = async (): Promise<void> => {
      throw notSupportedYet(what);
    };
    return { method, path, how: "unsupported", note: `\`${what}\``, mutates: false, handle: refuse, upgrade: refuse };
  }),
);
