import { describe, expect, it } from "vitest";
import { checkName, cpuList, formatMemory, machineSpec, meminfoText, parseMemory, specDifferences } from "./spec.ts";

describe("names", () => {
  it("follow docker-machine's rule", () => {
    for (const good of ["a", "node-1", "9lives", "host.example", "A-.b"]) expect(() => checkName(good)).not.toThrow();
    for (const bad of ["", "-a", ".a", "a_b", "a/b", "a b", "../x", "ä", "a".repeat(64)])
      expect(() => checkName(bad), bad).toThrow(/invalid machine name/);
  });
});

describe("memory", () => {
  it("is read in powers of 1024", () => {
    expect(parseMemory("2g")).toBe(2 ** 31);
    expect(parseMemory("512M")).toBe(2 ** 29);
    expect(parseMemory("1.5GiB")).toBe(1.5 * 2 ** 30);
    expect(parseMemory("64kb")).toBe(65536);
    expect(parseMemory("1073741824")).toBe(2 ** 30);
    for (const bad of ["", "g", "-1g", "1x", "1 2g"])
      expect(() => parseMemory(bad), bad).toThrow(/invalid memory size/);
  });

  it("is written for people", () => {
    expect([2 ** 31, 1.5 * 2 ** 30, 2 ** 29, 100].map(formatMemory)).toEqual(["2GiB", "1.5GiB", "512MiB", "100B"]);
  });
});

describe("a machine's settings", () => {
  it("have defaults, and labels without order or repetition", () => {
    expect(machineSpec({})).toEqual({ cpus: 1, memory: 2 ** 31, labels: [], engineDir: null, engineOpts: [] });
    expect(machineSpec({ labels: ["b=2", "a=1", "b=2"] }).labels).toEqual(["a=1", "b=2"]);
  });

  it("are refused where they cannot work", () => {
    expect(() => machineSpec({ cpus: 0 })).toThrow(/CPUs/);
    expect(() => machineSpec({ cpus: 1.5 })).toThrow(/CPUs/);
    expect(() => machineSpec({ cpus: Number.NaN })).toThrow(/CPUs/);
    expect(() => machineSpec({ memory: 1000 })).toThrow(/at least 64MiB/);
    expect(() => machineSpec({ labels: ["ssd"] })).toThrow(/key=value/);
    expect(() => machineSpec({ labels: ["a=1", "a=2"] })).toThrow(/"a" is given twice/);
    expect(() => machineSpec({ engineOpts: ["data-root=/x"] })).toThrow(/set by the machine itself/);
    expect(() => machineSpec({ engineOpts: ["; reboot"] })).toThrow(/invalid engine option/);
  });

  it("take engine options with or without dashes", () => {
    expect(machineSpec({ engineOpts: ["--debug", "insecure-registry=10.99.0.1:5000"] }).engineOpts).toEqual([
      "debug",
      "insecure-registry=10.99.0.1:5000",
    ]);
  });

  it("name every difference", () => {
    const have = machineSpec({ labels: ["a=1"] });
    expect(specDifferences(have, machineSpec({ labels: ["a=1"] }))).toEqual([]);
    expect(specDifferences(have, machineSpec({ cpus: 2, memory: 2 ** 30 }))).toEqual([
      "CPUs 1, not 2",
      "memory 2GiB, not 1GiB",
      "labels a=1, not none",
    ]);
  });
});

describe("what the engine sees of the host", () => {
  const host =
    "MemTotal:       24684092 kB\nMemFree:         1000 kB\nMemAvailable:   20000000 kB\nCached:  5 kB\nSwapTotal: 9 kB\n";

  it("is another MemTotal, and nothing larger than it", () => {
    const text = meminfoText(host, 2 ** 31);
    expect(text).toMatch(/^MemTotal: +2097152 kB$/m);
    expect(text).toMatch(/^MemFree: +1000 kB$/m);
    expect(text).toMatch(/^MemAvailable: +2097152 kB$/m);
    expect(text).toMatch(/^SwapTotal: +0 kB$/m);
    expect(text).toMatch(/^Cached: {2}5 kB$/m);
  });

  it("is its share of the CPUs, dealt round", () => {
    expect([0, 1, 2].map((position) => cpuList(1, position, 2))).toEqual(["0", "1", "0"]);
    expect([0, 1, 2].map((position) => cpuList(2, position, 4))).toEqual(["0,1", "2,3", "0,1"]);
    expect(cpuList(3, 1, 4)).toBe("0,1,3");
    expect(cpuList(2, 5, 2)).toBe("0,1");
  });
});
