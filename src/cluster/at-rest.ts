/** States in which no process of a container runs. */
import type { ContainerState } from "./record.ts";

export const STATES_AT_REST: ReadonlySet<ContainerState> = new Set(["created", "exited", "dead", "removing"]);
