/**
 * Where containers are that are on no node: theirs is lost, and they wait for another. To everything else this is a node
 * that cannot be reached, so what keeps identities, rows and names keeps theirs too; but it is never among the cluster's
 * nodes. A container's cluster ID is its engine ID here.
 */
import { Engine } from "../../engine/engine.ts";
import { type EngineWire, WireError } from "../../engine/wire/wire.ts";
import { Limit } from "../../kit/limit.ts";
import type { ClusterOptions } from "../cluster.ts";
import { ClusterNode } from "../node.ts";

/** Its node ID; real ones are hexadecimal or made by an agent. */
export const LIMBO = "pending";

export function makeLimbo({ clock, random, log }: Pick<ClusterOptions, "clock" | "random" | "log">): ClusterNode {
  const observer = { facts() {}, inventory() {}, event() {}, state() {} };
  const engine = new Engine({ wire: NO_WIRE, clock, random, log, observer, reading: new Limit(1, 0) });
  const limbo = new ClusterNode({
    id: LIMBO,
    entry: { address: "" },
    ip: "",
    engine,
    now: clock.now(),
    joinedAt: clock.monotonic(),
  });
  limbo.name = "";
  limbo.error = "it waits for a node";
  return limbo;
}

const NO_WIRE: EngineWire = {
  address: "",
  request: () => Promise.reject(nowhere()),
  connect: () => Promise.reject(nowhere()),
  close: async () => {},
};

function nowhere(): WireError {
  return new WireError("refused", false, "the container is on no node");
}
