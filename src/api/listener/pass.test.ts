import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { type Duplex, duplexPair } from "node:stream";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { pass } from "./pass.ts";
import { makeCertificates, tempDir, until } from "./testing.ts";

const certificates = makeCertificates();
const opened: { destroy(): unknown }[] = [];
afterEach(() => {
  for (const socket of opened.splice(0)) socket.destroy();
});

/** Two ends of a real connection, half-open, the second one not read yet. */
async function socketPair(secure = false): Promise<[Socket, Socket]> {
  const dir = tempDir();
  const path = `${dir.path}/pair.sock`;
  const server: Server = secure
    ? createTlsServer({ cert: certificates.cert, key: certificates.key, allowHalfOpen: true })
    : createServer({ allowHalfOpen: true, pauseOnConnect: true });
  server.listen(path);
  await once(server, "listening");
  const accepted = once(server, secure ? "secureConnection" : "connection");
  const options = { path, allowHalfOpen: true, ca: certificates.ca, servername: "localhost" };
  const near = secure ? connectTls(options) : connect(options);
  const [far] = (await accepted) as [Socket];
  server.close();
  dir.remove();
  opened.push(near, far);
  return [near, far];
}

const digest = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

async function readAll(stream: Duplex): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(Buffer.from(part as Buffer));
  return Buffer.concat(parts);
}

describe("one direction", () => {
  it.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])("carries every byte, in order, to a reader that comes late, then the end (TLS: %s, %s)", async (inner, outer) => {
    const [source, from] = await socketPair(inner);
    const [to, sink] = await socketPair(outer);
    pass(from, to);
    const sent = randomBytes(12 << 20);
    source.end(sent);
    await until(() => to.writableNeedDrain);
    expect(digest(await readAll(sink))).toBe(digest(sent));
    expect(to.writableEnded).toBe(true);
    expect(from.writableEnded).toBe(false);
  });

  it("passes an end on that was read before", async () => {
    const [source, from] = await socketPair();
    const [to, sink] = await socketPair();
    source.end();
    from.resume();
    await once(from, "end");
    pass(from, to);
    expect((await readAll(sink)).length).toBe(0);
  });

  it("gives the memory of what is sent back at once, where Node can", async () => {
    const [source, from] = await socketPair();
    const [to, sink] = await socketPair();
    const seen: Buffer[] = [];
    from.on("data", (chunk: Buffer) => seen.push(chunk));
    pass(from, to);
    source.end(Buffer.alloc(4 << 20, 7));
    expect((await readAll(sink)).length).toBe(4 << 20);
    const held = seen.reduce((sum, chunk) => sum + chunk.length, 0);
    if ("transfer" in ArrayBuffer.prototype) expect(held).toBeLessThan(1 << 20);
    else expect(held).toBe(4 << 20);
  });

  it("leaves the memory of streams without a socket to their owners", async () => {
    const [source, from] = duplexPair();
    const [to, sink] = duplexPair();
    pass(from, to);
    const block = Buffer.from(new ArrayBuffer(1000)).fill(7);
    const all = readAll(sink);
    for (let i = 0; i < 10; i++) source.write(block);
    source.end();
    expect(await all).toEqual(Buffer.alloc(10_000, 7));
    expect(block).toEqual(Buffer.alloc(1000, 7));
  });
});
