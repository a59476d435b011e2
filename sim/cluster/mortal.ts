/**
 * What a manager reaches the world through, so that it can die: from then on nothing that it asks for happens, and
 * nothing that happened is told. Owns the count of the steps at which a test lets it die.
 */
import { type EngineWire, WireError } from "../../src/engine/wire/wire.ts";
import { type Store, StoreError } from "../../src/store/store.ts";

export class Life {
  alive = true;
  #left = Number.POSITIVE_INFINITY;

  /** It dies at the step of this number from now: before and after each transaction and each change asked of an engine. */
  dieAt(step: number): void {
    this.#left = step;
  }

  step(): void {
    if (--this.#left === 0) this.alive = false;
  }
}

export function mortalStore(store: Store, life: Life): Store {
  const live = mortal(life, new StoreError("the manager is dead"));
  return {
    limits: store.limits,
    get: (key, options) => live(false, () => store.get(key, options)),
    list: (prefix, options) => live(false, () => store.list(prefix, options)),
    txn: (txn, options) => live(true, () => store.txn(txn, options)),
    watch: (prefix, observer, signal) => live(false, () => store.watch(prefix, observer, signal)),
    close: () => Promise.resolve(),
  };
}

export function mortalWire(wire: EngineWire, life: Life): EngineWire {
  const live = mortal(life, new WireError("aborted", true, "the manager is dead"));
  return {
    address: wire.address,
    request: (request) => live(request.method !== "GET" && request.method !== "HEAD", () => wire.request(request)),
    connect: (signal) => live(false, () => wire.connect(signal)),
    close: () => wire.close(),
  };
}

function mortal(life: Life, dead: Error): <T>(changes: boolean, work: () => Promise<T>) => Promise<T> {
  return async (changes, work) => {
    if (changes) life.step();
    if (!life.alive) throw dead;
    const result = await work();
    if (changes) life.step();
    if (!life.alive) throw dead;
    return result;
  };
}
