/** What an agent is asked to be: the plain outcome of its flags and environment. */
import type { HubAccess } from "../discovery/hub/address.ts";
import type { DiscoveryOptions } from "../discovery/options.ts";

export interface FenceOptions {
  /** Nothing that may be moved runs here when the fence could not be renewed for this long. */
  readonly ttlMs: number;
  /** This machine's engine, mostly `unix:///var/run/docker.sock`. */
  readonly engine: string;
}

export interface AgentOptions {
  /** As given, such as `token://…`. */
  readonly discovery: string;
  readonly discoveryOptions: DiscoveryOptions;
  readonly hub: HubAccess;
  /** `host:port` by which managers reach this node's engine. */
  readonly advertise: string;
  readonly heartbeatMs: number;
  readonly ttlMs: number;
  /** The first registration waits for a random part of this. */
  readonly delayMs: number;
  /** Instead of the engine's host name. */
  readonly name: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** Where the node's ID is kept. */
  readonly stateDir: string;
  /** Undefined: whatever runs here goes on when nobody can be reached. */
  readonly fence?: FenceOptions | undefined;
}
