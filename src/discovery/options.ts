/** `--discovery-opt key=value`, by classic Swarm's names. Owns what there is; must not know drivers. */
import { readFileSync } from "node:fs";

export interface DiscoveryOptions {
  /** `kv.path`: below the URL's own path; classic Swarm's when undefined. */
  readonly path?: string | undefined;
  /** `kv.cacertfile`, `kv.certfile`, `kv.keyfile`: towards stores and hubs. */
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

const NAMES = {
  "kv.path": "path",
  "kv.cacertfile": "caFile",
  "kv.certfile": "certFile",
  "kv.keyfile": "keyFile",
} as const satisfies Record<string, keyof DiscoveryOptions>;

/** Throws Error, one sentence. */
export function readDiscoveryOptions(texts: readonly string[]): DiscoveryOptions {
  const options: { -readonly [key in keyof DiscoveryOptions]: DiscoveryOptions[key] } = {};
  for (const text of texts) {
    const at = text.indexOf("=");
    if (at < 1) throw new Error(`invalid --discovery-opt "${text}": it should be of the form key=value`);
    const name = text.slice(0, at);
    if (!(name in NAMES)) {
      throw new Error(`unknown --discovery-opt ${name}: there are ${Object.keys(NAMES).join(", ")}`);
    }
    const value = text.slice(at + 1);
    options[NAMES[name as keyof typeof NAMES]] = name === "kv.path" ? value.replace(/^\/+|\/+$/g, "") : value;
  }
  return options;
}

/** Those that concern a store, by their names there. */
export function storeOptions({ caFile, certFile, keyFile }: DiscoveryOptions = {}): Readonly<Record<string, string>> {
  return {
    ...(caFile !== undefined && { "kv.cacertfile": caFile }),
    ...(certFile !== undefined && { "kv.certfile": certFile }),
    ...(keyFile !== undefined && { "kv.keyfile": keyFile }),
  };
}

export function readHubTls({ caFile, certFile, keyFile }: DiscoveryOptions = {}): {
  readonly ca?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
} {
  return { ca: pem(caFile), cert: pem(certFile), key: pem(keyFile) };
}

function pem(path: string | undefined): Buffer | undefined {
  return path === undefined ? undefined : readFileSync(path);
}
