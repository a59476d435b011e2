// Writes dist/build.json: which commit this build was made of, for `shoal --version` and the API's GitCommit.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const root = new URL("../", import.meta.url);
const { version } = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));

/** Empty outside a git work tree (a release's tarball). */
function commit() {
  try {
    const git = (...args) =>
      execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const dirty = git("status", "--porcelain", "--untracked-files=no").trim() !== "";
    return git("rev-parse", "--short", "HEAD").trim() + (dirty ? "+" : "");
  } catch {
    return "";
  }
}

writeFileSync(new URL("dist/build.json", root), `${JSON.stringify({ version, commit: commit() }, null, 2)}\n`);
