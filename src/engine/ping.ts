/** The cheapest question to an engine: is it there. Must not know when it is asked. */
import { DockerError } from "../docker/errors.ts";
import type { EngineClient } from "./client.ts";

/**
 * Resolves when the engine answers `GET /_ping` with success (not HEAD: HTTP clients close the connection after one).
 * Rejects with WireError, or with DockerError when the answer is an error. No time limit but the signal.
 */
export async function ping(client: EngineClient, signal: AbortSignal): Promise<void> {
  const answer = await client.call({ method: "GET", path: "/_ping", signal, lane: "health" });
  // Read to its end, so that the connection is free for the next ping.
  answer.body.resume();
  if (answer.status >= 400)
    throw new DockerError(answer.status, `GET /_ping was answered with status ${answer.status}`);
}
