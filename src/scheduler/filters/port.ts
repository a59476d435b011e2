/** A host port is given once per node, address and protocol; successors share their predecessor's. */
import type { PortClaim } from "../request.ts";
import type { Filter } from "./filter.ts";
import { needOf } from "./need.ts";

export const port: Filter = {
  name: "port",
  kind: "room",
  check: (request, { ledger, surroundings }) => {
    if (request.ports.length === 0) return undefined;
    const need = needOf(request, surroundings);
    const mode = request.hostNetwork ? "Host mode" : "Bridge mode";
    return {
      accepts: (node) => ledger.conflict(node.id, need) === undefined,
      why: (node) => {
        const found = ledger.conflict(node.id, need);
        return found === undefined ? "" : `port ${claimText(found.claim)} is held by ${found.holder.slice(0, 12)}`;
      },
      words: request.ports.map((claim) => `port ${claim.port} (${mode})`),
    };
  },
};

function claimText({ ip, port: number, protocol }: PortClaim): string {
  const address = ip.includes(":") ? `[${ip}]` : ip;
  return `${address}${address === "" ? "" : ":"}${number}/${protocol}`;
}
