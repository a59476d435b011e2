/**
 * The way to an engine while this manager leads: what may change anything there is sent only as long as the lease is
 * certainly held. Engines know no term; what slips through between this check and the socket is found by its nonce and
 * kept aside. Must not know engines.
 */
import { type EngineWire, WireError } from "../../engine/wire/wire.ts";
import { LEASE_SEND_MS } from "../../kit/limits.ts";
import type { Lease } from "../../store/lease.ts";

/** Change nothing, whatever their path. */
const READING = new Set(["GET", "HEAD"]);

export function fencedWire(wire: EngineWire, lease: Pick<Lease, "remaining">): EngineWire {
  const requireLease = (): void => {
    // Says nothing about the engine: it was not asked.
    if (lease.remaining <= LEASE_SEND_MS) throw new WireError("aborted", false, "this manager no longer leads");
  };
  return {
    address: wire.address,
    async request(request) {
      if (!READING.has(request.method)) requireLease();
      return wire.request(request);
    },
    async connect(signal) {
      requireLease();
      return wire.connect(signal);
    },
    close: () => wire.close(),
  };
}
