/** The system's clock: what its timers do beyond what Node's own can hold. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { systemClock } from "./clock.ts";

it("does not fire at once after a month", async () => {
  let fired = 0;
  const timers = [2 ** 31, 2 ** 40].map((ms) => systemClock.after(ms, () => fired++));
  await sleep(20);
  for (const timer of timers) timer.cancel();
  expect(fired).toBe(0);
});
