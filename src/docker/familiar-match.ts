/** The `reference` filter of image lists: a shell pattern against an image's familiar name, with or without its tag. */

/** @param name as in RepoTags or RepoDigests: `redis:latest`, `quay.io/a/b@sha256:…` */
export function familiarMatch(pattern: string, name: string): boolean {
  const matches = shellPattern(pattern);
  const withoutDigest = name.split("@")[0] ?? name;
  const colon = withoutDigest.lastIndexOf(":");
  const repository = colon > withoutDigest.lastIndexOf("/") ? withoutDigest.slice(0, colon) : withoutDigest;
  return matches.test(name) || matches.test(repository);
}

/** Go's path.Match: `*` and `?` do not cross a slash, `[a-z]` and `[^a-z]` are classes, a backslash quotes. */
function shellPattern(pattern: string): RegExp {
  let source = "";
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i] ?? "";
    if (char === "*") source += "[^/]*";
    else if (char === "?") source += "[^/]";
    else if (char === "[") {
      const end = pattern.indexOf("]", i + 1);
      if (end < 0) return NOTHING;
      const inside = pattern.slice(i + 1, end).replace(/\\/g, "\\\\");
      source += `[${inside}]`;
      i = end;
    } else {
      const quoted = char === "\\" ? (pattern[++i] ?? "\\") : char;
      source += quoted.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
    }
  }
  try {
    return new RegExp(`^${source}$`);
  } catch {
    return NOTHING;
  }
}

const NOTHING = /(?!)/;
