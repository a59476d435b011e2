/** Whether a container that is on its node already may hold (again, or more) there; and the words when it may not. */
import { bytesSize } from "../docker/units.ts";
import type { Reservation } from "../scheduler/ledger.ts";
import type { Cluster } from "./cluster.ts";

/** Classic Swarm's sentence. */
export const NO_ROOM = "no resources available to schedule container";

/** Undefined when there is room. */
export function whyNoRoom(cluster: Cluster, wanted: Reservation): string | undefined {
  const { ledger, inventory, options } = cluster;
  const taken = ledger.conflict(wanted.node, wanted);
  if (taken) {
    const holder = inventory.byId(taken.holder);
    return `port ${taken.claim.port}/${taken.claim.protocol} is held by ${holder?.name ?? taken.holder}`;
  }
  if (ledger.fits(wanted.node, wanted, options.overcommit)) return undefined;
  const after = ledger.after(wanted.node, wanted);
  const capacity = ledger.capacity(wanted.node, options.overcommit);
  if (!capacity) return "its size is not known";
  const cpus = (nano: number): number => nano / 1e9;
  return `with it ${cpus(after.nanoCpus)} of ${cpus(capacity.nanoCpus)} CPUs and ${bytesSize(after.memory)} of ${bytesSize(capacity.memory)} memory would be reserved`;
}
