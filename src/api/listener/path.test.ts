import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DockerError } from "../../docker/errors.ts";
import { encodePath, parseTarget } from "./path.ts";

function statusOf(target: string): number {
  try {
    parseTarget(target);
    return 200;
  } catch (error) {
    if (error instanceof DockerError) return error.status;
    throw error;
  }
}

describe("parseTarget", () => {
  it.each([
    ["/_ping", "/_ping", undefined, ""],
    ["/v1.41/containers/json?all=1", "/containers/json", "1.41", "all=1"],
    ["/v1.41", "/", "1.41", ""],
    ["/v1/containers/json", "/v1/containers/json", undefined, ""],
    ["/v1.41x/info", "/v1.41x/info", undefined, ""],
    ["/containers/node-1/redis/json", "/containers/node-1/redis/json", undefined, ""],
    ["/containers/node-1%2Fredis/json", "/containers/node-1/redis/json", undefined, ""],
    ["/images/registry:5000/a/b@sha256:1/json", "/images/registry:5000/a/b@sha256:1/json", undefined, ""],
    ["/networks/caf%C3%A9%20x", "/networks/café x", undefined, ""],
    ["/networks/caf\xc3\xa9", "/networks/café", undefined, ""],
    ["/networks/50%25", "/networks/50%", undefined, ""],
    ["/containers/x/archive?path=%2F..%2F", "/containers/x/archive", undefined, "path=%2F..%2F"],
  ])("reads %s", (target, path, version, rawQuery) => {
    expect(parseTarget(target)).toMatchObject({ path, version, rawQuery });
  });

  it.each([
    "/v1.44/../containers/json",
    "/containers/%2e%2e/json",
    "/containers/./json",
    "/containers/x%2F..%2Fy",
    "//containers/json",
    "/v1.41//containers/json",
    "/containers//json",
    "/containers/a%00b/json",
    "/containers/a%0d%0ab/json",
    "/containers/a%5cb",
    "/containers/a\\b",
    "/containers/%zz",
    "/containers/%",
    "/containers/%ff",
    "/%63ontainers/json",
    "/v1.41%2Fcontainers/json",
    "/containers/json#x",
    "http://evil.example/containers/json",
    "*",
    "",
    "/containers/json?a=%zz",
    "/containers/json?a=1;b=2",
    "/containers/json?a=%ff",
  ])("refuses %s", (target) => {
    expect(statusOf(target)).toBe(400);
  });

  it("has no page behind a trailing slash, as dockerd", () => {
    expect(statusOf("/containers/json/")).toBe(404);
    expect(statusOf("/")).toBe(200);
  });

  it("reads query values as Go does", () => {
    expect(parseTarget("/x?a=b+c&a=%2B&d").query.getAll("a")).toEqual(["b c", "+"]);
  });

  it("never gives a path that reads differently a second time", () => {
    const piece = fc.constantFrom(
      "a",
      "..",
      ".",
      "/",
      "//",
      "%2e",
      "%2F",
      "%25",
      "%00",
      "\\",
      "é",
      "v1.41",
      "%",
      "#",
      " ",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const target = `/a/${pieces.join("")}`;
        if (statusOf(target) !== 200) return;
        const { path } = parseTarget(target);
        expect(path).not.toMatch(/\/\.\.?(\/|$)|\/\//);
        const again = parseTarget(`/v1.41${encodePath(path)}`);
        expect(again.path).toBe(path);
      }),
      { numRuns: 2000 },
    );
  });
});
