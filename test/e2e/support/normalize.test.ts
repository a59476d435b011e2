/** Two runs that say the same are the same text, whatever chance adds to one of them. */
import { describe, expect, it } from "vitest";
import { Normalizer } from "./normalize.ts";

const normalizer = () => new Normalizer({ addresses: [], ipv6Twins: false });
const CANCELED = 'time="2026-11-27T04:10:11Z" level=error msg="error waiting for container: context canceled"\n';

describe("what a command printed", () => {
  it("has its standard error below a mark", () => {
    expect(normalizer().printed({ stdout: "out\n", stderr: "err\n" })).toBe("out\n[stderr]\nerr\n\n");
    expect(normalizer().printed({ stdout: "out\n", stderr: "" })).toBe("out\n");
  });

  it("is the same whether CLI 20.10 tells that `run -d` gave up its wait, which depends on its own scheduling", () => {
    const quiet = { stdout: "", stderr: "" };
    expect(normalizer().printed({ ...quiet, stderr: CANCELED })).toBe(normalizer().printed(quiet));
    const more = "docker: an error.\n";
    const printed = normalizer().printed({ ...quiet, stderr: `${CANCELED}${more}` });
    expect(printed).toBe(normalizer().printed({ ...quiet, stderr: more }));
  });

  it("numbers IDs by first sight over both streams", () => {
    const [one, other] = ["a".repeat(64), "b".repeat(64)];
    const printed = normalizer().printed({ stdout: `${one}\n`, stderr: `${other} ${one.slice(0, 12)}\n` });
    expect(printed).toBe("<id 1>\n[stderr]\n<id 2> <id 1 short>\n\n");
  });
});
