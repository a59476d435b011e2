/**
 * shoal as a docker CLI plugin: called as `docker-shoal`, it answers docker's question about itself and drops the word
 * that docker repeats. Must stay cheap to load: `docker --help` asks every plugin.
 * Protocol: docker/cli, cli-plugins/metadata: SchemaVersion 0.1.0; docker's global flags stand before the plugin's name.
 */
import { basename } from "node:path";

const NAME = "shoal";
const METADATA = "docker-cli-plugin-metadata";

/** Was this process started under the plugin's name? */
export function startedAsPlugin(argv1: string | undefined): boolean {
  return /^docker-shoal(\.\w+)?$/.test(basename(argv1 ?? ""));
}

/** The answer to docker's question, or undefined when it did not ask. */
export function pluginMetadata(args: readonly string[], version: string): string | undefined {
  if (args[0] !== METADATA) return undefined;
  const metadata = {
    SchemaVersion: "0.1.0",
    Vendor: "shoal",
    Version: `v${version}`,
    ShortDescription: "Many Docker Engines behind one endpoint",
  };
  return `${JSON.stringify(metadata)}\n`;
}

/** docker's global flags that take a value (docker --help), ours too as far as we have them. */
const WITH_VALUE = new Set([
  ...["--config", "-c", "--context", "-H", "--host", "-l", "--log-level"],
  ...["--tlscacert", "--tlscert", "--tlskey"],
]);

export interface PluginCall {
  /** As if typed after `shoal`: docker's global flags first, the word `shoal` gone. */
  readonly args: readonly string[];
  /** `--config DIR`, which shoal takes from DOCKER_CONFIG instead. */
  readonly configDir: string | undefined;
}

/** `[docker's flags] shoal ps -a` → `[docker's flags] ps -a`. */
export function unwrapPluginCall(args: readonly string[]): PluginCall {
  const before: string[] = [];
  let configDir: string | undefined;
  let index = 0;
  while (index < args.length) {
    const arg = args[index] ?? "";
    if (!arg.startsWith("-")) break;
    index++;
    if (arg.startsWith("--config=")) configDir = arg.slice("--config=".length);
    else if (arg === "--config") configDir = args[index++];
    else {
      before.push(arg);
      if (WITH_VALUE.has(arg) && index < args.length) before.push(args[index++] ?? "");
    }
  }
  if (args[index] === NAME) index++;
  return { args: [...before, ...args.slice(index)], configDir };
}
