/**
 * How containers were asked for that may run elsewhere: their create bodies in the store, under `recipes/<cluster ID>`,
 * read when one of them moves. Owns the form of these entries; the manager's memory holds none of them.
 */
import { decodeJson, fields, splice } from "../../docker/json-text.ts";
import { withDeadline } from "../../kit/deadline.ts";
import { STORE_CALL_MS, STORE_VALUE_BYTES } from "../../kit/store-limits.ts";
import { readRequest } from "../../scheduler/request.ts";
import type { Write } from "../../store/store.ts";
import type { Cluster } from "../cluster.ts";
import type { ContainerRecord, Recipe } from "../record.ts";
import { movesOf } from "./policy.ts";

export const RECIPES = "recipes/";

/** Without the client: the manager asks by itself, for each container as if it were another client. */
type StoredRecipe = Omit<Recipe, "client">;

/** Undefined when it is larger than the store takes. */
export function recipeWrite(id: string, { text, version, platform }: Recipe): Write | undefined {
  const value = JSON.stringify({ text, version, platform } satisfies StoredRecipe);
  return Buffer.byteLength(value) > STORE_VALUE_BYTES ? undefined : { key: RECIPES + id, value };
}

/** Undefined when the store has none, or not a readable one. Rejects when it cannot be read. */
export async function readRecipe(cluster: Cluster, id: string): Promise<Recipe | undefined> {
  const { store, clock } = cluster.options;
  const entry = await withDeadline(clock, STORE_CALL_MS, "reading the store", (signal) =>
    store.get(RECIPES + id, { signal }),
  );
  try {
    const stored = entry && (JSON.parse(entry.value) as Partial<StoredRecipe> | null);
    if (typeof stored?.text !== "string") return undefined;
    return { text: stored.text, version: stored.version, platform: stored.platform, client: `rescheduled ${id}` };
  } catch {
    return undefined;
  }
}

/**
 * What `docker update` changed is asked for when it runs elsewhere, too, and a restart policy may decide whether it does.
 * @param text the body of the update
 */
export async function amendRecipe(cluster: Cluster, record: ContainerRecord, text: string): Promise<void> {
  if (record.moves === undefined) return;
  const recipe = await readRecipe(cluster, record.id);
  if (!recipe) return;
  const edits = [...fields(text)].map(([key, { start, end }]) => ({
    path: ["HostConfig", key],
    json: text.slice(start, end),
  }));
  const amended = { ...recipe, text: splice(recipe.text, edits) };
  const write = recipeWrite(record.id, amended);
  if (!write || record.removed) return;
  const body = decodeJson(amended.text);
  const request = readRequest(body, record.name, amended, cluster.options);
  record.moves = movesOf(request, body, cluster.options.reschedule ?? "auto") ?? "never";
  cluster.writer.later([write]);
}
