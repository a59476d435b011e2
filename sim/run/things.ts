/**
 * The networks and volumes on the engines in truth, what clients asked for and were told of them. Owns these facts; the
 * checkers judge them.
 */
import type { Host } from "./host.ts";
import type { ObjectKind } from "./object-items.ts";
import { declined, isAnswer, type Outcome } from "./outcome.ts";

/** One network or volume on one engine. Times are virtual milliseconds. */
export interface Thing {
  readonly kind: ObjectKind;
  readonly host: Host;
  /** A network's ID, a volume's name. */
  readonly key: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Made past shoal. */
  readonly foreign: boolean;
  /** The create of a client that it comes from; undefined for a volume that a container's create made. */
  readonly token: string | undefined;
  readonly bornAt: number;
  goneAt: number;
  /** When somebody was first told of it, and when that it is removed. */
  toldAt: number;
  removedAt: number;
  /** The cluster's ID, as somebody was told. */
  id: string | undefined;
}

/** A client's request that may make a network or volume. */
export interface Ask {
  readonly kind: ObjectKind;
  readonly name: string;
  /** Its client was told that there is none. */
  refused: number | undefined;
}

/** A removal that somebody asked for; open while nobody knows whether it was done. */
export interface ThingRemoval {
  readonly covers: (thing: Thing) => boolean;
  open: boolean;
}

const NEVER = Number.POSITIVE_INFINITY;

export class Things {
  readonly all: Thing[] = [];
  readonly asks = new Map<string, Ask>();
  readonly #removals = new Set<ThingRemoval>();

  born(parts: Pick<Thing, "kind" | "host" | "key" | "name" | "labels" | "foreign" | "token" | "bornAt">): Thing {
    const thing = { ...parts, goneAt: NEVER, toldAt: NEVER, removedAt: NEVER, id: undefined };
    this.all.push(thing);
    return thing;
  }

  /** What is on engines now. */
  living(kind: ObjectKind): Thing[] {
    return this.all.filter((thing) => thing.kind === kind && thing.goneAt === NEVER);
  }

  find(host: Host, kind: ObjectKind, key: string): Thing | undefined {
    return this.living(kind).find((thing) => thing.host === host && thing.key === key);
  }

  /** @returns the token that the request's labels carry */
  ask(kind: ObjectKind, name: string): string {
    const token = `o${this.asks.size}`;
    this.asks.set(token, { kind, name, refused: undefined });
    return token;
  }

  /** Its client was answered, or not. */
  settle(token: string, outcome: Outcome): void {
    const ask = this.asks.get(token);
    if (ask && declined(outcome)) ask.refused = isAnswer(outcome) ? outcome.status : 0;
  }

  removal(covers: (thing: Thing) => boolean): ThingRemoval {
    const removal = { covers, open: true };
    this.#removals.add(removal);
    return removal;
  }

  mayBeRemoved(thing: Thing): boolean {
    for (const removal of this.#removals) if (removal.open && removal.covers(thing)) return true;
    return false;
  }
}
