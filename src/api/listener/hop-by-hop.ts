/** Which headers belong to one connection and end there (RFC 9110 §7.6.1). Must not know who is at its ends. */

const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Name, value, … without the connection's own headers, those that `Connection` names included, and without `others`. */
export function endToEnd(rawHeaders: readonly string[], others: ReadonlySet<string>): string[] {
  const named = namedByConnection(rawHeaders);
  const kept: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? "";
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || named?.has(lower) || others.has(lower)) continue;
    kept.push(name, rawHeaders[i + 1] ?? "");
  }
  return kept;
}

/** Undefined when there is none, which is the rule. */
function namedByConnection(rawHeaders: readonly string[]): Set<string> | undefined {
  let named: Set<string> | undefined;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() !== "connection") continue;
    named ??= new Set();
    for (const token of (rawHeaders[i + 1] ?? "").split(",")) named.add(token.trim().toLowerCase());
  }
  return named;
}
