/** Routes that Docker documents and shoal does not serve yet: 501 with a clear sentence, never a silent 404. */
import { notSupportedYet } from "../../docker/errors.ts";
import type { Route } from "../route.ts";

/** What people call it → `METHOD /path` of API 1.51. */
const UNSUPPORTED: Readonly<Record<string, readonly string[]>> = {
  "docker build": ["POST /build", "POST /build/cancel", "POST /session", "POST /grpc"],
  "docker swarm init": ["POST /swarm/init"],
  "docker swarm join": ["POST /swarm/join"],
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
