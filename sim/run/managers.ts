/**
 * The managers of a world, life after life: one that is alone, or several over one store. Owns who runs where and who
 * leads, their deaths and stops, and what is looked at when one begins to lead.
 */
import type { Cluster } from "../../src/cluster/cluster.ts";
import { Audience } from "./audience.ts";
import { ManagerDisk } from "./disk.ts";
import type { Host } from "./host.ts";
import type { Life } from "./life.ts";
import { Manager, type Process, type ProcessParts } from "./manager.ts";
import type { Weakness } from "./open-cluster.ts";
import { Network } from "./path.ts";
import { type CrashItem, type Plan, randomFor, type StallItem } from "./plan.ts";
import { Replica } from "./replica.ts";
import { SharedStore } from "./shared-store.ts";
import type { VirtualTime } from "./time.ts";
import type { Trace } from "./trace.ts";
import type { Complain } from "./witness.ts";

/** The least that lies between two lives. */
const RESTART_MS = 10;
/** Errors that are said rightly: a disk that takes nothing, a store that is away or another one's. */
const RIGHTLY = /ENOSPC|the store does not take changes|no longer leads|fences could not be read/;

export interface ManagersParts {
  readonly plan: Plan;
  readonly time: VirtualTime;
  readonly hosts: readonly Host[];
  readonly trace: Trace;
  readonly weakness: Weakness;
  readonly complain: Complain;
  /** A cluster began: of a life, or of a leadership. */
  readonly began: (cluster: Cluster) => void;
}

interface Seat {
  readonly name: string;
  process: Process;
  downMs: number;
}

export class Managers {
  /** Of the one that is alone. */
  readonly disk: ManagerDisk;
  readonly network = new Network();
  readonly shared: SharedStore;
  readonly #parts: ManagersParts;
  readonly #seats: readonly Seat[];
  readonly #audiences = new WeakMap<Cluster, Audience>();
  #lives = 0;
  #asked = 0;

  constructor(parts: ManagersParts) {
    this.#parts = parts;
    const { plan, time, trace, complain } = parts;
    this.disk = new ManagerDisk(time, randomFor(plan.seed, "disk"));
    this.shared = new SharedStore(trace, complain);
    const names = namesOf(plan);
    this.#seats = names.map((name) => ({ name, process: this.#make(name), downMs: 0 }));
    for (const seat of this.#seats) this.#mourn(seat);
  }

  /** More than one life each. */
  get restarts(): number {
    return this.#lives - this.#seats.length;
  }

  get alone(): boolean {
    return this.#seats.length === 1;
  }

  get names(): readonly string[] {
    return this.#seats.map(({ name }) => name);
  }

  /** Whoever is there, leading or not. */
  get processes(): readonly Process[] {
    return this.#seats.map(({ process }) => process);
  }

  /** The one whose word counts now. */
  get leading(): { readonly process: Process; readonly cluster: Cluster } | undefined {
    for (const { process } of this.#seats) {
      const { life, cluster } = process;
      if (life.alive && cluster) return { process, cluster };
    }
    return undefined;
  }

  audienceOf(cluster: Cluster): Audience | undefined {
    return this.#audiences.get(cluster);
  }

  begin(): void {
    for (const { process } of this.#seats) void process.start();
  }

  /** The next one that a client talks to: they take turns. */
  next(): Process {
    const seat = this.#seats[this.#asked++ % this.#seats.length];
    if (!seat) throw new Error("no manager");
    return seat.process;
  }

  crash({ who, io, sent, downMs }: CrashItem): void {
    const seat = this.#seat(who);
    seat.downMs = downMs;
    seat.process.life.doom(io, sent);
  }

  /** It stands still: at once, or between the decision to change an engine and the sending of that. */
  stall({ who, io, forMs, timersFirst }: StallItem): void {
    const { time, trace } = this.#parts;
    const { name, process } = this.#seat(who);
    const begin = (): void => {
      trace.add(name, `stands still for ${forMs} ms`);
      process.life.stop(forMs, timersFirst, time);
      time.after(forMs, () => trace.add(name, "goes on"));
    };
    if (io === undefined) begin();
    else process.life.stallAt(io, begin);
  }

  /** By number; undefined: the one that leads, or the first. */
  #seat(who: number | undefined): Seat {
    const leader = this.leading?.process;
    const seat =
      who === undefined
        ? (this.#seats.find(({ process }) => process === leader) ?? this.#seats[0])
        : this.#seats[who % this.#seats.length];
    if (!seat) throw new Error("no manager");
    return seat;
  }

  /** A machine by its name in a plan; `leader` is where the one that leads runs. */
  machine(name: string): string {
    return name === "leader" ? this.#seat(undefined).name : name;
  }

  #make(name: string): Process {
    const { plan, time, hosts, trace, weakness, complain, began } = this.#parts;
    const parts: ProcessParts = {
      plan,
      time,
      hosts,
      trace,
      weakness,
      number: this.#lives++,
      onError: (message) => {
        if (!RIGHTLY.test(message)) complain("bug", message);
      },
      leads: (cluster: Cluster, life: Life) => {
        this.#audiences.set(cluster, new Audience(cluster, life, complain));
        began(cluster);
      },
    };
    if (plan.managers === undefined) return new Manager(parts, this.disk);
    const peerAt = (address: string): Process | undefined => this.#seats.find((seat) => seat.name === address)?.process;
    return new Replica(name, parts, {
      shared: this.shared,
      network: this.network,
      peerAt: (address) => {
        const process = peerAt(address);
        return process?.api && { life: process.life, api: process.api };
      },
    });
  }

  /** Whoever watches over it starts it again when it has died, and not in a tight circle. */
  #mourn(seat: Seat): void {
    const { time, trace } = this.#parts;
    seat.process.life.onEnd(() => {
      trace.add(seat.name, "dies");
      time.after(Math.max(RESTART_MS, seat.downMs), () => {
        seat.process = this.#make(seat.name);
        trace.add(seat.name, `life ${this.#lives - 1} begins`);
        this.#mourn(seat);
        void seat.process.start();
      });
    });
  }
}

/** The names of its managers' machines. */
export function namesOf({ managers }: Plan): readonly string[] {
  if (managers === undefined) return ["manager"];
  return Array.from({ length: managers }, (_, n) => `manager-${n + 1}`);
}
