import { describe, expect, it } from "vitest";
import { conflict, DockerError } from "../docker/errors.ts";
import { answersOf } from "./fan-out.ts";
import type { ClusterNode } from "./node.ts";

const nodes = ["one", "two", "three"].map((name) => ({ name }) as ClusterNode);
const said = (...results: (string | DockerError)[]): PromiseSettledResult<string>[] =>
  results.map((result) =>
    result instanceof DockerError ? { status: "rejected", reason: result } : { status: "fulfilled", value: result },
  );
const message = (results: PromiseSettledResult<string>[]): string => {
  try {
    return answersOf(nodes, results).join();
  } catch (error) {
    return error instanceof DockerError ? `${error.status} ${error.message}` : "another error";
  }
};

describe("answers of several nodes", () => {
  it("are all of them, one error that all say alike, or one that names nodes", () => {
    expect(message(said("a", "b", "c"))).toBe("a,b,c");
    expect(message(said(conflict("in use"), conflict("in use"), conflict("in use")))).toBe("409 in use");
    expect(message(said("a", conflict("in use"), "c"))).toBe("409 two: in use");
    expect(message(said(conflict("in use"), new DockerError(500, "broken"), conflict("in use")))).toBe(
      "409 one: in use\ntwo: broken\nthree: in use",
    );
  });
});
