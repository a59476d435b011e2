/**
 * One node's side of the ledger: its sums, its port index, and who shares with whom.
 *
 * Reservations that are each other's predecessor and successor (the same slot, or one replaces the other) form a share:
 * it counts the largest need of its members for CPU and for memory, and each of their port claims once. A share is a
 * connected component, so chains (A replaced by B replaced by C) and any order of arrival give the same sums; taking a
 * member away splits what it alone held together. Shares have one member nearly always, two for seconds.
 */
import { GroupRemainders } from "./group-remainders.ts";
import type { Need, NodeSums, Reservation } from "./ledger.ts";
import type { PortClaim } from "./request.ts";

interface Share {
  readonly members: Map<string, Reservation>;
  nanoCpus: number;
  memory: number;
}

/** What `after` and `conflict` need of a newcomer; a Reservation is one. */
type Newcomer = Pick<Need, "id" | "nanoCpus" | "memory" | "ports" | "slot" | "replaces" | "group">;

const NONE: readonly Share[] = [];
const PROTOCOLS = ["tcp", "udp", "sctp"];

/** A number, not a string: this is looked up once per node and claim in every decision. */
const portKey = ({ port, protocol }: PortClaim): number => port * 4 + (PROTOCOLS.indexOf(protocol) & 3);

/** Made once per list of claims, hence once per decision. */
const keyed = new WeakMap<readonly PortClaim[], ReadonlyMap<number, readonly PortClaim[]>>();

function claimsByKey(claims: readonly PortClaim[]): ReadonlyMap<number, readonly PortClaim[]> {
  const known = keyed.get(claims);
  if (known !== undefined) return known;
  const made = new Map<number, PortClaim[]>();
  for (const claim of claims) {
    const key = portKey(claim);
    const same = made.get(key);
    if (same === undefined) made.set(key, [claim]);
    else same.push(claim);
  }
  keyed.set(claims, made);
  return made;
}

export class NodeAccount {
  /** As reported; undefined while the node is not known or was removed. */
  size: NodeSums | undefined;
  #nanoCpus = 0;
  #memory = 0;
  readonly #held = new Map<string, Reservation>();
  /** Whatever ties reservations together (an ID, a replaced ID, a slot) → their share. */
  readonly #shares = new Map<string, Share>();
  /** Port and protocol → address ("" for all) → holders. */
  readonly #ports = new Map<number, Map<string, Set<string>>>();
  readonly #groups = new GroupRemainders();

  get sums(): NodeSums {
    return this.#plus(this.#groups.sums);
  }

  get isEmpty(): boolean {
    return this.#held.size === 0 && this.#groups.isEmpty;
  }

  reserveGroup(key: string, reserve: NodeSums): void {
    this.#groups.reserve(key, reserve);
  }

  afterGroup(key: string, reserve: NodeSums): NodeSums {
    return this.#plus(this.#groups.withReserve(key, reserve));
  }

  /** What containers hold, and something more. */
  #plus({ nanoCpus, memory }: NodeSums): NodeSums {
    return { nanoCpus: this.#nanoCpus + nanoCpus, memory: this.#memory + memory };
  }

  /** The caller sees to it that the ID is not there yet. */
  add(reservation: Reservation): void {
    this.#held.set(reservation.id, reservation);
    this.#join(reservation);
    for (const claim of reservation.ports) {
      const key = portKey(claim);
      const addresses = this.#ports.get(key) ?? new Map<string, Set<string>>();
      this.#ports.set(key, addresses);
      link(addresses, claim.ip, reservation.id);
    }
  }

  remove(reservation: Reservation): void {
    if (!this.#held.delete(reservation.id)) return;
    this.#leave(reservation);
    for (const claim of reservation.ports) {
      const key = portKey(claim);
      const addresses = this.#ports.get(key);
      if (addresses === undefined) continue;
      unlink(addresses, claim.ip, reservation.id);
      if (addresses.size === 0) this.#ports.delete(key);
    }
  }

  /** The sums were the need booked. */
  after(need: Newcomer): NodeSums {
    if (this.#relatives(need).length === 0) {
      const { nanoCpus, memory } = this.sums;
      const drawn = this.#groups.drawn(need.group, need);
      return { nanoCpus: nanoCpus + need.nanoCpus - drawn.nanoCpus, memory: memory + need.memory - drawn.memory };
    }
    // A successor: rare, and whom it ties together decides. Leaving again is the identity.
    const newcomer: Reservation = { ...need, id: need.id ?? "", node: "" };
    this.#join(newcomer);
    const after = this.sums;
    this.#leave(newcomer);
    return after;
  }

  portHolder(claim: PortClaim): string | undefined {
    for (const id of this.#holders(claim)) return id;
    return undefined;
  }

  conflict(need: Newcomer): { readonly claim: PortClaim; readonly holder: string } | undefined {
    // A request may publish thousands of ports: the smaller side is walked.
    if (need.ports.length > this.#ports.size) {
      const wanted = claimsByKey(need.ports);
      for (const key of this.#ports.keys()) {
        const found = this.#clash(need, wanted.get(key) ?? []);
        if (found !== undefined) return found;
      }
      return undefined;
    }
    return this.#clash(need, need.ports);
  }

  #clash(need: Newcomer, claims: readonly PortClaim[]): { claim: PortClaim; holder: string } | undefined {
    for (const claim of claims) {
      if (!this.#ports.has(portKey(claim))) continue;
      const relatives = this.#relatives(need);
      for (const holder of this.#holders(claim)) {
        if (!relatives.some((share) => share.members.has(holder))) return { claim, holder };
      }
    }
    return undefined;
  }

  /** Every address excludes all others of the same port and protocol; one address only itself and every address. */
  *#holders(claim: PortClaim): Generator<string> {
    const addresses = this.#ports.get(portKey(claim));
    if (addresses === undefined) return;
    if (claim.ip === "") {
      for (const holders of addresses.values()) yield* holders;
      return;
    }
    yield* addresses.get("") ?? [];
    yield* addresses.get(claim.ip) ?? [];
  }

  /** Merges the shares that a reservation ties together, itself included. */
  #join(reservation: Reservation): void {
    const relatives = this.#relatives(reservation);
    const largest = relatives.reduce<Share | undefined>(
      (a, b) => (a === undefined || b.members.size > a.members.size ? b : a),
      undefined,
    );
    const share: Share = largest ?? { members: new Map(), nanoCpus: 0, memory: 0 };
    for (const other of relatives) this.#count(other, -1);
    for (const other of relatives) {
      if (other !== share) for (const member of other.members.values()) this.#adopt(share, member);
    }
    this.#adopt(share, reservation);
    this.#count(share, 1);
  }

  /** Takes a share apart and joins anew who is left: they may hang together without it or not. */
  #leave(reservation: Reservation): void {
    const share = this.#shares.get(reservation.id);
    if (share === undefined) return;
    this.#count(share, -1);
    for (const member of share.members.values()) for (const tie of tiesOf(member)) this.#shares.delete(tie);
    share.members.delete(reservation.id);
    for (const member of share.members.values()) this.#join(member);
  }

  #adopt(share: Share, member: Reservation): void {
    share.members.set(member.id, member);
    share.nanoCpus = Math.max(share.nanoCpus, member.nanoCpus);
    share.memory = Math.max(share.memory, member.memory);
    for (const tie of tiesOf(member)) this.#shares.set(tie, share);
  }

  #count(share: Share, sign: 1 | -1): void {
    this.#nanoCpus += sign * share.nanoCpus;
    this.#memory += sign * share.memory;
    for (const [group, { nanoCpus, memory }] of claimsOf(share)) {
      this.#groups.claim(group, { nanoCpus: sign * nanoCpus, memory: sign * memory });
    }
  }

  #relatives(need: Newcomer): readonly Share[] {
    const ties = tiesOf(need);
    if (ties.length === 0) return NONE;
    const found = new Set<Share>();
    for (const tie of ties) {
      const share = this.#shares.get(tie);
      if (share !== undefined) found.add(share);
    }
    return [...found];
  }
}

/** What each group's members in a share hold: once, as the share itself. */
function claimsOf(share: Share): ReadonlyMap<string, NodeSums> {
  const claims = new Map<string, NodeSums>();
  for (const { group, nanoCpus, memory } of share.members.values()) {
    if (group === undefined) continue;
    const claim = claims.get(group) ?? { nanoCpus: 0, memory: 0 };
    claims.set(group, { nanoCpus: Math.max(claim.nanoCpus, nanoCpus), memory: Math.max(claim.memory, memory) });
  }
  return claims;
}

/** IDs have no blanks, so that a slot is never taken for one. */
function tiesOf({ id, replaces, slot }: Newcomer): readonly string[] {
  if (replaces === undefined && slot === undefined) return id === undefined ? [] : [id];
  return [id, replaces, slot === undefined ? undefined : `slot ${slot}`].filter((tie) => tie !== undefined);
}

function link<K>(index: Map<K, Set<string>>, key: K, id: string): void {
  const ids = index.get(key);
  if (ids === undefined) index.set(key, new Set([id]));
  else ids.add(id);
}

function unlink<K>(index: Map<K, Set<string>>, key: K, id: string): void {
  const ids = index.get(key);
  ids?.delete(id);
  if (ids?.size === 0) index.delete(key);
}
