/** Not a test of shoal: takes away what runs on real engines left that were killed or interrupted. */
import { expect, it } from "vitest";
import { removeDeadRuns } from "./support/engines.ts";

it("takes away what killed runs left", async () => {
  expect(await removeDeadRuns()).toEqual([]);
});
