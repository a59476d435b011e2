/**
 * The NODE column of plain `docker ps`: `psFormat` in docker's config.json, with a backup beside it, and back again.
 * Every other byte of the file stays.
 */
import { chmodSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CliError, codeOf, messageOf } from "../fail.ts";
import { hasMembers, removeMember, setMember, stringMember } from "./json-member.ts";

/** docker heads a label's column with what follows the key's last dot: NODE. */
export const PS_FORMAT =
  'table {{.ID}}\\t{{.Image}}\\t{{.Command}}\\t{{.RunningFor}}\\t{{.Status}}\\t{{.Ports}}\\t{{.Label "shoal.NODE"}}\\t{{.Names}}';
const KEY = "psFormat";
const PRIVATE = 0o600;

/** What was done, as a sentence. Throws CliError when the file cannot be read or written. */
export function setPsFormat(configDir: string): string {
  const file = realFile(join(configDir, "config.json"));
  const before = readText(file);
  const current = before === undefined ? undefined : inJson(file, () => stringMember(before, KEY));
  if (current === PS_FORMAT) return `docker ps already has a NODE column (${file})`;
  mkdirSync(configDir, { recursive: true, mode: 0o700 });
  if (before !== undefined) writeWhole(backupOf(file), before, modeOf(file));
  const after = inJson(file, () => setMember(before ?? "{}\n", KEY, PS_FORMAT));
  writeWhole(file, after, modeOf(file));
  const kept = before === undefined ? "" : `; the file as it was is ${backupOf(file)}`;
  return `docker ps has a NODE column now (psFormat in ${file}${kept})`;
}

/** Puts the file back: byte for byte when nobody changed it since, else only psFormat. */
export function undoPsFormat(configDir: string): string {
  const file = realFile(join(configDir, "config.json"));
  const current = readText(file);
  if (current === undefined || inJson(file, () => stringMember(current, KEY)) !== PS_FORMAT) {
    return "docker ps has no NODE column of shoal's";
  }
  const before = readText(backupOf(file));
  if (before === undefined) {
    const rest = removeMember(current, KEY);
    if (hasMembers(rest)) writeWhole(file, rest, modeOf(file));
    else rmSync(file);
  } else {
    writeWhole(file, restored(file, before, current), modeOf(file));
    rmSync(backupOf(file));
  }
  return `docker ps is as it was (${file})`;
}

function restored(file: string, before: string, current: string): string {
  return inJson(file, () => {
    if (setMember(before, KEY, PS_FORMAT) === current) return before;
    const previous = stringMember(before, KEY);
    return previous === undefined ? removeMember(current, KEY) : setMember(current, KEY, previous);
  });
}

function backupOf(file: string): string {
  return `${file}.before-shoal`;
}

/** A linked config.json (dotfile managers do that) is edited where it really is. */
function realFile(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return path;
    throw error;
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw new CliError(`cannot read ${file}: ${messageOf(error)}`);
  }
}

function modeOf(file: string): number {
  try {
    return statSync(file).mode & 0o777;
  } catch {
    return PRIVATE;
  }
}

/** Never half a file: a docker may read it at the same time. */
function writeWhole(file: string, text: string, mode: number): void {
  const temporary = join(dirname(file), `.shoal-${process.pid}.tmp`);
  writeFileSync(temporary, text, { mode });
  chmodSync(temporary, mode);
  renameSync(temporary, file);
}

function inJson<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new CliError(`${file} is left alone: ${messageOf(error)}`);
  }
}
