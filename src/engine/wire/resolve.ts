/** Host names to addresses, for what is shown to clients; connecting resolves by itself. */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";

/** The address of a host name; an address (or nothing) as it is. Rejects when there is none. */
export async function resolveHost(host: string): Promise<string> {
  return host === "" || isIP(host) !== 0 ? host : (await lookup(host)).address;
}
