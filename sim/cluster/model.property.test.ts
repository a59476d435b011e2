/**
 * Any sequence of what clients do, of what is done past shoal and of what befalls engines and managers leaves one truth:
 * the list is the union of the engines', the ledger is what they hold, names are unique, and nothing is over capacity.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DockerError } from "../../src/docker/errors.ts";
import { WireError } from "../../src/engine/wire/wire.ts";
import { DeadlineError } from "../../src/kit/deadline.ts";
import { heldOn } from "../engine/held.ts";
import { expectTrueLedger, expectTrueList } from "./truth.ts";
import { GB, MB, World } from "./world.ts";

const NODES = 3;
const MEMORY = GB;

type Op =
  | { do: "create"; name: number; mb: number; port: number; always: boolean; start: boolean; lost: number }
  | { do: "start" | "stop" | "restart" | "rm" | "pause" | "unpause" | "fail start"; which: number }
  | { do: "rename"; which: number; name: number }
  | { do: "update"; which: number; mb: number }
  | { do: "own"; what: "create" | "start" | "stop" | "rm" | "rename"; node: number; which: number; mb: number }
  | { do: "engine"; what: "power cycle" | "cut" | "blink"; node: number }
  | { do: "manager" };

const which = fc.nat(30);
const mb = fc.constantFrom(0, 100, 300, 600);
const client = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("create" as const),
      name: fc.nat(12),
      mb,
      port: fc.constantFrom(0, 0, 80, 81),
      always: fc.boolean(),
      start: fc.boolean(),
      lost: fc.nat(12),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "start" as const,
        "start" as const,
        "stop" as const,
        "restart" as const,
        "rm" as const,
        "pause" as const,
        "unpause" as const,
        "fail start" as const,
      ),
      which,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("rename" as const), which, name: fc.nat(12) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("update" as const), which, mb }) },
);
const fate = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("own" as const),
      what: fc.constantFrom("create" as const, "start" as const, "stop" as const, "rm" as const, "rename" as const),
      node: fc.nat(NODES - 1),
      which,
      mb,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("engine" as const),
      what: fc.constantFrom("power cycle" as const, "cut" as const, "blink" as const),
      node: fc.nat(NODES - 1),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("manager" as const) }) },
);

class Run {
  readonly world: World;
  #own = 0;

  constructor(world: World) {
    this.world = world;
  }

  /** Refusals are part of the game; anything else is not. */
  async attempt(op: Op): Promise<void> {
    try {
      await this.#run(op);
    } catch (error) {
      if (!(error instanceof DockerError || error instanceof WireError || error instanceof DeadlineError)) throw error;
    }
  }

  async #run(op: Op): Promise<void> {
    switch (op.do) {
      case "create":
        return this.#create(op);
      case "own":
        return this.#ownDeed(op.what, op.node, op.which, op.mb);
      case "engine":
        return this.#befall(op.what, op.node);
      case "manager":
        return;
      default:
        return this.#change(op);
    }
  }

  async #create({ name, mb: size, port, always, start, lost }: Extract<Op, { do: "create" }>): Promise<void> {
    if (lost < 2) {
      for (const engine of this.world.engines) {
        const meddler = this.world.meddle(engine.name);
        if (lost === 0) meddler.loseAnswer(/create\?name=n/);
        else meddler.loseRequest(/create\?name=n/);
      }
    }
    const { record } = await this.world.create(name === 0 ? "" : `n${name}`, {
      HostConfig: {
        Memory: size * MB,
        ...(port > 0 && { PortBindings: { "80/tcp": [{ HostPort: String(port) }] } }),
        ...(always && { RestartPolicy: { Name: "always" } }),
      },
    });
    if (start) await this.world.start(record.id);
  }

  async #change(op: Exclude<Op, { do: "create" | "own" | "engine" | "manager" }>): Promise<void> {
    const records = [...this.world.cluster.inventory.newestFirst()];
    const id = records[op.which % Math.max(1, records.length)]?.id;
    if (id === undefined) return;
    if (op.do === "start") await this.world.start(id);
    else if (op.do === "rm") await this.world.remove(id);
    else if (op.do === "rename") await this.world.rename(id, `n${op.name + 1}`);
    else if (op.do === "update") await this.world.update(id, { Memory: op.mb * MB });
    else if (op.do === "fail start") {
      const { node } = this.world.record(id);
      this.world.engine(node.name).faults.failNext("start", 500, "no space left on device");
      await this.world.start(id);
    } else await this.world.change(id, op.do);
  }

  #ownDeed(what: "create" | "start" | "stop" | "rm" | "rename", node: number, index: number, size: number): void {
    const { containers, lifecycle } = this.world.engines[node]?.daemon ?? {};
    if (!containers || !lifecycle) return;
    const name = `own-${node}-${this.#own++}`;
    const all = containers.all();
    const container = all[index % Math.max(1, all.length)];
    if (what === "create") containers.create(name, { Image: "busybox", HostConfig: { Memory: size * MB } }, "1.51");
    if (!container) return;
    if (what === "start") lifecycle.start(container);
    else if (what === "stop") lifecycle.stop(container);
    else if (what === "rm") lifecycle.remove(container, true, false);
    else if (what === "rename") containers.rename(container, name);
  }

  async #befall(what: "power cycle" | "cut" | "blink", node: number): Promise<void> {
    const engine = this.world.engines[node];
    if (what === "power cycle") engine?.powerCycle();
    else if (what === "cut") engine?.faults.cutEvents();
    else {
      engine?.faults.dead();
      await this.world.clock.sleep(15);
      engine?.faults.dead(false);
    }
  }

  /** Everything that is under way comes to rest, and then all must agree. */
  async settle(): Promise<void> {
    const { world } = this;
    await world.healthy();
    for (const node of world.cluster.nodes.values()) await world.cluster.refresher.settledOn(node);
    const end = world.clock.monotonic() + 4_000;
    for (;;) {
      try {
        await expectTrueList(world);
        expectTrueLedger(world);
        break;
      } catch (error) {
        if (world.clock.monotonic() > end) throw error;
        await world.clock.sleep(10);
      }
    }
    const names = await world.names();
    expect(new Set(names).size).toBe(names.length);
  }
}

async function play(
  mintIds: boolean,
  chunks: readonly (readonly Op[])[],
  after: (world: World) => void,
): Promise<void> {
  const nodes = Array.from({ length: NODES }, () => ({ memory: MEMORY }));
  const world = await World.open({ nodes, overcommit: 0, mintIds });
  try {
    for (const chunk of chunks) {
      const run = new Run(world);
      await Promise.all(chunk.map((op) => run.attempt(op)));
      if (chunk.some((op) => op.do === "manager")) {
        await world.healthy();
        await world.restartManager();
      }
      await run.settle();
      after(world);
    }
  } finally {
    await world.close();
  }
}

describe("whatever happens", () => {
  // The same histories every time; the full run looks for new ones, and prints the seed of a failing one.
  const options = {
    numRuns: process.env.SHOAL_FULL === "1" ? 300 : 30,
    endOnFailure: true,
    ...(process.env.SHOAL_FULL !== "1" && { seed: 20_261_120 }),
  };

  it("through shoal alone, nothing is over capacity and no port given twice", async () => {
    const chunks = fc.array(fc.array(client, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.boolean(), chunks, (mintIds, ops) =>
        play(mintIds, ops, (world) => {
          for (const engine of world.engines) {
            const held = heldOn(engine);
            expect(held.memory).toBeLessThanOrEqual(MEMORY);
            expect(new Set(held.ports).size).toBe(held.ports.length);
          }
        }),
      ),
      options,
    );
  }, 600_000);

  it("also past shoal and to engines and managers, the cache comes out as the engines are", async () => {
    const chunks = fc.array(fc.array(fc.oneof(client, fate), { minLength: 1, maxLength: 12 }), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(fc.boolean(), chunks, (mintIds, ops) => play(mintIds, ops, () => {})),
      options,
    );
  }, 600_000);
});
