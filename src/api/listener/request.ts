/**
 * A client's request as handlers see it. Owns its shape, the checks that every request must pass, and the reading of
 * JSON bodies; must not know routes or sockets.
 */
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { badRequest, DockerError } from "../../docker/errors.ts";
import type { Clock } from "../../kit/clock.ts";
import { DeadlineError, withDeadline } from "../../kit/deadline.ts";
import { REQUEST_BODY_BYTES, REQUEST_BODY_MS, REQUEST_HEADERS_COUNT } from "../../kit/limits.ts";
import { bodyOf, ClientGone, discardBody } from "./body.ts";
import type { HeldMemory } from "./body-memory.ts";
import { bodyTooLarge } from "./framing.ts";
import type { Lifetime } from "./lifetime.ts";
import { parseTarget, type Target } from "./path.ts";

/** The other end of a client's connection. */
export interface Remote {
  /** IP address; empty on a unix socket. */
  readonly address: string;
  readonly transport: "unix" | "tcp" | "tls";
  /** Common name of the client's verified certificate. */
  readonly certificateName?: string | undefined;
  /** That certificate's whole subject, such as `{CN: "alice", O: "ops"}`. */
  readonly certificate?: Readonly<Record<string, string | readonly string[]>> | undefined;
}

export interface ApiRequest extends Target {
  /** Its name in headers, log and audit; the client's own where it gave a sane one. */
  readonly id: string;
  readonly method: string;
  /** Lower-case names; repeated ones are joined, so forward `rawHeaders`. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Name, value, name, value … as received. */
  readonly rawHeaders: readonly string[];
  /** Whether a body was announced (it may still turn out empty when chunked) and not dropped. */
  readonly hasBody: boolean;
  /** Read it once, or not at all: what is left of it is discarded after the answer. Destroying it is harmless. */
  readonly body: Readable;
  readonly remote: Remote;
  /** What the request holds of the memory for bodies; given back when its answer is over. */
  readonly memory: HeldMemory;
  /**
   * Aborted when the client goes away before its answer is complete (ClientGone), by `expire` (DeadlineError), or when
   * its body stops coming (DockerError 408).
   */
  readonly signal: AbortSignal;
  /** What is asked of engines for this request is given up after this many milliseconds; without it, never. */
  expire(ms: number): void;
  /**
   * Nobody is going to read the body: it is thrown away as it comes, and the request is one without. While bytes wait
   * unread nobody hears that the client has left.
   */
  dropBody(): void;
}

/**
 * Throws DockerError for what is refused whatever the route.
 * @param id see requestId
 * @param body instead of the message's own, for a request whose body was read already
 * @param onFirstRead see bodyOf
 */
export function makeRequest(
  message: IncomingMessage,
  id: string,
  remote: Remote,
  memory: HeldMemory,
  lifetime: Lifetime,
  body?: Readable,
  onFirstRead?: () => void,
): ApiRequest {
  const { headers, rawHeaders } = message;
  if (rawHeaders.length > 2 * REQUEST_HEADERS_COUNT) throw new DockerError(431, "too many request headers");
  if (!/(?:^|\W)100-continue(?:$|\W)/i.test(headers.expect ?? "100-continue")) {
    throw new DockerError(417, `unsupported expectation: ${JSON.stringify(headers.expect)}`);
  }
  const coding = headers["transfer-encoding"];
  if (coding !== undefined && coding.toLowerCase() !== "chunked") {
    throw badRequest(`unsupported transfer encoding: ${JSON.stringify(coding)}`);
  }
  let stream = body;
  let hasBody = announcesBody(headers);
  return {
    ...parseTarget(message.url ?? ""),
    id,
    method: message.method ?? "GET",
    headers,
    rawHeaders,
    get hasBody() {
      return hasBody;
    },
    get body() {
      stream ??= bodyOf(message, lifetime, onFirstRead);
      return stream;
    },
    remote,
    memory,
    signal: lifetime.signal,
    expire: (ms) => lifetime.expire(ms),
    dropBody() {
      if (hasBody && stream === undefined) discardBody(message);
      hasBody = false;
      stream ??= Readable.from([]);
    },
  };
}

export function announcesBody(headers: IncomingMessage["headers"]): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/**
 * The body of a request that carries JSON or nothing, as text; empty text for no body.
 * Throws DockerError: 400 for another content type or a broken body, 408 when it takes longer than 30 s, 413 when it is too
 * long, 503 when all bodies together are.
 */
export async function readJsonBody(
  request: ApiRequest,
  clock: Clock,
  limits: { readonly bytes: number; readonly ms: number } = { bytes: REQUEST_BODY_BYTES, ms: REQUEST_BODY_MS },
): Promise<string> {
  const type = request.headers["content-type"];
  if (typeof type === "string" && type !== "") checkJsonType(type);
  else if (request.hasBody) checkJsonType("");
  return readTextBody(request, clock, limits);
}

/** Likewise, whatever its content type says. */
export async function readTextBody(
  request: ApiRequest,
  clock: Clock,
  limits: { readonly bytes: number; readonly ms: number },
): Promise<string> {
  if (!request.hasBody) return "";
  if (Number(request.headers["content-length"] ?? 0) > limits.bytes) throw bodyTooLarge(limits.bytes);
  const { body } = request;
  try {
    const bytes = await withDeadline(
      clock,
      limits.ms,
      "request body",
      (signal) => collect(body, limits.bytes, request.memory, signal),
      request.signal,
    );
    return bytes.toString("utf8");
  } catch (error) {
    body.destroy();
    if (error instanceof DeadlineError) throw new DockerError(408, "timed out reading the request body");
    throw error;
  }
}

/** dockerd's rule and words: application/json, or no type at all as long as there is no body. */
function checkJsonType(type: string): void {
  const mime = type.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (mime === "application/json") return;
  if (!/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(mime)) {
    throw badRequest(`malformed Content-Type header (${type}): mime: no media type`);
  }
  throw badRequest(`unsupported Content-Type header (${type}): must be 'application/json'`);
}

function collect(body: Readable, limit: number, memory: HeldMemory, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (error: unknown): void => {
      body.off("data", onData).off("end", onEnd).off("error", settle).off("close", onClose);
      body.on("error", () => {});
      signal.removeEventListener("abort", onAbort);
      if (error === undefined) resolve(Buffer.concat(chunks));
      else reject(error);
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      try {
        if (size > limit) throw bodyTooLarge(limit);
        memory.take(chunk.length);
        chunks.push(chunk);
      } catch (error) {
        settle(error);
      }
    };
    const onEnd = (): void => settle(undefined);
    const onClose = (): void => settle(new ClientGone());
    const onAbort = (): void => settle(signal.reason);
    body.on("data", onData).on("end", onEnd).on("error", settle).on("close", onClose);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}
