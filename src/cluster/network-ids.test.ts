import { describe, expect, it } from "vitest";
import { builtInNetwork, clusterNetworkId } from "./network-ids.ts";
import type { ClusterNode } from "./node.ts";

const nodeWith = (id: string, name: string): ClusterNode =>
  ({ builtIn: new Map([[id, name]]) }) as unknown as ClusterNode;

describe("network IDs", () => {
  it("are one for the networks that every engine makes, and the engine's for all others", () => {
    const one = clusterNetworkId(nodeWith("aa", "bridge"), "aa");
    expect(one).toMatch(/^[0-9a-f]{64}$/);
    expect(clusterNetworkId(nodeWith("bb", "bridge"), "bb")).toBe(one);
    expect(clusterNetworkId(nodeWith("bb", "host"), "bb")).not.toBe(one);
    expect(clusterNetworkId(nodeWith("aa", "bridge"), "cc")).toBe("cc");
  });

  it("lead back to the name, by a beginning long enough too", () => {
    const id = clusterNetworkId(nodeWith("aa", "none"), "aa");
    expect(builtInNetwork(id)).toBe("none");
    expect(builtInNetwork(id.slice(0, 12))).toBe("none");
    expect(builtInNetwork(id.slice(0, 11))).toBeUndefined();
    expect(builtInNetwork("none")).toBeUndefined();
  });
});
