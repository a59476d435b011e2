/**
 * Where to listen: the values of `-H`. Owns their grammar and its refusals; must not know sockets.
 */

/** An address to listen on. An empty `host` means every address of the machine. */
export type Host =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** The kernel's bound on a unix socket's path, without the closing zero byte. */
const UNIX_PATH_BYTES = 107;

/**
 * Reads `tcp://0.0.0.0:2375`, `unix:///path`, `0.0.0.0:2375`, `[::1]:2375` or `:2375`.
 * Throws an Error whose message is meant for the operator.
 */
export function parseHost(text: string): Host {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    if (text.startsWith("/") || text.startsWith("./")) {
      throw new Error(`-H ${text}: to listen on a unix socket write unix://${text.replace(/^\./, "")}`);
    }
    return parseTcp(text, text);
  }
  const rest = text.slice(scheme.length + 3);
  if (scheme === "tcp") return parseTcp(text, rest);
  if (scheme === "unix") return parseUnix(text, rest);
  throw new Error(`-H ${text}: cannot listen on ${scheme}://, only on tcp:// and unix://`);
}

function parseUnix(text: string, path: string): Host {
  if (!path.startsWith("/"))
    throw new Error(`-H ${text}: the socket's path must be absolute, as in unix:///run/shoal.sock`);
  if (path.endsWith("/")) throw new Error(`-H ${text}: this is a directory, not a socket`);
  if (path.includes("\0")) throw new Error("-H: a socket's path cannot hold a zero byte");
  if (Buffer.byteLength(path) > UNIX_PATH_BYTES) {
    throw new Error(`-H ${text}: the path of a unix socket can have ${UNIX_PATH_BYTES} bytes at most`);
  }
  return { kind: "unix", path };
}

function parseTcp(text: string, address: string): Host {
  const match = /^(?:\[([0-9a-fA-F:.]+(?:%[\w.-]+)?)\]|([^:[\]/\s@?#]*))(?::(\d{1,5}))?$/.exec(address);
  if (match === null) {
    throw new Error(
      `-H ${text}: not an address to listen on, write tcp://HOST:PORT or, for IPv6, tcp://[ADDRESS]:PORT`,
    );
  }
  const [, v6, name = "", digits] = match;
  if (digits === undefined) throw new Error(`-H ${text}: no port, write tcp://${address || "0.0.0.0"}:2375`);
  const port = Number(digits);
  if (port > 65_535) throw new Error(`-H ${text}: the port must be at most 65535`);
  return { kind: "tcp", host: v6 ?? name, port };
}

/** The canonical text, which `parseHost` reads back. */
export function formatHost(host: Host): string {
  if (host.kind === "unix") return `unix://${host.path}`;
  return `tcp://${host.host.includes(":") ? `[${host.host}]` : host.host}:${host.port}`;
}

/** Whether only this machine can reach it (loopback or a unix socket). */
export function isLocalHost(host: Host): boolean {
  if (host.kind === "unix") return true;
  return host.host === "localhost" || host.host === "::1" || /^127(\.\d{1,3}){3}$/.test(host.host);
}
