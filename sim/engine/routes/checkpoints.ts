/** Routes about checkpoints: names that a container has, in the words of an experimental engine. */
import { DockerError } from "../../../src/docker/errors.ts";
import { type Call, empty, json, readJson } from "../call.ts";
import { isRunning, type SimContainer } from "../container.ts";
import type { Daemon } from "../daemon.ts";
import { bool, str } from "../json.ts";
import type { Routes } from "../router.ts";

export function checkpointRoutes(daemon: Daemon): Routes {
  const checkpoints = new WeakMap<SimContainer, Set<string>>();
  const of = (call: Call): { container: SimContainer; names: Set<string> } => {
    const container = daemon.containers.get(call.params.name ?? "");
    const names = checkpoints.get(container) ?? new Set<string>();
    checkpoints.set(container, names);
    return { container, names };
  };
  return {
    "GET /containers/{name}/checkpoints": (call) => {
      const { names } = of(call);
      return json(200, names.size === 0 ? null : [...names].map((Name) => ({ Name })));
    },
    "POST /containers/{name}/checkpoints": async (call) => {
      const { container, names } = of(call);
      const posted = await readJson(call);
      if (!isRunning(container)) throw new DockerError(500, `Container ${call.params.name} not running`);
      names.add(str(posted.CheckpointID));
      if (bool(posted.Exit)) daemon.lifecycle.kill(container, "SIGKILL");
      return empty(201);
    },
    "DELETE /containers/{name}/checkpoints/{checkpoint}": (call) => {
      const { checkpoint = "", name } = call.params;
      if (!of(call).names.delete(checkpoint)) {
        throw new DockerError(500, `checkpoint ${checkpoint} does not exist for container ${name}`);
      }
      return empty(204);
    },
  };
}
