/** `shoal machine start`, `stop`, `kill`, `restart` and `rm`. */
import { createInterface } from "node:readline/promises";
import { Command } from "commander";
import type { LocalMachines } from "../../machine/local.ts";
import type { Io } from "../io.ts";
import { forEachName, machinesOf } from "./support.ts";

export function powerCommands(io: Io): Command[] {
  return [
    overNames(io, "start", "Start machines", async (machines, name) => {
      await machines.start(name);
    }),
    overNames(io, "stop", "Stop machines; their containers are stopped politely", async (machines, name) => {
      io.out(`Stopping "${name}"...\n`);
      await machines.stop(name);
      io.out(`Machine "${name}" was stopped.\n`);
    }),
    overNames(io, "kill", "Power machines off, as when a host dies", async (machines, name) => {
      await machines.kill(name);
      io.out(`Machine "${name}" was killed.\n`);
    }),
    overNames(io, "restart", "Stop machines and start them again", async (machines, name) => {
      await machines.restart(name);
    }),
    rmCommand(io),
  ];
}

type Work = (machines: LocalMachines, name: string) => Promise<void>;

function overNames(io: Io, name: string, description: string, work: Work): Command {
  const command = new Command(name)
    .usage("NAME [NAME...]")
    .description(description)
    .argument("<names...>", "names of the machines");
  return command.action(async (names: string[]) => {
    const machines = machinesOf(command, io);
    await forEachName(names, (one) => work(machines, one));
  });
}

function rmCommand(io: Io): Command {
  const command = new Command("rm")
    .usage("[OPTIONS] NAME [NAME...]")
    .description("Remove machines with all their containers, images and volumes")
    .argument("<names...>", "names of the machines")
    .option("-y, --yes", "do not ask")
    .option("-f, --force", "do not ask");
  return command.action(async (names: string[], flags: { yes?: boolean; force?: boolean }) => {
    if (!flags.yes && !flags.force && !(await confirmed(io, names))) return;
    const machines = machinesOf(command, io);
    await forEachName(names, async (name) => {
      await machines.remove(name);
      io.out(`Successfully removed ${name}\n`);
    });
  });
}

/** Asks on the terminal; the end of input is a no. */
async function confirmed(io: Io, names: readonly string[]): Promise<boolean> {
  io.out(
    `About to remove ${names.join(", ")}\nAll containers, images and volumes on ${names.length > 1 ? "them" : "it"} are lost.\n`,
  );
  const input = createInterface({ input: process.stdin });
  try {
    io.out("Are you sure? (y/n): ");
    for await (const line of input) return /^\s*y(es)?\s*$/i.test(line);
    return false;
  } finally {
    input.close();
  }
}
