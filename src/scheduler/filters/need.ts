/** What a request would book in the ledger, without a name or a place yet. */
import type { Need } from "../ledger.ts";
import type { Surroundings } from "../node-view.ts";
import type { Request } from "../request.ts";

/** The first container of a group that reserves asks for the whole reserve; all later ones draw from it. A group that is spread reserves nothing. */
export function needOf(request: Request, surroundings: Surroundings): Need {
  const { nanoCpus, memory, ports, succeeds, group } = request;
  const need = { nanoCpus, memory, ports, ...succeeds };
  if (group === undefined) return need;
  const { reserve } = group;
  const { policy, home } = surroundings.groupOf(group);
  if (reserve === undefined || home !== undefined || policy === "spread") return { ...need, group: group.key };
  return { ...need, nanoCpus: Math.max(nanoCpus, reserve.nanoCpus), memory: Math.max(memory, reserve.memory) };
}
