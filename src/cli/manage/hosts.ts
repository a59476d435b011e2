/** Addresses that the manager listens on: defaults and their spelling. Must not open them. */
import { join } from "node:path";
import { CliError } from "../fail.ts";
import type { Env } from "../io.ts";

const DEFAULT_TCP = "tcp://127.0.0.1:2375";

/** Path of the socket that a manager of this user makes; undefined without a private place for one. */
export function defaultSocket(env: Env, uid = process.getuid?.()): string | undefined {
  if (uid === 0) return "/var/run/shoal.sock";
  return env.XDG_RUNTIME_DIR ? join(env.XDG_RUNTIME_DIR, "shoal.sock") : undefined;
}

/** Where a manager listens without -H. */
export function defaultHosts(env: Env, uid?: number): string[] {
  const socket = defaultSocket(env, uid);
  return socket === undefined ? [DEFAULT_TCP] : [`unix://${socket}`, DEFAULT_TCP];
}

/** `tcp://host:port`, `unix:///path`, or a bare `host:port`, which is tcp; `:2375` is every address. Throws CliError. */
export function listenAddress(text: string): string {
  const unix = /^unix:\/\/(\/.+)$/.exec(text);
  if (unix) return text;
  const scheme = /^([a-z]+):\/\//.exec(text)?.[1];
  if (scheme !== undefined && scheme !== "tcp") {
    throw new CliError(`invalid --host ${text}: only tcp://host:port and unix:///path are supported`);
  }
  const tcp = /^(?:tcp:\/\/)?(\[[0-9a-fA-F:.%]+\]|[^\s:/[\]]*):(\d{1,5})$/.exec(text);
  if (!tcp || Number(tcp[2]) > 65_535) {
    throw new CliError(`invalid --host ${text}: expected tcp://host:port or unix:///path`);
  }
  return `tcp://${tcp[1] || "0.0.0.0"}:${tcp[2]}`;
}
