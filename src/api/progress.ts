/** Progress streams of engines: watched as they pass, or several made one, each line's ID with its node's name. */
import { Transform } from "node:stream";
import type { ClusterNode } from "../cluster/node.ts";
import { JsonLines } from "../engine/json-lines.ts";
import { textsOf } from "../engine/texts.ts";
import type { WireAnswer } from "../engine/wire/wire.ts";
import { PROGRESS_LINE_BYTES } from "../kit/limits.ts";
import { type Answer, startStream } from "./listener/answer.ts";
import type { Context } from "./route.ts";

/** One line, as far as we read it. */
export interface Progress {
  readonly id?: string;
  readonly status?: string;
  /** Text for people, in place of a status: `Loaded image: …`. */
  readonly stream?: string;
  readonly error?: string;
}

export interface ProgressHooks {
  /** Sees each line. */
  readonly line?: ((progress: Progress) => void) | undefined;
  /** The stream's end waits for it. @param failed the stream told of an error */
  readonly work: (failed: boolean) => Promise<void>;
}

/** One node that was asked. */
export interface NodeProgress {
  readonly node: ClusterNode;
  readonly answer: Promise<WireAnswer>;
}

/**
 * Answers with what all nodes say, in order of arrival, until every stream has ended; a slow client slows all of them. What
 * failed is said at the end, since a client stops at the first error that it reads. Throws when every node refuses.
 */
export async function mergeProgress(
  { audit, request }: Context,
  answer: Answer,
  asked: readonly NodeProgress[],
  { line, work }: ProgressHooks,
): Promise<void> {
  const failures: { readonly node: string; readonly message: string }[] = [];
  /** What the nodes say alike is said once. */
  const told = new Set<string>();
  const started = Promise.any(asked.map((one) => one.answer)).then(() =>
    startStream(answer, 200, ["Content-Type", "application/json"]),
  );
  const follow = async ({ node: { name }, answer }: NodeProgress): Promise<void> => {
    try {
      const { body } = await answer;
      const out = await started;
      for await (const text of textsOf(body)) {
        if (request.signal.aborted) return;
        const progress = JSON.parse(text) as Progress;
        line?.(progress);
        const shown = progress.error === undefined ? shownBy(name, progress, told) : undefined;
        if (progress.error !== undefined) failures.push({ node: name, message: progress.error });
        if (shown !== undefined && !out.write(`${JSON.stringify(shown)}\r\n`)) await out.drained();
      }
    } catch (error) {
      failures.push({ node: name, message: error instanceof Error ? error.message : String(error) });
    }
  };
  const [out] = await Promise.all([
    started.catch((error: unknown) => {
      throw error instanceof AggregateError ? error.errors[0] : error;
    }),
    ...asked.map(follow),
  ]);
  if (failures.length > 0) {
    const message = failures.map(({ node, message: words }) => `${node}: ${words}`).join("; ");
    out.write(`${JSON.stringify({ errorDetail: { message }, error: message })}\r\n`);
    audit.failed(message);
  }
  await work(failures.length > 0);
  out.end();
}

/** Undefined for a text that was shown already. */
function shownBy(node: string, progress: Progress, told: Set<string>): Progress | undefined {
  const { id, stream } = progress;
  if (stream === undefined) return { ...progress, id: id === undefined ? node : `${node}: ${id}` };
  if (told.has(stream)) return undefined;
  told.add(stream);
  return progress;
}

/** Passes a progress stream on as it is; `failed` is told when it tells of an error (its status did not). */
export function watchProgress({
  failed,
  line,
  work,
}: ProgressHooks & { readonly failed: (message: string) => void }): Transform {
  let lines: JsonLines | undefined = new JsonLines(PROGRESS_LINE_BYTES);
  let anyFailed = false;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        for (const text of lines?.push(chunk) ?? []) {
          const progress = JSON.parse(text) as Progress;
          line?.(progress);
          if (typeof progress.error !== "string") continue;
          anyFailed = true;
          failed(progress.error);
        }
      } catch {
        // It is passed on all the same.
        lines = undefined;
      }
      done(null, chunk);
    },
    flush: (done) => void work(anyFailed).then(() => done(), done),
  });
}
