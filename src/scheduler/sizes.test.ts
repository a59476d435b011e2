import { expect, it } from "vitest";
import { bytesText, cpusText, freeText } from "./sizes.ts";

it.each([
  [0, "0 B"],
  [-5, "0 B"],
  [1023, "1023 B"],
  [2 ** 30, "1 GiB"],
  [2 ** 31 * 1.05, "2.1 GiB"],
  [2 ** 30 - 1, "1024 MiB"],
  [10 * 2 ** 30, "10 GiB"],
  [1.5 * 2 ** 20, "1.5 MiB"],
])("%d bytes are %s", (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});

it.each([
  [5e8, "0.5"],
  [1.05e9, "1.05"],
  [-1, "0"],
  [64e9, "64"],
])("%d nano CPUs are %s", (nanoCpus, text) => {
  expect(cpusText(nanoCpus)).toBe(text);
});

it("tells what is free from what is asked", () => {
  expect(freeText(cpusText, 5e8 - 1, 5e8)).toBe("just under 0.5");
  expect(freeText(bytesText, 2 ** 30, 2 ** 31)).toBe("1 GiB");
});
