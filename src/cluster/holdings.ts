/** Keeps the ledger true to the records: what each container holds now, on its node. Synchronous throughout. */
import { groupKey } from "../scheduler/group.ts";
import type { Reservation } from "../scheduler/ledger.ts";
import type { PortClaim } from "../scheduler/request.ts";
import type { Cluster } from "./cluster.ts";
import { type ContainerRecord, holds, type Needs } from "./record.ts";

/** Books, changes or releases what a record holds after any change of its state, node or needs. */
export function settle(cluster: Cluster, record: ContainerRecord): void {
  const { ledger } = cluster;
  if (record.removed || !holds(record)) {
    ledger.release(record.id);
    return;
  }
  const wanted = reservationOf(cluster, record);
  const held = ledger.get(record.id);
  if (held && sameReservation(held, wanted)) return;
  ledger.release(record.id);
  ledger.reserve(wanted);
}

export function reservationOf({ options }: Cluster, record: ContainerRecord, needs: Needs = record.needs): Reservation {
  const group = groupKey(record.labels, options.groups);
  return {
    id: record.id,
    node: record.node.id,
    nanoCpus: needs.nanoCpus,
    memory: needs.memory,
    ports: unite(needs.ports, record.state === "running" || record.state === "paused" ? record.published : []),
    ...(needs.slot !== undefined && { slot: needs.slot }),
    ...(needs.replaces !== undefined && { replaces: needs.replaces }),
    ...(group !== undefined && { group }),
  };
}

function unite(fixed: readonly PortClaim[], published: readonly PortClaim[]): readonly PortClaim[] {
  const more = published.filter(
    (claim) =>
      !fixed.some(
        (one) => one.port === claim.port && one.protocol === claim.protocol && (one.ip === claim.ip || one.ip === ""),
      ),
  );
  return more.length === 0 ? fixed : [...fixed, ...more];
}

function sameReservation(a: Reservation, b: Reservation): boolean {
  return (
    a.node === b.node &&
    a.nanoCpus === b.nanoCpus &&
    a.memory === b.memory &&
    a.slot === b.slot &&
    a.replaces === b.replaces &&
    a.group === b.group &&
    a.ports.length === b.ports.length &&
    a.ports.every((port, i) => {
      const other = b.ports[i];
      return other?.port === port.port && other.ip === port.ip && other.protocol === port.protocol;
    })
  );
}
