/**
 * An audit log held against what engines said of themselves: every event must follow from a line, every successful line
 * must have its event. Knows which call brings which events, and nothing of how the log came about.
 */
import type { AuditLine } from "../../../src/api/audit-line.ts";
import type { LoggedEvent } from "./event-log.ts";

const START = /^POST \/containers\/[^/]+\/start$/;
const COMMIT = /^POST \/commit$/;
const STOPS = [/^POST \/containers\/[^/]+\/(stop|kill|restart)$/, /^DELETE \/containers\//];
const UNTAG = /^DELETE \/images\//;
const TAG = /^POST \/images\/.*\/tag$/;
const PULL = /^POST \/images\/create$/;

/** Events that a successful call brings exactly once, by the call. */
const EXACT: readonly (readonly [RegExp, string])[] = [
  [/^POST \/containers\/create$/, "container create"],
  [START, "container start"],
  [/^POST \/containers\/[^/]+\/restart$/, "container start"],
  [/^POST \/containers\/[^/]+\/restart$/, "container restart"],
  [/^POST \/containers\/[^/]+\/pause$/, "container pause"],
  [/^POST \/containers\/[^/]+\/unpause$/, "container unpause"],
  [/^POST \/containers\/[^/]+\/rename$/, "container rename"],
  [/^POST \/containers\/[^/]+\/update$/, "container update"],
  [/^POST \/containers\/[^/]+\/exec$/, "container exec_create"],
  [/^POST \/exec\/[^/]+\/start$/, "container exec_start"],
  [/^PUT \/containers\/[^/]+\/archive$/, "container extract-to-dir"],
  [/^POST \/containers\/[^/]+\/attach$/, "container attach"],
  [COMMIT, "container commit"],
  [/^DELETE \/containers\/[^/]+$/, "container destroy"],
];

/** Events that follow from any of several calls, once or more. */
const LOOSE: Readonly<Record<string, readonly RegExp[]>> = {
  "container stop": STOPS,
  "container kill": STOPS,
  "container die": [START, ...STOPS],
  "image tag": [TAG, COMMIT],
  "image untag": [UNTAG],
  "image delete": [UNTAG],
  "image create": [COMMIT, PULL],
  "image pull": [PULL],
};

/** Calls that bring such an event at least once. */
const CERTAIN: readonly (readonly [RegExp, string])[] = [
  [/^POST \/containers\/[^/]+\/stop$/, "container stop"],
  [/^POST \/containers\/[^/]+\/kill$/, "container kill"],
  [TAG, "image tag"],
  [UNTAG, "image untag"],
  [PULL, "image pull"],
];

const PAUSES = ["container pause", "container unpause"];

/** Told of what happens to a container by itself, or of readings. */
const BY_ITSELF =
  /^container (exec_die|exec_detach|detach|resize|exec_resize|top|export|archive-path|copy|oom|health_status)$/;

interface Done {
  readonly node: string;
  readonly call: string;
  /** The engine's ID of the container; "" for images. */
  readonly id: string;
}

/** Everything that does not agree, in words; empty when log and engines tell the same story. */
export function disagreements(lines: readonly AuditLine[], events: readonly LoggedEvent[]): string[] {
  const engineIds = idsOf(lines, events);
  const known = new Set(engineIds.values());
  const done = lines.flatMap((line) => callsOf(line, engineIds, known));
  return [...exact(done, events), ...loose(done, events)];
}

/** Cluster ID → engine ID, by the name that each container was created with. */
function idsOf(lines: readonly AuditLine[], events: readonly LoggedEvent[]): ReadonlyMap<string, string> {
  const made = new Map(
    events.flatMap(({ type, action, node, name, id }) =>
      type === "container" && action === "create" ? [[`${node} ${name}`, id] as const] : [],
    ),
  );
  return new Map(
    lines.flatMap(({ action, object }) => {
      const id = action === "container.create" && object?.id ? made.get(`${object.node} ${object.name}`) : undefined;
      return id === undefined ? [] : [[object?.id ?? "", id] as const];
    }),
  );
}

/** The calls of a line that succeeded and changed something; a stream's only once. */
function callsOf(
  { stage, engines, object, error }: AuditLine,
  engineIds: ReadonlyMap<string, string>,
  known: ReadonlySet<string>,
): Done[] {
  if (stage === "begun") return [];
  return engines.flatMap(({ node, call, status }) => {
    if (status === null || status === 304 || status >= 400) return [];
    if (call === "POST /images/create" && error !== undefined) return [];
    const named = /^\w+ \/containers\/([0-9a-f]{64})\b/.exec(call)?.[1] ?? "";
    const id = known.has(named) ? named : (engineIds.get(object?.id ?? "") ?? "");
    return [{ node, call, id: /images/.test(call) ? "" : id }];
  });
}

interface Count {
  /** Calls that bring one. */
  lines: number;
  /** Calls that may bring one. */
  perhaps: number;
  events: number;
}

function exact(done: readonly Done[], events: readonly LoggedEvent[]): string[] {
  const counts = new Map<string, Count>();
  const count = (key: string): Count => {
    const found = counts.get(key) ?? { lines: 0, perhaps: 0, events: 0 };
    counts.set(key, found);
    return found;
  };
  for (const { node, call, id } of done) {
    for (const [pattern, event] of EXACT) if (pattern.test(call)) count(`${node} ${id} ${event}`).lines++;
    // It pauses what runs.
    if (COMMIT.test(call)) for (const event of PAUSES) count(`${node} ${id} ${event}`).perhaps++;
  }
  const known = new Set(EXACT.map(([, event]) => event));
  for (const { node, type, action, id } of events) {
    if (known.has(`${type} ${action}`)) count(`${node} ${id} ${type} ${action}`).events++;
  }
  return [...counts].flatMap(([key, { lines, perhaps, events: told }]) =>
    lines <= told && told <= lines + perhaps ? [] : [`${key}: ${lines} in the log, ${told} on the engine`],
  );
}

function loose(done: readonly Done[], events: readonly LoggedEvent[]): string[] {
  const wrong: string[] = [];
  const known = new Set(EXACT.map(([, event]) => event));
  // An hour has tens of thousands of both, so that each is looked at once.
  const causes = new Map<string, Set<RegExp>>();
  const patterns = new Set(Object.values(LOOSE).flat());
  for (const { node, id, call } of done) {
    const kinds = [...patterns].filter((pattern) => pattern.test(call));
    for (const key of [node, `${node} ${id}`]) {
      const known = causes.get(key) ?? new Set();
      causes.set(key, known);
      for (const kind of kinds) known.add(kind);
    }
  }
  for (const { node, type, action, id, name } of events) {
    const event = `${type} ${action}`;
    if (known.has(event) || BY_ITSELF.test(event) || !["container", "image"].includes(type)) continue;
    const made = causes.get(type === "image" ? node : `${node} ${id}`);
    if (!LOOSE[event]?.some((cause) => made?.has(cause))) {
      wrong.push(`${node} ${event} ${id} (${name}): on the engine, not in the log`);
    }
  }
  const told = new Set(
    events.flatMap(({ node, type, action, id }) => ["", id].map((one) => `${node} ${type} ${action} ${one}`)),
  );
  for (const [cause, event] of CERTAIN) {
    for (const { node, call, id } of done) {
      if (cause.test(call) && !told.has(`${node} ${event} ${id}`)) {
        wrong.push(`${node} ${call} ${id}: in the log, no ${event} on the engine`);
      }
    }
  }
  return wrong;
}
