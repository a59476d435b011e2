/** Reads what came back on one connection as HTTP/1.1, strictly: what a client could misread is an error here. */

export interface Read {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** False while its end has not come. */
  readonly complete: boolean;
}

const HEAD_END = Buffer.from("\r\n\r\n");

/**
 * The answers in `bytes`, the last one perhaps incomplete. Throws Error with what is malformed.
 * @param methods of the requests in their order; an answer to HEAD has no body
 * @param closed the connection ended, which ends a body without a length
 */
export function readAnswers(bytes: Buffer, methods: readonly string[], closed: boolean): Read[] {
  const answers: Read[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf(HEAD_END, at);
    if (end < 0) {
      if (closed) throw new Error("the head of an answer is cut off");
      return answers;
    }
    const { status, headers } = readHead(bytes.toString("latin1", at, end));
    const start = end + HEAD_END.length;
    if (status === 100) {
      at = start;
      continue;
    }
    const method = methods[answers.length];
    if (status === 101) return [...answers, { status, headers, body: bytes.subarray(start), complete: true }];
    const { body, next, complete } = readBody(bytes, start, status, headers, method === "HEAD", closed);
    answers.push({ status, headers, body, complete });
    if (!complete) return answers;
    at = next;
  }
  return answers;
}

function readHead(text: string): { status: number; headers: Map<string, string> } {
  const [first = "", ...lines] = text.split("\r\n");
  const status = /^HTTP\/1\.1 (\d{3}) [\t\x20-\x7e\x80-\xff]*$/.exec(first)?.[1];
  if (status === undefined) throw new Error(`not a status line: ${JSON.stringify(first.slice(0, 100))}`);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name = "", value = ""] = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ?([\t\x20-\x7e\x80-\xff]*)$/.exec(line) ?? [];
    if (name === "") throw new Error(`not a header line: ${JSON.stringify(line.slice(0, 100))}`);
    const lower = name.toLowerCase();
    if (headers.has(lower) && /^(?:content-length|transfer-encoding|content-type)$/.test(lower)) {
      throw new Error(`${name} stands twice`);
    }
    headers.set(lower, value);
  }
  if (headers.has("content-length") && headers.has("transfer-encoding")) throw new Error("two framings in one answer");
  return { status: Number(status), headers };
}

function readBody(
  bytes: Buffer,
  start: number,
  status: number,
  headers: ReadonlyMap<string, string>,
  head: boolean,
  closed: boolean,
): { body: Buffer; next: number; complete: boolean } {
  const none = { body: Buffer.alloc(0), next: start, complete: true };
  if (head || status === 204 || status === 304) return none;
  const length = headers.get("content-length");
  if (length !== undefined) {
    if (!/^\d+$/.test(length)) throw new Error(`Content-Length: ${length}`);
    const next = start + Number(length);
    return { body: bytes.subarray(start, next), next, complete: next <= bytes.length };
  }
  if (headers.get("transfer-encoding") === "chunked") return readChunks(bytes, start);
  return { body: bytes.subarray(start), next: bytes.length, complete: closed };
}

function readChunks(bytes: Buffer, start: number): { body: Buffer; next: number; complete: boolean } {
  const parts: Buffer[] = [];
  let at = start;
  for (;;) {
    const end = bytes.indexOf("\r\n", at);
    if (end < 0) break;
    const text = bytes.toString("latin1", at, end);
    if (!/^[0-9a-f]{1,8}$/i.test(text)) throw new Error(`chunk size ${JSON.stringify(text.slice(0, 50))}`);
    const size = Number.parseInt(text, 16);
    const next = end + 2 + size + 2;
    if (next > bytes.length) break;
    if (bytes.toString("latin1", next - 2, next) !== "\r\n") throw new Error("a chunk does not end where it says");
    parts.push(bytes.subarray(end + 2, end + 2 + size));
    at = next;
    if (size === 0) return { body: Buffer.concat(parts), next: at, complete: true };
  }
  return { body: Buffer.concat(parts), next: bytes.length, complete: false };
}
