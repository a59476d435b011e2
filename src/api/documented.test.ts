/** Holds the route table against Docker's own specification, read from Debian's docker-doc package where it is installed. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { ROUTES } from "./table.ts";

const FOLDER = "/usr/share/doc/docker-doc/api";
const specs = existsSync(FOLDER) ? readdirSync(FOLDER).filter((name) => /^v1\.\d+\.yaml\.gz$/.test(name)) : [];

/** `METHOD /path` of every operation: enough YAML for these files, whose layout never changes. */
function operations(text: string): string[] {
  const found: string[] = [];
  let path = "";
  for (const line of text.slice(text.indexOf("\npaths:")).split("\n")) {
    path = /^ {2}(\/\S*):\s*$/.exec(line)?.[1] ?? path;
    const method = /^ {4}(get|head|post|put|delete):\s*$/.exec(line)?.[1];
    if (method) found.push(`${method.toUpperCase()} ${path.replace(/\{\w+\}/g, "x")}`);
  }
  return found;
}

describe.skipIf(specs.length === 0)("every route that Docker documents", () => {
  it.each(specs)("of %s is served, or refused with 501", (name) => {
    const all = operations(gunzipSync(readFileSync(`${FOLDER}/${name}`)).toString("utf8"));
    expect(all.length).toBeGreaterThan(50);
    const unknown = all.filter((operation) => {
      const [method = "", path = ""] = operation.split(" ");
      return ROUTES.match(method, path) === undefined;
    });
    expect(unknown).toEqual([]);
  });
});
