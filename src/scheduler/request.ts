/**
 * What a container asks of a place, read from its create body. Pure data: placement needs nothing else.
 */
import type { Expression } from "./expression.ts";

/** One fixed host port. `ip` is "" for every address (unset, 0.0.0.0 or ::). */
export interface PortClaim {
  readonly ip: string;
  readonly port: number;
  readonly protocol: string;
}

/** A body field that older engines do not know; the engine must speak `version` or newer. */
export interface FieldNeed {
  /** As in the body, such as `HostConfig.Annotations`. */
  readonly field: string;
  readonly version: string;
}

export type ReschedulePolicy = "off" | "never" | "on-node-failure" | "always";

export interface Request {
  readonly name: string;
  readonly image: string;
  /** `os/arch[/variant]` when the client asked for one. */
  readonly platform: string | undefined;
  /** Reserved CPUs × 10⁹ and bytes of memory; 0 reserves nothing. */
  readonly nanoCpus: number;
  readonly memory: number;
  /** Fixed host ports, or, with the host's network, the exposed ports. */
  readonly ports: readonly PortClaim[];
  readonly hostNetwork: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly constraints: readonly Expression[];
  readonly affinities: readonly Expression[];
  readonly whitelists: readonly Expression[];
  readonly reschedule: ReschedulePolicy | undefined;
  /** References to containers it must share a node with (links, volumes-from, container: modes), and the flag each came from. */
  readonly dependencies: readonly { readonly ref: string; readonly from: string }[];
  /** Named volumes and user networks. */
  readonly volumes: readonly string[];
  readonly networks: readonly string[];
  readonly needs: readonly FieldNeed[];
  /** Compose's project, service and number, or the ID that it replaces: who shares its predecessor's reservation. */
  readonly succeeds: { readonly slot?: string; readonly replaces?: string } | undefined;
}
