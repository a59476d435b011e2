/**
 * The group of an object, read from its labels: what belongs together, how it is placed, what is reserved for it. Pure;
 * must not know which groups there are.
 */
import { badRequest } from "../docker/errors.ts";
import { GROUP_VALUE_CHARS } from "../kit/limits.ts";
import type { NodeSums } from "./ledger.ts";

/** The label that names a group by itself; it comes first. */
export const GROUP_LABEL = "shoal.group";
export const POLICY_LABEL = "shoal.group.policy";
export const RESERVE_LABEL = "shoal.reserve";

/** Labels by which clients say what belongs together, the first that an object has counts; those of `--group-label` follow. */
export const GROUP_LABELS: readonly string[] = [
  GROUP_LABEL,
  "com.docker.compose.project",
  "org.testcontainers.sessionId",
  "org.testcontainers.session-id",
  "com.gitlab.gitlab-runner.job.id",
];

/**
 * `pack`: all on the group's home; `pack-then-spill`: there while it has room; `spread`: as if there was no group (local
 * networks and volumes still hold together what uses them).
 */
export const GROUP_POLICIES = ["pack", "pack-then-spill", "spread"] as const;
export type GroupPolicy = (typeof GROUP_POLICIES)[number];

export interface GroupOptions {
  /** Further labels that name a group. */
  readonly labels: readonly string[];
  /** Of groups that say nothing themselves. */
  readonly policy: GroupPolicy;
}

export const DEFAULT_GROUPS: GroupOptions = { labels: [], policy: "pack" };

/** What one object's labels say of its group. */
export interface GroupAsk {
  /** `label=value`. */
  readonly key: string;
  readonly policy: GroupPolicy | undefined;
  /** Held for the whole group at its home, members included. */
  readonly reserve: NodeSums | undefined;
}

type Labels = Readonly<Record<string, string>>;

/** Undefined when no label names a group; an empty value names none. */
export function groupKey(labels: Labels, options: GroupOptions): string | undefined {
  const [found] = Object.entries(groupLabel(labels, options) ?? {});
  return found && `${found[0]}=${found[1]}`;
}

/** That label alone; undefined when no label names a group. */
export function groupLabel(labels: Labels, { labels: more }: GroupOptions): Labels | undefined {
  for (const label of GROUP_LABELS) if (labels[label]) return { [label]: labels[label] };
  for (const label of more) if (labels[label]) return { [label]: labels[label] };
  return undefined;
}

/** Undefined when no label names a group. DockerError 400 for a policy or reserve that cannot be read. */
export function readGroup(labels: Labels, options: GroupOptions): GroupAsk | undefined {
  const policy = labels[POLICY_LABEL];
  const reserve = labels[RESERVE_LABEL];
  const ask = {
    policy: policy === undefined ? undefined : readPolicy(policy),
    reserve: reserve === undefined ? undefined : readReserve(reserve),
  };
  const key = groupKey(labels, options);
  if (key === undefined) {
    if (ask.reserve === undefined) return undefined;
    throw badRequest(`label ${RESERVE_LABEL} reserves for a group, and nothing names one: add label ${GROUP_LABEL}`);
  }
  const value = key.length - key.indexOf("=") - 1;
  if (value > GROUP_VALUE_CHARS) {
    const label = key.slice(0, key.indexOf("="));
    throw badRequest(`label ${label} names a group with ${value} characters, the most is ${GROUP_VALUE_CHARS}`);
  }
  if (ask.reserve !== undefined && ask.policy === "spread") {
    throw badRequest(`label ${RESERVE_LABEL} reserves at a group's home, and a group that is spread has none`);
  }
  return { key, ...ask };
}

function readPolicy(text: string): GroupPolicy {
  const policy = GROUP_POLICIES.find((one) => one === text);
  if (policy !== undefined) return policy;
  throw badRequest(`invalid label ${POLICY_LABEL}=${text}: use ${GROUP_POLICIES.join(", ")}`);
}

const CPUS = /^(\d{1,6})(?:\.(\d{1,9}))?$/;
const SIZE = /^(\d{1,6})(?:\.(\d{1,6}))?([bkmgt]?)i?b?$/i;
const SHIFTS: Readonly<Record<string, number>> = { "": 0, b: 0, k: 10, m: 20, g: 30, t: 40 };

/** `cpu=4,mem=8g`, either or both. */
function readReserve(text: string): NodeSums {
  const found = new Map<string, number>();
  for (const part of text.split(",")) {
    const [name = "", value = "", ...rest] = part.split("=").map((piece) => piece.trim());
    const amount = name === "cpu" ? readCpus(value) : name === "mem" ? readSize(value) : undefined;
    if (!amount || rest.length > 0 || found.has(name)) {
      throw badRequest(`invalid label ${RESERVE_LABEL}=${text}: use cpu=N, mem=SIZE or both, such as cpu=4,mem=8g`);
    }
    found.set(name, amount);
  }
  return { nanoCpus: found.get("cpu") ?? 0, memory: found.get("mem") ?? 0 };
}

function readCpus(text: string): number | undefined {
  const [, whole, decimals = ""] = CPUS.exec(text) ?? [];
  return whole === undefined ? undefined : Number(whole) * 1e9 + Number(decimals.padEnd(9, "0"));
}

/** Powers of 1024, as `docker run -m`. */
function readSize(text: string): number | undefined {
  const [, whole, decimals = "0", unit = ""] = SIZE.exec(text) ?? [];
  if (whole === undefined) return undefined;
  return Math.floor(Number(`${whole}.${decimals}`) * 2 ** (SHIFTS[unit.toLowerCase()] ?? 0));
}
