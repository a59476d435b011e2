/** `docker inspect` of a container that is on no node: what it was asked for, and why it waits. */
import { decodeJson } from "../../docker/json-text.ts";
import type { Cluster } from "../cluster.ts";
import type { ContainerRecord } from "../record.ts";
import { readRecipe } from "./recipes.ts";

const NEVER = "0001-01-01T00:00:00Z";

/** Rejects when the store cannot be read. */
export async function inspectPending(cluster: Cluster, record: ContainerRecord): Promise<object> {
  const { id, name, created, image, imageId, labels } = record;
  const recipe = await readRecipe(cluster, id);
  const asked = (recipe ? decodeJson(recipe.text) : {}) as Readonly<Record<string, unknown>>;
  const { HostConfig = {}, NetworkingConfig: _networking, ...config } = asked;
  return {
    Id: id,
    Created: new Date(created * 1000).toISOString(),
    Path: "",
    Args: [],
    State: {
      Status: "pending",
      Running: false,
      Paused: false,
      Restarting: false,
      OOMKilled: false,
      Dead: false,
      Pid: 0,
      ExitCode: 0,
      Error: cluster.rescheduler.reasonOf(record) ?? "",
      StartedAt: NEVER,
      FinishedAt: NEVER,
    },
    Image: imageId,
    Name: `/${name}`,
    RestartCount: 0,
    Mounts: [],
    Config: { Labels: labels, Image: image, ...config },
    HostConfig,
    NetworkSettings: { Ports: {}, Networks: {} },
  };
}
