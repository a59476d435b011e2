/** What an engine itself remembers to have told: its last 256 events, and none from before its own start. */
import type { EngineCall } from "./client.ts";
import { type EngineEvent, parseEvent } from "./event.ts";
import { textsOf } from "./texts.ts";
import type { WireAnswer } from "./wire/wire.ts";

interface Caller {
  call(call: EngineCall): Promise<WireAnswer>;
}

/**
 * Oldest first; empty when the engine answers with an error. Rejects as a call does, and with JsonLinesError.
 *
 * @param since,until Unix seconds with nanoseconds, both included; until is no later than the engine's own clock is now:
 *   it would wait for a time that is still to come
 */
export async function rememberedEvents(
  engine: Caller,
  since: string,
  until: string,
  signal: AbortSignal,
): Promise<EngineEvent[]> {
  const path = `/events?since=${encodeURIComponent(since)}&until=${encodeURIComponent(until)}`;
  const answer = await engine.call({ method: "GET", path, signal });
  const events: EngineEvent[] = [];
  for await (const line of textsOf(answer.body)) {
    const event = parseEvent(line);
    if (event) events.push(event);
  }
  return events;
}
