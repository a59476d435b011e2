/** Routes about networks and volumes. */
import { conflict } from "../../../src/docker/errors.ts";
import { type Answer, type Call, empty, json, readJson } from "../call.ts";
import { isRunning } from "../container.ts";
import type { Daemon } from "../daemon.ts";
import { Filters } from "../filters.ts";
import { flag, obj, str } from "../json.ts";
import { networkForm } from "../networks.ts";
import type { Routes } from "../router.ts";
import { volumeForm } from "../volumes.ts";

function listNetworks(daemon: Daemon, call: Call): Answer {
  const filters = new Filters(call.query.get("filters"), [
    "dangling",
    "driver",
    "id",
    "label",
    "name",
    "scope",
    "type",
  ]);
  const builtIn = (name: string): boolean => ["bridge", "host", "none"].includes(name);
  const found = daemon.networks
    .all()
    .filter(
      ({ name, id, driver, labels }) =>
        filters.any("name", (value) => name.includes(value)) &&
        filters.any("id", (value) => id.startsWith(value)) &&
        filters.any("driver", (value) => value === driver) &&
        filters.any("scope", (value) => value === "local") &&
        filters.any("type", (value) => (value === "builtin") === builtIn(name)) &&
        filters.labels(labels),
    );
  return json(
    200,
    found.map((network) => networkForm(network, false)),
  );
}

async function connect(daemon: Daemon, call: Call): Promise<Answer> {
  const network = daemon.networks.get(call.params.id ?? "");
  const posted = await readJson(call);
  const container = daemon.containers.get(str(posted.Container));
  if (container.wanted.has(network.name)) {
    throw conflict(`endpoint with name ${container.name} already exists in network ${network.name}`);
  }
  const settings = obj(posted.EndpointConfig);
  container.wanted.set(network.name, settings);
  if (isRunning(container))
    container.endpoints.set(network.name, daemon.networks.connect(network, container, settings));
  return empty(200);
}

async function disconnect(daemon: Daemon, call: Call): Promise<Answer> {
  const network = daemon.networks.get(call.params.id ?? "");
  const container = daemon.containers.get(str((await readJson(call)).Container));
  if (!container.wanted.delete(network.name)) {
    throw conflict(`container ${container.id} is not connected to network ${network.name}`);
  }
  container.endpoints.delete(network.name);
  daemon.networks.disconnect(network, container.id);
  return empty(200);
}

export function networkRoutes(daemon: Daemon): Routes {
  const { networks } = daemon;
  return {
    "GET /networks": (call) => listNetworks(daemon, call),
    "GET /networks/{id}": (call) => json(200, networkForm(networks.get(call.params.id ?? ""), true)),
    "POST /networks/create": async (call) => json(201, { Id: networks.create(await readJson(call)).id, Warning: "" }),
    "POST /networks/prune": () => {
      const gone = networks.all().filter((n) => n.attached.size === 0 && !["bridge", "host", "none"].includes(n.name));
      for (const network of gone) networks.remove(network.id);
      return json(200, { NetworksDeleted: gone.length > 0 ? gone.map(({ name }) => name) : null });
    },
    "POST /networks/{id}/connect": (call) => connect(daemon, call),
    "POST /networks/{id}/disconnect": (call) => disconnect(daemon, call),
    "DELETE /networks/{id}": (call) => {
      networks.remove(call.params.id ?? "");
      return empty(204);
    },
  };
}

export function volumeRoutes(daemon: Daemon): Routes {
  const { volumes, containers } = daemon;
  const unused = (name: string): boolean => containers.mounting(name).length === 0;
  return {
    "GET /volumes": (call) => {
      const filters = new Filters(call.query.get("filters"), ["dangling", "driver", "label", "name"]);
      const found = volumes
        .all()
        .filter(
          ({ name, driver, labels }) =>
            filters.any("name", (value) => name.includes(value)) &&
            filters.any("driver", (value) => value === driver) &&
            filters.any("dangling", (value) => flag(value) === unused(name)) &&
            filters.labels(labels),
        );
      return json(200, { Volumes: found.map(volumeForm), Warnings: null });
    },
    "POST /volumes/create": async (call) => {
      const posted = await readJson(call);
      return json(201, volumeForm(volumes.create(str(posted.Name) || daemon.random.hex(32), posted)));
    },
    "POST /volumes/prune": () => {
      const gone = volumes.all().filter(({ name }) => /^[0-9a-f]{64}$/.test(name) && unused(name));
      for (const { name } of gone) volumes.remove(name, []);
      daemon.events.emit("volume", "prune", "", { reclaimed: "0" });
      return json(200, { VolumesDeleted: gone.map(({ name }) => name), SpaceReclaimed: 0 });
    },
    "GET /volumes/{name}": (call) => json(200, volumeForm(volumes.get(call.params.name ?? ""))),
    "DELETE /volumes/{name}": (call) => {
      const name = call.params.name ?? "";
      if (flag(call.query.get("force")) && !volumes.has(name)) return empty(204);
      volumes.remove(name, containers.mounting(name));
      return empty(204);
    },
  };
}
