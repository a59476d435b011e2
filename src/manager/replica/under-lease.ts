/**
 * A leader's API while it leads: a manager that stood still goes on with what waits for it before it hears that another
 * one leads, and what it knew by then is old. Must not know what is asked.
 */
import type { Api } from "../../api/api.ts";
import { noLeader } from "../../api/by-leader.ts";
import type { Lease } from "../../store/lease.ts";

/** @returns an API that refuses with 503 what comes when the lease is not certainly held */
export function underLease(api: Api, lease: Pick<Lease, "remaining">): Api {
  const requireLease = (): void => {
    if (lease.remaining <= 0) throw noLeader();
  };
  return {
    ...api,
    async handler(request, answer) {
      requireLease();
      await api.handler(request, answer);
    },
    async upgrade(upgrade) {
      requireLease();
      await api.upgrade(upgrade);
    },
  };
}
