/**
 * Who holds what on which node: running sums of CPU and memory, port claims. Adding then removing is the identity.
 * Synchronous on purpose: between reading it and changing it there is no await (design: that is the lock).
 * Records what is, even over capacity (an engine's own containers ask nobody); judging a newcomer is `fits`.
 * Must not know containers, requests' expressions or how nodes are ranked.
 */
import { NodeAccount } from "./node-account.ts";
import { withOvercommit } from "./overcommit.ts";
import type { PortClaim } from "./request.ts";

export interface Reservation {
  /** Cluster ID of the container. */
  readonly id: string;
  readonly node: string;
  readonly nanoCpus: number;
  readonly memory: number;
  readonly ports: readonly PortClaim[];
  /** Compose slot (`project/service/number`), so that a successor finds its predecessor. */
  readonly slot?: string;
  /** The cluster ID of the container that this one replaces: what both hold counts once while both are there. */
  readonly replaces?: string;
  /** Key of its group: what is reserved for that on the node is drawn first. */
  readonly group?: string;
}

export interface NodeSums {
  readonly nanoCpus: number;
  readonly memory: number;
}

/** What a group holds at its home, its members there included. */
export interface GroupReserve extends NodeSums {
  readonly node: string;
}

/** What somebody wants to reserve. With the ID of a reservation that is there, it would take that one's place. */
export type Need = Omit<Reservation, "id" | "node"> & { readonly id?: string };

const NOTHING: NodeSums = { nanoCpus: 0, memory: 0 };

export class Ledger {
  readonly #accounts = new Map<string, NodeAccount>();
  readonly #reservations = new Map<string, Reservation>();
  /** By the group's key. */
  readonly #groups = new Map<string, GroupReserve>();

  /** Another one with the same entries, to try in. */
  copy(): Ledger {
    const copy = new Ledger();
    for (const [id, { size }] of this.#accounts) if (size) copy.setNode(id, size);
    for (const reservation of this.#reservations.values()) copy.reserve(reservation);
    for (const [key, reserve] of this.#groups) copy.reserveGroup(key, reserve);
    return copy;
  }

  /** A node's size as reported, before overcommit: CPUs × 10⁹ and bytes. What is reserved on it stays. */
  setNode(id: string, size: NodeSums): void {
    this.#account(id).size = { nanoCpus: size.nanoCpus, memory: size.memory };
  }

  /** Nothing fits there any more; what is reserved on it stays until it is released. */
  removeNode(id: string): void {
    const account = this.#accounts.get(id);
    if (account === undefined) return;
    account.size = undefined;
    this.#dropIfBare(id, account);
  }

  /** Books it as it is; a reservation of the same ID is replaced. */
  reserve(reservation: Reservation): void {
    this.release(reservation.id);
    this.#reservations.set(reservation.id, reservation);
    this.#account(reservation.node).add(reservation);
  }

  /** False when nothing was held. */
  release(id: string): boolean {
    const reservation = this.#reservations.get(id);
    if (reservation === undefined) return false;
    this.#reservations.delete(id);
    const account = this.#account(reservation.node);
    account.remove(reservation);
    this.#dropIfBare(reservation.node, account);
    return true;
  }

  get(id: string): Reservation | undefined {
    return this.#reservations.get(id);
  }

  /** The same needs on another node (a container that is moved or tried elsewhere). False when nothing was held. */
  move(id: string, node: string): boolean {
    const reservation = this.#reservations.get(id);
    if (reservation === undefined) return false;
    this.reserve({ ...reservation, node });
    return true;
  }

  /**
   * Other needs in the place of what `reservation.id` holds, if they fit (`docker update`, `docker start`): true when
   * booked, false when nothing was changed.
   */
  replaceIfFits(reservation: Reservation, overcommit: number): boolean {
    if (!this.fits(reservation.node, reservation, overcommit)) return false;
    if (this.conflict(reservation.node, reservation) !== undefined) return false;
    this.reserve(reservation);
    return true;
  }

  /** Books what its members do not hold of it yet, in the place of what was booked for the group before. */
  reserveGroup(key: string, { node, nanoCpus, memory }: GroupReserve): void {
    this.releaseGroup(key);
    this.#groups.set(key, { node, nanoCpus, memory });
    this.#account(node).reserveGroup(key, { nanoCpus, memory });
  }

  releaseGroup(key: string): void {
    const reserve = this.#groups.get(key);
    if (reserve === undefined) return;
    this.#groups.delete(key);
    const account = this.#account(reserve.node);
    account.reserveGroup(key, NOTHING);
    this.#dropIfBare(reserve.node, account);
  }

  groupReserve(key: string): GroupReserve | undefined {
    return this.#groups.get(key);
  }

  /** The node's sums were that reserved there for the group. */
  afterGroup(key: string, { node, nanoCpus, memory }: GroupReserve): NodeSums {
    return this.#accounts.get(node)?.afterGroup(key, { nanoCpus, memory }) ?? { nanoCpus, memory };
  }

  /** Room for a group's reserve: its members are counted already. */
  fitsGroup(key: string, reserve: GroupReserve, overcommit: number): boolean {
    const capacity = this.capacity(reserve.node, overcommit);
    if (capacity === undefined) return false;
    const now = this.sums(reserve.node);
    const after = this.afterGroup(key, reserve);
    return (
      (after.nanoCpus <= now.nanoCpus || after.nanoCpus <= capacity.nanoCpus) &&
      (after.memory <= now.memory || after.memory <= capacity.memory)
    );
  }

  /** What is promised on the node: to containers, and to groups beyond what theirs hold. */
  sums(node: string): NodeSums {
    return this.#accounts.get(node)?.sums ?? NOTHING;
  }

  /** The node's size with overcommit, rounded down; undefined when it was never told. */
  capacity(node: string, overcommit: number): NodeSums | undefined {
    const size = this.#accounts.get(node)?.size;
    if (size === undefined) return undefined;
    return { nanoCpus: withOvercommit(size.nanoCpus, overcommit), memory: withOvercommit(size.memory, overcommit) };
  }

  /** The node's sums were the need booked: what a successor shares with its predecessor counts once. */
  after(node: string, need: Need): NodeSums {
    const account = this.#accounts.get(node);
    if (account === undefined) return { nanoCpus: need.nanoCpus, memory: need.memory };
    return this.#without(account, node, need.id, () => account.after(need));
  }

  /**
   * Room for CPU and memory (ports are `conflict`'s). What asks nothing always fits, and so does what leaves the sum as
   * it is (a successor on a node that is over its capacity). More CPUs than the machine has never fit, overcommit or not:
   * its engine would refuse them.
   */
  fits(node: string, need: Need, overcommit: number): boolean {
    const account = this.#accounts.get(node);
    if (account?.size === undefined) return false;
    const { size } = account;
    if (need.nanoCpus > size.nanoCpus) return false;
    return this.#without(account, node, need.id, () => {
      const now = account.sums;
      const after = account.after(need);
      return (
        (after.nanoCpus <= now.nanoCpus || after.nanoCpus <= withOvercommit(size.nanoCpus, overcommit)) &&
        (after.memory <= now.memory || after.memory <= withOvercommit(size.memory, overcommit))
      );
    });
  }

  /** The cluster ID of a container that holds the port on the node, or a port that excludes it. */
  portHolder(node: string, claim: PortClaim): string | undefined {
    return this.#accounts.get(node)?.portHolder(claim);
  }

  /** The first claim of the need that another holds; its own predecessor's claims are shared. */
  conflict(node: string, need: Need): { readonly claim: PortClaim; readonly holder: string } | undefined {
    if (need.ports.length === 0) return undefined;
    const account = this.#accounts.get(node);
    return account && this.#without(account, node, need.id, () => account.conflict(need));
  }

  /** Looks at an account as if `id` held nothing there: adding back is the identity of taking away. */
  #without<T>(account: NodeAccount, node: string, id: string | undefined, look: () => T): T {
    const own = id === undefined ? undefined : this.#reservations.get(id);
    if (own === undefined || own.node !== node) return look();
    account.remove(own);
    try {
      return look();
    } finally {
      account.add(own);
    }
  }

  #account(node: string): NodeAccount {
    let account = this.#accounts.get(node);
    if (account === undefined) {
      account = new NodeAccount();
      this.#accounts.set(node, account);
    }
    return account;
  }

  #dropIfBare(node: string, account: NodeAccount): void {
    if (account.size === undefined && account.isEmpty) this.#accounts.delete(node);
  }
}
