/** With any protection off, the checkers find a seed that fails and that holds with it on: checkers that see nothing prove nothing. */
import { describe, expect, it } from "vitest";
import { PROTECTIONS } from "./protections.ts";
import { catchWithout } from "./weak.ts";

/** Within so many seeds each must be missed. */
const SEEDS = 500;
/** The full run tries all; these are missed soon. */
const SOON = [
  "foreign",
  "epoch",
  "read your writes",
  "sent at most once",
  "volume hold",
  "open create",
  "objects",
  "changes",
  "undone",
  "brake",
  "kept aside",
];

describe("switched off", () => {
  const names = process.env.SHOAL_FULL === "1" ? Object.keys(PROTECTIONS) : SOON;
  it.each(names)(
    "%s is missed",
    async (name) => {
      expect(await catchWithout(name, SEEDS)).toBeDefined();
    },
    3_600_000,
  );
});
