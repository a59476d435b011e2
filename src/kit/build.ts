/** Which shoal this is: the version of package.json, and the commit when the build was stamped with one. */
import { readFileSync } from "node:fs";

export interface BuildInfo {
  /** Such as `0.1.0`. */
  readonly version: string;
  /** Short commit, `+` appended when files differed from it; empty when unknown (running from sources). */
  readonly commit: string;
}

let known: BuildInfo | undefined;

/** Read once; works from src/ and from dist/ alike, both one level below package.json. */
export function buildInfo(): BuildInfo {
  known ??= { version: field("../../package.json", "version") || "0.0.0", commit: field("../build.json", "commit") };
  return known;
}

function field(file: string, name: string): string {
  try {
    const parsed = JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8")) as Record<string, unknown>;
    return typeof parsed[name] === "string" ? parsed[name] : "";
  } catch {
    return "";
  }
}
