/** The JSON texts of a stream as they come, with back-pressure: for progress and history, where each is handled in turn. */
import type { Readable } from "node:stream";
import { EVENT_LINE_BYTES } from "../kit/limits.ts";
import { JsonLines } from "./json-lines.ts";

/** Rejects with the stream's error, or JsonLinesError. Leaving the loop destroys the stream. */
export async function* textsOf(body: Readable): AsyncGenerator<string, void, void> {
  const lines = new JsonLines(EVENT_LINE_BYTES);
  for await (const chunk of body as AsyncIterable<Buffer>) yield* lines.push(chunk);
}
