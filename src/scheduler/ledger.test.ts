import { describe, expect, it } from "vitest";
import { Ledger, type Reservation } from "./ledger.ts";
import type { PortClaim } from "./request.ts";
import { GIB } from "./testing.ts";

const tcp = (port: number, ip = ""): PortClaim => ({ ip, port, protocol: "tcp" });
const hold = (id: string, rest: Partial<Reservation> = {}): Reservation => ({
  id,
  node: "n1",
  nanoCpus: 0,
  memory: 0,
  ports: [],
  ...rest,
});
const need = (rest: Partial<Reservation> = {}) => ({ nanoCpus: 0, memory: 0, ports: [], ...rest });

function ledgerOf(...reservations: readonly Reservation[]): Ledger {
  const ledger = new Ledger();
  ledger.setNode("n1", { nanoCpus: 1e9, memory: 2 * GIB });
  for (const reservation of reservations) ledger.reserve(reservation);
  return ledger;
}

describe("sums", () => {
  it("add up per node, and releasing gives back", () => {
    const ledger = ledgerOf(hold("a", { nanoCpus: 5, memory: 7 }), hold("b", { nanoCpus: 1, memory: 1, node: "n2" }));
    expect([ledger.sums("n1"), ledger.sums("n2")]).toEqual([
      { nanoCpus: 5, memory: 7 },
      { nanoCpus: 1, memory: 1 },
    ]);
    expect([ledger.release("a"), ledger.release("a")]).toEqual([true, false]);
    expect(ledger.sums("n1")).toEqual({ nanoCpus: 0, memory: 0 });
    expect(ledger.get("a")).toBeUndefined();
  });

  it("count an ID once, however often it is booked", () => {
    const ledger = ledgerOf(hold("a", { memory: 7 }), hold("a", { memory: 9 }));
    expect(ledger.sums("n1").memory).toBe(9);
  });

  it("follow a move", () => {
    const ledger = ledgerOf(hold("a", { memory: 7, ports: [tcp(80)] }));
    expect([ledger.move("a", "n2"), ledger.move("x", "n2")]).toEqual([true, false]);
    expect([ledger.sums("n1").memory, ledger.sums("n2").memory]).toEqual([0, 7]);
    expect([ledger.portHolder("n1", tcp(80)), ledger.portHolder("n2", tcp(80))]).toEqual([undefined, "a"]);
  });

  it("outlive their node, on which nothing fits any more", () => {
    const ledger = ledgerOf(hold("a", { memory: 7 }));
    ledger.removeNode("n1");
    expect(ledger.sums("n1").memory).toBe(7);
    expect(ledger.fits("n1", need(), 0.05)).toBe(false);
    ledger.setNode("n1", { nanoCpus: 1e9, memory: 10 });
    expect([ledger.fits("n1", need({ memory: 3 }), 0), ledger.fits("n1", need({ memory: 4 }), 0)]).toEqual([
      true,
      false,
    ]);
  });
});

describe("a copy", () => {
  it("has the same entries, and is another one", () => {
    const ledger = new Ledger();
    ledger.setNode("a", { nanoCpus: 2e9, memory: 2000 });
    ledger.reserve({ id: "one", node: "a", nanoCpus: 1e9, memory: 500, ports: [] });
    ledger.reserveGroup("shop", { node: "a", nanoCpus: 0, memory: 700 });
    const copy = ledger.copy();
    expect([copy.sums("a"), copy.capacity("a", 0)]).toEqual([ledger.sums("a"), ledger.capacity("a", 0)]);
    copy.release("one");
    copy.releaseGroup("shop");
    expect([copy.sums("a").memory, ledger.sums("a").memory]).toEqual([0, 1200]);
  });
});

describe("fits", () => {
  it.each([
    [{ memory: 2 * GIB }, true],
    [{ memory: Math.floor(2.1 * GIB) }, true],
    [{ memory: Math.floor(2.1 * GIB) + 1 }, false],
    [{ nanoCpus: 1e9 }, true],
    [{ nanoCpus: 1e9 + 1 }, false],
    [{ nanoCpus: 2e9 }, false],
  ])("%j on 1 CPU and 2 GiB with overcommit 0.05: %s", (asked, expected) => {
    expect(ledgerOf().fits("n1", need(asked), 0.05)).toBe(expected);
  });

  it("admits two of 1 GiB on a machine that reports a little less than 2 GiB", () => {
    const ledger = new Ledger();
    ledger.setNode("n1", { nanoCpus: 1e9, memory: 2_079_121_408 });
    ledger.reserve(hold("a", { memory: GIB }));
    expect(ledger.fits("n1", need({ memory: GIB }), 0.05)).toBe(true);
    ledger.reserve(hold("b", { memory: GIB }));
    expect(ledger.fits("n1", need({ memory: GIB }), 0.05)).toBe(false);
  });

  it("adds fractions of CPUs without error", () => {
    const ledger = ledgerOf();
    for (let i = 0; i < 10; i++) {
      expect(ledger.fits("n1", need({ nanoCpus: 100_000_000 }), 0)).toBe(true);
      ledger.reserve(hold(`c${i}`, { nanoCpus: 100_000_000 }));
    }
    expect(ledger.fits("n1", need({ nanoCpus: 1 }), 0)).toBe(false);
  });

  it("lets what asks nothing onto a node that is over its capacity", () => {
    const ledger = ledgerOf(hold("a", { memory: 9 * GIB, nanoCpus: 9e9 }));
    expect([ledger.fits("n1", need(), 0), ledger.fits("n1", need({ memory: 1 }), 0)]).toEqual([true, false]);
  });

  it("is false on a node that nobody told of", () => {
    expect(ledgerOf().fits("n9", need(), 0)).toBe(false);
  });

  it("holds back with a negative ratio", () => {
    expect(ledgerOf().fits("n1", need({ memory: 2 * GIB }), -0.5)).toBe(false);
    expect(ledgerOf().fits("n1", need({ memory: GIB }), -0.5)).toBe(true);
  });
});

describe("ports", () => {
  it.each([
    [tcp(80), tcp(80), true],
    [tcp(80), tcp(80, "127.0.0.1"), true],
    [tcp(80, "127.0.0.1"), tcp(80), true],
    [tcp(80, "127.0.0.1"), tcp(80, "127.0.0.1"), true],
    [tcp(80, "127.0.0.1"), tcp(80, "10.0.0.1"), false],
    [tcp(80), tcp(81), false],
    [tcp(80), { ip: "", port: 80, protocol: "udp" }, false],
    [{ ip: "", port: 80, protocol: "sctp" }, { ip: "", port: 80, protocol: "sctp" }, true],
  ])("%j against %j: %s", (held, asked, conflicts) => {
    const ledger = ledgerOf(hold("a", { ports: [held] }));
    expect(ledger.portHolder("n1", asked)).toBe(conflicts ? "a" : undefined);
    expect(ledger.conflict("n1", need({ ports: [tcp(1), asked] }))).toEqual(
      conflicts ? { claim: asked, holder: "a" } : undefined,
    );
    expect(ledger.portHolder("n2", asked)).toBeUndefined();
  });

  it("are found from the smaller side, whichever that is", () => {
    const many = Array.from({ length: 5000 }, (_, i) => tcp(1000 + i));
    const few = ledgerOf(hold("a", { ports: [tcp(5999, "10.0.0.1")] }));
    expect(few.conflict("n1", need({ ports: many }))).toEqual({ claim: tcp(5999), holder: "a" });
    const full = ledgerOf(hold("a", { ports: many }));
    expect(full.conflict("n1", need({ ports: [tcp(999), tcp(5999)] }))?.claim.port).toBe(5999);
    expect(full.conflict("n1", need({ ports: [tcp(999)] }))).toBeUndefined();
  });

  it("are free when the last holder is gone", () => {
    const ledger = ledgerOf(hold("a", { ports: [tcp(80)] }), hold("b", { ports: [tcp(80)] }));
    ledger.release("a");
    expect(ledger.portHolder("n1", tcp(80))).toBe("b");
    ledger.release("b");
    expect(ledger.portHolder("n1", tcp(80))).toBeUndefined();
  });
});

describe("succession", () => {
  const big = { nanoCpus: 8e8, memory: 1.5 * GIB, ports: [tcp(80)] };

  it("counts predecessor and successor once, at the larger of each need", () => {
    const ledger = ledgerOf(hold("old", { ...big, slot: "p/web/1" }));
    const next = { ...big, memory: GIB, nanoCpus: 9e8, slot: "p/web/1" };
    expect([ledger.fits("n1", next, 0), ledger.conflict("n1", next)]).toEqual([true, undefined]);
    ledger.reserve(hold("new", next));
    expect(ledger.sums("n1")).toEqual({ nanoCpus: 9e8, memory: 1.5 * GIB });
    ledger.release("old");
    expect(ledger.sums("n1")).toEqual({ nanoCpus: 9e8, memory: GIB });
    expect(ledger.portHolder("n1", tcp(80))).toBe("new");
  });

  it("does not double along a chain, in any order of arrival, and splits when the middle goes", () => {
    const chain = [
      hold("a", { memory: 5 }),
      hold("b", { memory: 7, replaces: "a" }),
      hold("c", { memory: 6, replaces: "b" }),
    ];
    for (const order of [
      [0, 1, 2],
      [2, 0, 1],
      [2, 1, 0],
      [0, 2, 1],
    ]) {
      const ledger = ledgerOf(...order.flatMap((i) => chain[i] ?? []));
      expect(ledger.sums("n1").memory).toBe(7);
      ledger.release("b");
      expect(ledger.sums("n1").memory).toBe(11);
    }
  });

  it("shares nothing with another slot or another node", () => {
    const ledger = ledgerOf(hold("old", { ...big, slot: "p/web/1" }));
    const other = { ...big, slot: "p/web/2" };
    expect([ledger.fits("n1", other, 0.05), ledger.conflict("n1", other)?.holder]).toEqual([false, "old"]);
    ledger.reserve(hold("new", { ...big, slot: "p/web/1", node: "n2" }));
    expect(ledger.sums("n2").memory).toBe(big.memory);
  });

  it("does not share a third party's port", () => {
    const ledger = ledgerOf(hold("old", { slot: "p/web/1", ports: [tcp(80)] }), hold("x", { ports: [tcp(81)] }));
    const next = need({ slot: "p/web/1", ports: [tcp(80), tcp(81)] });
    expect(ledger.conflict("n1", next)).toEqual({ claim: tcp(81), holder: "x" });
  });

  it("lets a successor in where its predecessor is over capacity", () => {
    const ledger = ledgerOf(hold("old", { memory: 9 * GIB, slot: "s" }));
    expect(ledger.fits("n1", need({ memory: 9 * GIB, slot: "s" }), 0)).toBe(true);
    expect(ledger.fits("n1", need({ memory: 9 * GIB + 1, slot: "s" }), 0)).toBe(false);
  });
});

describe("replaceIfFits", () => {
  it("judges an update without its own reservation", () => {
    const ledger = ledgerOf(hold("a", { memory: GIB, ports: [tcp(80)] }), hold("b", { memory: GIB / 2 }));
    const grown = hold("a", { memory: 1.5 * GIB, ports: [tcp(80)] });
    expect(ledger.replaceIfFits(grown, 0)).toBe(true);
    expect(ledger.get("a")).toEqual(grown);
    expect(ledger.replaceIfFits(hold("a", { memory: 1.5 * GIB + 1 }), 0)).toBe(false);
    expect(ledger.replaceIfFits(hold("b", { ports: [tcp(80)] }), 0)).toBe(false);
    expect(ledger.sums("n1").memory).toBe(2 * GIB);
  });
});
