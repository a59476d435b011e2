/**
 * An engine's answer passed on to the client while it comes in. Owns which headers cross and who is told when one side
 * breaks off; must not know what the answer says.
 */
import type { Readable, Transform, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { WireAnswer } from "../../engine/wire/wire.ts";
import { type Answer, hasNoBody } from "./answer.ts";
import { endToEnd } from "./hop-by-hop.ts";

export interface RelayOptions {
  /** Changes the body on its way. */
  readonly map?: Transform | undefined;
  /** Name, value, … sent besides the engine's. */
  readonly headers?: readonly string[];
  /** The request was HEAD: there is a length but no body. */
  readonly head?: boolean;
  /** Sees what comes from the engine before the client does; must not keep it. */
  readonly watch?: (chunk: Buffer) => void;
  /** What the client still gets when the engine breaks off. */
  readonly lastWords?: (error: Error) => LastWords | undefined;
}

export interface LastWords {
  readonly bytes: Buffer;
  /** True when the answer is complete with them; otherwise the client's connection is broken off behind them. */
  readonly whole: boolean;
}

/**
 * Streams with back-pressure; the head goes out at once unless its length says that a body follows anyway. When the
 * client goes away the engine's body is destroyed and this resolves; when the engine breaks off, the client's
 * connection is broken off too, so that it cannot take a part for the whole, and this rejects with the engine's error.
 */
export async function pipeAnswer(answer: Answer, from: WireAnswer, options: RelayOptions = {}): Promise<void> {
  const { map, headers: more = [], head = false, watch, lastWords } = options;
  if (answer.over) {
    from.body.on("error", () => {}).destroy();
    return;
  }
  const headers = [...passedHeaders(from.headers, answer.commonNames, map !== undefined && !head), ...more];
  if (head || hasNoBody(from.status)) {
    discard(from.body);
    answer.start(from.status, headers).end();
    return;
  }
  const out = answer.start(from.status, headers, !hasLength(headers));
  // Whoever fails first takes the other streams along, each with an error of its own; only the first one is the cause.
  let cause: { readonly clientGone: boolean; readonly error?: unknown } | undefined;
  const onError = (error: unknown): void => {
    cause ??= { clientGone: false, error };
  };
  from.body.once("error", onError);
  map?.once("error", onError);
  out.once("error", () => {
    cause ??= { clientGone: true };
  });
  out.once("close", () => {
    cause ??= { clientGone: true };
  });
  if (watch) from.body.on("data", watch);
  try {
    await flow(from.body, map, out);
    out.end();
  } catch (error) {
    if (cause?.clientGone === true) return;
    const reason = cause?.error ?? error;
    const words = reason instanceof Error && !answer.over ? lastWords?.(reason) : undefined;
    if (words) await new Promise<void>((resolve) => out.write(words.bytes, () => resolve()));
    if (words?.whole) out.end();
    else out.destroy();
    throw reason;
  }
}

/** Leaves `out` open, whatever becomes of the body. */
async function flow(body: Readable, map: Transform | undefined, out: Writable): Promise<void> {
  if (map === undefined) await pipeline(body, out, { end: false });
  else await pipeline(body, map, out, { end: false });
}

/** Those of an engine's headers that a client may see; `Date` is ours. */
export function passedHeaders(
  headers: readonly string[],
  ours: ReadonlySet<string>,
  lengthChanges: boolean,
): readonly string[] {
  return endToEnd(headers, new Set([...ours, "date", ...(lengthChanges ? ["content-length"] : [])]));
}

function hasLength(headers: readonly string[]): boolean {
  for (let i = 0; i < headers.length; i += 2) if (headers[i]?.toLowerCase() === "content-length") return true;
  return false;
}

function discard(body: Readable): void {
  body.on("error", () => {});
  body.resume();
}
