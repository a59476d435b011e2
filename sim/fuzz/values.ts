/** What is put where a client would put something sensible: names, queries, headers and JSON of every kind of wrong. */
import type { Chance } from "./chance.ts";

/** The containers that every world of the fuzzer holds, by the node that has them. */
export const HOMES: Readonly<Record<string, string>> = {
  "fuzz-one": "node-1",
  "fuzz-two": "node-2",
  "fuzz-three": "node-3",
};

const TRICKS = [
  "..",
  ".",
  "%2e%2e",
  "%2E",
  "%2f",
  "%2F..%2F",
  "//",
  "%5c",
  "\\",
  "%00",
  "%0d%0a",
  "%",
  "%zz",
  "%ff",
  "%c0%ae",
  "%252e%252e",
  "\x01",
  "\x7f",
  "\xff",
  " ",
  "?",
  "#",
  ";",
  "&",
  "*",
  "~",
  "{name}",
  "node-1/",
  "node-9/",
  "/",
];

const NUMBERS = [
  "0",
  "-1",
  "1",
  "9223372036854775807",
  "-9223372036854775808",
  "9223372036854775808",
  "18446744073709551616",
  "1e400",
  "-0",
  "1.5",
  "1e3",
  "4294967296",
  "NaN",
  "0x10",
  "00",
  "+1",
];

const WORDS = ["", "true", "false", "null", "busybox", "busybox:latest", "nosuch:1", "A b", "é", "%s%s%n", "__proto__"];

/** A reference to a container: mostly one that exists, plainly or oddly written. */
export function reference(chance: Chance): string {
  const names = Object.keys(HOMES);
  const name = chance.one(names);
  switch (chance.int(20)) {
    case 0:
      return `${chance.one(["node-1", "node-2", "node-3", "node-9", ""])}/${name}`;
    case 1:
      return `${chance.one(["node-1", "node-2", "node-3"])}%2F${name}`;
    case 2:
      return `%66uzz-${chance.one(["one", "two", "three"])}`;
    case 3:
      return `${name}${chance.one(TRICKS)}`;
    case 4:
      return `${chance.one(TRICKS)}${name}`;
    case 5:
      return chance.one([...WORDS, chance.hex(32), chance.hex(6), "a".repeat(chance.one([255, 4096, 20_000]))]);
    default:
      return name;
  }
}

export const word = (chance: Chance): string => chance.one([...WORDS, ...NUMBERS, ...TRICKS, reference(chance)]);

const QUERY_KEYS = [
  "all",
  "container",
  "detachKeys",
  "filters",
  "follow",
  "force",
  "fromImage",
  "h",
  "limit",
  "link",
  "logs",
  "name",
  "path",
  "platform",
  "ps_args",
  "repo",
  "signal",
  "since",
  "size",
  "stderr",
  "stdout",
  "stream",
  "t",
  "tag",
  "tail",
  "timestamps",
  "until",
  "v",
  "w",
];

const FILTER_KEYS = [
  "name",
  "id",
  "label",
  "status",
  "health",
  "ancestor",
  "node",
  "exited",
  "before",
  "nosuch",
  "dangling",
];

function filters(chance: Chance): string {
  const key = chance.one(FILTER_KEYS);
  const value = chance.one([
    ...WORDS,
    "[",
    "(a+)+$",
    "\\p{L}",
    "^",
    "a{1,1000}{1,1000}",
    "running",
    "a=b",
    reference(chance),
  ]);
  const text = chance.one([
    JSON.stringify({ [key]: [value] }),
    JSON.stringify({ [key]: { [value]: true } }),
    JSON.stringify({ [key]: { [value]: chance.often(50) } }),
    JSON.stringify({ [key]: value }),
    JSON.stringify([key, value]),
    `{"${key}":`,
    "",
    "null",
    "[]",
    nest(chance, chance.one([5, 200])),
  ]);
  return encoded(chance, text);
}

/** As a client that knows its trade would, mostly. */
function encoded(chance: Chance, text: string): string {
  return chance.often(95) ? encodeURIComponent(text) : text;
}

export function query(chance: Chance): string {
  const pairs: string[] = [];
  for (let i = chance.int(4); i > 0; i--) {
    const key = chance.often(95) ? chance.one(QUERY_KEYS) : encoded(chance, word(chance));
    const value = key === "filters" ? filters(chance) : encoded(chance, word(chance));
    pairs.push(chance.often(90) ? `${key}=${value}` : `${key}`);
  }
  return pairs.length === 0 ? "" : `?${pairs.join(chance.often(99) ? "&" : ";")}`;
}

function nest(chance: Chance, depth: number): string {
  const [open, close] = chance.one([
    ["[", "]"],
    ['{"a":', "}"],
  ] as const);
  return open.repeat(depth) + (open === "[" ? "" : "1") + close.repeat(chance.often(90) ? depth : depth - 1);
}

const FIELDS = [
  "Image",
  "Cmd",
  "Entrypoint",
  "Env",
  "Labels",
  "HostConfig",
  "NetworkingConfig",
  "ExposedPorts",
  "Volumes",
  "Memory",
  "NanoCpus",
  "CpuShares",
  "PortBindings",
  "RestartPolicy",
  "Links",
  "VolumesFrom",
  "Binds",
  "Mounts",
  "NetworkMode",
  "Hostname",
  "User",
  "Tty",
  "AttachStdin",
  "Detach",
  "Healthcheck",
  "EndpointsConfig",
];

function field(chance: Chance): string {
  const name = chance.one(FIELDS);
  switch (chance.int(12)) {
    case 0:
      return name.toLowerCase();
    case 1:
      return name.replace("s", "\u017f").replace("k", "\u212a");
    case 2:
      return chance.one(["", "__proto__", "constructor", "toString", "\u0000", "\ud800"]);
    default:
      return name;
  }
}

function scalar(chance: Chance): string {
  const text = chance.one([word(chance), "constraint:node==node-1", "affinity:container==fuzz-one", "8080/tcp", "a=b"]);
  return chance.one([
    JSON.stringify(text),
    JSON.stringify(text),
    chance.one(NUMBERS),
    "true",
    "false",
    "null",
    `"${text}"`,
  ]);
}

function value(chance: Chance, depth: number): string {
  if (depth <= 0 || chance.often(40)) return scalar(chance);
  const inner = Array.from({ length: chance.int(4) }, () => value(chance, depth - 1));
  if (chance.often(40)) return `[${inner.join(",")}]`;
  return `{${inner.map((text) => `${JSON.stringify(field(chance))}:${text}`).join(",")}}`;
}

/** A body, mostly an object with Docker's fields, of right and wrong types. */
export function jsonText(chance: Chance): string {
  switch (chance.int(14)) {
    case 0:
      return chance.one(["", "null", "[]", '""', "0", "{}", "{}{}", "{} x", "\ufeff{}", "{", '{"a"', "nul", "'{}'"]);
    case 1:
      return nest(chance, chance.one([10, 500, 1_500, 10_001, 50_000]));
    case 2:
      return `{"Image":"busybox","Env":[${JSON.stringify("x".repeat(chance.int(20_000)))}]}`;
    case 3:
      return `{"Image":"busybox","HostConfig":{"Memory":${chance.one(NUMBERS)},"NanoCpus":${chance.one(NUMBERS)}}}`;
    case 4:
      return `{"Image":"busybox","${field(chance)}":${value(chance, 3)},"${field(chance)}":${value(chance, 3)}}`;
    case 5:
    case 7:
      return `{"Image":"busybox","Cmd":["true"],"Labels":{"a":"b"},"${field(chance)}":${value(chance, 1)}}`;
    case 8:
      return `{"Image":"busybox","HostConfig":{"${field(chance)}":${value(chance, 2)},"${field(chance)}":${value(chance, 2)}}}`;
    case 6:
      return `{"AttachStdout":true,"Cmd":["true"],"Detach":${chance.often(50)},"Tty":false}`;
    default:
      return value(chance, 4);
  }
}
