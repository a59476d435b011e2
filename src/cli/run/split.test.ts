import { describe, expect, it } from "vitest";
import { splitRun } from "./split.ts";

const split = (...args: string[]): readonly string[] => splitRun(args).args;

describe("shoal run's arguments", () => {
  it("turn shoal's flags into environment variables where they stand", () => {
    expect(
      split("--constraint", "storage=ssd", "-d", "--affinity=container==web", "--reschedule", "never", "redis"),
    ).toEqual([
      "-e",
      "constraint:storage==ssd",
      "-d",
      "-e",
      "affinity:container==web",
      "-e",
      "reschedule:never",
      "redis",
    ]);
    expect(split("-constraint", "region!=us-*", "-constraint=disk=~ssd", "x")).toEqual([
      ...["-e", "constraint:region!=us-*", "-e", "constraint:disk==~ssd", "x"],
    ]);
    expect(split("--constraint", "node==/node-[12]=/", "x")[1]).toBe("constraint:node==/node-[12]=/");
  });

  it.each([
    [["--name", "--constraint", "redis"]],
    [["-e", "--constraint", "redis"]],
    [["-itu", "--affinity", "redis"]],
    [["--label", "--reschedule=x", "redis"]],
    [["redis", "--constraint", "a=b"]],
    [["-d", "redis", "sh", "-c", "--affinity"]],
    [["--", "--constraint", "a=b"]],
    [["-eA=1", "--env=--constraint", "redis", "--constraint"]],
    [["-p80:80", "-P", "--rm", "-it", "redis"]],
  ])("leave docker's alone: %j", (args) => {
    expect(splitRun(args)).toEqual({ args, ours: false });
  });

  it("find ours behind values that are docker's", () => {
    expect(split("-v", "/a:/b", "-itw", "/x", "-p80:80", "--network=n", "--constraint", "a.b=c", "i", "c")).toEqual([
      ...["-v", "/a:/b", "-itw", "/x", "-p80:80", "--network=n", "-e", "constraint:a.b==c", "i", "c"],
    ]);
  });

  it.each([
    [["--constraint"], "flag needs an argument: --constraint"],
    [["--constraint", "ssd", "x"], 'invalid expression "ssd": One of operator ==, != is expected'],
    [["--reschedule=sometimes", "x"], "invalid reschedule policy: sometimes"],
  ])("refuse %j with docker run's own exit code", (args, message) => {
    expect(() => splitRun(args)).toThrow(expect.objectContaining({ message, exitCode: 125 }));
  });
});
