/**
 * Putting a server on an address. The file of a unix socket goes away by itself when its server closes. Owns unix sockets' files and modes, and the words for what can go wrong; must not know
 * what is served.
 */
import { chmodSync, existsSync, lstatSync, unlinkSync } from "node:fs";
import { type AddressInfo, connect, type Server } from "node:net";
import { dirname } from "node:path";
import { formatHost, type Host } from "./host.ts";

/** Only the owner may speak to an API that is root on every node, as with classic Swarm. */
const SOCKET_MODE = 0o600;

/** Listens; resolves to the address really bound (the port when 0 was asked for). Rejects with an Error for the operator. */
export async function bind(server: Server, host: Host): Promise<Host> {
  try {
    await listen(server, host);
  } catch (error) {
    if (!(host.kind === "unix" && codeOf(error) === "EADDRINUSE" && (await removeStale(host.path)))) {
      throw explain(host, error);
    }
    try {
      await listen(server, host);
    } catch (again) {
      throw explain(host, again);
    }
  }
  if (host.kind === "unix") return host;
  return { ...host, port: (server.address() as AddressInfo).port };
}

function listen(server: Server, host: Host): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => {
      server.off("listening", onListening);
      reject(error);
    };
    const onListening = (): void => {
      server.off("error", onError);
      if (host.kind === "unix") chmodSync(host.path, SOCKET_MODE);
      resolve();
    };
    server.once("error", onError).once("listening", onListening);
    if (host.kind === "tcp") {
      server.listen({ port: host.port, ...(host.host === "" ? {} : { host: host.host }) });
      return;
    }
    // The socket is bound within this call, so that the file never exists with a wider mode.
    const before = process.umask(0o777 & ~SOCKET_MODE);
    try {
      server.listen({ path: host.path });
    } finally {
      process.umask(before);
    }
  });
}

/** Whether the file was a socket that nobody listens on any more and is removed now. */
async function removeStale(path: string): Promise<boolean> {
  try {
    if (!lstatSync(path).isSocket())
      throw new Error(`cannot listen on unix://${path}: a file that is not a socket is there`);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return true;
    throw error;
  }
  if (await isAlive(path)) return false;
  unlinkSync(path);
  return true;
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path });
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", (error) => resolve(codeOf(error) !== "ECONNREFUSED" && codeOf(error) !== "ENOENT"));
  });
}

function explain(host: Host, error: unknown): Error {
  const where = formatHost(host);
  const cause = { cause: error };
  switch (codeOf(error)) {
    case "EADDRINUSE":
      return new Error(
        `a manager (or something else) already listens on ${where}: stop it or choose another -H`,
        cause,
      );
    case "ENOENT":
    case "EACCES":
    case "EPERM":
      // libuv says "permission denied" for a directory that is not there, too.
      if (host.kind === "unix" && !existsSync(dirname(host.path))) {
        return new Error(`cannot listen on ${where}: the directory ${dirname(host.path)} does not exist`, cause);
      }
      return new Error(`cannot listen on ${where}: permission denied`, cause);
    case "EADDRNOTAVAIL":
      return new Error(`cannot listen on ${where}: this machine does not have that address`, cause);
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new Error(`cannot listen on ${where}: no address is known for that name`, cause);
    default:
      if (error instanceof Error && error.message.startsWith("cannot listen")) return error;
      return new Error(`cannot listen on ${where}: ${error instanceof Error ? error.message : String(error)}`, cause);
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
