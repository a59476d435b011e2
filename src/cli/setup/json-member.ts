/**
 * Sets or removes one top-level member of a JSON object's text and leaves every other byte as it was.
 * Must not know whose file it is.
 */

interface Member {
  readonly key: string;
  /** Of the key's opening quote. */
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

/** The text with the member set: replaced where it is, else added last in the file's own indentation. Throws on bad JSON. */
export function setMember(text: string, name: string, value: string): string {
  const members = membersOf(text);
  const json = JSON.stringify(value);
  const present = find(members, name);
  if (present) return text.slice(0, present.valueStart) + json + text.slice(present.end);
  const open = text.indexOf("{");
  const first = members[0];
  const last = members.at(-1);
  if (!first || !last)
    return `${text.slice(0, open)}{\n\t${JSON.stringify(name)}: ${json}\n${text.slice(text.lastIndexOf("}"))}`;
  const space = text.slice(open + 1, first.start);
  const colon = /^"(?:[^"\\]|\\.)*"(\s*:\s*)/s.exec(text.slice(first.start))?.[1] ?? ": ";
  return `${text.slice(0, last.end)},${space}${JSON.stringify(name)}${colon}${json}${text.slice(last.end)}`;
}

/** The text without the member, its comma gone too. Throws on bad JSON. */
export function removeMember(text: string, name: string): string {
  const members = membersOf(text);
  const at = members.findIndex((member) => member.key.toLowerCase() === name.toLowerCase());
  const present = members[at];
  if (!present) return text;
  const before = members[at - 1];
  const after = members[at + 1];
  if (before) return text.slice(0, before.end) + text.slice(present.end);
  if (after) return text.slice(0, present.start) + text.slice(after.start);
  return `${text.slice(0, text.indexOf("{"))}{}${text.slice(text.lastIndexOf("}") + 1)}`;
}

/** The member's value when it is a string; Go reads keys in any letter case, so do we. Throws on bad JSON. */
export function stringMember(text: string, name: string): string | undefined {
  const member = find(membersOf(text), name);
  if (!member) return undefined;
  const value: unknown = JSON.parse(text.slice(member.valueStart, member.end));
  return typeof value === "string" ? value : undefined;
}

export function hasMembers(text: string): boolean {
  return membersOf(text).length > 0;
}

function find(members: readonly Member[], name: string): Member | undefined {
  return members.find((member) => member.key.toLowerCase() === name.toLowerCase());
}

/** The text is known to be valid JSON afterwards, so strings and nesting are all that a scan has to follow. */
function membersOf(text: string): Member[] {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new SyntaxError("not a JSON object");
  const members: Member[] = [];
  let depth = 0;
  let key: { text: string; start: number } | undefined;
  let valueStart = -1;
  let lastSolid = -1;
  const close = (): void => {
    if (key) members.push({ key: JSON.parse(key.text), start: key.start, valueStart, end: lastSolid + 1 });
    key = undefined;
    valueStart = -1;
  };
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? "";
    if (/\s/.test(character)) continue;
    if (depth === 1 && (character === "," || character === "}")) close();
    else if (depth === 1 && character === ":" && valueStart < 0) {
      valueStart = at + 1 + (/^\s*/.exec(text.slice(at + 1))?.[0].length ?? 0);
      continue;
    }
    if (character === '"') {
      const end = endOfString(text, at);
      if (depth === 1 && !key) key = { text: text.slice(at, end), start: at };
      at = end - 1;
    } else if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") depth--;
    lastSolid = at;
  }
  return members;
}

/** Index after the closing quote. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}
