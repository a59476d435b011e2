/**
 * Where a create body carries placement expressions: `constraint:…` and its sisters in Env, JSON arrays in classic Swarm's
 * labels. Owns finding them; their grammar is expression.ts's.
 */
import { badRequest } from "../docker/errors.ts";
import { EXPRESSIONS_PER_REQUEST } from "../kit/limits.ts";
import { Fields } from "./body.ts";
import { type Expression, parseExpression, parseWhitelist } from "./expression.ts";
import type { ReschedulePolicy } from "./request.ts";

type Kind = "constraint" | "affinity" | "whitelist" | "reschedule";

/** Env prefix without its colon → classic Swarm's label. */
const LABELS: readonly (readonly [Kind, string])[] = [
  ["constraint", "com.docker.swarm.constraints"],
  ["affinity", "com.docker.swarm.affinities"],
  ["whitelist", "com.docker.swarm.whitelists"],
  ["reschedule", "com.docker.swarm.reschedule-policies"],
];

const POLICIES: ReadonlySet<string> = new Set<ReschedulePolicy>(["off", "never", "on-node-failure", "always"]);

export interface TakenFromEnv {
  /** The Env that is left for the container; undefined when nothing is taken and the body's may stay as it is. */
  readonly env: readonly unknown[] | undefined;
  /** The entries taken, as written. */
  readonly entries: readonly string[];
  /** Labels to set in their place (replacing those of the same name), so that the container's placement stays known. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface RequestExpressions {
  readonly constraints: readonly Expression[];
  readonly affinities: readonly Expression[];
  readonly whitelists: readonly Expression[];
  readonly reschedule: ReschedulePolicy | undefined;
}

/**
 * DockerError 400: an expression's own (expression.ts), `too many reschedule policies`, `invalid reschedule policy: x`,
 * a label of classic Swarm's that is not a JSON array of strings, or more than EXPRESSIONS_PER_REQUEST of a kind.
 */
export function readExpressions(body: unknown): RequestExpressions {
  const { texts } = collect(new Fields(body));
  return {
    constraints: texts.constraint.map(parseExpression),
    affinities: texts.affinity.map(parseExpression),
    whitelists: texts.whitelist.map(parseWhitelist),
    reschedule: policyOf(texts.reschedule),
  };
}

/** What to cut out of the container's Env, and the labels that keep it. Errors as readExpressions for labels. */
export function takenFromEnv(body: unknown): TakenFromEnv {
  const { texts, env, entries, changed } = collect(new Fields(body));
  const labels: Record<string, string> = {};
  for (const [kind, label] of LABELS) if (changed.has(kind)) labels[label] = JSON.stringify(texts[kind]);
  return { env: entries.length > 0 ? env : undefined, entries, labels };
}

function collect(config: Fields): {
  texts: Record<Kind, string[]>;
  env: unknown[];
  entries: string[];
  changed: Set<Kind>;
} {
  const texts: Record<Kind, string[]> = { constraint: [], affinity: [], whitelist: [], reschedule: [] };
  const env: unknown[] = [];
  const entries: string[] = [];
  const changed = new Set<Kind>();
  const labels = new Map(config.map("Labels"));
  for (const [kind, label] of LABELS) {
    for (const text of labelTexts(label, labels.get(label))) sort(texts, kind, text);
  }
  for (const entry of config.list("Env")) {
    const text = typeof entry === "string" ? entry : "";
    const kind = LABELS.find(([prefix]) => text.startsWith(`${prefix}:`))?.[0];
    if (kind === undefined) {
      env.push(entry);
      continue;
    }
    entries.push(text);
    changed.add(sort(texts, kind, text.slice(kind.length + 1)));
  }
  return { texts, env, entries, changed };
}

/** Files one expression under its kind, once; `constraint:reschedule==never` is a policy. Gives the kind. */
function sort(texts: Record<Kind, string[]>, kind: Kind, text: string): Kind {
  const policy = kind === "constraint" ? /^reschedule[=!]=(.*)$/i.exec(text) : null;
  if (policy !== null && text.charAt("reschedule".length) === "!") {
    throw badRequest(`invalid reschedule policy: !=${policy[1] ?? ""}`);
  }
  const filed = policy === null ? kind : "reschedule";
  const value = policy?.[1] ?? text;
  if (texts[filed].includes(value)) return filed;
  if (texts[filed].push(value) > EXPRESSIONS_PER_REQUEST) {
    throw badRequest(`more than ${EXPRESSIONS_PER_REQUEST} ${filed} expressions`);
  }
  return filed;
}

function labelTexts(label: string, value: unknown): readonly string[] {
  if (typeof value !== "string" || value === "") return [];
  let list: unknown;
  try {
    list = JSON.parse(value) ?? [];
  } catch {
    list = undefined;
  }
  if (Array.isArray(list) && list.every((item) => typeof item === "string")) return list;
  throw badRequest(`label ${label} is not a JSON array of strings`);
}

function policyOf(texts: readonly string[]): ReschedulePolicy | undefined {
  if (texts.length > 1) throw badRequest("too many reschedule policies");
  const [text] = texts;
  if (text === undefined || isPolicy(text)) return text;
  throw badRequest(`invalid reschedule policy: ${text}`);
}

const isPolicy = (text: string): text is ReschedulePolicy => POLICIES.has(text);
