/**
 * Watches the networks and volumes of every engine from inside, and what depends on them: judges in the moment that
 * something is made or goes. Owns the truth about them in `things.ts`.
 */
import { decodeObjectHint, HINT_LABEL } from "../../src/cluster/hint.ts";
import { DEFAULT_GROUPS, groupKey, POLICY_LABEL } from "../../src/scheduler/group.ts";
import { labelsOf, type SimContainer } from "../engine/container.ts";
import type { SimEvent } from "../engine/events.ts";
import type { History, Made } from "./history.ts";
import type { Host } from "./host.ts";
import type { ObjectKind } from "./object-items.ts";
import type { Thing, Things } from "./things.ts";
import type { VirtualTime } from "./time.ts";
import { type Complain, TOKEN_LABEL } from "./witness.ts";

const isMoved = ({ labels }: Thing): boolean => decodeObjectHint(labels[HINT_LABEL])?.moved === true;

/** A volume that its engine named. */
const MADE_UP = /^[0-9a-f]{64}$/;
const BUILT_IN = ["bridge", "host", "none", "default"];
/** What went so long ago has been read back by every manager: a create that still counts on it was decided later. */
const RECENT_MS = 60_000;

export class ObjectWitness {
  readonly #history: History;
  readonly #things: Things;
  readonly #time: VirtualTime;
  readonly #complain: Complain;

  constructor(history: History, things: Things, time: VirtualTime, complain: Complain) {
    this.#history = history;
    this.#things = things;
    this.#time = time;
    this.#complain = complain;
  }

  /** What a host has already was made past shoal. */
  furnished(host: Host): void {
    const { networks, volumes } = host.engine.daemon;
    for (const { id, name } of networks.all()) if (!BUILT_IN.includes(name)) this.#born(host, "network", id, true);
    for (const { name } of volumes.all()) this.#born(host, "volume", name, true);
  }

  /** @param elsewhere it was done past shoal */
  see(host: Host, { type, action, id }: SimEvent, elsewhere: boolean): void {
    if (type !== "network" && type !== "volume") return;
    if (action === "create") this.#made(this.#born(host, type, id, elsewhere));
    else if (action === "destroy") this.#gone(host, type, id, elsewhere);
  }

  #born(host: Host, kind: ObjectKind, key: string, foreign: boolean): Thing {
    const { networks, volumes } = host.engine.daemon;
    const { name, labels } = kind === "network" ? networks.get(key) : volumes.get(key);
    const token = labels[TOKEN_LABEL];
    return this.#things.born({ kind, host, key, name, labels, foreign, token, bornAt: this.#time.now });
  }

  #made(thing: Thing): void {
    const { kind, name, host, token } = thing;
    if (thing.foreign || (kind === "volume" && MADE_UP.test(name))) return;
    if (kind === "network" && this.#things.asks.get(token ?? "")?.name !== name) {
      this.#complain("foreign", `${host.name}: the network ${name} was made, and nobody asked for it`);
    }
    for (const other of this.#things.living(kind)) {
      if (other === thing || other.name !== name || other.foreign) continue;
      if (token !== undefined && other.token === token && other.host !== host) {
        // One of every node is several networks, all of one create.
        if (thing.labels["shoal.network"] !== undefined) continue;
        // It moves: whoever was told of the one is told of the other.
        if (isMoved(thing)) {
          thing.toldAt = other.toldAt;
          thing.id = other.id;
          continue;
        }
      }
      this.#complain("twice", `the ${kind} ${name} is on ${other.host.name} and was made on ${host.name} again`);
    }
    this.#checkGroup(host, thing.labels, `${kind} ${name}`);
  }

  /** What is packed is whole on one node. */
  #checkGroup(host: Host, labels: Readonly<Record<string, string>>, what: string): void {
    const key = groupKey(labels, DEFAULT_GROUPS);
    if (key === undefined || (labels[POLICY_LABEL] ?? "pack") !== "pack") return;
    const belongs = (other: Readonly<Record<string, string>>): boolean => groupKey(other, DEFAULT_GROUPS) === key;
    const things = [...this.#things.living("network"), ...this.#things.living("volume")].filter(
      (thing) => !thing.foreign && thing.host !== host && belongs(thing.labels),
    );
    const strays = things.map((thing) => `${thing.kind} ${thing.name} is on ${thing.host.name}`);
    for (const made of this.#history.made) {
      // Removed while its node was lost, or made late after nobody waited for it: it goes when it is found.
      if (made.untold || made.removedAt < Number.POSITIVE_INFINITY) continue;
      for (const copy of made.living()) {
        if (copy.host !== host && belongs(labelsOf(copy.container)))
          strays.push(`${copy.container.name} is on ${copy.host.name}`);
      }
    }
    if (strays.length > 0) this.#complain("group", `${what} of ${key} was made on ${host.name}, but ${strays.join()}`);
  }

  /** A container of a client's was made: its group and its networks are there. */
  container(host: Host, container: SimContainer): void {
    this.#checkGroup(host, labelsOf(container), container.name);
    for (const ref of container.wanted.keys()) {
      if (BUILT_IN.includes(ref) || host.engine.daemon.networks.find(ref)) continue;
      const named = this.#things.all.filter(({ kind, name }) => kind === "network" && name === ref);
      // It may have gone while the create was under way.
      if (named.some((thing) => thing.host === host && thing.goneAt > this.#time.now - RECENT_MS)) continue;
      for (const { goneAt, host: where } of named) {
        if (goneAt !== Number.POSITIVE_INFINITY) continue;
        this.#complain("network", `${container.name} was made on ${host.name}, its network ${ref} is on ${where.name}`);
      }
    }
  }

  #gone(host: Host, kind: ObjectKind, key: string, elsewhere: boolean): void {
    const thing = this.#things.find(host, kind, key);
    if (!thing) return;
    thing.goneAt = this.#time.now;
    if (elsewhere) return;
    const { name } = thing;
    if (thing.foreign) {
      this.#complain("foreign", `${host.name}: the foreign ${kind} ${name} was removed`);
      return;
    }
    if (this.#things.mayBeRemoved(thing) || this.#hasMoved(thing)) return;
    if (kind === "volume" && this.#mayGoWithUsers(host, name)) return;
    // A create that was not answered may be undone.
    if (thing.token !== undefined && thing.toldAt === Number.POSITIVE_INFINITY) return;
    this.#complain(kind, `${host.name}: the ${kind} ${name.slice(0, 12)} was removed: nobody asked for that`);
  }

  /** It gives way to the one that it moved to, or that one to it. */
  #hasMoved(thing: Thing): boolean {
    const { token } = thing;
    if (thing.kind !== "network" || token === undefined) return false;
    return this.#things.living("network").some((other) => other.token === token && (isMoved(other) || isMoved(thing)));
  }

  /** What never ran has put nothing there: undoing such a create takes its anonymous volumes along. */
  #mayGoWithUsers(host: Host, name: string): boolean {
    if (!MADE_UP.test(name)) return false;
    const uses = (made: Made): Made["copies"] =>
      made.copies.filter((copy) => copy.host === host && copy.container.mounts.some(({ Name }) => Name === name));
    const users = this.#history.made.filter((made) => uses(made).length > 0);
    return (
      users.length > 0 &&
      users.every((made) => this.#history.mayLoseVolumes(made) || uses(made).every((copy) => !copy.ran))
    );
  }
}
