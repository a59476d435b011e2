/**
 * The lines of the audit log: who did what to which object on which nodes, and what came of it. Owns what may stand in
 * one: names, IDs, statuses and listed parameters; never a body, a header, or words that quote one.
 */
import { AUDIT_FIELD_CHARS } from "../kit/limits.ts";
import type { Remote } from "./listener/request.ts";

/** `done`: all of it; `begun` and `ended`: before and after a stream. */
export type Stage = "done" | "begun" | "ended";

/** A client, or the manager itself. */
export interface Who {
  readonly via: Remote["transport"] | "shoal";
  readonly address?: string;
  /** The subject of the verified client certificate, such as `{CN: "alice"}`. */
  readonly certificate?: Readonly<Record<string, string | readonly string[]>>;
}

/** One call to one engine. */
export interface EngineCall {
  readonly node: string;
  /** Method and path as that engine knows it, without query. */
  readonly call: string;
  /** null: no answer came. */
  status: number | null;
}

export interface AuditedObject {
  /** As the client wrote it in the path. */
  readonly typed?: string | undefined;
  /** Its cluster ID and name, and its node. */
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly node?: string | undefined;
}

export interface AuditLine {
  /** When it began: RFC 3339, UTC. */
  readonly time: string;
  /** Of the request; of shoal's own work: of the request that caused it, if one did. */
  readonly request?: string | undefined;
  readonly who: Who;
  readonly action: string;
  readonly stage: Stage;
  readonly method: string;
  readonly route: string;
  readonly object?: AuditedObject;
  readonly options?: Readonly<Record<string, string>>;
  readonly engines: readonly EngineCall[];
  readonly status: number | null;
  /** Without what it quotes. */
  readonly error?: string | undefined;
  /** Milliseconds from `time` to this line. */
  readonly ms: number;
}

export function formatLine(line: AuditLine): string {
  return `${JSON.stringify(line)}\n`;
}

export function whoIs({ transport, address, certificate }: Remote): Who {
  return { via: transport, ...(address !== "" && { address }), ...(certificate && { certificate }) };
}

/** The parameters that a route lists, as the client gave them. */
export function optionsOf(query: URLSearchParams, names: readonly string[] = []): Record<string, string> | undefined {
  const given = names.flatMap((name) => {
    const value = query.get(name);
    return value === null ? [] : [[name, cut(value)] as const];
  });
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

export function cut(text: string, chars = AUDIT_FIELD_CHARS): string {
  return text.length <= chars ? text : `${text.slice(0, chars)}…`;
}

/**
 * What an error is about, without what it quotes: engines repeat parts of commands, environments and paths, in quotes or
 * after a colon. So the first line, what is quoted left out, and of what colons divide the first part only, or the first
 * two where the first is a single word (`node-1: …`, `conflict: …`).
 */
export function withoutQuotes(message: string): string {
  const [line = ""] = message.split("\n", 1);
  const plain = line.replace(/"[^"]*"?|`[^`]*`?|(?<!\w)'[^']*'?/g, "…");
  const [first = "", second] = plain.split(/:\s+/, 2);
  const words = /\s/.test(first) || second === undefined ? first : `${first}: ${second}`;
  return cut(words.replace(/[:\s]+$/, ""));
}
