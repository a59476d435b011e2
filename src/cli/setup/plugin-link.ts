/** The link by which docker finds shoal as `docker shoal`. Never touches a file that is not such a link. */
import { lstatSync, mkdirSync, readlinkSync, symlinkSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { codeOf } from "../fail.ts";

const EXECUTABLE = fileURLToPath(new URL("../../../bin/shoal", import.meta.url));

/** What was done, as a sentence. */
export function linkPlugin(configDir: string, executable = EXECUTABLE): string {
  const path = linkPath(configDir);
  const found = lookAt(path);
  if (found === "foreign") return `${path} is not a link to shoal and is left alone`;
  if (found === executable) return `docker shoal is linked already (${path})`;
  if (found !== undefined) unlinkSync(path);
  mkdirSync(join(configDir, "cli-plugins"), { recursive: true });
  symlinkSync(executable, path);
  return `docker shoal works now (${path})`;
}

export function unlinkPlugin(configDir: string): string {
  const path = linkPath(configDir);
  const found = lookAt(path);
  if (found === undefined) return "docker shoal is not linked";
  if (found === "foreign") return `${path} is not a link to shoal and is left alone`;
  unlinkSync(path);
  return `docker shoal is no longer linked (${path})`;
}

function linkPath(configDir: string): string {
  return join(configDir, "cli-plugins", "docker-shoal");
}

/** Where the link points when it points to some shoal's executable. */
function lookAt(path: string): string | "foreign" | undefined {
  try {
    if (!lstatSync(path).isSymbolicLink()) return "foreign";
    const target = readlinkSync(path);
    return /(^|\/)bin\/shoal$/.test(target) ? target : "foreign";
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
