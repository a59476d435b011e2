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
    group: fc.constantFrom("g1", "g2"),
  },
  { requiredKeys: ["id", "node", "nanoCpus", "memory", "ports"] },
);

/** What is done to a ledger: a reservation, a release of an ID, or a group's reserve. */
type Step = Reservation | string | GroupReserve;
type GroupReserve = { readonly key: string; readonly node: string; readonly nanoCpus: number; readonly memory: number };
const groupReserve: fc.Arbitrary<GroupReserve> = fc.record({
  key: fc.constantFrom("g1", "g2"),
  node: fc.constantFrom("n1", "n2"),
  nanoCpus: fc.integer({ min: 0, max: 20 }),
  memory: fc.integer({ min: 0, max: 20 }),
});

interface Held {
  readonly reservations: Map<string, Reservation>;
  readonly groups: Map<string, GroupReserve>;
}

/**
 * The definition, spelled out: components by shared ID, replaced ID or slot, and the largest need of each; then what each
 * group's members there leave of its reserve, a component counting as its largest member of the group.
 */
function expectedSums({ reservations, groups }: Held, node: string): { nanoCpus: number; memory: number } {
  const held = [...reservations.values()];
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
  const sum = (pick: (one: { nanoCpus: number; memory: number }) => number): number => {
    const shares = components.reduce((total, members) => total + Math.max(...members.map(pick)), 0);
    const remainders = [...groups.values()].map((reserve) => {
      if (reserve.node !== node) return 0;
      const own = components.map((members) => members.filter((one) => one.group === reserve.key));
      const claimed = own.reduce((total, members) => total + Math.max(0, ...members.map(pick)), 0);
      return Math.max(0, pick(reserve) - claimed);
    });
    return remainders.reduce((total, one) => total + one, shares);
  };
  return { nanoCpus: sum((one) => one.nanoCpus), memory: sum((one) => one.memory) };
}

function snapshot(ledger: Ledger): unknown {
  const claims = [80, 81, 82, 83].flatMap((port) =>
    ["tcp", "udp"].map((protocol) => ledger.portHolder("n1", { ip: "", port, protocol }) !== undefined),
  );
  const groups = ["g1", "g2"].map((key) => ledger.groupReserve(key));
  return [ledger.sums("n1"), ledger.sums("n2"), claims, ids.map((id) => ledger.get(id)), groups];
}

describe("the ledger, whatever is booked", () => {
  const history: fc.Arbitrary<Step[]> = fc.array(fc.oneof(reservation, fc.constantFrom(...ids), groupReserve), {
    maxLength: 25,
  });
  const replay = (steps: readonly Step[]): { ledger: Ledger; held: Held } => {
    const ledger = new Ledger();
    const held: Held = { reservations: new Map(), groups: new Map() };
    for (const step of steps) {
      if (typeof step === "string") {
        expect(ledger.release(step)).toBe(held.reservations.delete(step));
      } else if ("key" in step) {
        ledger.reserveGroup(step.key, step);
        held.groups.set(step.key, step);
      } else {
        ledger.reserve(step);
        held.reservations.set(step.id, step);
      }
    }
    return { ledger, held };
  };

  it("sums what the definition says, a succession once", () => {
    fc.assert(
      fc.property(history, (steps) => {
        const { ledger, held } = replay(steps);
        for (const node of ["n1", "n2"]) expect(ledger.sums(node)).toEqual(expectedSums(held, node));
      }),
      { numRuns: 500 },
    );
  });

  it("is the same after adding and removing", () => {
    fc.assert(
      fc.property(history, reservation, (steps, more) => {
        const { ledger, held } = replay(steps);
        fc.pre(!held.reservations.has(more.id));
        const before = snapshot(ledger);
        ledger.reserve(more);
        ledger.release(more.id);
        expect(snapshot(ledger)).toEqual(before);
      }),
      { numRuns: 500 },
    );
  });

  it("is the same after a group's reserve came and went, and foresees what it books", () => {
    fc.assert(
      fc.property(history, groupReserve, (steps, more) => {
        const { ledger, held } = replay(steps);
        fc.pre(!held.groups.has(more.key));
        const before = snapshot(ledger);
        const foreseen = ledger.afterGroup(more.key, more);
        ledger.reserveGroup(more.key, more);
        expect(ledger.sums(more.node)).toEqual(foreseen);
        ledger.releaseGroup(more.key);
        expect(snapshot(ledger)).toEqual(before);
      }),
      { numRuns: 500 },
    );
  });

  it("takes a member's need out of what its group reserved", () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 0, max: 9 }), (steps, memory) => {
        const { ledger } = replay(steps);
        const reserve = { node: "n1", nanoCpus: 0, memory: 100 };
        ledger.reserveGroup("g1", reserve);
        const before = ledger.sums("n1");
        const member = { id: "m", node: "n1", nanoCpus: 0, memory, ports: [], group: "g1" };
        expect(ledger.fits("n1", member, 0)).toBe(false);
        ledger.setNode("n1", { nanoCpus: 1, memory: 1 });
        expect(ledger.fits("n1", member, 0)).toBe(true);
        ledger.reserve(member);
        expect(ledger.sums("n1")).toEqual(before);
      }),
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
        for (const key of ["g1", "g2"]) ledger.releaseGroup(key);
        expect(snapshot(ledger)).toEqual(snapshot(new Ledger()));
      }),
    );
  });
});
