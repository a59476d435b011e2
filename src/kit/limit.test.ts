import { describe, expect, it } from "vitest";
import { Limit, mapAtMost, QueueFull } from "./limit.ts";

/** Work that ends when it is told to. */
function gate(): { readonly work: () => Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { work: () => opened, open };
}

describe("a limit", () => {
  it("lets as many wait as it was told, and refuses more", async () => {
    const limit = new Limit(1, 2);
    const { work, open } = gate();
    const taken = [limit.run(work), limit.run(work), limit.run(work)];
    const refused: unknown = await limit.run(work).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(QueueFull);
    open();
    await Promise.all(taken);
    await expect(limit.run(async () => "again")).resolves.toBe("again");
  });

  it("works through a list of any length, so many at once", async () => {
    let running = 0;
    let most = 0;
    const doubled = await mapAtMost(3, [1, 2, 3, 4, 5, 6, 7, 8], async (one) => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running--;
      return 2 * one;
    });
    expect(doubled).toEqual([2, 4, 6, 8, 10, 12, 14, 16]);
    expect(most).toBe(3);
  });
});
