/** What of a stored value may be shown: everything but what looks like a secret. Must not know who stored it. */

const SECRET = /env|pass|secret|token|auth|credential|private|certificate|(?:^|[a-z_-])keys?$/i;
const HIDDEN = "(hidden)";

/** The value to print for a stored text: its JSON with secrets hidden, or no more than its size. */
export function withoutSecrets(text: string): unknown {
  try {
    return hide(JSON.parse(text));
  } catch {
    return `(${Buffer.byteLength(text)} bytes that are no JSON)`;
  }
}

function hide(value: unknown): unknown {
  if (typeof value === "string" && value.startsWith("{")) return hideWithin(value);
  if (Array.isArray(value)) return value.map(hide);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, SECRET.test(name) ? hidden(member) : hide(member)]),
  );
}

/** A text that holds a JSON object, as a create body does in what a container was asked for. */
function hideWithin(text: string): string {
  try {
    return JSON.stringify(hide(JSON.parse(text)));
  } catch {
    return text;
  }
}

/** Of `NAME=value` the name is no secret. */
function hidden(value: unknown): unknown {
  if (!Array.isArray(value)) return HIDDEN;
  return value.map((one) =>
    typeof one === "string" && one.includes("=") ? `${one.split("=", 1)[0]}=${HIDDEN}` : HIDDEN,
  );
}
