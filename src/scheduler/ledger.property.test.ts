import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Ledger, type Reservation } from "./ledger.ts";
import type { PortClaim } from "./request.ts";

const claim: fc.Arbitrary<PortClaim> = fc.record({
  ip: fc.constantFrom("", "127.0.0.1", "10.0.0.1"),
  port: fc.integer({ min: 80, max: 83 }),
  protocol: fc.constantFrom("tcp", "udp"),
});
const ids = ["a", "b", "c", "d", "e", "f"];
const reservation: fc.Arbitrary<Reservation> = fc.record(
  {
    id: fc.constantFrom(...ids),
    node: fc.constantFrom("n1", "n2"),
    nanoCpus: fc.integer({ min: 0, max: 9 }),
    memory: fc.integer({ min: 0, max: 9 }),
    ports: fc.uniqueArray(claim, { maxLength: 2, selector: (one) => JSON.stringify(one) }),
    slot: fc.constantFrom("s1", "s2"),
    replaces: fc.constantFrom(...ids),
  },
  { requiredKeys: ["id", "node", "nanoCpus", "memory", "ports"] },
);

/** The definition, spelled out: components by shared ID, replaced ID or slot; the largest need of each. */
function expectedSums(held: readonly Reservation[], node: string): { nanoCpus: number; memory: number } {
  const here = held.filter((one) => one.node === node);
  const ties = (one: Reservation): string[] => [one.id, one.replaces ?? one.id, one.slot ?? one.id];
  const components: Reservation[][] = [];
  for (const one of here) {
    const related = components.filter((group) =>
      group.some((other) => ties(other).some((tie) => ties(one).includes(tie))),
    );
    for (const group of related) components.splice(components.indexOf(group), 1);
    components.push([one, ...related.flat()]);
  }
  const sum = (pick: (one: Reservation) => number): number =>
    components.reduce((total, group) => total + Math.max(...group.map(pick)), 0);
  return { nanoCpus: sum((one) => one.nanoCpus), memory: sum((one) => one.memory) };
}

function snapshot(ledger: Ledger): unknown {
  const claims = [80, 81, 82, 83].flatMap((port) =>
    ["tcp", "udp"].map((protocol) => ledger.portHolder("n1", { ip: "", port, protocol }) !== undefined),
  );
  return [ledger.sums("n1"), ledger.sums("n2"), claims, ids.map((id) => ledger.get(id))];
}

describe("the ledger, whatever is booked", () => {
  const history = fc.array(fc.oneof(reservation, fc.constantFrom(...ids)), { maxLength: 25 });
  const replay = (steps: readonly (Reservation | string)[]): { ledger: Ledger; held: Map<string, Reservation> } => {
    const ledger = new Ledger();
    const held = new Map<string, Reservation>();
    for (const step of steps) {
      if (typeof step === "string") {
        expect(ledger.release(step)).toBe(held.delete(step));
      } else {
        ledger.reserve(step);
        held.set(step.id, step);
      }
    }
    return { ledger, held };
  };

  it("sums what the definition says, a succession once", () => {
    fc.assert(
      fc.property(history, (steps) => {
        const { ledger, held } = replay(steps);
        for (const node of ["n1", "n2"]) expect(ledger.sums(node)).toEqual(expectedSums([...held.values()], node));
      }),
      { numRuns: 500 },
    );
  });

  it("is the same after adding and removing", () => {
    fc.assert(
      fc.property(history, reservation, (steps, more) => {
        const { ledger, held } = replay(steps);
        fc.pre(!held.has(more.id));
        const before = snapshot(ledger);
        ledger.reserve(more);
        ledger.release(more.id);
        expect(snapshot(ledger)).toEqual(before);
      }),
      { numRuns: 500 },
    );
  });

  it("foresees what booking does", () => {
    fc.assert(
      fc.property(history, reservation, (steps, more) => {
        const { ledger } = replay(steps);
        const before = snapshot(ledger);
        const foreseen = ledger.after(more.node, more);
        expect(snapshot(ledger)).toEqual(before);
        ledger.reserve(more);
        expect(ledger.sums(more.node)).toEqual(foreseen);
      }),
      { numRuns: 500 },
    );
  });

  it("is empty when all is released", () => {
    fc.assert(
      fc.property(history, (steps) => {
        const { ledger } = replay(steps);
        for (const id of ids) ledger.release(id);
        expect(snapshot(ledger)).toEqual(snapshot(new Ledger()));
      }),
    );
  });
});
