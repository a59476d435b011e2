/**
 * An API that another manager answers: the leader. Each request goes there as it came, and its answer comes back byte for
 * byte, streams and hijacked connections included. Owns the way there and back; must not know who leads, or why.
 */
import { Transform } from "node:stream";
import { DockerError } from "../docker/errors.ts";
import { splice } from "../docker/json-text.ts";
import { readRemainingBody } from "../engine/wire/remaining-body.ts";
import { requestUpgrade } from "../engine/wire/upgrade.ts";
import type { EngineWire, WireAnswer } from "../engine/wire/wire.ts";
import type { Clock } from "../kit/clock.ts";
import { withDeadline } from "../kit/deadline.ts";
import { ENGINE_CALL_MS, ERROR_BODY_BYTES } from "../kit/limits.ts";
import type { Api } from "./api.ts";
import { type Answer, warning } from "./listener/answer.ts";
import { answerUpgradeError, type Upgrade } from "./listener/hijack.ts";
import { endToEnd } from "./listener/hop-by-hop.ts";
import { encodePath } from "./listener/path.ts";
import { pipeAnswer } from "./listener/relay.ts";
import type { ApiRequest } from "./listener/request.ts";
import { isHijacked, spliceUpgrade } from "./listener/splice.ts";
import { ROUTES } from "./table.ts";

/** Set on what was passed on, so that two managers that each take the other for the leader do not pass it on for ever. */
export const PASSED = "Shoal-Passed-By";
/** What is the client's connection's own, or says where it believes to be. */
const KEPT_BACK = new Set(["host", "expect", "origin", "content-length", "shoal-passed-by"]);

/** What is shown may be older than what somebody was told. */
const UNVOUCHED = warning("no manager leads, as far as this one knows: it shows what it knows itself");

export interface Own {
  readonly api: Api;
  /** No leader vouches for it; there is none to ask for what it does not find. */
  readonly alone: boolean;
}

export interface ByLeaderParts {
  /**
   * The manager that leads, or the API of this one when it does by now; while nobody leads it waits a while. Rejects with
   * DockerError 503.
   */
  readonly leading: (signal: AbortSignal) => Promise<EngineWire | Api>;
  /** The leader broke off. */
  readonly doubt: (leader: EngineWire) => void;
  /** Aborts when the leader no longer answers what this manager itself asks it: one that stands still never breaks off. */
  readonly silence: () => AbortSignal;
  /** What of this manager's own may answer this; undefined: the leader does. */
  readonly own: (request: ApiRequest) => Promise<Own | undefined>;
  /** Of this manager: what it says when it passes something on. */
  readonly name: string;
  readonly clock: Clock;
  /** Aborts when this manager stops. */
  readonly stopping: AbortSignal;
}

/** In classic Swarm's words. @param remedy what has to be done first; undefined: nothing */
export function noLeader(remedy = "try again in a moment"): DockerError {
  return new DockerError(503, `No primary manager elected: ${remedy}`, { retryAfter: 1 });
}

export function apiByLeader(parts: ByLeaderParts, headers: readonly string[]): Api {
  const leadingFor = (request: ApiRequest): Promise<EngineWire | Api> => {
    if (request.headers[PASSED.toLowerCase()] !== undefined) throw noLeader();
    return parts.leading(request.signal);
  };
  return {
    headers,
    async handler(request, answer) {
      if (await answeredHere(parts, request, answer)) return;
      const leading = await leadingFor(request);
      if ("handler" in leading) await leading.handler(request, answer);
      else await passOn(leading, parts, request, answer);
    },
    takesUpgrade: (request) => ROUTES.match(request.method, request.path)?.route.upgrade !== undefined,
    async upgrade(upgrade) {
      const leading = await leadingFor(upgrade.request);
      if ("handler" in leading) await leading.upgrade(upgrade);
      else await passUpgradeOn(leading, parts, upgrade);
    },
  };
}

/**
 * What this manager cannot find or tell the leader may: false then. Throws what nobody could answer; what it does not know
 * without a leader is unknown, not gone.
 */
async function answeredHere({ own }: ByLeaderParts, request: ApiRequest, answer: Answer): Promise<boolean> {
  const mine = await own(request);
  if (!mine) return false;
  try {
    await mine.api.handler(request, mine.alone ? answer.with(UNVOUCHED) : answer);
    return true;
  } catch (error) {
    const isMiss = error instanceof DockerError && error.status === 404;
    if (answer.started || (mine.alone && !isMiss)) throw error;
    return false;
  }
}

/** Classic Swarm's block of nodes is the cluster's; that this manager only passes it on is said at its beginning. */
function asReplica(leader: string): Transform {
  const chunks: Buffer[] = [];
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
    flush(done) {
      done(null, replicaInfo(Buffer.concat(chunks).toString("utf8"), leader));
    },
  });
}

/** What is no `docker info` stays as it is. */
function replicaInfo(text: string, leader: string): string {
  try {
    const { SystemStatus } = JSON.parse(text) as { SystemStatus?: readonly (readonly [string, string])[] };
    if (!SystemStatus) return text;
    const rest = SystemStatus.filter(([key]) => key !== "Role");
    const pairs = [["Role", "replica"], ["Primary", leader], ...rest];
    return splice(text, [{ path: ["SystemStatus"], json: JSON.stringify(pairs) }]);
  } catch {
    return text;
  }
}

async function passOn(wire: EngineWire, parts: ByLeaderParts, request: ApiRequest, answer: Answer): Promise<void> {
  const ask = (signal: AbortSignal): Promise<WireAnswer> =>
    wire.request({
      method: request.method,
      path: targetOf(request),
      headers: [...endToEnd(request.rawHeaders, KEPT_BACK), PASSED, parts.name],
      body: request.hasBody ? request.body : undefined,
      signal,
      lane: "long",
    });
  const from = await unlessSilent(parts.silence(), request.signal, ask).catch((error: unknown) =>
    Promise.reject(lost(wire, parts, request, error)),
  );
  const isInfo = request.path === "/info" && from.status === 200;
  await pipeAnswer(answer, from, {
    head: request.method === "HEAD",
    ...(isInfo && { map: asReplica(wire.address) }),
  });
}

/**
 * An answer may take its time to begin, as a wait's does, but not longer than the leader answers other questions. The
 * silence ends nothing that has begun: that goes on when the leader does.
 */
async function unlessSilent<T>(
  silence: AbortSignal,
  client: AbortSignal,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const silent = new AbortController();
  const end = (): void => silent.abort(silence.reason);
  if (silence.aborted) end();
  silence.addEventListener("abort", end, { once: true });
  try {
    return await ask(AbortSignal.any([client, silent.signal]));
  } finally {
    silence.removeEventListener("abort", end);
  }
}

async function passUpgradeOn(wire: EngineWire, parts: ByLeaderParts, upgrade: Upgrade): Promise<void> {
  const { request, rawHeaders, body } = upgrade;
  const protocol = request.headers.upgrade;
  const wish = typeof protocol === "string" ? ["Connection", "Upgrade", "Upgrade", protocol] : [];
  const path = targetOf(request);
  const headers = [...endToEnd(rawHeaders, KEPT_BACK), ...wish, PASSED, parts.name];
  const leader = await withDeadline(
    parts.clock,
    ENGINE_CALL_MS,
    `${request.method} ${path}`,
    (signal) => requestUpgrade(wire, { method: request.method, path, headers, body }, signal),
    request.signal,
  ).catch((error: unknown) => Promise.reject(lost(wire, parts, request, error)));
  if (isHijacked(leader)) {
    await spliceUpgrade(upgrade, leader, { signal: parts.stopping });
    return;
  }
  const refusal = await readRemainingBody(leader, { limit: ERROR_BODY_BYTES, signal: request.signal });
  leader.socket.destroy();
  answerUpgradeError(upgrade, leader.status, ["Content-Type", "application/json"], refusal);
}

function targetOf({ version, path, rawQuery }: ApiRequest): string {
  return `${version === undefined ? "" : `/v${version}`}${encodePath(path)}${rawQuery === "" ? "" : `?${rawQuery}`}`;
}

/** What a client that left is told is nobody's business; anything else is the leader's trouble. */
function lost(wire: EngineWire, { doubt }: ByLeaderParts, { signal }: ApiRequest, error: unknown): Error {
  if (signal.aborted && signal.reason instanceof Error) return signal.reason;
  doubt(wire);
  const message = error instanceof Error ? error.message : String(error);
  return new DockerError(
    503,
    `the leading manager ${wire.address} did not answer: try again in a moment (${message})`,
    {
      cause: error,
      retryAfter: 1,
    },
  );
}
