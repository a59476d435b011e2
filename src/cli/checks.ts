/** What several commands check of their flags, in classic Swarm's words. All throw CliError. */
import { CliError, messageOf } from "./fail.ts";
import { parseGoDuration } from "./go-duration.ts";

/** Milliseconds. */
export function duration(flag: string, text: string): number {
  try {
    return parseGoDuration(text);
  } catch (error) {
    throw new CliError(`invalid ${flag}: ${messageOf(error)}`);
  }
}

/** Milliseconds. */
export function heartbeat(text: string): number {
  const ms = duration("--heartbeat", text);
  if (ms < 1000) throw new CliError("--heartbeat should be at least one second");
  return ms;
}

/** `host:port` by which others reach this one. */
export function checkAdvertised(address: string): void {
  const port = Number(/^(?:\[[^\]]+\]|[^:\s]+):(\d{1,5})$/.exec(address)?.[1] ?? 0);
  if (port < 1 || port > 65_535) throw new CliError("--advertise should be of the form ip:port or hostname:port");
}
