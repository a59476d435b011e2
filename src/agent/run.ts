/** The agent process: registers its node with discovery, heartbeat by heartbeat, until told to stop. */
import { createHash } from "node:crypto";
import { availableParallelism, hostname, totalmem } from "node:os";
import type { Discovery, Registration, Registry } from "../discovery/discovery.ts";
import { openDiscovery } from "../discovery/open.ts";
import { isNodeName } from "../discovery/record.ts";
import { backoff } from "../kit/backoff.ts";
import { type Clock, systemClock } from "../kit/clock.ts";
import { AGENT_RETRY } from "../kit/limits.ts";
import type { Logger } from "../kit/log.ts";
import { type Random, systemRandom } from "../kit/random.ts";
import { holdFence } from "./fence/hold.ts";
import { Identity } from "./identity.ts";
import type { AgentOptions } from "./options.ts";

export interface AgentContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/**
 * Resolves after `signal` aborted. The node stays registered until its time is up, so that an agent that is started again
 * makes no node come and go. Rejects when it cannot start.
 */
export async function runAgent(options: AgentOptions, log: Logger, signal: AbortSignal): Promise<void> {
  const context = { clock: systemClock, random: systemRandom, log };
  const discovery = await openDiscovery(options.discovery, {
    ...context,
    heartbeatMs: options.heartbeatMs,
    options: options.discoveryOptions,
    hub: options.hub,
  });
  try {
    const { registry } = discovery;
    if (!registry) throw new Error("not implemented in this discovery service");
    const identity = Identity.open(options.stateDir, systemRandom);
    try {
      await until(signal, (over) => [
        beat(options, discovery, registry, identity, context, over),
        options.fence && holdFence(options.fence, options, discovery.fences, identity, context, over),
      ]);
    } finally {
      identity.close();
    }
  } finally {
    await discovery.close();
  }
}

/** When one of them rejects, the others end before this does. */
async function until(
  signal: AbortSignal,
  begin: (over: AbortSignal) => readonly (Promise<void> | undefined)[],
): Promise<void> {
  const ended = new AbortController();
  const all = begin(AbortSignal.any([signal, ended.signal]));
  try {
    await Promise.all(all);
  } finally {
    ended.abort();
    await Promise.allSettled(all);
  }
}

/** Tells places of registration apart without keeping what opens them. */
const placeOf = (discovery: string): string => createHash("sha256").update(discovery).digest("hex").slice(0, 16);

export async function beat(
  options: AgentOptions,
  { url }: Pick<Discovery, "url">,
  registry: Registry,
  identity: Identity,
  { clock, random, log }: AgentContext,
  signal: AbortSignal,
): Promise<void> {
  const { advertise, heartbeatMs, ttlMs, delayMs, name, labels } = options;
  const node = {
    address: advertise,
    id: identity.id,
    ...(name !== undefined && { name }),
    ...(Object.keys(labels).length > 0 && { labels }),
    ttlMs,
    ...(isNodeName(hostname()) && { host: hostname() }),
    cpus: availableParallelism(),
    memory: totalmem(),
  };
  const place = placeOf(options.discovery);
  const pause = (ms: number): Promise<void> => clock.sleep(ms, signal).catch(() => undefined);
  if (delayMs >= 1) await pause(random.int(Math.floor(delayMs)));
  let failures = 0;
  for (let count = 1; !signal.aborted; count++) {
    try {
      await register({ ...node, beat: count });
      if (failures > 0 || count === 1)
        log.info("registered", { node: identity.id, address: advertise, discovery: url });
      failures = 0;
      await pause(heartbeatMs);
    } catch (error) {
      if (signal.aborted) return;
      failures++;
      log.error("cannot register", { discovery: url, error: error instanceof Error ? error.message : String(error) });
      await pause(Math.min(heartbeatMs, backoff(AGENT_RETRY, failures, random)));
    }
  }

  /** At a new address the old record goes first: two at once would be a node and its clone. */
  async function register(registration: Registration): Promise<void> {
    const before = identity.addressAt(place);
    if (before !== undefined && before !== advertise) {
      await registry.withdraw(before, signal).catch((error: Error) => {
        log.warn("the registration at the former address stays until its time is up", {
          address: before,
          error: error.message,
        });
      });
    }
    await registry.register(registration, signal);
    identity.remember(place, advertise);
  }
}
