/**
 * Passing a request on to the node that it concerns, and its answer back: references and error texts are translated,
 * everything else is bytes. Owns the way there and back; must not know what a route means.
 */
import type { Readable } from "node:stream";
import { nodeFailure } from "../cluster/exchange.ts";
import { findContainer, requireReachable } from "../cluster/lookup.ts";
import type { ClusterNode } from "../cluster/node.ts";
import type { ContainerRecord } from "../cluster/record.ts";
import { clusterText, engineRef } from "../cluster/translate.ts";
import { DockerError } from "../docker/errors.ts";
import { engineMessage } from "../engine/client.ts";
import { readRemainingBody } from "../engine/wire/remaining-body.ts";
import { type WireAnswer, WireError } from "../engine/wire/wire.ts";
import { withDeadline } from "../kit/deadline.ts";
import { ENGINE_CALL_MS, ERROR_BODY_BYTES } from "../kit/limits.ts";
import type { Answer } from "./listener/answer.ts";
import type { Upgrade } from "./listener/hijack.ts";
import { endToEnd } from "./listener/hop-by-hop.ts";
import { pipeAnswer } from "./listener/relay.ts";
import type { ApiRequest } from "./listener/request.ts";
import { REQUEST_ID_HEADER } from "./listener/request-id.ts";
import { isHijacked, spliceUpgrade } from "./listener/splice.ts";
import { Output } from "./output.ts";
import type { Context } from "./route.ts";

/** What besides the connection's own headers an engine must not see: our framing, and what says where we are. */
const KEPT_BACK = new Set(["host", "expect", "origin"]);
const KEPT_BACK_WITH_LENGTH = new Set([...KEPT_BACK, "content-length"]);

/** The container that the path names, on a node that answers. */
export function containerOf(context: Context): ContainerRecord {
  const record = findContainer(context.cluster, context.params.name ?? "");
  context.audit.concerns(record);
  requireReachable(record.node);
  return record;
}

/** `/containers/<as the engine knows it>/<suffix>?<query as sent>` */
export function containerPath(context: Context, record: ContainerRecord, suffix: string): string {
  return `/containers/${encodeURIComponent(engineRef(record, context.params.name ?? ""))}${suffix}${queryOf(context.request)}`;
}

export function queryOf(request: ApiRequest): string {
  return request.rawQuery === "" ? "" : `?${request.rawQuery}`;
}

/**
 * The engine's answer, its body unread; an engine's error is thrown as DockerError in the cluster's words.
 * @param body in place of the client's: a text, or a stream of the same bytes
 */
export async function ask(
  context: Context,
  node: ClusterNode,
  path: string,
  body?: string | Readable,
): Promise<WireAnswer> {
  const { request, cluster } = context;
  const sent = body ?? (request.hasBody ? request.body : undefined);
  let answer: WireAnswer;
  try {
    answer = await node.engine.call({
      method: request.method,
      path,
      headers: endToEnd(request.rawHeaders, typeof sent === "object" ? KEPT_BACK : KEPT_BACK_WITH_LENGTH),
      body: sent,
      signal: request.signal,
      version: request.version,
    });
  } catch (error) {
    throw withoutAnswer(context, node, error);
  }
  if (answer.status < 400) return answer;
  if (request.method === "HEAD") return answer;
  const text = await readText(context, answer, node);
  throw new DockerError(answer.status, clusterText(cluster, node, engineMessage(answer.status, text)));
}

/** Asks and streams the answer to the client as it comes. */
export async function forward(context: Context, answer: Answer, node: ClusterNode, path: string): Promise<WireAnswer> {
  const from = await ask(context, node, path);
  await pipeAnswer(answer, from, { head: context.request.method === "HEAD" });
  return from;
}

/** The same for a container's output, whose reader is told in it when the node is lost. */
export async function forwardOutput(
  context: Context,
  answer: Answer,
  record: ContainerRecord,
  path: string,
): Promise<void> {
  const from = await ask(context, record.node, path);
  const output = new Output(record.tty);
  await pipeAnswer(answer, from, {
    watch: (chunk) => output.watch(chunk),
    lastWords: (error) => {
      const bytes = output.lastWords(sentence(context, record.node, error));
      return bytes && { bytes, whole: false };
    },
  });
}

/** What a client is told when the stream that it reads breaks in the middle. */
export function sentence({ cluster }: Context, node: ClusterNode, error: Error): string {
  return nodeFailure(cluster, node, error).message;
}

/** A caller that gave up is nobody's failure; why it did may be for the client to know. */
function withoutAnswer({ cluster, request }: Context, node: ClusterNode, error: unknown): Error {
  const { reason } = request.signal;
  if (reason instanceof DockerError) return reason;
  if (error instanceof WireError && error.fault === "aborted") return error;
  return nodeFailure(cluster, node, error);
}

/** Asks and reads the whole answer (a small one). */
export async function askText(
  context: Context,
  node: ClusterNode,
  path: string,
  body?: string,
): Promise<{ readonly status: number; readonly headers: readonly string[]; readonly text: string }> {
  const from = await ask(context, node, path, body);
  return { status: from.status, headers: from.headers, text: await readText(context, from, node) };
}

async function readText(context: Context, answer: WireAnswer, node: ClusterNode): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > ERROR_BODY_BYTES * 64) throw new Error("the answer is too long");
      chunks.push(chunk);
    }
  } catch (error) {
    throw withoutAnswer(context, node, error);
  }
  return Buffer.concat(chunks).toString("utf8");
}

const NO_BODY = Buffer.alloc(0);

/** The wish to upgrade is passed on, and nothing else that is the client's connection's own. */
function upgradeHeaders({ request, rawHeaders }: Upgrade): string[] {
  const protocol = request.headers.upgrade;
  const wish = typeof protocol === "string" ? ["Connection", "Upgrade", "Upgrade", protocol] : [];
  return [...endToEnd(rawHeaders, KEPT_BACK), ...wish];
}

export interface UpgradeOptions {
  readonly body?: Buffer;
  /** What the client reads is a container's output, in frames or (`tty`) raw: it is told there when the node is lost. */
  readonly output?: { readonly tty: boolean | undefined } | undefined;
}

/** Joins the client's connection with one to the node; a refusal is answered as an ordinary error. */
export async function forwardUpgrade(
  context: Context,
  upgrade: Upgrade,
  record: ContainerRecord,
  path: string,
  { body = NO_BODY, output }: UpgradeOptions = {},
): Promise<void> {
  const { audit, cluster, request, stopping } = context;
  const { node } = record;
  record.streams++;
  try {
    const wish = { method: request.method, path, headers: upgradeHeaders(upgrade), body, version: request.version };
    const ask = (signal: AbortSignal) => node.engine.upgrade(wish, signal);
    const engine = await withDeadline(
      cluster.clock,
      ENGINE_CALL_MS,
      `${request.method} ${path}`,
      ask,
      request.signal,
    ).catch((error: unknown) => {
      throw withoutAnswer(context, node, error);
    });
    if (isHijacked(engine)) {
      await audit.answering(engine.status).catch((error: unknown) => {
        engine.socket.destroy();
        throw error;
      });
      const rawHeaders = [...engine.rawHeaders, REQUEST_ID_HEADER, request.id];
      const words = output && new Output(output.tty);
      await spliceUpgrade(
        upgrade,
        { ...engine, rawHeaders },
        {
          signal: stopping,
          ...(words && {
            watch: (chunk) => words.watch(chunk),
            lastWords: (error) => words.lastWords(sentence(context, node, error)),
          }),
        },
      );
      return;
    }
    const refusal = await readRemainingBody(engine, { limit: ERROR_BODY_BYTES, signal: request.signal });
    engine.socket.destroy();
    throw new DockerError(
      engine.status,
      clusterText(cluster, node, engineMessage(engine.status, refusal.toString("utf8"))),
    );
  } finally {
    record.streams--;
  }
}
