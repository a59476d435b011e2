/**
 * Who may speak to the listener at all: keeps pages in a browser away from an API that is root on every node.
 * Owns the Origin, Host and CORS rules; must not know routes or users.
 *
 * A page can make its browser send requests here; then the browser adds `Origin` (or `Sec-Fetch-Site`). By DNS rebinding
 * the page can have an origin that leads here; then `Host` names a domain that is not ours. Neither is ever sent by a
 * Docker client with a name of ours. With TLS the Host rule is not needed: a rebound name does not match the certificate.
 */

import { isIP } from "node:net";
import { hostname } from "node:os";
import { badRequest, DockerError } from "../../docker/errors.ts";
import type { Host } from "./host.ts";
import type { ApiRequest } from "./request.ts";

export interface AccessOptions {
  readonly hosts: readonly Host[];
  /** Further names by which clients reach this manager. */
  readonly allow?: readonly string[];
  /** Every origin and every Host is welcome, as with classic Swarm's `--api-enable-cors`. */
  readonly cors?: boolean;
  /** The machine's own names; default: its host name. */
  readonly machineNames?: readonly string[];
  /** What listens here, for the refusal's text; default: `manager`. */
  readonly what?: string;
  /** What the operator does to let a further host name in, for the refusal's text. */
  readonly allowHint?: string;
}

export interface Access {
  readonly cors: boolean;
  /** Added to every answer. */
  readonly headers: readonly string[];
  /** Why this request is refused. */
  refusal(request: Pick<ApiRequest, "headers" | "rawHeaders" | "remote">): DockerError | undefined;
}

const CORS_HEADERS = [
  "Access-Control-Allow-Origin",
  "*",
  "Access-Control-Allow-Headers",
  "Origin, X-Requested-With, Content-Type, Accept",
  "Access-Control-Allow-Methods",
  "GET, POST, DELETE, PUT, OPTIONS, HEAD",
];

export function createAccess(options: AccessOptions): Access {
  const cors = options.cors === true;
  const names = ownNames(options);
  const { what = "manager", allowHint: hint = "--allow-host" } = options;
  return {
    cors,
    headers: cors ? CORS_HEADERS : [],
    refusal(request) {
      if (countHeader(request.rawHeaders, "host") > 1) return badRequest("too many Host headers");
      if (cors) return undefined;
      const host = one(request.headers.host) ?? "";
      if (request.remote.transport === "tcp" && host !== "" && !isOwn(hostOf(host), names)) {
        return new DockerError(
          403,
          `refused: ${JSON.stringify(hostOf(host))} is not a name of this ${what} (a protection against web pages); if it is one, start the ${what} with ${hint} ${hostOf(host)}`,
        );
      }
      return refuseBrowser(request, host);
    },
  };
}

/** A page that this very listener served is welcome; its Host has passed by now. */
function refuseBrowser(request: Pick<ApiRequest, "headers">, host: string): DockerError | undefined {
  const origin = one(request.headers.origin);
  const site = one(request.headers["sec-fetch-site"]);
  const sameOrigin = origin !== undefined && host !== "" && origin.replace(/^https?:\/\//, "") === host.toLowerCase();
  if ((origin === undefined || sameOrigin) && site !== "cross-site" && site !== "same-site") return undefined;
  return new DockerError(
    403,
    `refused: the request comes from a web page (${origin === undefined ? `Sec-Fetch-Site: ${site}` : `Origin: ${origin}`}); --api-enable-cors allows that`,
  );
}

function ownNames(options: AccessOptions): ReadonlySet<string> {
  const names = new Set<string>(["localhost"]);
  for (const name of options.machineNames ?? [hostname()]) {
    const whole = hostOf(name);
    for (const own of [whole, whole.split(".", 1)[0] ?? ""]) if (own !== "") names.add(own);
  }
  for (const name of options.allow ?? []) names.add(hostOf(name));
  for (const host of options.hosts) if (host.kind === "tcp" && host.host !== "") names.add(host.host.toLowerCase());
  return names;
}

function isOwn(name: string, names: ReadonlySet<string>): boolean {
  return names.has(name) || isIP(name) !== 0 || name.endsWith(".localhost");
}

/** The name in a Host header: lower case, without port, brackets and the root's dot. */
function hostOf(header: string): string {
  const text = header.trim().toLowerCase();
  const v6 = /^\[([^\]]*)\](?::\d*)?$/.exec(text);
  if (v6 !== null) return v6[1] ?? "";
  return (isIP(text) === 6 ? text : text.replace(/:\d*$/, "")).replace(/\.$/, "");
}

function countHeader(rawHeaders: readonly string[], name: string): number {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) if (rawHeaders[i]?.toLowerCase() === name) count++;
  return count;
}

function one(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === "string" ? value : value?.[0];
}
