/** `--store-opt` as commands take it, and the environment. Must not open a store, nor show what it reads. */
import { STORE_OPTIONS, type StoreOptions } from "../store/drivers/remote/address.ts";
import { CliError } from "./fail.ts";
import type { Env } from "./io.ts";

/** For `--help`. */
export const STORE_OPT_HELP =
  "kv.cacertfile, kv.certfile, kv.keyfile, kv.tls=true, kv.user, kv.passwordfile (repeat; env SHOAL_STORE_USER, SHOAL_STORE_PASSWORD)";

/** Throws CliError. */
export function storeOptionsOf(texts: readonly string[] = [], env: Env = {}): StoreOptions {
  const options: Record<string, string> = {};
  if (env.SHOAL_STORE_USER) options["kv.user"] = env.SHOAL_STORE_USER;
  if (env.SHOAL_STORE_PASSWORD) options["kv.password"] = env.SHOAL_STORE_PASSWORD;
  for (const text of texts) {
    const at = text.indexOf("=");
    const name = text.slice(0, Math.max(0, at));
    if (at < 1) throw new CliError("invalid --store-opt: it should be of the form key=value");
    // Everybody on the machine reads a command line.
    if (name === "kv.password") {
      throw new CliError("--store-opt takes no kv.password: use kv.passwordfile=FILE, or SHOAL_STORE_PASSWORD");
    }
    if (!Object.hasOwn(STORE_OPTIONS, name)) {
      const known = Object.keys(STORE_OPTIONS).filter((option) => option !== "kv.password");
      throw new CliError(`unknown --store-opt ${name}: there are ${known.join(", ")}`);
    }
    options[name] = text.slice(at + 1);
  }
  return options;
}
