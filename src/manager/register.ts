/**
 * Tells discovery what this manager is, sign of life by sign of life, and hands on the promotions that it hears of there.
 * Must not know what a promotion changes.
 */
import { hostname } from "node:os";
import type { Cluster } from "../cluster/cluster.ts";
import { clusterSize } from "../cluster/info.ts";
import type { ManagerRegistry, ManagerState, Promotion } from "../discovery/discovery.ts";
import { isNodeName } from "../discovery/record.ts";
import type { Clock } from "../kit/clock.ts";
import type { Logger } from "../kit/log.ts";
import { MANAGER_BEAT_MS, MANAGER_TTL_MS } from "../kit/replica-limits.ts";
import type { ManageOptions } from "./options.ts";

/** A manager as others are to see it. */
export interface Self {
  /** Undefined: nobody could reach it, so nobody is told. */
  readonly address: string | undefined;
  readonly state: () => Omit<ManagerState, "cluster">;
  /** The last promotion, again and again. */
  readonly promoted: (promotion: Promotion) => Promise<void>;
}

export interface RegisterParts {
  readonly self: Self;
  /** Undefined: discovery keeps no managers. */
  readonly registry: ManagerRegistry | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Undefined while this manager does not lead. */
  readonly cluster: () => Cluster | undefined;
}

/** Until the signal aborts. Never rejects. */
export async function keepRegistered(parts: RegisterParts, signal: AbortSignal): Promise<void> {
  const { self, registry, clock, log, cluster } = parts;
  const { address } = self;
  if (!registry || address === undefined) return;
  const host = isNodeName(hostname()) ? { host: hostname() } : {};
  let trouble: string | undefined;
  while (!signal.aborted) {
    const led = cluster();
    const manager = { ...self.state(), ...(led && { cluster: clusterSize(led) }) };
    try {
      const promotion = await registry.register({ address, ...host, ttlMs: MANAGER_TTL_MS, manager }, signal);
      if (promotion) await self.promoted(promotion);
      if (trouble !== undefined) log.info("this manager is registered again", { address });
      trouble = undefined;
    } catch (error) {
      if (signal.aborted) return;
      const message = error instanceof Error ? error.message : String(error);
      if (message !== trouble) log.warn("this manager cannot be registered", { address, error: message });
      trouble = message;
    }
    await clock.sleep(MANAGER_BEAT_MS, signal).catch(() => undefined);
  }
}

/** A manager that is the only one leads, whoever is promoted. */
export function aloneAt({ advertise }: ManageOptions, log: Logger): Self {
  let last: Promotion | undefined;
  return {
    address: advertise,
    state: () => ({
      role: "primary",
      isMaster: last?.address === advertise,
      ...(last && { promotion: last.id }),
    }),
    async promoted(promotion) {
      if (promotion.id !== last?.id && promotion.address !== undefined && promotion.address !== advertise) {
        log.warn(`${promotion.address} was promoted, but this manager leads alone: start both with --replication`);
      }
      last = promotion;
    },
  };
}
