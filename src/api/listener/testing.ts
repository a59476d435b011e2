/**
 * What the tests of this folder stand on: a listener on each transport, raw clients, and a small engine that speaks
 * upgrades. Not part of the product.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { systemClock } from "../../kit/clock.ts";
import { silentLog } from "../../kit/log.ts";
import { systemRandom } from "../../kit/random.ts";
import { createAccess } from "./access.ts";
import { sendJson } from "./answer.ts";
import { type Host, parseHost } from "./host.ts";
import { type Listeners, type ListenOptions, openListeners } from "./listen.ts";
import type { EngineSide } from "./splice.ts";

export type Transport = "tcp" | "unix" | "tls";
export const TRANSPORTS: readonly Transport[] = ["tcp", "unix", "tls"];

export interface Certificates {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly clientCert: Buffer;
  readonly clientKey: Buffer;
}

export function tempDir(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "shoal-listener-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A CA, a server's certificate for 127.0.0.1 and a client's, by openssl. */
export function makeCertificates(): Certificates {
  const dir = tempDir();
  const at = (name: string): string => join(dir.path, name);
  const openssl = (...args: string[]): unknown => execFileSync("openssl", args, { stdio: "pipe" });
  try {
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    openssl(
      "req",
      "-x509",
      ...key,
      "-keyout",
      at("ca.key"),
      "-out",
      at("ca.pem"),
      "-days",
      "2",
      "-subj",
      "/CN=test-ca",
    );
    writeFileSync(at("server.ext"), "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n");
    writeFileSync(at("client.ext"), "extendedKeyUsage=clientAuth\n");
    for (const name of ["server", "client"]) {
      openssl("req", ...key, "-keyout", at(`${name}.key`), "-out", at(`${name}.csr`), "-subj", `/CN=${name}-of-tests`);
      const sign = ["x509", "-req", "-in", at(`${name}.csr`), "-CA", at("ca.pem"), "-CAkey", at("ca.key")];
      openssl(...sign, "-CAcreateserial", "-out", at(`${name}.pem`), "-days", "2", "-extfile", at(`${name}.ext`));
    }
    const read = (name: string): Buffer => readFileSync(at(name));
    return {
      ca: read("ca.pem"),
      cert: read("server.pem"),
      key: read("server.key"),
      clientCert: read("client.pem"),
      clientKey: read("client.key"),
    };
  } finally {
    dir.remove();
  }
}

export interface Rig {
  readonly listeners: Listeners;
  readonly address: Host;
  /** A half-open raw connection to the listener. */
  dial(options?: { anonymous?: boolean }): Promise<Duplex>;
  close(): Promise<void>;
}

/** One listener on `transport`; every option can be replaced. */
export async function openRig(
  transport: Transport,
  options: Partial<ListenOptions> = {},
  certificates?: Certificates,
): Promise<Rig> {
  const dir = tempDir();
  const host = parseHost(transport === "unix" ? `unix://${dir.path}/api.sock` : "tcp://127.0.0.1:0");
  const listeners = await openListeners([host], {
    handler: async (request, answer) => sendJson(answer, 200, { path: request.path }),
    takesUpgrade: () => true,
    upgrade: async (upgrade) => void upgrade.socket.destroy(),
    access: createAccess({ hosts: [host] }),
    headers: ["Api-Version", "1.51"],
    log: silentLog,
    clock: systemClock,
    random: systemRandom,
    ...(transport === "tls" && certificates ? { tls: { ...certificates, verify: true } } : {}),
    ...options,
  });
  const address = parseHost(listeners.addresses[0] ?? "");
  return {
    listeners,
    address,
    dial: (how) => dial(address, transport === "tls" ? certificates : undefined, how?.anonymous === true),
    async close() {
      await listeners.close(0);
      dir.remove();
    },
  };
}

export function dial(host: Host, certificates?: Certificates, anonymous = false): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const target = host.kind === "unix" ? { path: host.path } : { host: host.host, port: host.port };
    const socket = certificates
      ? connectTls({
          ...target,
          ca: certificates.ca,
          ...(anonymous ? {} : { cert: certificates.clientCert, key: certificates.clientKey }),
          allowHalfOpen: true,
        } as ConnectionOptions & { allowHalfOpen: boolean })
      : connect({ ...target, allowHalfOpen: true });
    socket.once(certificates ? "secureConnect" : "connect", () => {
      socket.off("error", reject);
      socket.on("error", () => {});
      resolve(socket);
    });
    socket.once("error", reject);
  });
}

/** All that comes until the other end closes its side; a reset ends it too. */
export function readAll(socket: Duplex): Promise<string> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    const done = (): void => resolve(Buffer.concat(parts).toString("latin1"));
    socket.on("data", (chunk: Buffer) => parts.push(chunk));
    socket.once("end", done).once("close", done).on("error", done);
  });
}

/** What comes until `enough` says so, from the first byte on. */
export function readUntil(socket: Duplex, enough: (text: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const onData = (chunk: Buffer): void => {
      text += chunk.toString("latin1");
      if (!enough(text)) return;
      socket.pause();
      socket.off("data", onData).off("close", onClose);
      resolve(text);
    };
    const onClose = (): void => reject(new Error(`closed after ${JSON.stringify(text)}`));
    socket.on("data", onData).once("close", onClose).resume();
  });
}

/** Sends one raw request and gives everything that comes back until the connection closes. */
export async function rawExchange(rig: Rig, text: string): Promise<string> {
  const socket = await rig.dial();
  const answer = readAll(socket);
  socket.write(Buffer.from(text, "latin1"));
  const got = await answer;
  socket.destroy();
  return got;
}

/** Waits for what must come about; the test's own time limit is the deadline. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await systemClock.sleep(5);
}

export function closed(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (stream.closed) resolve();
    else stream.once("close", () => resolve());
  });
}

export interface TestEngine {
  readonly port: number;
  /** Opens a connection and speaks an upgrade as the engine side of the manager does. */
  upgrade(head: string, body?: Buffer): Promise<EngineSide>;
  /** The engine's own ends of its connections. */
  readonly sockets: Set<Socket>;
  close(): Promise<void>;
}

/** An engine that hands each connection's request head to `serve` once it is whole. */
export async function openEngine(serve: (socket: Socket, head: string, rest: Buffer) => void): Promise<TestEngine> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).once("close", () => sockets.delete(socket));
    const gone = (): void => void socket.destroy();
    void readHead(socket).then(({ head, rest }) => serve(socket, head, rest), gone);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    sockets,
    async upgrade(head, body) {
      const socket = await dial({ kind: "tcp", host: "127.0.0.1", port });
      socket.write(head);
      if (body !== undefined) socket.write(body);
      const answer = await readHead(socket);
      const [line = "", ...lines] = answer.head.split("\r\n");
      const [, status = "0", statusText = ""] = /^HTTP\/1\.1 (\d+) (.*)$/.exec(line) ?? [];
      const rawHeaders = lines.flatMap((text) => text.split(": "));
      return { status: Number(status), statusText, rawHeaders, rest: answer.rest, socket };
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function readHead(socket: Duplex): Promise<{ head: string; rest: Buffer }> {
  return new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      const end = bytes.indexOf("\r\n\r\n");
      if (end < 0) return;
      socket.pause();
      socket.off("data", onData).off("close", onClose);
      resolve({ head: bytes.toString("latin1", 0, end), rest: bytes.subarray(end + 4) });
    };
    const onClose = (): void => reject(new Error("closed before a whole head"));
    socket.on("data", onData).once("close", onClose);
  });
}
