/** `--discovery-opt` as commands take it. */
import { type DiscoveryOptions, readDiscoveryOptions } from "../discovery/options.ts";
import { CliError, messageOf } from "./fail.ts";

/** Throws CliError. */
export function discoveryOptionsOf(texts: readonly string[] = []): DiscoveryOptions {
  try {
    return readDiscoveryOptions(texts);
  } catch (error) {
    throw new CliError(messageOf(error));
  }
}
