/**
 * Most nodes vanish at the same moment: what ran there is made nowhere else as long as they are away, for the manager has
 * to suspect itself. Owns this rule.
 */
import type { History } from "./history.ts";
import type { Host } from "./host.ts";
import type { VirtualTime } from "./time.ts";
import { type Complain, OWN_LABEL, TOKEN_LABEL } from "./witness.ts";

/** Hosts whose absence began within this are away together: they are looked at twice a second. */
const TOGETHER_MS = 1_500;
/**
 * So many together, and half of all, are beyond doubt. (Engines are asked at different times: of few that vanish one may be
 * found lost before the next is missed.)
 */
const MANY = 8;

export class Brake {
  readonly #time: VirtualTime;
  readonly #hosts: readonly Host[];
  readonly #since = new Map<Host, number>();

  constructor(hosts: readonly Host[], history: History, time: VirtualTime, complain: Complain) {
    this.#time = time;
    this.#hosts = hosts;
    for (const host of hosts) {
      host.engine.daemon.events.subscribe(({ type, action, id, attributes }) => {
        if (type !== "container" || action !== "create" || attributes[OWN_LABEL] !== undefined) return;
        const made = history.byToken(attributes[TOKEN_LABEL]);
        const older = made?.living().find((copy) => copy.container.id !== id && this.#isOneOfMany(copy.host));
        if (made && older)
          complain("brake", `${made.token} moves from ${older.host.name}, which is away with most others`);
      });
    }
  }

  /** To be called now and then. */
  look(): void {
    for (const host of this.#hosts) {
      const isAway = host.silent || host.partitioned;
      if (!isAway) this.#since.delete(host);
      else if (!this.#since.has(host)) this.#since.set(host, this.#time.now);
    }
  }

  #isOneOfMany(host: Host): boolean {
    const since = this.#since.get(host);
    if (since === undefined) return false;
    const together = [...this.#since.values()].filter((at) => Math.abs(at - since) <= TOGETHER_MS).length;
    return together >= MANY && together * 2 >= this.#hosts.length;
  }
}
