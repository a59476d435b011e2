/**
 * Programs of another Debian suite than this machine's, run with their own C library, interpreter and modules: in a root
 * made of unpacked packages, with the network and the process tree of this machine.
 */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const SCRIPT = `root=$1 work=$2; shift 2
mkdir -p "$root$work" "$root/dev" "$root/proc" "$root/sys" "$root/tmp"
mount --bind "$work" "$root$work" && mount --rbind /dev "$root/dev" && mount --rbind /sys "$root/sys" &&
  mount -t proc proc "$root/proc" || exit 126
case $PWD/ in "$work"/*) ;; *) cd "$work" ;; esac
exec unshare --root="$root" --wd="$PWD" -- "$@"`;

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/**
 * Writes an executable `bin/name` that runs `program` with its arguments in the root. Of this machine's files it sees
 * those below `work` alone, under the same paths.
 */
export function linkIntoRoot(bin: string, name: string, root: string, work: string, program: readonly string[]): void {
  mkdirSync(bin, { recursive: true });
  const path = join(bin, name);
  const words = ["sh", "-c", SCRIPT, "sh", root, work, ...program].map(quoted).join(" ");
  writeFileSync(path, `#!/bin/sh\nexec unshare --mount --propagation private -- ${words} "$@"\n`);
  chmodSync(path, 0o755);
}
