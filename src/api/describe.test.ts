import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { describeApi } from "./describe.ts";
import { ROUTES } from "./table.ts";

const page = new URL("../../docs/api.md", import.meta.url);

describe("docs/api.md", () => {
  it("is what the route table says (npm run docs writes it)", () => {
    const text = describeApi(ROUTES.routes);
    if (process.env.SHOAL_WRITE_DOCS === "1") writeFileSync(page, text);
    expect(readFileSync(page, "utf8")).toBe(text);
  });
});

describe("the route table", () => {
  it.each([
    ["GET", "/containers/json", "/containers/json"],
    ["GET", "/containers/node-1/redis/json", "/containers/{name}/json"],
    ["GET", "/images/library/redis/json", "/images/{name}/json"],
    ["GET", "/images/json", "/images/json"],
    ["DELETE", "/images/localhost:5000/a/b:1", "/images/{name}"],
    ["POST", "/containers/create", "/containers/create"],
    ["POST", "/containers/prune", "/containers/prune"],
    ["GET", "/containers/redis/attach/ws", "/containers/{name}/attach/ws"],
    ["HEAD", "/_ping", "/_ping"],
    ["POST", "/containers/redis/checkpoints", "/containers/{name}/checkpoints"],
    ["GET", "/networks", "/networks"],
  ])("%s %s is %s", (method, path, expected) => {
    expect(ROUTES.match(method, path)?.route.path).toBe(expected);
  });

  it("does not know what Docker does not document", () => {
    expect(ROUTES.match("GET", "/nothing")).toBeUndefined();
    expect(ROUTES.match("PATCH", "/containers/json")).toBeUndefined();
  });
});

describe("what a route changes", () => {
  it("is said by every route that is not a reading", () => {
    const silent = ROUTES.routes.filter(
      ({ method, mutates }) => !["GET", "HEAD"].includes(method) && mutates === undefined,
    );
    expect(silent.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
  });

  it("is named noun.verb, and no parameter that may hold a secret is logged", () => {
    const secret = ["filters", "fromSrc", "message", "author", "changes", "buildargs", "labels", "remote"];
    for (const { mutates } of ROUTES.routes) {
      if (!mutates) continue;
      expect(mutates.action).toMatch(/^[a-z]+\.[a-z]+$/);
      expect(mutates.options?.filter((name) => secret.includes(name)) ?? []).toEqual([]);
    }
  });
});
