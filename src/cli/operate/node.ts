/** `shoal node cordon|drain|activate|rm`: what an operator wants of nodes. */
import { Command } from "commander";
import type { Clock } from "../../kit/clock.ts";
import { DRAIN_POLL_MS } from "../../kit/limits.ts";
import { type ManagerClient, withManager } from "../client.ts";
import { CliError, messageOf } from "../fail.ts";
import { parseGoDuration } from "../go-duration.ts";
import { oneLine } from "../human.ts";
import type { Io } from "../io.ts";
import { globalsOf, withHost } from "../views/flags.ts";

const pathOf = (name: string, what: string): string => `/shoal/nodes/${encodeURIComponent(name)}${what}`;

export function cordonCommand(io: Io): Command {
  return simple(io, "cordon", "Nodes take nothing new; what is there stays", "POST", "/cordon");
}

export function activateCommand(io: Io): Command {
  return simple(io, "activate", "Nodes take containers again; removed ones are nodes again", "POST", "/activate");
}

export function removeCommand(io: Io): Command {
  const description =
    "Nodes are no part of the cluster any more, whatever discovery lists, until they are activated. All that runs there goes on";
  return simple(io, "rm", description, "DELETE", "");
}

function simple(io: Io, verb: string, description: string, method: "POST" | "DELETE", what: string): Command {
  const command = new Command(verb).usage("[OPTIONS] NODE [NODE...]").description(description).argument("<node...>");
  return withHost(command).action((names: readonly string[]) =>
    withManager(globalsOf(command), io, async (manager) => {
      for (const name of names) {
        await manager.ask(method, pathOf(name, what));
        io.out(`${name}\n`);
      }
    }),
  );
}

interface DrainFlags {
  readonly force?: boolean;
  readonly wait?: boolean;
  readonly timeout: string;
}

/** An element of GET /shoal/nodes/{name}/remaining. */
interface Remaining {
  readonly Name: string;
  readonly Why: string;
  /** Why what asks to be started elsewhere first is stopped first. */
  readonly StopFirst?: string;
}

export function drainCommand(io: Io): Command {
  const command = new Command("drain")
    .usage("[OPTIONS] NODE")
    .description(
      "A node takes nothing new, and what may run elsewhere leaves it, a few at a time, as soon as another node has room: stopped here, made and started there (with the label shoal.drain=start-first: started there, then stopped here). The rest stays and is listed",
    )
    .argument("<node>")
    .option(
      "--force",
      "what may run elsewhere leaves at once, and is pending until a node has room; the rest that was made through shoal is stopped, stays with its data, and is started again when the node is activated; what was made past shoal runs on. Nothing is removed",
    )
    .option("--wait", "until nothing more leaves it")
    .option("--timeout <duration>", "with --wait: at most this long", "10m");
  return withHost(command).action((name: string, flags: DrainFlags) => {
    const ms = timeoutOf(flags.timeout);
    return withManager(globalsOf(command), io, async (manager) => {
      await manager.ask("POST", pathOf(name, flags.force ? "/drain?force=1" : "/drain"));
      const notes = new StopFirstNotes(io);
      const look = async (): Promise<readonly Remaining[]> => notes.tell(await remaining(manager, name));
      const left = flags.wait ? await drained(io.clock, ms, look) : await look();
      io.out(`${name}\n`);
      for (const { Name, Why } of left) io.err(`${Name} stays: ${oneLine(Why)}\n`);
      if (flags.wait && left.some(isAbout)) throw new CliError(`not empty within ${flags.timeout}`);
    });
  });
}

/** What the manager says of a container that is still to leave, or to be stopped. */
const isAbout = ({ Why }: Remaining): boolean => Why.startsWith("it is about to ");

function timeoutOf(text: string): number {
  try {
    return parseGoDuration(text);
  } catch (error) {
    throw new CliError(`invalid --timeout: ${messageOf(error)}`);
  }
}

async function remaining(manager: ManagerClient, name: string): Promise<readonly Remaining[]> {
  const left = await manager.get(pathOf(name, "/remaining"));
  if (!Array.isArray(left)) throw new CliError("the manager's list of what stays is not a list");
  return left as Remaining[];
}

/** Says once of each container why it is stopped first although it asks to be started elsewhere first. */
class StopFirstNotes {
  readonly #io: Io;
  readonly #told = new Set<string>();

  constructor(io: Io) {
    this.#io = io;
  }

  tell(left: readonly Remaining[]): readonly Remaining[] {
    for (const { Name, StopFirst } of left) {
      if (StopFirst === undefined || this.#told.has(Name)) continue;
      this.#told.add(Name);
      this.#io.err(`${Name} is stopped first: ${oneLine(StopFirst)}\n`);
    }
    return left;
  }
}

/** What stays once nothing is about to leave any more, or when the time is over. */
async function drained(
  clock: Clock,
  ms: number,
  look: () => Promise<readonly Remaining[]>,
): Promise<readonly Remaining[]> {
  const end = clock.monotonic() + ms;
  for (;;) {
    const left = await look();
    if (clock.monotonic() >= end || !left.some(isAbout)) return left;
    await clock.sleep(DRAIN_POLL_MS);
  }
}
