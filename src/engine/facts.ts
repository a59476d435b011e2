/** What an engine says of itself (`/info`, `/version`, its bridge), as far as shoal uses it. Replaced whole when anything changes. */
export interface EngineFacts {
  /** The engine's own ID: not unique when machines were cloned. podman's is made of its host and its storage. */
  readonly engineId: string;
  /** Host name. */
  readonly name: string;
  readonly serverVersion: string;
  readonly apiVersion: string;
  readonly minApiVersion: string;
  readonly osType: string;
  readonly architecture: string;
  readonly operatingSystem: string;
  readonly kernelVersion: string;
  readonly storageDriver: string;
  readonly executionDriver: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
  /** ID of the network `bridge`, made anew by each engine: tells an engine met twice from a clone. "" without one, and with podman's. */
  readonly bridgeId: string;
  /** `Swarm.LocalNodeState`, `Builder-Version` and the like are read from here when needed; the parsed `/info`. */
  readonly info: Readonly<Record<string, unknown>>;
}
