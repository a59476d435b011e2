/**
 * Which nodes are lost. A host that gives no sign is; one whose engine alone is down or stands still keeps its containers
 * running, and gets its time. When many vanish at once the manager suspects itself: it says so, and nothing moves until
 * somebody says that it may. Owns the judgement; must not know what follows from it.
 */
import type { Clock } from "../../kit/clock.ts";
import {
  BRAKE_NODES,
  BRAKE_SHARE,
  BRAKE_WINDOW_MS,
  ENGINE_GRACE_MS,
  ENGINE_HUNG_MS,
  HOST_LOST_MS,
} from "../../kit/limits.ts";
import type { ClusterNode } from "../node.ts";

export class Losses {
  readonly #clock: Clock;
  /** Node ID → monotonic milliseconds since when it does not answer. */
  readonly #since = new Map<string, number>();
  /** They vanished together: none of them counts as lost. */
  readonly #doubted = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Nodes that vanished together and are still gone; nothing moves while there are any. */
  get doubted(): ReadonlySet<string> {
    return this.#doubted;
  }

  /** To be called with all nodes after a state has changed. */
  note(nodes: ReadonlyMap<string, ClusterNode>): void {
    const now = this.#clock.monotonic();
    for (const id of [...this.#since.keys()]) if (!isDown(nodes.get(id))) this.#forget(id);
    for (const node of nodes.values()) if (isDown(node) && !this.#since.has(node.id)) this.#since.set(node.id, now);
    const together = [...this.#since].filter(([, at]) => now - at < BRAKE_WINDOW_MS);
    if (together.length < 2 || together.length <= Math.min(nodes.size * BRAKE_SHARE, BRAKE_NODES)) return;
    for (const [id] of together) this.#doubted.add(id);
  }

  #forget(id: string): void {
    this.#since.delete(id);
    this.#doubted.delete(id);
  }

  /** They are lost indeed: somebody said so. */
  believe(): void {
    const longAgo = this.#clock.monotonic() - BRAKE_WINDOW_MS;
    for (const id of this.#doubted) this.#since.set(id, Math.min(this.#since.get(id) ?? longAgo, longAgo));
    this.#doubted.clear();
  }

  /** Whether any node is down, so that time alone may bring another verdict. */
  get any(): boolean {
    return this.#since.size > 0;
  }

  /** Its containers may run elsewhere now. */
  isLost(node: ClusterNode): boolean {
    const since = this.#since.get(node.id);
    if (since === undefined || this.#doubted.size > 0) return false;
    const silentFor = this.#clock.monotonic() - since;
    const { fault, reached } = node.engine;
    if (fault !== "silent") return silentFor >= ENGINE_GRACE_MS;
    return silentFor >= (reached ? ENGINE_HUNG_MS : HOST_LOST_MS);
  }
}

/** It was read once, and its engine was tried since and did not answer. */
function isDown(node: ClusterNode | undefined): boolean {
  if (!node || node.blocked !== undefined || !node.known) return false;
  return (node.state === "unhealthy" || node.state === "pending") && node.error !== undefined;
}
