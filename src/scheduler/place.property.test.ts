import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../kit/random.ts";
import { withOvercommit } from "./overcommit.ts";
import { nodeView, request, TestCluster } from "./testing.ts";

const OVERCOMMIT = 0.05;
const nodeOptions = fc.record({
  cpus: fc.integer({ min: 1, max: 4 }),
  memory: fc.integer({ min: 100, max: 400 }),
  labels: fc.record({ storage: fc.constantFrom("ssd", "disk") }),
  healthy: fc.boolean(),
  distressed: fc.boolean(),
});
const nodes = fc.array(nodeOptions, { minLength: 1, maxLength: 6 });
const strategy = fc.constantFrom(undefined, "binpack", "spread", "random");
const expressions = fc.subarray(["constraint:storage==ssd", "affinity:container!=c*", "constraint:node!=n2"]);
const softExpressions = fc.subarray([
  "constraint:storage==~tape",
  "constraint:storage!=~ssd",
  "affinity:container==~c1",
  "affinity:image!=~x",
  "whitelist:node==~n2|n3",
]);
const body = fc.record({
  Env: expressions,
  HostConfig: fc.record({
    NanoCpus: fc.constantFrom(0, 0, 250_000_000, 1_000_000_000, 1_040_000_000),
    Memory: fc.integer({ min: 0, max: 150 }),
    PortBindings: fc.dictionary(
      fc.constantFrom("80/tcp", "80/udp", "90/tcp"),
      fc.array(
        fc.record({
          HostIp: fc.constantFrom("", "0.0.0.0", "127.0.0.1", "10.0.0.1"),
          HostPort: fc.constantFrom("80", "81", ""),
        }),
        { maxLength: 1 },
      ),
    ),
  }),
  Labels: fc.constant({}),
});
/** The same body, of a group or of none. */
const grouped = fc
  .tuple(
    body,
    fc.record(
      {
        "shoal.group": fc.constantFrom("a", "b"),
        "shoal.group.policy": fc.constantFrom("pack", "pack-then-spill"),
        "shoal.reserve": fc.constantFrom("mem=150", "mem=300,cpu=0.5", "cpu=1"),
      },
      { requiredKeys: ["shoal.group"] },
    ),
  )
  .map(([asked, Labels]) => ({ ...asked, Labels }));
type Step = { readonly remove: number } | { readonly body: object };
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: body.map((one) => ({ body: one })) },
    { weight: 1, arbitrary: fc.nat(20).map((remove) => ({ remove })) },
  ),
  { maxLength: 20 },
);

const groupSteps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.oneof(body, grouped).map((one) => ({ body: one })) },
    { weight: 1, arbitrary: fc.nat(20).map((remove) => ({ remove })) },
  ),
  { maxLength: 20 },
);

function play(options: readonly object[], name: string | undefined, script: readonly Step[]): [TestCluster, string[]] {
  const cluster = new TestCluster(
    options.map((one, i) => nodeView(`n${i + 1}`, one)),
    name,
  );
  const answers = script.map((step, i) => {
    if ("body" in step) return cluster.run(request(step.body, `c${i}`), { overcommit: OVERCOMMIT });
    cluster.remove(cluster.containers[step.remove]?.id ?? "");
    return "";
  });
  return [cluster, answers];
}

describe("placement, whatever is asked", () => {
  it("never goes over capacity and never gives a port twice", () => {
    fc.assert(
      fc.property(nodes, strategy, steps, (options, name, script) => {
        const [cluster] = play(options, name, script);
        for (const node of cluster.nodes) {
          const held = cluster.containers
            .filter((container) => container.node === node.id)
            .flatMap((container) => cluster.ledger.get(container.id) ?? []);
          const sum = (pick: (one: { nanoCpus: number; memory: number }) => number): number =>
            held.reduce((total, one) => total + pick(one), 0);
          expect(sum((one) => one.nanoCpus)).toBeLessThanOrEqual(withOvercommit(node.nanoCpus, OVERCOMMIT));
          expect(sum((one) => one.memory)).toBeLessThanOrEqual(withOvercommit(node.memory, OVERCOMMIT));
          expect(cluster.ledger.sums(node.id)).toEqual({
            nanoCpus: sum((one) => one.nanoCpus),
            memory: sum((one) => one.memory),
          });
          for (const [i, one] of held.entries()) {
            for (const other of held.slice(i + 1)) {
              const clash = one.ports.some((a) =>
                other.ports.some(
                  (b) =>
                    a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === "" || b.ip === ""),
                ),
              );
              expect(clash).toBe(false);
            }
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it("never promises more than a node has, to containers and groups together", () => {
    fc.assert(
      fc.property(nodes, strategy, groupSteps, (options, name, script) => {
        const [cluster] = play(options, name, script);
        for (const node of cluster.nodes) {
          const { nanoCpus, memory } = cluster.ledger.sums(node.id);
          expect(nanoCpus).toBeLessThanOrEqual(withOvercommit(node.nanoCpus, OVERCOMMIT));
          expect(memory).toBeLessThanOrEqual(withOvercommit(node.memory, OVERCOMMIT));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("keeps a packed group on its home, whatever else it asks", () => {
    fc.assert(
      fc.property(nodes, strategy, groupSteps, grouped, (options, name, script, asked) => {
        const [cluster] = play(options, name, script);
        const labels = { ...asked.Labels, "shoal.group.policy": "pack" };
        const home = cluster.groups.get(`shoal.group=${labels["shoal.group"]}`)?.home;
        const { ranked } = cluster.place(request({ ...asked, Labels: labels }));
        if (home !== undefined) expect(ranked.every((node) => node.id === home.node)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("gives the same answers to the same input, in whatever order the nodes are listed", () => {
    fc.assert(
      fc.property(nodes, strategy, steps, body, (options, name, script, more) => {
        const [cluster, answers] = play(options, name, script);
        expect(play(options, name, script)[1]).toEqual(answers);
        if (name === "random") return;
        const before = cluster.place(request(more));
        cluster.nodes.reverse();
        const after = cluster.place(request(more));
        expect([after.ranked, after.scores, after.refusedFor]).toEqual([
          before.ranked,
          before.scores,
          before.refusedFor,
        ]);
      }),
      { numRuns: 200 },
    );
  });

  it("finds the same nodes with soft rules as without", () => {
    fc.assert(
      fc.property(
        nodes,
        strategy,
        steps,
        body,
        softExpressions,
        fc.nat(),
        (options, name, script, asked, soft, seed) => {
          const [cluster] = play(options, name, script);
          const place = (Env: readonly string[]): string[] =>
            cluster
              .place(request({ ...asked, Env }), { random: seededRandom(seed) })
              .ranked.map((node) => node.name)
              .sort();
          expect(place([...asked.Env, ...soft])).toEqual(place(asked.Env));
        },
      ),
      { numRuns: 200 },
    );
  });

  it("puts fewer broken soft rules first among nodes that are not in distress", () => {
    fc.assert(
      fc.property(nodes, strategy, softExpressions, (options, name, Env) => {
        const cluster = new TestCluster(
          options.map((one, i) => nodeView(`n${i + 1}`, { ...one, distressed: false })),
          name,
        );
        const broken = cluster.place(request({ Env })).scores.map((score) => score.softBroken.length);
        expect(broken).toEqual(broken.toSorted((a, b) => a - b));
      }),
      { numRuns: 200 },
    );
  });

  it("never doubles a claim for a successor, however often it is replaced", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ memory: fc.integer({ min: 1, max: 105 }), keep: fc.boolean() }), { maxLength: 8 }),
        (generations) => {
          const cluster = new TestCluster([nodeView("n1", { memory: 100 })]);
          const held: number[] = [];
          for (const [i, { memory, keep }] of generations.entries()) {
            const asked = { ...request({ HostConfig: { Memory: memory } }, `c${i}`), succeeds: { slot: "p/web/1" } };
            expect(cluster.run(asked)).toBe("n1");
            held.push(memory);
            expect(cluster.ledger.sums("id-n1").memory).toBe(Math.max(...held));
            if (keep || held.length === 1) continue;
            cluster.remove(cluster.containers[0]?.id ?? "");
            held.shift();
            expect(cluster.ledger.sums("id-n1").memory).toBe(Math.max(...held));
          }
        },
      ),
    );
  });
});
