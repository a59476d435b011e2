/**
 * The way to an engine while this manager leads: what may change anything there is sent only as long as the lease is
 * certainly held, and broken off when it is lost. Engines know no term; what slips through between this check and the
 * socket is found by its nonce and kept aside. Must not know engines.
 */
import { type EngineWire, WireError } from "../../engine/wire/wire.ts";
import { either } from "../../kit/either.ts";
import { LEASE_SEND_MS } from "../../kit/replica-limits.ts";
import type { Lease } from "../../store/lease.ts";

/** Change nothing, whatever their path. */
const READING = new Set(["GET", "HEAD"]);

/** Of one that only reads. */
export const NO_LEASE: Pick<Lease, "remaining" | "lost"> = { remaining: 0, lost: AbortSignal.abort() };

export function fencedWire(wire: EngineWire, lease: Pick<Lease, "remaining" | "lost">): EngineWire {
  const { lost } = lease;
  const requireLease = (): void => {
    // Says nothing about the engine: it was not asked.
    if (lease.remaining <= LEASE_SEND_MS) throw new WireError("aborted", false, "this manager no longer leads");
  };
  return {
    address: wire.address,
    async request(request) {
      if (READING.has(request.method)) return wire.request(request);
      requireLease();
      const { signal, unhook } = either(lost, request.signal);
      try {
        const answer = await wire.request({ ...request, signal });
        answer.body.once("close", unhook);
        return answer;
      } catch (error) {
        unhook();
        throw error;
      }
    },
    async connect(signal) {
      requireLease();
      const socket = await wire.connect(signal);
      const end = (): void => void socket.destroy(new WireError("aborted", true, "this manager no longer leads"));
      if (lost.aborted) end();
      lost.addEventListener("abort", end, { once: true });
      socket.once("close", () => lost.removeEventListener("abort", end));
      return socket;
    },
    close: () => wire.close(),
  };
}
