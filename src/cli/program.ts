/**
 * The list of commands and the global flags. Owns what exists and how its code is loaded (only the one that is called);
 * must not know what a command does.
 */
import { Command, Option } from "commander";
import type { GlobalFlags } from "./endpoint.ts";
import type { Io } from "./io.ts";

interface Entry {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly summary: string;
  readonly load: (io: Io) => Promise<Command>;
}

/** A command that hands its arguments to another program, unparsed; resolves with the exit code. */
export type RawCommand = (args: readonly string[], globals: GlobalFlags, io: Io) => Promise<number>;

const COMMANDS: readonly Entry[] = [
  {
    name: "manage",
    aliases: ["m"],
    summary: "Serve many Docker Engines as one",
    load: async (io) => (await import("./manage/command.ts")).manageCommand(io),
  },
  {
    name: "create",
    aliases: ["c"],
    summary: "Create a cluster at a hub and print its token",
    load: async (io) => (await import("./create.ts")).createCommand(io),
  },
  {
    name: "join",
    aliases: ["j"],
    summary: "Join a cluster: register this machine's engine, heartbeat by heartbeat",
    load: async (io) => (await import("./join/command.ts")).joinCommand(io),
  },
  {
    name: "hub",
    aliases: [],
    summary: "Serve discovery for one's own clusters, with a page",
    load: async (io) => (await import("./hub/command.ts")).hubCommand(io),
  },
  {
    name: "list",
    aliases: ["l"],
    summary: "List what discovery finds",
    load: async (io) => (await import("./list.ts")).listCommand(io),
  },
  {
    name: "machine",
    aliases: [],
    summary: "Make and manage hosts with a Docker Engine each",
    load: async () => (await import("./machine/index.ts")).machineCommand(),
  },
  {
    name: "ps",
    aliases: [],
    summary: "List containers and the nodes they are on",
    load: async (io) => (await import("./views/ps.ts")).psCommand(io),
  },
  {
    name: "node",
    aliases: [],
    summary: "Show the nodes, and say which take nothing new or are to be emptied",
    load: async (io) => (await import("./views/node.ts")).nodeCommand(io),
  },
  {
    name: "nodes",
    aliases: [],
    summary: "Same as node ls",
    load: async (io) => (await import("./views/node.ts")).nodeListCommand(io, "nodes"),
  },
  {
    name: "images",
    aliases: [],
    summary: "List images and the nodes they are on",
    load: async (io) => (await import("./views/images.ts")).imagesCommand(io),
  },
  {
    name: "groups",
    aliases: [],
    summary: "List the groups (Compose projects and the like) and their homes",
    load: async (io) => (await import("./views/groups.ts")).groupsCommand(io),
  },
  {
    name: "kept",
    aliases: [],
    summary: "Show, restore or remove copies that the cluster went on without",
    load: async (io) => (await import("./operate/kept.ts")).keptCommand(io),
  },
  {
    name: "reschedule",
    aliases: [],
    summary: "Say that nodes which vanished together are lost indeed",
    load: async (io) => (await import("./operate/reschedule.ts")).rescheduleCommand(io),
  },
  {
    name: "rebalance",
    aliases: [],
    summary: "Show what would run on another node if it were placed today",
    load: async (io) => (await import("./operate/rebalance.ts")).rebalanceCommand(io),
  },
  {
    name: "why",
    aliases: [],
    summary: "Explain why a container is on its node, or on none",
    load: async (io) => (await import("./views/why.ts")).whyCommand(io),
  },
  {
    name: "store",
    aliases: [],
    summary: "Look into a manager's store, back it up, restore it",
    load: async (io) => (await import("./store/command.ts")).storeCommand(io),
  },
  {
    name: "setup-cli",
    aliases: [],
    summary: "Set up the docker CLI for this cluster",
    load: async (io) => (await import("./setup/command.ts")).setupCommand(io),
  },
];

const RAW: Readonly<Record<string, () => Promise<RawCommand>>> = {
  run: async () => (await import("./run/command.ts")).runCommand,
};

/** The program with its global flags; every command is there by name and summary only, until `mount` loads one. */
export function createProgram(version: string, called: string): Command {
  const program = new Command("shoal")
    .usage("[OPTIONS] COMMAND")
    .description("Many Docker Engines behind one Docker Engine API endpoint")
    .enablePositionalOptions()
    .helpCommand(false)
    .option("-D, --debug", "debug mode: log everything (env DEBUG)")
    .option("-l, --log-level <level>", "debug, info, warn, error, fatal or panic (default info)")
    .option("--experimental", "say so in docker info and docker version")
    .option("-H, --host <address>", "manager to talk to (env DOCKER_HOST, else the docker context)")
    .option("-c, --context <name>", "docker context that names the manager")
    .addOption(new Option("--tls", "use TLS towards the manager").hideHelp())
    .addOption(new Option("--tlsverify", "use TLS and verify the manager").hideHelp())
    .addOption(new Option("--tlscacert <file>", "trust certificates signed by this CA").hideHelp())
    .addOption(new Option("--tlscert <file>", "TLS certificate").hideHelp())
    .addOption(new Option("--tlskey <file>", "TLS key").hideHelp())
    .version(`${called} version ${version}`, "-v, --version", "print the version")
    .helpOption("-h, --help", "show help");
  for (const entry of COMMANDS) program.addCommand(stub(entry.name, entry.aliases, entry.summary));
  program.addCommand(stub("run", [], "docker run, with --constraint, --affinity and --reschedule"));
  return program;
}

function stub(name: string, aliases: readonly string[], summary: string): Command {
  return new Command(name)
    .aliases([...aliases])
    .usage("")
    .summary(summary)
    .description(summary)
    .helpOption(false);
}

/** What `name` asks for. */
export type Lookup =
  | { readonly kind: "command"; readonly load: (io: Io) => Promise<Command> }
  | { readonly kind: "raw"; readonly load: () => Promise<RawCommand> }
  | { readonly kind: "unknown" };

export function lookUp(name: string): Lookup {
  const entry = COMMANDS.find((one) => one.name === name || one.aliases.includes(name));
  if (entry) return { kind: "command", load: entry.load };
  if (Object.hasOwn(RAW, name)) return { kind: "raw", load: RAW[name] as () => Promise<RawCommand> };
  return { kind: "unknown" };
}

/** A program that holds the global flags and, if given, the one loaded command. */
export function mount(program: Command, command: Command): Command {
  const others = program.commands as Command[];
  const at = others.findIndex((one) => one.name() === command.name());
  if (at >= 0) others.splice(at, 1);
  return program.addCommand(command);
}
