/**
 * Where a cluster is at a hub: the URLs of users, classic Swarm's `token://` among them, in one form. Must not open
 * connections.
 */

/** What flags and environment say of hubs. */
export interface HubAccess {
  /** The hub that `token://` and `shoal create` mean. */
  readonly url?: string | undefined;
  /** Shown to hubs whose URL holds none: a cluster's token, a user's or the admin's. */
  readonly token?: string | undefined;
}

export interface HubAddress {
  /** For `openWire`: `host:port`. */
  readonly host: string;
  readonly tls: boolean;
  /** Without a slash at its end; "" for the hub itself. */
  readonly path: string;
  /** What is shown instead of a password: a cluster's token, a user's or the admin's. */
  readonly credential: string | undefined;
}

/**
 * `https://hub/u/demo/cluster-1`, `https://TOKEN@hub/u/demo/cluster-1`, `http://hub:2378/v1/clusters/TOKEN`.
 * @throws Error one sentence, without the URL's secrets
 */
export function hubAddress(text: string, access: HubAccess): HubAddress {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new Error("bad URL of a hub: expected https://host[:port]/…");
  }
  const tls = url.protocol === "https:";
  if ((!tls && url.protocol !== "http:") || url.search !== "" || url.hash !== "") {
    throw new Error(`bad URL of a hub at ${url.host}: expected https://host[:port]/…`);
  }
  const own = decodeURIComponent(url.password || url.username);
  return {
    host: `${url.hostname}:${url.port || (tls ? 443 : 80)}`,
    tls,
    path: url.pathname.replace(/\/+$/, ""),
    credential: own || access.token,
  };
}

/** The hub that `shoal create` asks. Throws Error with the remedy when nobody says which. */
export function hubOf(access: HubAccess): HubAddress {
  if (access.url === undefined) {
    throw new Error(
      "no hub is known, and classic Swarm's hosted service is gone: run one with `shoal hub`, and name it by --hub or SWARM_DISCOVERY_URL",
    );
  }
  const address = hubAddress(access.url, access);
  // The hosted service was named with its version.
  return { ...address, path: address.path.replace(/\/v1$/, "") };
}

/** `token://TOKEN` at the hub that is known, or `token://host[:port]/TOKEN`. */
export function tokenAddress(rest: string, access: HubAccess): HubAddress {
  const [, host, token = ""] = /^(?:(.+)\/)?([^/]*)$/.exec(rest) ?? [];
  if (!/^[A-Za-z0-9]+$/.test(token)) throw new Error("token:// names no token: expected token://TOKEN");
  const base = hubOf(host === undefined ? access : { ...access, url: `https://${host}` });
  return { ...base, path: `${base.path}/v1/clusters/${token}` };
}
