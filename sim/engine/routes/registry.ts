/** Routes that ask a registry: what is pullable is found there, everything else is not. */
import { badRequest, notFound } from "../../../src/docker/errors.ts";
import { type Answer, type Call, json } from "../call.ts";
import type { Daemon } from "../daemon.ts";
import type { Routes } from "../router.ts";

function search(daemon: Daemon, call: Call): Answer {
  const limit = Number(call.query.get("limit") ?? 25);
  if (limit < 1 || limit > 100) throw badRequest(`Limit ${limit} is outside the range of [1, 100]`);
  const name = call.query.get("term") ?? "";
  const description = `found by ${daemon.facts.name} for ${call.headers["x-registry-auth"] ?? "nobody"}`;
  return json(200, [{ name, description, star_count: 1, is_official: true, is_automated: false }]);
}

function distribution(daemon: Daemon, call: Call): Answer {
  const name = call.params.name ?? "";
  if (name !== name.toLowerCase()) throw badRequest("invalid reference format: repository name must be lowercase");
  if (!daemon.images.isPullable(name)) throw notFound(`manifest unknown: manifest unknown`);
  return json(200, {
    Descriptor: { mediaType: "application/vnd.docker.distribution.manifest.v2+json", digest: "sha256:1", size: 1 },
    Platforms: [{ architecture: "amd64", os: "linux" }],
  });
}

export function registryRoutes(daemon: Daemon): Routes {
  return {
    "GET /images/search": (call) => search(daemon, call),
    "GET /distribution/{name...}/json": (call) => distribution(daemon, call),
  };
}
