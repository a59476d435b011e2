/** Where a manager keeps its store when nobody says. Must not open it. */
import { homedir } from "node:os";
import { join } from "node:path";
import type { Env } from "../io.ts";

export function defaultStore(env: Env, uid = process.getuid?.()): string {
  if (uid === 0) return "file:///var/lib/shoal/store";
  const state = env.XDG_STATE_HOME || join(env.HOME || homedir(), ".local/state");
  return `file://${join(state, "shoal/store")}`;
}
