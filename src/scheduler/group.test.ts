import { describe, expect, it } from "vitest";
import { DockerError } from "../docker/errors.ts";
import { DEFAULT_GROUPS, groupKey, readGroup } from "./group.ts";
import { GIB } from "./testing.ts";

const options = { ...DEFAULT_GROUPS, labels: ["ci.job", "team"] };
const COMPOSE = "com.docker.compose.project";

describe("a group's key", () => {
  it.each([
    [{}, undefined],
    [{ other: "x" }, undefined],
    [{ [COMPOSE]: "" }, undefined],
    [{ [COMPOSE]: "web" }, `${COMPOSE}=web`],
    [{ "org.testcontainers.sessionId": "s" }, "org.testcontainers.sessionId=s"],
    [{ "org.testcontainers.session-id": "s" }, "org.testcontainers.session-id=s"],
    [{ "com.gitlab.gitlab-runner.job.id": "7" }, "com.gitlab.gitlab-runner.job.id=7"],
    [{ team: "a", "ci.job": "9" }, "ci.job=9"],
    [{ "shoal.group": "mine", [COMPOSE]: "web", "ci.job": "9" }, "shoal.group=mine"],
    [{ "shoal.group": "", [COMPOSE]: "web", "org.testcontainers.sessionId": "s" }, `${COMPOSE}=web`],
  ])("of %j is %s", (labels, key) => {
    expect(groupKey(labels as Record<string, string>, options)).toBe(key);
    expect(readGroup(labels as Record<string, string>, options)?.key).toBe(key);
  });

  it("has a bound", () => {
    expect(() => readGroup({ "shoal.group": "x".repeat(1025) }, options)).toThrow(
      "label shoal.group names a group with 1025 characters, the most is 1024",
    );
    expect(readGroup({ "shoal.group": "=".repeat(1024) }, options)?.key).toHaveLength(1036);
  });
});

describe("policy and reserve", () => {
  const read = (labels: Record<string, string>) => readGroup({ "shoal.group": "g", ...labels }, options);

  it("are undefined when nothing is said", () => {
    expect(read({})).toEqual({ key: "shoal.group=g", policy: undefined, reserve: undefined });
  });

  it.each(["pack", "pack-then-spill", "spread"])("policy %s", (policy) => {
    expect(read({ "shoal.group.policy": policy })?.policy).toBe(policy);
  });

  it.each([
    ["cpu=4,mem=8g", 4e9, 8 * GIB],
    ["mem=8g,cpu=4", 4e9, 8 * GIB],
    [" cpu = 0.5 , mem = 1.5GiB ", 0.5e9, 1.5 * GIB],
    ["cpu=1.123456789", 1_123_456_789, 0],
    ["mem=512m", 0, GIB / 2],
    ["mem=100", 0, 100],
    ["mem=2MB", 0, 2 * 1024 ** 2],
  ])("reserve %s", (text, nanoCpus, memory) => {
    expect(read({ "shoal.reserve": text })?.reserve).toEqual({ nanoCpus, memory });
  });

  it.each([
    "",
    "4",
    "cpu",
    "cpu=",
    "cpu=-1",
    "cpu=0",
    "mem=0g",
    "mem=8x",
    "cpu=1,cpu=2",
    "cpu=1,",
    "gpu=1",
    "cpu=1=2",
    "mem=1e9",
    "cpu=1.1234567891",
  ])("refuses the reserve %j", (text) => {
    expect(() => read({ "shoal.reserve": text })).toThrow(
      new DockerError(400, `invalid label shoal.reserve=${text}: use cpu=N, mem=SIZE or both, such as cpu=4,mem=8g`),
    );
  });

  it("refuses a policy that is none", () => {
    expect(() => read({ "shoal.group.policy": "scatter" })).toThrow(
      new DockerError(400, "invalid label shoal.group.policy=scatter: use pack, pack-then-spill, spread"),
    );
  });

  it("refuses a reserve for nobody, or for what has no home", () => {
    expect(() => readGroup({ "shoal.reserve": "cpu=1" }, options)).toThrow(/nothing names one: add label shoal.group$/);
    expect(() => read({ "shoal.reserve": "cpu=1", "shoal.group.policy": "spread" })).toThrow(/spread has none$/);
  });
});
