/** Routes about plugins: installed by name, enabled or not; an engine's own words for what it does not have. */
import { conflict, notFound } from "../../../src/docker/errors.ts";
import { type Call, empty, json, readAll, readJson } from "../call.ts";
import type { Json } from "../json.ts";
import type { Routes } from "../router.ts";

const tagged = (name: string): string => (/:[^/]+$/.test(name) ? name : `${name}:latest`);

export function pluginRoutes(): Routes {
  const plugins = new Map<string, Json>();
  const get = (call: Call): Json => {
    const { name = "" } = call.params;
    const plugin = plugins.get(tagged(name));
    if (!plugin) throw notFound(`plugin "${name}" not found`);
    return plugin;
  };
  const add = (name: string, remote: string): void => {
    if (plugins.has(tagged(name))) throw conflict(`plugin "${tagged(name)}" already exists`);
    plugins.set(tagged(name), { Name: tagged(name), PluginReference: remote, Enabled: false, Settings: {} });
  };
  return {
    "GET /plugins": () => json(200, [...plugins.values()]),
    "GET /plugins/privileges": () => json(200, [{ Name: "network", Description: "", Value: ["host"] }]),
    "POST /plugins/pull": async (call) => {
      await readJson(call);
      const remote = call.query.get("remote") ?? "";
      add(call.query.get("name") || remote, remote);
      return json(200, { status: `Status: Downloaded newer image for ${remote}` });
    },
    "POST /plugins/create": async (call) => {
      await readAll(call.body);
      add(call.query.get("name") ?? "", "");
      return empty(204);
    },
    "GET /plugins/{name...}/json": (call) => json(200, get(call)),
    "POST /plugins/{name...}/enable": (call) => {
      get(call).Enabled = true;
      return empty(200);
    },
    "POST /plugins/{name...}/disable": (call) => {
      get(call).Enabled = false;
      return empty(200);
    },
    "POST /plugins/{name...}/set": async (call) => {
      get(call).Settings = await readAll(call.body).then(String);
      return empty(204);
    },
    "POST /plugins/{name...}/push": (call) => json(200, { status: `pushed ${get(call).Name}` }),
    "POST /plugins/{name...}/upgrade": (call) => {
      get(call).PluginReference = call.query.get("remote");
      return json(200, { status: "upgraded" });
    },
    "DELETE /plugins/{name...}": (call) => {
      plugins.delete(String(get(call).Name));
      return empty(200);
    },
  };
}
