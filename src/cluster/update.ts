/** `docker update`: new needs ask the ledger first, and are given back when the engine refuses. */
import { conflict, DockerError } from "../docker/errors.ts";
import { assertNoVariants, goGet, splice } from "../docker/json-text.ts";
import { CREATE_MS } from "../kit/limits.ts";
import type { Cluster } from "./cluster.ts";
import { nodeFailure } from "./exchange.ts";
import { reservationOf, settle } from "./holdings.ts";
import { decodeShaped, NOBODY, type Shape } from "./judge.ts";
import { isUpdating, remeasure, whileUpdating } from "./measure.ts";
import { engineShares } from "./needs.ts";
import { type ContainerRecord, holds, type Needs } from "./record.ts";
import { amendRecipe } from "./reschedule/recipes.ts";
import { NO_ROOM, whyNoRoom } from "./room.ts";
import { engineRef } from "./translate.ts";

/** A key that stands twice in another letter case would be read differently by the engine. */
const GUARDED_PATHS: readonly (readonly string[])[] = [
  ["CpuShares"],
  ["NanoCpus"],
  ["Memory"],
  ["MemoryReservation"],
  ["RestartPolicy", "Name"],
];

const BODY_SHAPE: Shape = [
  ["object"],
  ["int64", "CpuShares"],
  ["int64", "NanoCpus"],
  ["int64", "Memory"],
  ["int64", "MemoryReservation"],
  ["object", "RestartPolicy"],
];

/** @returns the engine's answer. Throws DockerError: 409 when the node has no room for the new needs. */
export async function updateContainer(
  cluster: Cluster,
  record: ContainerRecord,
  typed: string,
  text: string,
  version: string | undefined,
): Promise<string> {
  const body = await decodeShaped(cluster, text, BODY_SHAPE, {
    method: "POST",
    path: `/containers/${NOBODY}/update`,
    version,
  });
  assertNoVariants(text, GUARDED_PATHS);
  const { node } = record;
  const shares = goGet(body, "CpuShares");
  const wholeCpus =
    cluster.options.cpuShares === "cpus" && typeof shares === "number" && shares >= 1 && shares <= 8
      ? shares
      : undefined;
  const needs = updatedNeeds(record.needs, body, wholeCpus);
  const before = { needs: record.needs, cpuShares: record.cpuShares };
  if (holds(record)) {
    const why = whyNoRoom(cluster, reservationOf(cluster, record, needs));
    if (why !== undefined) throw conflict(`${NO_ROOM}\n${node.name}: ${why}`);
  }
  // Until the engine has answered either may be true: the greater of both is held.
  record.needs = atLeast(record.needs, needs);
  if (typeof shares === "number" && shares > 0) record.cpuShares = wholeCpus;
  settle(cluster, record);
  const engineText =
    wholeCpus === undefined
      ? text
      : splice(text, [
          {
            path: ["CpuShares"],
            json: String(engineShares(node, wholeCpus)),
          },
        ]);
  try {
    const path = `/containers/${encodeURIComponent(engineRef(record, typed))}/update`;
    const answer = await whileUpdating(record, async () => {
      await cluster.registry.own(record);
      return node.engine.text("POST", path, engineText, { deadlineMs: CREATE_MS, version });
    });
    decided(cluster, record, needs);
    await amendRecipe(cluster, record, text).catch((error: unknown) =>
      cluster.log.warn("a container would run elsewhere as it was before its update", {
        container: record.name,
        error: String(error),
      }),
    );
    cluster.refresher.mark(record, true);
    return answer;
  } catch (error) {
    // Without the engine's answer nobody knows which needs it took.
    const known = error instanceof DockerError;
    if (known) record.cpuShares = before.cpuShares;
    decided(cluster, record, known ? before.needs : undefined);
    throw nodeFailure(cluster, node, error);
  }
}

/** @param needs undefined when the engine has not answered: then, as while another update is under way, only it can tell */
function decided(cluster: Cluster, record: ContainerRecord, needs: Needs | undefined): void {
  if (needs === undefined || !record.needsKnown || isUpdating(record)) {
    remeasure(cluster, record);
    return;
  }
  record.needs = needs;
  settle(cluster, record);
  cluster.registry.remember(record);
}

function atLeast(a: Needs, b: Needs): Needs {
  return {
    ...b,
    nanoCpus: Math.max(a.nanoCpus, b.nanoCpus),
    memory: Math.max(a.memory, b.memory),
    whenExited: a.whenExited || b.whenExited,
  };
}

/** Zero or absent leaves a value as it is, as in dockerd. */
function updatedNeeds(needs: Needs, body: unknown, wholeCpus: number | undefined): Needs {
  const number = (key: string): number => {
    const value = goGet(body, key);
    return typeof value === "number" && value > 0 ? value : 0;
  };
  const policy = goGet(body, "RestartPolicy", "Name");
  return {
    ...needs,
    nanoCpus: number("NanoCpus") || (wholeCpus ?? 0) * 1e9 || needs.nanoCpus,
    memory: number("MemoryReservation") || number("Memory") || needs.memory,
    whenExited: typeof policy === "string" && policy !== "" ? policy === "always" : needs.whenExited,
  };
}
