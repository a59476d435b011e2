/** What podman's Docker-compatible service says otherwise than Docker Engine does. Must not know what is done about it. */
import { type Edit, splice } from "../docker/json-text.ts";

type Json = Readonly<Record<string, unknown>>;

/** By the answer to `/version`. */
export function isPodman({ Components: components }: Json): boolean {
  return Array.isArray(components) && components.some((component: Json | null) => component?.Name === "Podman Engine");
}

/**
 * podman makes up another ID for each answer, and its network `bridge` has one ID on every host (the hash of its name):
 * what stays, and is its own, is its host and where it stores. @param info its answer to `/info`
 */
export function podmanId({ Name: name, DockerRootDir: root }: Json): string {
  return `podman:${String(name ?? "")}:${String(root ?? "")}`;
}

/** An event as its JSON says it. */
export interface EventJson {
  readonly Type?: unknown;
  readonly Action?: unknown;
  readonly Actor?: { readonly ID?: unknown; readonly Attributes?: unknown } | null;
  readonly time?: unknown;
}

/** The text of an event in Docker's words; undefined when it is in them already. */
export function dockersEvent(
  text: string,
  { Type: type, Action: action, Actor: actor }: EventJson,
): string | undefined {
  const edits: Edit[] = [];
  if (action === "remove" && (type === "container" || type === "volume")) {
    edits.push({ path: ["status"], json: '"destroy"' }, { path: ["Action"], json: '"destroy"' });
  }
  if (type === "volume" && actor?.ID === "") {
    const { name } = (actor.Attributes ?? {}) as Json;
    if (typeof name === "string" && name !== "") edits.push({ path: ["Actor", "ID"], json: JSON.stringify(name) });
  }
  return edits.length === 0 ? undefined : splice(text, edits);
}
