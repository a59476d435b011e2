import { expect, it } from "vitest";
import { compareVersions, serverVersion } from "./version.ts";

it("Versions compare part by part", () => {
  expect(compareVersions("1.9", "1.41")).toBeLessThan(0);
  expect(compareVersions("1.51", "1.51")).toBe(0);
  expect(compareVersions("2.0", "1.51")).toBeGreaterThan(0);
});

it("A client that reads three numbers off the start of the server's version finds a Docker of today", () => {
  const [, major] = /^(\d+)\.(\d+)\.(\d+)/.exec(serverVersion("0.1.0")) ?? [];
  expect(Number(major)).toBeGreaterThanOrEqual(28);
  expect(serverVersion("0.1.0")).toContain("shoal.0.1.0");
});
