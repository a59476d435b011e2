/** Servers for the tests of this folder: on tcp, a unix socket or TLS, with a count of their open connections. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createHttp, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createNet, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTls } from "node:tls";
import type { TlsMaterial } from "../dial.ts";

export type Transport = "tcp" | "unix" | "tls";

export interface TestServer {
  /** As openWire takes it. */
  readonly address: string;
  readonly tls: TlsMaterial | undefined;
  readonly connections: ReadonlySet<Socket>;
  /** Connections accepted since the start. */
  readonly accepted: () => number;
  /** Breaks all connections and stops listening. */
  close(): Promise<void>;
}

export interface Certificates {
  readonly dir: string;
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** A self-signed certificate for 127.0.0.1 and localhost, in a directory of its own; remove it with `dropCertificates`. */
export function makeCertificates(): Certificates {
  const dir = mkdtempSync(join(tmpdir(), "shoal-tls-"));
  const key = join(dir, "key.pem");
  const cert = join(dir, "cert.pem");
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  execFileSync("openssl", ["req", "-x509", "-nodes", ...curve, "-keyout", key, "-out", cert, ...subject], {
    stdio: "ignore",
  });
  return { dir, ca: readFileSync(cert), cert: readFileSync(cert), key: readFileSync(key) };
}

export function dropCertificates(certificates: Certificates): void {
  rmSync(certificates.dir, { recursive: true, force: true });
}

/** A raw server, half-open as dockerd is. */
export async function rawServer(
  transport: Transport,
  onSocket: (socket: Socket) => void,
  certificates?: Certificates,
): Promise<TestServer> {
  const options = { allowHalfOpen: true };
  const server =
    transport === "tls"
      ? createTls({ ...options, cert: certificates?.cert, key: certificates?.key }, onSocket)
      : createNet(options, onSocket);
  return listen(server, transport, certificates);
}

export async function httpServer(listener: RequestListener, port = 0): Promise<TestServer> {
  return listen(createHttp(listener), "tcp", undefined, port);
}

async function listen(
  server: Server,
  transport: Transport,
  certificates?: Certificates,
  port = 0,
): Promise<TestServer> {
  const connections = new Set<Socket>();
  let accepted = 0;
  server.on("connection", (socket: Socket) => {
    accepted++;
    connections.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => connections.delete(socket));
  });
  server.on("tlsClientError", () => {});
  const dir = transport === "unix" ? mkdtempSync(join(tmpdir(), "shoal-sock-")) : undefined;
  const path = dir && join(dir, "docker.sock");
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    if (path) server.listen(path, resolve);
    else server.listen(port, "127.0.0.1", resolve);
  });
  return {
    address: path ? `unix://${path}` : `127.0.0.1:${(server.address() as AddressInfo).port}`,
    tls: transport === "tls" ? { ca: certificates?.ca, verify: true } : undefined,
    connections,
    accepted: () => accepted,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of connections) socket.destroy();
      await closed;
      if (dir) rmSync(dir, { recursive: true, force: true });
    },
  };
}
