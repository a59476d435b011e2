import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
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
});
