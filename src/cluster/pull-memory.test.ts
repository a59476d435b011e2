import { describe, expect, it } from "vitest";
import { systemClock } from "../kit/clock.ts";
import { PULL_MEMORY_ENTRIES, PULL_MEMORY_MS } from "../kit/limits.ts";
import { PullMemory } from "./pull-memory.ts";

let time = 0;
const clock = { ...systemClock, monotonic: () => time };

describe("the memory of pulls", () => {
  it("guides as many creates as missed the image, each client's own", () => {
    const memory = new PullMemory(clock);
    memory.missed("a", "redis", "node-1");
    memory.missed("a", "redis", "node-1");
    expect(memory.recall("b", "redis")).toBeUndefined();
    memory.created("a", "redis");
    expect(memory.recall("a", "redis")).toBe("node-1");
    memory.created("a", "redis");
    expect(memory.recall("a", "redis")).toBeUndefined();
    memory.created("a", "redis");
  });

  it("guides every create after a pull unasked", () => {
    const memory = new PullMemory(clock);
    memory.pulled("a", "redis", "node-1");
    for (let i = 0; i < 5; i++) memory.created("a", "redis");
    expect(memory.recall("a", "redis")).toBe("node-1");
  });

  it("follows a miss elsewhere", () => {
    const memory = new PullMemory(clock);
    memory.pulled("a", "redis", "node-1");
    memory.missed("a", "redis", "node-2");
    expect(memory.recall("a", "redis")).toBe("node-2");
    memory.created("a", "redis");
    expect(memory.recall("a", "redis")).toBeUndefined();
  });

  it("forgets after a minute, and the oldest when there are too many", () => {
    const memory = new PullMemory(clock);
    memory.missed("a", "redis", "node-1");
    time += PULL_MEMORY_MS;
    expect(memory.recall("a", "redis")).toBe("node-1");
    time += 1;
    expect(memory.recall("a", "redis")).toBeUndefined();
    for (let i = 0; i <= PULL_MEMORY_ENTRIES; i++) memory.missed(String(i), "redis", "node-1");
    expect(memory.recall("0", "redis")).toBeUndefined();
    expect(memory.recall("1", "redis")).toBe("node-1");
  });
});
