/** A websocket spoken by hand (RFC 6455), without a client library's help or forgiveness: handshake, masked frames, close. */
import { createHash, randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const BINARY = 2;
const CLOSE = 8;

export interface WebSocketLink {
  /** The status line and headers that answered the handshake. */
  readonly head: string;
  /** What came in frames of text or bytes up to now. */
  received(): string;
  send(text: string): void;
  /** Sends a close frame. */
  close(): void;
  /** When the other side has closed, by a frame or by ending the connection. */
  readonly closed: Promise<void>;
  destroy(): void;
}

/** Shakes hands at `tcp://…` or `unix://…`. Throws with the whole answer when it is refused or its accept key is wrong. */
export async function openWebSocket(host: string, path: string): Promise<WebSocketLink> {
  const url = new URL(host);
  const socket =
    url.protocol === "unix:"
      ? connect({ path: url.pathname })
      : connect({ host: url.hostname, port: Number(url.port || 2375) });
  const key = randomBytes(16).toString("base64");
  socket.write(
    [
      `GET ${path} HTTP/1.1`,
      `Host: ${url.host || "docker"}`,
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Key: ${key}`,
      "",
      "",
    ].join("\r\n"),
  );
  const { head, rest } = await answerOf(socket);
  const accept = createHash("sha1").update(`${key}${GUID}`).digest("base64");
  if (!head.toLowerCase().includes(`sec-websocket-accept: ${accept.toLowerCase()}`)) {
    socket.destroy();
    throw new Error(`a wrong accept key: ${head}`);
  }
  return speak(socket, head, rest);
}

/** The head of a 101, and what came behind it already. Any other answer is thrown whole. Gives up after ten seconds. */
function answerOf(socket: Socket): Promise<{ head: string; rest: Buffer }> {
  return new Promise((done, fail) => {
    let bytes = Buffer.alloc(0);
    const timer = setTimeout(() => socket.destroy(new Error("no answer to the handshake")), 60_000);
    const onData = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      const end = bytes.indexOf("\r\n\r\n");
      if (end < 0) return;
      const head = bytes.subarray(0, end).toString();
      const rest = bytes.subarray(end + 4);
      if (/^HTTP\/1\.1 101 /.test(head)) {
        clearTimeout(timer);
        socket.off("data", onData);
        done({ head, rest });
      } else if (rest.length >= Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? Number.POSITIVE_INFINITY)) {
        // A refusal may leave the connection open.
        socket.destroy();
      }
    };
    socket.on("data", onData);
    socket.on("error", fail);
    socket.on("close", () => {
      clearTimeout(timer);
      fail(new Error(`no websocket: ${bytes.toString()}`));
    });
  });
}

function speak(socket: Socket, head: string, rest: Buffer): WebSocketLink {
  let pending: Buffer = rest;
  let text = "";
  const closed = new Promise<void>((done) => {
    const take = (): void => {
      for (let frame = firstFrame(pending); frame !== undefined; frame = firstFrame(pending)) {
        pending = pending.subarray(frame.length);
        if (frame.opcode === CLOSE) done();
        else if (frame.opcode <= BINARY) text += frame.payload.toString();
      }
    };
    socket.on("data", (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      take();
    });
    socket.on("close", () => done());
    take();
  });
  return {
    head,
    closed,
    received: () => text,
    send: (line) => socket.write(maskedFrame(BINARY, Buffer.from(line))),
    close: () => socket.write(maskedFrame(CLOSE, Buffer.from([0x03, 0xe8]))),
    destroy: () => socket.destroy(),
  };
}

/** The first whole frame from the server, which masks nothing; undefined while it is not all there. */
function firstFrame(bytes: Buffer): { opcode: number; payload: Buffer; length: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes.readUInt8(1) & 0x7f;
  const start = short === 127 ? 10 : short === 126 ? 4 : 2;
  if (bytes.length < start) return undefined;
  const size = short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short;
  if (bytes.length < start + size) return undefined;
  return { opcode: bytes.readUInt8(0) & 0x0f, payload: bytes.subarray(start, start + size), length: start + size };
}

/** One final frame of up to 125 bytes, masked as a client must. */
function maskedFrame(opcode: number, payload: Buffer): Buffer {
  if (payload.length > 125) throw new Error("longer than a short frame");
  const mask = randomBytes(4);
  const masked = payload.map((byte, index) => byte ^ mask.readUInt8(index % 4));
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length]), mask, masked]);
}
