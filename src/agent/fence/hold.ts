/** The fence of an agent, put together: its machine's engine and cgroups, its note, and the board that discovery has. */
import type { FenceBoard } from "../../discovery/fences.ts";
import { EngineClient } from "../../engine/client.ts";
import { openWire } from "../../engine/wire/http-wire.ts";
import type { Identity } from "../identity.ts";
import type { AgentOptions, FenceOptions } from "../options.ts";
import type { AgentContext } from "../run.ts";
import { Cgroups } from "./cgroups.ts";
import { FenceHolder } from "./holder.ts";
import { Movable } from "./movable.ts";
import { openNote } from "./note.ts";
import { StandStill } from "./stand-still.ts";

/** Until the signal aborts. Rejects when there can be no fence here. */
export async function holdFence(
  { ttlMs, engine }: FenceOptions,
  { advertise: address, stateDir }: Pick<AgentOptions, "advertise" | "stateDir">,
  board: FenceBoard | undefined,
  { id: node }: Identity,
  { clock, random, log }: AgentContext,
  signal: AbortSignal,
): Promise<void> {
  if (!board) throw new Error("this discovery service has no fences");
  const cgroups = await Cgroups.open(clock);
  const wire = openWire(engine, undefined, { clock });
  try {
    const client = new EngineClient({ wire, clock, onFault: () => {} });
    const host = new StandStill(client, new Movable(client), cgroups, clock);
    const note = openNote(stateDir);
    await new FenceHolder({ board, host, note, node, address, ttlMs, clock, random, log }).run(signal);
  } finally {
    await wire.close();
  }
}
