/** One input of the fuzzer: the bytes that a client sends on one connection. Made from the route table and from mutation. */
import type { Route } from "../../src/api/route.ts";
import { type Chance, chanceOf } from "./chance.ts";
import { jsonText, query, reference, word } from "./values.ts";

export interface Input {
  readonly bytes: Buffer;
  /** Nothing about its framing is wrong, so an answer must come, or a stream must begin. */
  readonly whole: boolean;
}

interface Draft {
  method: string;
  target: string;
  readonly headers: string[];
  body: Buffer;
  framing: "length" | "chunked" | "none";
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "get", "FOO"];
const VERSIONS = ["", "/v1.41", "/v1.51", "/v1.24", "/v1.23", "/v9.99", "/v1", "/vv1.41", "/v1.41/v1.41", "/V1.41"];

/** Input number `index` under `seed`. */
export function inputOf(seed: number, index: number, routes: readonly Route[]): Input {
  const chance = chanceOf(seed, index);
  const drafts = Array.from({ length: chance.often(4) ? 3 : 1 }, () => draftOf(chance, routes));
  const parts = drafts.map((draft) => render(draft));
  let bytes: Buffer = Buffer.concat(parts);
  let whole = drafts.length === 1;
  if (chance.often(8)) {
    bytes = framed(chance, drafts[0] ?? draftOf(chance, routes));
    whole = false;
  }
  if (chance.often(12)) {
    bytes = spoiled(chance, bytes);
    whole = false;
  }
  return { bytes, whole };
}

function draftOf(chance: Chance, routes: readonly Route[]): Draft {
  const any = chance.one(routes);
  // Half of the table is answered by one sentence: a look at it now and then is enough.
  const route = (any.how === "unsupported" || any.how === "no swarm") && chance.often(80) ? chance.one(routes) : any;
  const draft: Draft = {
    method: chance.often(90) ? route.method : chance.one(METHODS),
    target: targetOf(chance, route),
    headers: headersOf(chance),
    body: Buffer.alloc(0),
    framing: "none",
  };
  if (chance.often(route.method === "POST" || route.method === "PUT" ? 80 : 10)) {
    draft.body = Buffer.from(jsonText(chance), chance.often(95) ? "utf8" : "latin1");
    draft.framing = chance.often(75) ? "length" : "chunked";
    if (chance.often(90)) draft.headers.push("Content-Type: application/json");
    else
      draft.headers.push(
        `Content-Type: ${chance.one(["text/plain", "", "a", "application/x-tar", "application/json; x"])}`,
      );
  }
  return draft;
}

function targetOf(chance: Chance, route: Route): string {
  const path = route.path.replace(/\{(\w+)\}/g, () => reference(chance));
  const odd = chance.often(6) ? splicedIn(chance, path, word(chance)) : path;
  return `${chance.often(85) ? chance.one(VERSIONS.slice(0, 3)) : chance.one(VERSIONS)}${odd}${query(chance)}`;
}

function splicedIn(chance: Chance, text: string, piece: string): string {
  const at = chance.int(text.length + 1);
  return text.slice(0, at) + piece + text.slice(at);
}

const ODD_HEADERS = [
  "Connection: close, X-Hop",
  "Connection: keep-alive",
  "Keep-Alive: timeout=5",
  "Proxy-Connection: close",
  "Proxy-Authorization: Basic eDp5",
  "TE: trailers",
  "Trailer: X-T",
  "Expect: 100-continue",
  "Expect: nothing",
  "Upgrade: h2c",
  "Origin: http://evil",
  "Origin: null",
  "Sec-Fetch-Site: cross-site",
  "X-Registry-Auth: e30=",
  "Content-Encoding: gzip",
  "Transfer-Encoding: identity",
  "Transfer-Encoding: gzip, chunked",
  "Content-Length: 0",
  "Content-Length: -1",
  "Content-Length: 99999999999999999999",
  "Range: bytes=0-1",
  "X-A: \xff\xfe",
  "X-B: a\x00b",
  " folded: 1",
  "X-C : 1",
  ": empty",
  "Host: evil.example",
];

function headersOf(chance: Chance): string[] {
  const headers = [`Host: ${chance.often(97) ? "localhost" : word(chance)}`];
  if (chance.often(6)) headers.push("Connection: Upgrade", "Upgrade: tcp");
  else if (chance.often(90)) headers.push("Connection: close, X-Hop");
  if (chance.often(50)) headers.push("X-Hop: 1");
  for (let i = chance.often(15) ? chance.between(1, 3) : 0; i > 0; i--) headers.push(chance.one(ODD_HEADERS));
  if (chance.often(1)) headers.push(`X-Long: ${"a".repeat(chance.one([1_000, 20_000, 70_000]))}`);
  if (chance.often(1)) for (let i = 0; i < 300; i++) headers.push(`X-${i}: ${i}`);
  return headers;
}

function head(draft: Draft, framing: readonly string[]): Buffer {
  const lines = [`${draft.method} ${draft.target} HTTP/1.1`, ...draft.headers, ...framing];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

function render(draft: Draft): Buffer {
  const { body, framing } = draft;
  if (framing === "none") return head(draft, []);
  if (framing === "length") return Buffer.concat([head(draft, [`Content-Length: ${body.length}`]), body]);
  return Buffer.concat([head(draft, ["Transfer-Encoding: chunked"]), chunked(body)]);
}

function chunked(body: Buffer): Buffer {
  const first = body.subarray(0, body.length >> 1);
  const parts: Buffer[] = [];
  for (const part of [first, body.subarray(first.length)]) {
    if (part.length > 0) parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n"));
  }
  return Buffer.concat([...parts, Buffer.from("0\r\n\r\n")]);
}

/** Lengths and chunks that lie, and requests hidden behind them. */
function framed(chance: Chance, draft: Draft): Buffer {
  const body = draft.body.length > 0 ? draft.body : Buffer.from("{}");
  const hidden = Buffer.from("DELETE /containers/fuzz-two?force=1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const length = `Content-Length: ${body.length}`;
  const coding = "Transfer-Encoding: chunked";
  const size = chance.one([
    "5;a=b",
    "0x5",
    "+5",
    "5 ",
    "FFFFFFFF",
    "FFFFFFFFFFFFFFFFF",
    "-1",
    "",
    "g",
    "5\n",
    "00000000005",
  ]);
  const odd = Buffer.concat([Buffer.from(`${size}\r\n`), body.subarray(0, 5), Buffer.from("\r\n0\r\n\r\n")]);
  return chance.one([
    () => Buffer.concat([head(draft, [length, coding]), chunked(body), hidden]),
    () => Buffer.concat([head(draft, [coding, length]), body, hidden]),
    () => Buffer.concat([head(draft, [length, "Content-Length: 0"]), body, hidden]),
    () => Buffer.concat([head(draft, [length, length]), body]),
    () => Buffer.concat([head(draft, [`Content-Length: ${body.length + 100}`]), body]),
    () => Buffer.concat([head(draft, ["Content-Length: 1"]), body, hidden]),
    () => Buffer.concat([head(draft, ["Content-Length: 0"]), hidden]),
    () => Buffer.concat([head(draft, [coding]), odd, hidden]),
    () => Buffer.concat([head(draft, ["Transfer-Encoding : chunked"]), odd, hidden]),
    () => Buffer.concat([head(draft, ["Transfer-Encoding: xchunked"]), odd]),
    () => Buffer.concat([head(draft, ["Transfer-Encoding:\tchunked"]), chunked(body)]),
    () => Buffer.from(head(draft, []).toString("latin1").replaceAll("\r\n", "\n"), "latin1"),
  ])();
}

/** Bytes changed, taken out, doubled or cut off. */
function spoiled(chance: Chance, bytes: Buffer): Buffer {
  const out = Buffer.from(bytes);
  if (out.length === 0) return out;
  switch (chance.int(4)) {
    case 0:
      return out.subarray(0, chance.int(out.length));
    case 1: {
      const from = chance.int(out.length);
      return Buffer.concat([out.subarray(0, from), out.subarray(Math.min(out.length, from + chance.between(1, 20)))]);
    }
    case 2: {
      const from = chance.int(out.length);
      return Buffer.concat([out.subarray(0, from), out.subarray(Math.max(0, from - chance.int(40)))]);
    }
    default:
      for (let i = chance.between(1, 4); i > 0; i--) out[chance.int(out.length)] = chance.int(256);
      return out;
  }
}
