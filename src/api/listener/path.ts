/**
 * The one reading of a request's target. What is matched, authorised, logged and forwarded is this canonical form.
 * Owns its rules; must not know routes.
 *
 * Rules: the path is percent-decoded exactly once, as UTF-8, which is also what dockerd's router matches, so `%2F` in a
 * name reads as `/` (`node%2Fname` is `node/name`). Nothing is ever resolved or collapsed: `.` and `..` segments,
 * empty segments, control bytes, backslashes and broken escapes are refused with 400. The version prefix and the first
 * segment must be written plainly, so that no escape decides which route a request takes.
 */
import { badRequest, pageNotFound } from "../../docker/errors.ts";

export interface Target {
  /** Decoded, without the version prefix; starts with `/`. */
  readonly path: string;
  /** `1.41` of `/v1.41/…`; undefined without a prefix. Only the shape is checked. */
  readonly version: string | undefined;
  readonly query: URLSearchParams;
  /** As received, without `?`; bytes beyond ASCII are escaped. */
  readonly rawQuery: string;
}

const PREFIX = /^\/v(\d{1,3}\.\d{1,3})(?=\/|$)/;
const BROKEN_ESCAPE = /%(?![0-9a-fA-F]{2}).{0,2}/;

/** Throws DockerError: 400 for what no client sends by accident, 404 for a trailing slash, as dockerd has no such page. */
export function parseTarget(target: string): Target {
  if (!target.startsWith("/")) throw badRequest("invalid request path: it must start with /");
  if (target.includes("#")) throw badRequest("invalid request path: it holds a fragment");
  // Node hands over raw bytes as latin1 text; Go accepts them, so they are read as the UTF-8 that they are.
  const ascii = target.replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16)}`);
  const mark = ascii.indexOf("?");
  const rawPath = mark < 0 ? ascii : ascii.slice(0, mark);
  const rawQuery = mark < 0 ? "" : ascii.slice(mark + 1);
  const prefix = PREFIX.exec(rawPath);
  return {
    path: canonicalPath(prefix === null ? rawPath : rawPath.slice(prefix[0].length)),
    version: prefix?.[1],
    query: parseQuery(rawQuery),
    rawQuery,
  };
}

function canonicalPath(raw: string): string {
  if (raw === "" || raw === "/") return "/";
  const noun = raw.slice(1).split("/", 1)[0] ?? "";
  if (noun.includes("%")) throw badRequest("invalid request path: its first part holds an escape");
  const path = decode(raw, "request path");
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) throw badRequest("invalid request path: it holds a control character");
    if (code === 0x5c) throw badRequest("invalid request path: it holds a backslash");
  }
  const segments = path.split("/");
  const last = segments.length - 1;
  for (let i = 1; i <= last; i++) {
    const segment = segments[i];
    if (segment === "." || segment === "..") throw badRequest(`invalid request path: it holds a "${segment}" segment`);
    if (segment === "" && i < last) throw badRequest("invalid request path: it holds an empty segment");
  }
  if (segments[last] === "") throw pageNotFound();
  return path;
}

/** Go's rules for a query: semicolons and broken escapes are errors, so that both sides read the same values. */
function parseQuery(raw: string): URLSearchParams {
  if (raw === "") return new URLSearchParams();
  if (raw.includes(";")) throw badRequest("invalid semicolon separator in query");
  if (raw.includes("%")) decode(raw, "query");
  return new URLSearchParams(raw);
}

function decode(raw: string, what: string): string {
  if (!raw.includes("%")) return raw;
  const broken = BROKEN_ESCAPE.exec(raw);
  if (broken !== null) throw badRequest(`invalid URL escape ${JSON.stringify(broken[0])}`);
  try {
    return decodeURIComponent(raw);
  } catch {
    throw badRequest(`invalid ${what}: it is not UTF-8`);
  }
}

/** The canonical path as it is written in a request line: what a reader other than `parseTarget` could misread is escaped. */
export function encodePath(path: string): string {
  return path.split("/").map(encodeSegment).join("/");
}

function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replaceAll("%3A", ":").replaceAll("%40", "@");
}
