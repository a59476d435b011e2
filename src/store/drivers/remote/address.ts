/**
 * From a store's URL and options to servers, path, credentials and TLS, the same for every store that other machines keep:
 * `scheme://[user:password@]host[:port],…/path`. Options have classic Swarm's names (`kv.cacertfile`) and more of their
 * kind. Must not open anything but the files that the options name; nothing that it throws or names tells a password.
 */
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { checkKey } from "../../bounds.ts";
import { StoreError } from "../../store.ts";

export interface Server {
  readonly host: string;
  readonly port: number;
}

export interface Tls {
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
}

export interface Address {
  /** At least one, in the order given. */
  readonly servers: readonly Server[];
  /** All keys are below it, as `path/key`; empty when the URL names none. */
  readonly path: string;
  /** Consul knows no users: its token is the password. */
  readonly user: string;
  /** Empty: none. */
  readonly password: string;
  readonly tls: Tls | undefined;
}

export type StoreOptions = Readonly<Record<string, string>>;

/** What an option is for; a password given openly is for callers that have it from the environment. */
export const STORE_OPTIONS: StoreOptions = {
  "kv.cacertfile": "CA that signed the servers' certificates",
  "kv.certfile": "certificate towards the servers",
  "kv.keyfile": "its key",
  "kv.tls": "true: use TLS with the machine's own CAs",
  "kv.user": "user",
  "kv.passwordfile": "file that holds the password (Consul: the token)",
  "kv.password": "the password itself",
};

const URL_FORM = /^([a-z]+):\/\/(?:([^/@]*)@)?([^/@]+)(?:\/([^?#]*))?$/i;
const SERVER_FORM = /^(?:\[([0-9a-f:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/i;

/** @throws StoreError, one sentence without the password */
export function readAddress(url: string, defaultPort: number, options: StoreOptions = {}): Address {
  const match = URL_FORM.exec(url);
  if (!match) throw new StoreError(`bad store "${publicUrl(url)}": expected scheme://host:port,host:port/path`);
  const [, , userinfo = "", hosts = "", rawPath = ""] = match;
  const path = rawPath.replace(/^\/+|\/+$/g, "");
  if (path !== "") checkKey(path);
  for (const name of Object.keys(options)) {
    const known = Object.keys(STORE_OPTIONS).join(", ");
    if (!Object.hasOwn(STORE_OPTIONS, name)) throw new StoreError(`unknown option ${name} of a store: use ${known}`);
  }
  const colon = userinfo.includes(":") ? userinfo.indexOf(":") : userinfo.length;
  return {
    servers: hosts.split(",").map((text) => readServer(text, defaultPort)),
    path,
    user: decoded(userinfo.slice(0, colon)) || (options["kv.user"] ?? ""),
    password: decoded(userinfo.slice(colon + 1)) || readPassword(options),
    tls: readTls(options),
  };
}

/** The URL as it may be shown. */
export function publicUrl(url: string): string {
  return url.replace(/^([^/]*\/\/)[^/]*@/, "$1…@");
}

/** `host:port`, an IPv6 address in brackets. */
export function serverName({ host, port }: Server): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function readServer(text: string, defaultPort: number): Server {
  const [, six, host = six, port = String(defaultPort)] = SERVER_FORM.exec(text) ?? [];
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535)
    throw new StoreError(`bad server of a store: ${JSON.stringify(text)}: expected host:port`);
  return { host, port: Number(port) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new StoreError("the user and password in a store's URL are percent-encoded: % is written %25");
  }
}

function readPassword(options: StoreOptions): string {
  const file = options["kv.passwordfile"];
  if (file === undefined) return options["kv.password"] ?? "";
  return readOption("kv.passwordfile", file)
    .toString("utf8")
    .replace(/\r?\n$/, "");
}

function readTls(options: StoreOptions): Tls | undefined {
  const read = (name: string): Buffer | undefined => {
    const file = options[name];
    return file === undefined ? undefined : readOption(name, file);
  };
  const [ca, cert, key] = ["kv.cacertfile", "kv.certfile", "kv.keyfile"].map(read);
  if ((cert === undefined) !== (key === undefined))
    throw new StoreError("kv.certfile and kv.keyfile of a store are given together or not at all");
  if (ca === undefined && cert === undefined && options["kv.tls"] !== "true") return undefined;
  try {
    createSecureContext({ ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) });
  } catch (error) {
    throw new StoreError(`the TLS files of the store cannot be used: ${(error as Error).message}`);
  }
  return { ca, cert, key };
}

function readOption(name: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new StoreError(`cannot read ${name} ${file}: ${(error as Error).message}`);
  }
}
