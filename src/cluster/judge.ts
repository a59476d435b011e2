/**
 * Bodies that are not what we must read in them: an engine refuses them, in its own words. It is asked with a name that
 * nothing can have, so that nothing is done whatever it thinks of the rest. Owns that question and our own words for when
 * no engine answers; must not know what a body is for.
 */
import { badRequest, DockerError } from "../docker/errors.ts";
import { decodeJson, goGet, rawAt } from "../docker/json-text.ts";
import { ENGINE_CALL_MS } from "../kit/limits.ts";
import type { Cluster } from "./cluster.ts";

/** Names begin with a letter or a digit, IDs have nothing else. */
export const NOBODY = "-";

export type GoType = "object" | "array" | "int64";

/** Where a body holds what; null and absent are always right. */
export type Shape = readonly (readonly [type: GoType, ...path: string[]])[];

/** The question that shows a body to an engine; its path names NOBODY. */
export interface Question {
  readonly method: string;
  readonly path: string;
  readonly version: string | undefined;
}

/** The value of a JSON body. Throws DockerError, the engine's where one answers, when it is no JSON or not of this shape. */
export async function decodeShaped(cluster: Cluster, text: string, shape: Shape, question: Question): Promise<unknown> {
  try {
    return readShaped(text, shape);
  } catch (error) {
    await judge(cluster, question, text);
    throw error;
  }
}

/** The same in our own words: for what an engine might do instead of refusing it. */
export function readShaped(text: string, shape: Shape): unknown {
  const body = decodeJson(text);
  for (const [type, ...path] of shape) checkType(text, body, type, path);
  return body;
}

/** Throws the DockerError with which an engine refuses the request; returns when it finds no fault but NOBODY, or none answers. */
export async function judge(cluster: Cluster, { method, path, version }: Question, text?: string): Promise<void> {
  const [node] = cluster.reachable();
  if (!node) return;
  try {
    await node.engine.text(method, path, text, { deadlineMs: ENGINE_CALL_MS, version });
  } catch (error) {
    if (!(error instanceof DockerError) || error.status === 404 || error.message.includes(`(${NOBODY})`)) return;
    throw error;
  }
}

function checkType(text: string, body: unknown, type: GoType, path: string[]): void {
  const value = goGet(body, ...path);
  if (value === undefined || value === null) return;
  const found = Array.isArray(value) ? "array" : typeof value;
  if (type !== "int64" ? found === type : found === "number" && isInt64(text, value, path)) return;
  const told = found === "number" ? `number ${rawAt(text, path) ?? ""}` : found;
  throw badRequest(
    `invalid JSON: json: cannot unmarshal ${told} into ${path.join(".") || "a request"} of type ${type}`,
  );
}

/** JSON.parse has rounded what is larger than a double holds exactly. */
function isInt64(text: string, value: unknown, path: string[]): boolean {
  if (Number.isSafeInteger(value)) return true;
  const raw = rawAt(text, path) ?? "";
  return /^-?\d+$/.test(raw) && BigInt.asIntN(64, BigInt(raw)) === BigInt(raw);
}
