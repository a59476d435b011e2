/** Fences: whatever is cut off, stands still or is late, no two copies run at once, and in the end one does. */
import { afterEach, describe, expect, it } from "vitest";
import { seededRandom } from "../src/kit/random.ts";
import { Scene, TTL_MS } from "./fence/scene.ts";

const SEEDS = process.env.SHOAL_FULL === "1" ? 2_000 : 40;

let scene: Scene;
afterEach(() => scene.close());

async function until(what: string, holds: () => boolean, ms = 60_000): Promise<void> {
  for (let left = ms; left > 0; left -= 250) {
    if (holds()) return;
    await scene.clock.advance(250);
  }
  throw new Error(`never: ${what}; ${JSON.stringify(scene.copies)}`);
}
const movedOver = (): boolean => scene.copies.there && scene.copies.here !== "runs";
const allWell = (): boolean =>
  scene.copies.here === "runs" && !scene.copies.there && scene.fences.stateOf(scene.node) === "fenced";

async function open(): Promise<void> {
  scene = new Scene({ seed: 1 });
  scene.startAgent();
  await until("it is fenced", allWell);
}

describe("a node with a fence", () => {
  it("that is cut off from everybody stops what it runs before that runs elsewhere, and starts it never again", async () => {
    await open();
    scene.apart = true;
    scene.agentsBoard.cut = true;
    await until("it runs elsewhere", movedOver);
    expect(scene.copies.here).toBe("ended");
    await scene.clock.advance(60_000);
    expect(scene.copies).toEqual({ here: "ended", there: true });
    scene.apart = false;
    scene.agentsBoard.cut = false;
    await until("the node is as before", allWell);
    expect(scene.twice).toEqual([]);
  });

  it("that only its manager does not reach is told to stop, and confirms that sooner than its time is up", async () => {
    await open();
    scene.apart = true;
    await until("it runs elsewhere", movedOver);
    expect(scene.fences.stateOf(scene.node)).toBe("stopped");
    expect(scene.twice).toEqual([]);
  });

  it("whose engine hangs is frozen; nothing thaws when the engine wakes", async () => {
    await open();
    scene.hung = true;
    await until("it runs elsewhere", movedOver);
    expect(scene.copies.here).toBe("frozen");
    scene.hung = false;
    await until("the node is as before", allWell);
    expect(scene.twice).toEqual([]);
  });

  it("that did not reach the board for a while goes on when its manager has seen that: nothing moves", async () => {
    await open();
    scene.agentsBoard.cut = true;
    await until("it is stopped", () => scene.copies.here === "ended");
    expect(scene.fences.isDead(scene.node)).toBe(false);
    await until("it is shown", () => scene.fences.isDead(scene.node));
    expect(scene.fences.stateOf(scene.node)).toBe("unfenced");
    scene.agentsBoard.cut = false;
    await until("the node is as before", allWell);
    expect(scene.moves).toBe(0);
  });

  it("of which the manager cannot read anything does not move", async () => {
    await open();
    scene.apart = true;
    scene.managersBoard.cut = true;
    await scene.clock.advance(TTL_MS * 10);
    expect(scene.moves).toBe(0);
    scene.managersBoard.cut = false;
    await until("it runs elsewhere", movedOver);
    expect(scene.twice).toEqual([]);
  });

  it("whose agent ended has none: it moves at once, and when the agent is there again it stops what runs", async () => {
    await open();
    await scene.stopAgent();
    await until("that is seen", () => scene.fences.stateOf(scene.node) === "unfenced");
    expect(scene.fences.isDead(scene.node)).toBe(false);
    scene.apart = true;
    await until("it runs elsewhere, too", () => scene.copies.there);
    expect(scene.copies.here).toBe("runs");
    scene.startAgent();
    await until("one is left", movedOver);
  });

  it("stays stopped over a restart of its agent", async () => {
    await open();
    scene.apart = true;
    scene.hung = true;
    await until("it runs elsewhere", movedOver);
    await scene.stopAgent();
    scene.agentsBoard.cut = true;
    scene.startAgent();
    scene.hung = false;
    await until("it is ended", () => scene.copies.here === "ended");
    expect(scene.twice).toEqual([]);
  });
});

describe("any history", () => {
  it(`of ${SEEDS} has never two copies, and one in the end`, { timeout: 600_000 }, async () => {
    let moves = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = seededRandom(seed);
      const rate = (): number => 0.98 + random.int(41) / 1000;
      scene = new Scene({ seed, rates: [rate(), rate()], slowMs: 10 + random.int(400) });
      scene.startAgent();
      await scene.clock.advance(5_000);
      for (let act = 0; act < 8; act++) {
        disturb(random.int(8));
        await scene.clock.advance(500 + random.int(12_000));
        expect(scene.twice, `seed ${seed}`).toEqual([]);
      }
      scene.apart = false;
      scene.hung = false;
      scene.agentsBoard.cut = false;
      scene.managersBoard.cut = false;
      await until(`all is well with seed ${seed}`, allWell, 180_000);
      expect(scene.twice, `seed ${seed}`).toEqual([]);
      moves += scene.moves;
      await scene.close();
    }
    // Otherwise nothing was tried.
    expect(moves).toBeGreaterThan(SEEDS);
  });
});

function disturb(which: number): void {
  switch (which) {
    case 0:
    case 1:
      scene.apart = !scene.apart;
      return;
    case 2:
      scene.hung = !scene.hung;
      return;
    case 3:
      scene.agentsBoard.cut = !scene.agentsBoard.cut;
      return;
    case 4:
      scene.managersBoard.cut = !scene.managersBoard.cut;
      return;
    case 5:
      scene.apart = true;
      scene.agentsBoard.cut = true;
      return;
    case 6:
      scene.restartManager();
      return;
    case 7:
      scene.apart = false;
      scene.hung = false;
      scene.agentsBoard.cut = false;
      scene.managersBoard.cut = false;
  }
}
