/** Progress streams of several engines made one: JSON lines in order of arrival, each ID with its node's name. */
import { type Readable, Transform } from "node:stream";
import { JsonLines } from "../engine/json-lines.ts";
import { textsOf } from "../engine/texts.ts";
import { PROGRESS_LINE_BYTES } from "../kit/limits.ts";
import type { AnswerStream } from "./listener/answer.ts";

export interface NodeProgress {
  readonly node: string;
  readonly body: Readable;
}

/**
 * Writes until every stream ended; a slow client slows all of them. `errors` are nodes that refused at once: said at the
 * end, since a client stops at the first error that it reads.
 * @returns what was said to have failed
 */
export async function mergeProgress(
  out: AnswerStream,
  streams: readonly NodeProgress[],
  errors: readonly { readonly node: string; readonly message: string }[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const failures = [...errors];
  await Promise.all(
    streams.map(async ({ node, body }) => {
      try {
        for await (const line of textsOf(body)) {
          if (signal.aborted) return;
          const progress = JSON.parse(line) as { id?: string; status?: string; error?: string };
          if (progress.error !== undefined) {
            failures.push({ node, message: progress.error });
            continue;
          }
          const shown = { ...progress, id: progress.id === undefined ? node : `${node}: ${progress.id}` };
          if (!out.write(`${JSON.stringify(shown)}\r\n`)) await out.drained();
        }
      } catch (error) {
        failures.push({ node, message: error instanceof Error ? error.message : String(error) });
      } finally {
        body.destroy();
      }
    }),
  );
  const [first] = failures;
  if (!first) return undefined;
  const message = failures.map(({ node, message: text }) => `${node}: ${text}`).join("; ");
  out.write(`${JSON.stringify({ errorDetail: { message }, error: message })}\r\n`);
  return message;
}

/**
 * Passes a progress stream on as it is, says when it tells of an error (its status did not), and lets its end wait for
 * `work`.
 */
export function watchProgress(failed: (message: string) => void, work: () => Promise<void>): Transform {
  let lines: JsonLines | undefined = new JsonLines(PROGRESS_LINE_BYTES);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        for (const text of lines?.push(chunk) ?? []) {
          const { error } = JSON.parse(text) as { error?: unknown };
          if (typeof error === "string") failed(error);
        }
      } catch {
        // It is passed on all the same.
        lines = undefined;
      }
      done(null, chunk);
    },
    flush: (done) => void work().then(() => done(), done),
  });
}
