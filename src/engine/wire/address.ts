/** An engine's address as people and discovery write it. Must not know how it is dialled. */

export type EngineAddress =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

const DEFAULT_PORT = 2375;

/**
 * Reads `10.0.0.1:2375`, `tcp://host:2375`, `[::1]:2375`, `unix:///run/docker.sock` or `/run/docker.sock`.
 * Without a port it is 2375. Throws an Error that names the text when it is none of these.
 */
export function parseAddress(text: string): EngineAddress {
  const unix = /^(?:unix:\/\/)?(\/.+)$/.exec(text);
  if (unix?.[1] !== undefined) return { kind: "unix", path: unix[1] };
  const tcp = /^(?:(?:tcp|https?):\/\/)?(?:\[([0-9a-fA-F:.%\w]+)\]|([^\s:/[\]@?#]+))(?::(\d{1,5}))?\/?$/.exec(text);
  const host = tcp?.[1] ?? tcp?.[2];
  const port = tcp?.[3] === undefined ? DEFAULT_PORT : Number(tcp[3]);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new Error(`invalid engine address "${text}": expected host:port, tcp://host:port or unix:///path`);
  }
  return { kind: "tcp", host, port };
}

/** The one way to write an address: `host:port`, `[v6]:port` or `unix:///path`. */
export function formatAddress(address: EngineAddress): string {
  if (address.kind === "unix") return `unix://${address.path}`;
  return `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}

/** What goes into the Host header; engines on a socket take any name. */
export function hostHeader(address: string): string {
  return address.startsWith("unix://") ? "docker" : address;
}
