/** What a hub is asked to be: the plain outcome of its flags and environment. */
import type { ListenerTls } from "../api/listener/listen.ts";
import type { StoreOptions } from "../store/drivers/remote/address.ts";

export interface HubOptions {
  /** `tcp://host:port` or `unix:///path`, at least one. */
  readonly hosts: readonly string[];
  /** As for `openStore`. */
  readonly store: string;
  /** Credentials and TLS of a store that other machines keep. */
  readonly storeOptions: StoreOptions;
  /** Made at the first start. */
  readonly adminTokenFile: string;
  /** Whoever reaches the hub may create clusters without signing in, as at classic Swarm's hosted service. */
  readonly anonymous: boolean;
  readonly tls: ListenerTls | undefined;
  /** Refuse to listen beyond loopback without TLS. */
  readonly requireTls: boolean;
  readonly allowHosts: readonly string[];
}
