/** What a request would book in the ledger, without a name or a place yet. */
import type { Need } from "../ledger.ts";
import type { Request } from "../request.ts";

export function needOf(request: Request): Need {
  return { nanoCpus: request.nanoCpus, memory: request.memory, ports: request.ports, ...request.succeeds };
}
