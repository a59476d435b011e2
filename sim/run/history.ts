/**
 * What clients asked for and were told, and what became of it on the engines in truth. Owns the facts; the checkers judge
 * them.
 */
import type { SimContainer } from "../engine/container.ts";
import type { Host } from "./host.ts";
import type { CreateItem, RenameItem } from "./plan.ts";

/** One container on one engine, made by a create of a client. */
export interface Copy {
  readonly host: Host;
  readonly container: SimContainer;
  readonly epoch: number;
  readonly bornAt: number;
  /** It ran at least once. */
  ran: boolean;
  gone: boolean;
  /** Its engine made it for a manager that led no more. */
  readonly stray: boolean;
}

/** One create of a client, and all that is known of its container. Times are virtual milliseconds. */
export class Made {
  /** On the container as the label `sim.token`. */
  readonly token: string;
  readonly client: number;
  readonly item: CreateItem;
  /** The cluster's ID, as the client was told. */
  id: string | undefined;
  toldAt = Number.POSITIVE_INFINITY;
  /** The client was told that there is none. */
  refused: number | undefined;
  /** Its client was told of no container, for certain or not: what is there all the same nobody counts on. */
  untold = false;
  /** Every name that it may have had. */
  readonly names = new Set<string>();
  readonly copies: Copy[] = [];
  /** When somebody was told that it is removed. */
  removedAt = Number.POSITIVE_INFINITY;
  /** When it last vanished from an engine. */
  goneAt = Number.NEGATIVE_INFINITY;
  /** When its state or its name last changed in truth. */
  changedAt = Number.NEGATIVE_INFINITY;
  /** The last change of its state and of its name that somebody was told of: no later change, and lists must show it. */
  stateTold: Told | undefined;
  nameTold: Told | undefined;
  /** Renames that nobody was told the outcome of (yet): until then lists may show either name. */
  readonly openRenames = new Set<RenameItem>();
  /** When somebody was last told the outcome of a rename. */
  renameEndedAt = Number.NEGATIVE_INFINITY;
  /** Somebody did something to it past shoal. */
  meddled = false;

  constructor(token: string, client: number, item: CreateItem) {
    this.token = token;
    this.client = client;
    this.item = item;
  }

  /** On engines now. */
  living(): Copy[] {
    return this.copies.filter((copy) => !copy.gone);
  }

  /** The one that counts: the newest, and none that a leader of before made unless there is no other. */
  get copy(): Copy | undefined {
    const living = this.living();
    const counted = living.filter(({ stray }) => !stray);
    const from = counted.length > 0 ? counted : living;
    return from.reduce<Copy | undefined>((a, b) => (a && a.epoch > b.epoch ? a : b), undefined);
  }
}

export interface Told {
  /** When the change was asked for, and when its success was told. */
  readonly asked: number;
  readonly at: number;
}

/** A removal that somebody asked for; without an end while nobody knows whether it was done. */
export interface Removal {
  readonly covers: (made: Made) => boolean;
  readonly volumes: boolean;
  open: boolean;
}

export class History {
  readonly made: Made[] = [];
  readonly #byToken = new Map<string, Made>();
  readonly removals = new Set<Removal>();

  create(client: number, item: CreateItem): Made {
    const made = new Made(`t${this.made.length}`, client, item);
    this.made.push(made);
    this.#byToken.set(made.token, made);
    return made;
  }

  byToken(token: string | undefined): Made | undefined {
    return token === undefined ? undefined : this.#byToken.get(token);
  }

  /** Whose creation somebody was told of, and whose removal nobody was. */
  standing(): Made[] {
    return this.made.filter((made) => made.id !== undefined && made.removedAt === Number.POSITIVE_INFINITY);
  }

  removal(covers: (made: Made) => boolean, volumes: boolean): Removal {
    const removal = { covers, volumes, open: true };
    this.removals.add(removal);
    return removal;
  }

  mayBeRemoved(made: Made): boolean {
    for (const removal of this.removals) if (removal.open && removal.covers(made)) return true;
    return false;
  }

  mayLoseVolumes(made: Made): boolean {
    for (const removal of this.removals) if (removal.open && removal.volumes && removal.covers(made)) return true;
    return false;
  }
}
