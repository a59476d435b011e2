/**
 * Edits of a JSON text that leave every other byte as it was: bodies pass through, and what we do not know must survive,
 * integers beyond 2^53 included. Must not know any document's meaning.
 */

import { badRequest } from "./errors.ts";
import {
  foldKey,
  type Item,
  isMapField,
  itemsAt,
  itemsNamed,
  kindAt,
  type Span,
  skipSpace,
  skipValue,
} from "./json-scan.ts";

/** A value to set at a path, or, with `json` undefined, to remove from it. Numbers are indexes of array elements. */
export interface Edit {
  readonly path: readonly (string | number)[];
  readonly json: string | undefined;
}

/** `struct`: the outermost object's keys are field names (Go folds their case); `map`: they are a user's own. */
export type RootKind = "struct" | "map";

/** What is to become of one place: a new text, removal, or edits further in. */
interface Plan {
  readonly segment: string | number;
  action: "set" | "remove" | "within";
  json: string;
  readonly children: Map<string | number, Plan>;
  /** Whether the keys of the object at this place are a user's own. */
  readonly isMap: boolean;
}

interface Change extends Span {
  readonly text: string;
}

/**
 * Sets, adds or removes values; the outcome is that of the edits one after another. Missing or null parents are created
 * as objects; removing what is not there does nothing. Keys are matched as Go matches field names, except in maps such as
 * Labels; an edit reaches every spelling that is present, so that all readers agree. A new member goes behind the last.
 * Array indexes are those of the original text; the index behind the last element appends.
 *
 * @param text one JSON text that JSON.parse accepts
 * @throws DockerError 400 where a path leads through a string, number or bool, or through the wrong kind of container
 */
export function splice(text: string, edits: readonly Edit[], root: RootKind = "struct"): string {
  if (edits.length === 0) return text;
  const top: Plan = { segment: "", action: "within", json: "", children: new Map(), isMap: root === "map" };
  for (const { path, json } of edits) addEdit(top, path, json);
  const changes: Change[] = [];
  change(text, skipSpace(text, 0), top, [], changes);
  // An insertion at the place where a removal begins comes first.
  changes.sort((a, b) => a.start - b.start || a.end - b.end);
  let out = "";
  let copied = 0;
  for (const { start, end, text: replacement } of changes) {
    out += text.slice(copied, start) + replacement;
    copied = end;
  }
  return out + text.slice(copied);
}

function addEdit(plan: Plan, path: readonly (string | number)[], json: string | undefined): void {
  const [segment, ...rest] = path;
  if (segment === undefined) {
    plan.action = json === undefined ? "remove" : "set";
    plan.json = json ?? "";
    plan.children.clear();
    return;
  }
  if (plan.action === "set") {
    plan.json = splice(plan.json, [{ path, json }], plan.isMap ? "map" : "struct");
    return;
  }
  if (plan.action === "remove") {
    if (json === undefined) return;
    plan.action = "set";
    plan.json = splice("null", [{ path, json }], plan.isMap ? "map" : "struct");
    return;
  }
  const key = typeof segment === "number" || plan.isMap ? segment : foldKey(segment);
  let child = plan.children.get(key);
  if (child === undefined) {
    // A map's values are never maps of the user's own: `EndpointsConfig.labels` is a network called "labels".
    const isMap = typeof segment === "string" && !plan.isMap && isMapField(segment);
    child = { segment, action: "within", json: "", children: new Map(), isMap };
    plan.children.set(key, child);
  }
  addEdit(child, rest, json);
}

/** Notes the changes that turn the value at `at` into what `plan` wants. Removal is the parent's work. */
function change(text: string, at: number, plan: Plan, path: readonly (string | number)[], changes: Change[]): void {
  if (plan.action === "set") {
    changes.push({ start: at, end: skipValue(text, at), text: plan.json });
    return;
  }
  if (plan.action === "remove") throw badRequest("invalid JSON: the whole document cannot be removed");
  const kind = kindAt(text, at);
  if (kind === "null") {
    const built = build(plan);
    if (built !== undefined) changes.push({ start: at, end: at + 4, text: built });
    return;
  }
  const children = [...plan.children.values()];
  const wanted = children.every((child) => typeof child.segment === "number") ? "array" : "object";
  if (kind !== wanted)
    throw badRequest(`invalid JSON: cannot unmarshal ${kind} into ${path.join(".") || "the document"}`);
  changeItems(text, at, plan, path, changes);
}

function changeItems(
  text: string,
  at: number,
  plan: Plan,
  path: readonly (string | number)[],
  changes: Change[],
): void {
  const items = itemsAt(text, at);
  const removed = new Set<Item>();
  const added: string[] = [];
  for (const child of plan.children.values()) {
    const matches = itemsNamed(items, child.segment, plan.isMap);
    if (matches.length === 0) {
      const value = build(child);
      if (value === undefined) continue;
      if (typeof child.segment === "number") checkIndex(child.segment, items.length + added.length, path);
      added.push(typeof child.segment === "number" ? value : `${JSON.stringify(child.segment)}:${value}`);
    }
    for (const item of matches) {
      if (child.action === "remove") removed.add(item);
      else change(text, item.valueStart, child, [...path, child.segment], changes);
    }
  }
  const last = noteRemovals(items, removed, changes);
  if (added.length === 0) return;
  const start = last?.end ?? at + 1;
  changes.push({ start, end: start, text: `${last === undefined ? "" : ","}${added.join(",")}` });
}

/** Each removed item goes together with one comma. @returns the last item that stays */
function noteRemovals(items: readonly Item[], removed: ReadonlySet<Item>, changes: Change[]): Item | undefined {
  let last: Item | undefined;
  items.forEach((item, i) => {
    if (!removed.has(item)) {
      last = item;
      return;
    }
    const before = items[i - 1];
    const after = items[i + 1];
    if (last !== undefined && before !== undefined) changes.push({ start: before.end, end: item.end, text: "" });
    else changes.push({ start: item.start, end: after?.start ?? item.end, text: "" });
  });
  return last;
}

function checkIndex(index: number, next: number, path: readonly (string | number)[]): void {
  if (index !== next) throw badRequest(`invalid JSON: ${path.join(".")} has no element ${index}`);
}

/** The text of a value that was not there; undefined when the plan only removes. */
function build(plan: Plan): string | undefined {
  if (plan.action === "set") return plan.json;
  if (plan.action === "remove") return undefined;
  const members: string[] = [];
  let isArray = false;
  for (const child of plan.children.values()) {
    const value = build(child);
    if (value === undefined) continue;
    isArray = typeof child.segment === "number";
    if (typeof child.segment === "number") checkIndex(child.segment, members.length, [plan.segment]);
    members.push(isArray ? value : `${JSON.stringify(child.segment)}:${value}`);
  }
  if (members.length === 0) return undefined;
  return isArray ? `[${members.join(",")}]` : `{${members.join(",")}}`;
}
