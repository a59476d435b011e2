/**
 * From a request's head and body to an answer, with the engine's faults applied: the one place that both transports
 * call. Must not know sockets.
 */
import type { Readable } from "node:stream";
import { badRequest, pageNotFound, toDockerError } from "../../src/docker/errors.ts";
import { compareVersions, isVersion } from "../../src/docker/version.ts";
import { type Answer, type Call, json } from "./call.ts";
import type { CallCounts } from "./calls.ts";
import type { Daemon } from "./daemon.ts";
import type { Router } from "./router.ts";

export interface RawCall {
  readonly method: string;
  /** Path and query as sent. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
  readonly signal: AbortSignal;
}

const VERSIONED = /^\/v(\d+\.\d+)(\/.*)$/;

/** Headers that dockerd puts on every answer. */
export function commonHeaders(daemon: Daemon): Record<string, string> {
  const { apiVersion, osType, serverVersion } = daemon.facts;
  return {
    "Api-Version": apiVersion,
    "Docker-Experimental": "false",
    Ostype: osType,
    Server: `Docker/${serverVersion} (${osType})`,
    Date: new Date(daemon.clock.now()).toUTCString(),
  };
}

function checkVersion(version: string, daemon: Daemon): void {
  const { apiVersion, minApiVersion } = daemon.facts;
  if (compareVersions(version, apiVersion) > 0) {
    throw badRequest(`client version ${version} is too new. Maximum supported API version is ${apiVersion}`);
  }
  if (compareVersions(version, minApiVersion) < 0) {
    throw badRequest(
      `client version ${version} is too old. Minimum supported API version is ${minApiVersion}, please upgrade your client to a newer version`,
    );
  }
}

function spoil(answer: Answer, daemon: Daemon): Answer {
  const { badJson, halfAnswer } = daemon.faults;
  const { body } = answer;
  if (typeof body !== "string" || body === "") return answer;
  if (badJson && answer.headers?.["Content-Type"] === "application/json") {
    return { ...answer, body: `${body.slice(0, Math.floor(body.length / 2))}\u0000}]<html>` };
  }
  return halfAnswer ? { ...answer, breakOff: true } : answer;
}

export class Handler {
  readonly #daemon: Daemon;
  readonly #router: Router;
  readonly #counts: CallCounts;

  constructor(daemon: Daemon, router: Router, counts: CallCounts) {
    this.#daemon = daemon;
    this.#router = router;
    this.#counts = counts;
  }

  /** Rejects only when the client is gone. */
  async answer(raw: RawCall): Promise<Answer> {
    const [whole = "", search = ""] = raw.target.split(/\?(.*)/s);
    const [, version = this.#daemon.facts.apiVersion, path = whole] = VERSIONED.exec(whole) ?? [];
    const match = this.#router.match(raw.method, path);
    this.#counts.add(match?.route ?? `${raw.method} ${path}`);
    await this.#daemon.faults.gate(raw.signal);
    let answer: Answer;
    try {
      if (isVersion(version)) checkVersion(version, this.#daemon);
      if (!match) throw pageNotFound();
      this.#daemon.faults.check(match.route);
      const query = new URLSearchParams(search);
      const { method, headers, body, signal } = raw;
      const call: Call = { method, path, params: match.params, query, headers, version, body, signal };
      answer = await match.handler(call);
    } catch (error) {
      const { status, message } = toDockerError(error);
      answer = json(status, { message });
    }
    // dockerd's middleware, which sets them, does not see paths that no route has.
    const common = match ? commonHeaders(this.#daemon) : {};
    return { ...spoil(answer, this.#daemon), headers: { ...common, ...answer.headers } };
  }
}
