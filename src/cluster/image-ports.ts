/** On the host's network a container listens on the ports that its image exposes, which a create does not repeat. */
import { goGet } from "../docker/json-text.ts";
import { parsePort } from "../docker/ports.ts";
import { ENGINE_CALL_MS, IMAGES_REMEMBERED } from "../kit/limits.ts";
import type { PortClaim, Request } from "../scheduler/request.ts";
import type { Cluster } from "./cluster.ts";

/** Image ID → exposed ports: an ID's content never changes. The oldest is forgotten first. */
const known = new Map<string, readonly PortClaim[]>();

/** The request with its image's ports, when it is for the host's network and a node has the image; otherwise as it is. */
export async function withImagePorts(cluster: Cluster, request: Request): Promise<Request> {
  if (!request.hostNetwork) return request;
  const exposed = await exposedBy(cluster, request.image);
  const more = exposed.filter(
    ({ port, protocol }) => !request.ports.some((claim) => claim.port === port && claim.protocol === protocol),
  );
  return more.length === 0 ? request : { ...request, ports: [...request.ports, ...more] };
}

async function exposedBy(cluster: Cluster, ref: string): Promise<readonly PortClaim[]> {
  for (const node of cluster.reachable()) {
    const image = cluster.images.find(node.id, ref);
    if (!image) continue;
    const remembered = known.get(image.id);
    if (remembered) return remembered;
    try {
      const path = `/images/${encodeURIComponent(image.id)}/json`;
      const inspect = await node.engine.json("GET", path, undefined, { deadlineMs: ENGINE_CALL_MS });
      const ports = Object.keys((goGet(inspect, "Config", "ExposedPorts") ?? {}) as object).flatMap(claimsOf);
      known.set(image.id, ports);
      if (known.size > IMAGES_REMEMBERED) known.delete(known.keys().next().value ?? "");
      return ports;
    } catch (error) {
      cluster.log.debug("an image's ports could not be read", { node: node.name, image: ref, error: String(error) });
    }
  }
  return [];
}

function claimsOf(text: string): PortClaim[] {
  const { first, last, protocol } = parsePort(text);
  return Array.from({ length: last - first + 1 }, (_, i) => ({ ip: "", port: first + i, protocol }));
}
