import { describe, expect, it } from "vitest";
import type { MachineListing } from "../../machine/local.ts";
import { machineSpec } from "../../machine/spec.ts";
import { filterOf, tableOf } from "./ls.ts";

function machine(name: string, changes: Partial<MachineListing> = {}): MachineListing {
  return {
    name,
    driver: "local",
    state: "Running",
    ip: "10.99.0.2",
    url: "tcp://10.99.0.2:2375",
    spec: machineSpec({ labels: ["storage=ssd"] }),
    created: 0,
    directory: `/var/lib/shoal/machines/${name}`,
    gateway: "10.99.0.1",
    pid: 1,
    docker: "20.10.24+dfsg1",
    error: null,
    ...changes,
  };
}

const fleet = [
  machine("node-1"),
  machine("node-2", { state: "Stopped", docker: null, pid: null }),
  machine("db", { spec: machineSpec({}) }),
];
const names = (filters: string[]): string[] => fleet.filter(filterOf(filters)).map((one) => one.name);

describe("filters", () => {
  it("of one kind are alternatives, kinds add up", () => {
    expect(names([])).toEqual(["node-1", "node-2", "db"]);
    expect(names(["name=^node-"])).toEqual(["node-1", "node-2"]);
    expect(names(["name=1$", "name=db"])).toEqual(["node-1", "db"]);
    expect(names(["name=node", "state=running"])).toEqual(["node-1"]);
    expect(names(["label=storage"])).toEqual(["node-1", "node-2"]);
    expect(names(["label=storage=disk"])).toEqual([]);
    expect(names(["driver=hyperv"])).toEqual([]);
  });

  it("are refused when nobody knows them", () => {
    expect(() => filterOf(["swarm=x"])).toThrow(/invalid filter/);
    expect(() => filterOf(["name"])).toThrow(/invalid filter/);
    expect(() => filterOf(["name=("])).toThrow(/regular expression/);
  });
});

describe("the table", () => {
  it("has docker-machine's columns and marks the active machine", () => {
    const lines = tableOf(fleet, (one) => one.name === "db", undefined).split("\n");
    expect(lines[0]?.split(/\s+/)).toEqual(["NAME", "ACTIVE", "DRIVER", "STATE", "URL", "DOCKER", "ERRORS"]);
    expect(lines[1]?.split(/\s+/)).toEqual([
      "node-1",
      "-",
      "local",
      "Running",
      "tcp://10.99.0.2:2375",
      "v20.10.24+dfsg1",
    ]);
    expect(lines[2]?.trimEnd().split(/\s+/)).toEqual(["node-2", "-", "local", "Stopped"]);
    expect(lines[3]?.split(/\s+/)[1]).toBe("*");
  });

  it("fits 80 columns", () => {
    const error = "node-with-a-long-name: no answer within 2 s, and more words than fit";
    const rows = [machine("node-with-a-long-name", { url: "tcp://10.99.255.254:2375", docker: null, error })];
    for (const line of tableOf(rows, () => false, 80).split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });
});
