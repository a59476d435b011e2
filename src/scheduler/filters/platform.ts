/**
 * `--platform`: the operating system must be the node's; the architecture is a preference, since engines run foreign
 * ones through emulation where it is installed and say so themselves where it is not.
 */
import type { NodeView } from "../node-view.ts";
import type { Filter } from "./filter.ts";

const SYSTEMS: ReadonlySet<string> = new Set(["linux", "windows", "freebsd", "darwin"]);

/** The kernel's names (`/info`) → the names of images. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  "x86-64": "amd64",
  aarch64: "arm64",
  armv8l: "arm64",
  armv7l: "arm",
  armv6l: "arm",
  armhf: "arm",
  i386: "386",
  i686: "386",
};

export const platform: Filter = {
  name: "platform",
  kind: "condition",
  check: (request) => {
    if (request.platform === undefined) return undefined;
    const { os, architecture } = parsePlatform(request.platform);
    return {
      accepts: (node) => os === undefined || (node.standard.get("ostype") ?? os).toLowerCase() === os,
      why: (node) => `its engine runs ${node.standard.get("ostype") ?? ""}, ${request.platform} asked`,
      words: [`platform ${request.platform}`],
      soft:
        architecture === undefined
          ? []
          : [{ text: `platform ${request.platform}`, holds: (node) => architectureOf(node) === architecture }],
    };
  },
};

/** `os[/arch[/variant]]`; a single word may also be the architecture. */
function parsePlatform(text: string): { os: string | undefined; architecture: string | undefined } {
  const [first = "", second] = text.toLowerCase().split("/");
  if (second !== undefined) return { os: first, architecture: imageName(second) };
  return SYSTEMS.has(first)
    ? { os: first, architecture: undefined }
    : { os: undefined, architecture: imageName(first) };
}

const imageName = (architecture: string): string => ARCHITECTURES[architecture] ?? architecture;

const architectureOf = (node: NodeView): string => imageName((node.standard.get("architecture") ?? "").toLowerCase());
