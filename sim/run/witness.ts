/**
 * Watches every engine from inside, past shoal, and judges each change in the moment that it happens: who is doubled, who
 * is over capacity, what foreign thing is touched, what vanishes unasked. Owns the truth about the engines.
 */
import { decodeHint, HINT_LABEL } from "../../src/cluster/hint.ts";
import { withOvercommit } from "../../src/scheduler/overcommit.ts";
import type { SimContainer } from "../engine/container.ts";
import type { SimEvent } from "../engine/events.ts";
import { heldOn } from "../engine/held.ts";
import type { Copy, History, Made } from "./history.ts";
import type { Host } from "./host.ts";
import { ObjectWitness } from "./object-witness.ts";
import { OVERCOMMIT } from "./open-cluster.ts";
import type { Things } from "./things.ts";
import type { VirtualTime } from "./time.ts";

export const TOKEN_LABEL = "sim.token";
/** On what was made past shoal, although it may have inherited a token. */
export const OWN_LABEL = "sim.own";

/** Events that a container has without being changed. */
const HARMLESS = new Set(["attach", "commit", "exec_create", "exec_start", "exec_die", "top", "resize"]);
/** After these a container holds more than before. */
const GROWING = new Set(["create", "start", "update", "restart"]);

export type Complain = (rule: string, what: string) => void;

export class Witness {
  readonly #history: History;
  readonly #time: VirtualTime;
  readonly #complain: Complain;
  /** Past shoal, or by a machine's power: no client and no manager is at it. */
  #elsewhere = false;
  /** Hosts where somebody else took room or ports: what shoal cannot know of in time is not its fault. */
  readonly #unaccounted = new Set<Host>();
  readonly #objects: ObjectWitness;
  /** Whether a create of this nonce comes from a manager that leads no more. */
  readonly #isStray: (nonce: string | undefined) => boolean;

  constructor(
    history: History,
    things: Things,
    time: VirtualTime,
    complain: Complain,
    isStray: (nonce: string | undefined) => boolean = () => false,
  ) {
    this.#isStray = isStray;
    this.#history = history;
    this.#time = time;
    this.#complain = complain;
    this.#objects = new ObjectWitness(history, things, time, complain);
  }

  watch(host: Host): void {
    this.#objects.furnished(host);
    host.engine.daemon.events.subscribe((event) => this.#see(host, event));
  }

  /** Runs what is done past shoal. */
  elsewhere<T>(work: () => T): T {
    this.#elsewhere = true;
    try {
      return work();
    } finally {
      this.#elsewhere = false;
    }
  }

  /** From now on nobody is blamed for what is over on this host. */
  unaccounted(host: Host): void {
    this.#unaccounted.add(host);
  }

  /** False as well while it has what it made for a manager that led no more: nobody kept room for that. */
  accounts(host: Host): boolean {
    const isStrayThere = (copy: Copy): boolean => copy.stray && !copy.gone && copy.host === host;
    return !this.#unaccounted.has(host) && !this.#history.made.some(({ copies }) => copies.some(isStrayThere));
  }

  /** A power cycle changes states without an event. */
  cycled(host: Host): void {
    for (const made of this.#history.made) {
      if (made.living().some((copy) => copy.host === host)) made.changedAt = this.#time.now;
    }
  }

  #see(host: Host, event: SimEvent): void {
    this.#objects.see(host, event, this.#elsewhere);
    if (event.type === "image") this.#seeImage(host, event);
    if (event.type !== "container" || event.id === "") return;
    const made = this.#madeOf(event);
    if (!made) {
      if (this.#elsewhere || HARMLESS.has(event.action)) return;
      this.#complain("foreign", `${host.name}: ${event.action} of the foreign container ${event.attributes.name}`);
      return;
    }
    if (event.action === "create") this.#born(host, made, event);
    else if (event.action === "destroy") this.#gone(host, made, event);
    if (!HARMLESS.has(event.action)) made.changedAt = this.#time.now;
    if (event.action === "rename") this.#renamed(made, event);
    if (event.action === "start") this.#started(made, event);
    if (!this.#elsewhere && GROWING.has(event.action)) this.#weigh(host, event);
  }

  /** Undefined for what was made past shoal. */
  #madeOf(event: SimEvent): Made | undefined {
    if (event.attributes[OWN_LABEL] !== undefined) return undefined;
    return this.#history.byToken(event.attributes[TOKEN_LABEL]);
  }

  #born(host: Host, made: Made, event: SimEvent): void {
    const container = host.engine.daemon.containers.find(event.id);
    if (!container) return;
    const hint = decodeHint(event.attributes[HINT_LABEL]);
    const epoch = hint?.epoch ?? 0;
    const stray = this.#isStray(hint?.nonce);
    const copy: Copy = { host, container, epoch, bornAt: this.#time.now, ran: false, gone: false, stray };
    const older = made.living().filter((other) => !other.stray);
    made.copies.push(copy);
    made.names.add(container.name);
    // It is judged a moment later: strays.ts.
    if (stray) return;
    if (older.some((other) => other.epoch >= epoch)) {
      this.#complain("twice", `${made.token} is on ${older.map((o) => o.host.name).join()} and again on ${host.name}`);
    }
    this.#checkName(made, container);
    if (!this.#elsewhere) this.#objects.container(host, container);
  }

  #started(made: Made, event: SimEvent): void {
    for (const copy of made.copies) if (copy.container.id === event.id) copy.ran = true;
  }

  #renamed(made: Made, event: SimEvent): void {
    made.names.add(event.attributes.name ?? "");
    const container = made.copies.find((copy) => copy.container.id === event.id)?.container;
    if (container && !this.#elsewhere) this.#checkName(made, container);
  }

  /** Two containers of shoal's never have one name, not even for a moment. */
  #checkName(made: Made, container: SimContainer): void {
    // One that was made late, after its name was given up, is removed as soon as it is found.
    if (made.untold) return;
    for (const other of this.#history.made) {
      // What was removed while its node was lost is there until the node is back; its name is free at once.
      if (
        other === made ||
        other.untold ||
        other.removedAt < Number.POSITIVE_INFINITY ||
        this.#history.mayBeRemoved(other)
      )
        continue;
      if (other.living().some((copy) => !copy.stray && copy.container.name === container.name)) {
        this.#complain("name", `${other.token} and ${made.token} are both called ${container.name}`);
      }
    }
  }

  #gone(host: Host, made: Made, event: SimEvent): void {
    for (const copy of made.copies) if (copy.container.id === event.id) copy.gone = true;
    made.goneAt = this.#time.now;
    if (this.#elsewhere || this.#history.mayBeRemoved(made)) return;
    // A create that was not answered may be undone, and an older copy gives way to a newer one.
    if (made.id === undefined || made.living().length > 0) return;
    // Its removal was told when the newest copy went; an older one goes a moment later.
    if (made.removedAt <= this.#time.now) return;
    this.#complain(
      "lost",
      `${made.token} (${event.attributes.name}) was removed from ${host.name}: nobody asked for that`,
    );
  }

  #weigh(host: Host, event: SimEvent): void {
    if (event.action === "rename" || this.#unaccounted.has(host)) return;
    const held = heldOn(host.engine, this.#uncounted());
    const what = `${host.name} after ${event.action} of ${event.attributes.name}`;
    const memory = withOvercommit(host.memory, OVERCOMMIT);
    const cpus = withOvercommit(host.nanoCpus, OVERCOMMIT);
    if (held.memory > memory) this.#complain("capacity", `${what}: ${held.memory} of ${memory} bytes`);
    if (held.nanoCpus > cpus) this.#complain("capacity", `${what}: ${held.nanoCpus} of ${cpus} CPUs × 10⁹`);
    const twice = held.ports.find((port, i) => held.ports.indexOf(port) !== i);
    if (twice !== undefined) this.#complain("port", `${what}: ${twice} is given twice`);
  }

  /** Copies that are removed or kept aside as soon as they are found. */
  #uncounted(): Set<string> {
    const given = this.#history.made.filter((one) => one.untold || one.removedAt < Number.POSITIVE_INFINITY);
    const replaced = this.#history.made.flatMap((one) => one.copies.filter((copy) => copy !== one.copy || copy.stray));
    return new Set([...given.flatMap(({ copies }) => copies), ...replaced].map(({ container }) => container.id));
  }

  #seeImage(host: Host, event: SimEvent): void {
    if (this.#elsewhere || (event.action !== "delete" && event.action !== "untag")) return;
    this.#complain(
      "foreign",
      `${host.name}: ${event.action} of the image ${event.id.slice(7, 19)}: nobody asked for that`,
    );
  }
}
