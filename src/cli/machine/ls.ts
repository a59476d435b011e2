/** `shoal machine ls`: docker-machine's columns. */
import { Command } from "commander";
import type { MachineListing } from "../../machine/local.ts";
import { CliError } from "../fail.ts";
import type { Io } from "../io.ts";
import { table } from "../table.ts";
import { asCliError, collect, machinesOf } from "./support.ts";

interface LsFlags {
  quiet?: boolean;
  format?: string;
  filter?: string[];
}

export function lsCommand(io: Io): Command {
  const command = new Command("ls")
    .usage("[OPTIONS]")
    .description("List machines")
    .option("-q, --quiet", "names only")
    .option("--format <format>", "table or json", "table")
    .option("-f, --filter <key=value>", "name, driver, state or label; may be repeated", collect);
  return command.action(async (flags: LsFlags) => {
    const wanted = filterOf(flags.filter ?? []);
    if (flags.format !== "table" && flags.format !== "json") throw new CliError("--format takes table or json");
    const listings = await machinesOf(command, io)
      .list()
      .catch((error: unknown) => {
        throw asCliError(error);
      });
    const machines = listings.filter(wanted);
    const active = (machine: MachineListing): boolean => io.env.DOCKER_HOST === machine.url;
    if (flags.quiet) io.out(machines.map((machine) => `${machine.name}\n`).join(""));
    else if (flags.format === "json") for (const machine of machines) io.out(`${JSON.stringify(jsonOf(machine))}\n`);
    else io.out(tableOf(machines, active, io.width));
  });
}

const NAMES: readonly string[] = ["name", "driver", "state", "label"];

/** Filters of one kind are alternatives, kinds add up. Throws CliError. */
export function filterOf(filters: readonly string[]): (machine: MachineListing) => boolean {
  const byKind = new Map<string, ((machine: MachineListing) => boolean)[]>();
  for (const filter of filters) {
    const at = filter.indexOf("=");
    const kind = at < 0 ? filter : filter.slice(0, at);
    if (at < 0 || !NAMES.includes(kind))
      throw new CliError(`invalid filter "${filter}": use ${NAMES.join(", ")} with =`);
    byKind.set(kind, [...(byKind.get(kind) ?? []), testOf(kind, filter.slice(at + 1))]);
  }
  return (machine) => [...byKind.values()].every((tests) => tests.some((test) => test(machine)));
}

function testOf(kind: string, value: string): (machine: MachineListing) => boolean {
  switch (kind) {
    case "driver":
      return (machine) => machine.driver === value;
    case "state":
      return (machine) => machine.state.toLowerCase() === value.toLowerCase();
    case "label":
      return (machine) => machine.spec.labels.some((label) => label === value || label.startsWith(`${value}=`));
    default: {
      const pattern = regularExpression(value);
      return (machine) => pattern.test(machine.name);
    }
  }
}

function regularExpression(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch {
    throw new CliError(`invalid filter "name=${text}": not a regular expression`);
  }
}

export function tableOf(
  machines: readonly MachineListing[],
  active: (machine: MachineListing) => boolean,
  width: number | undefined,
): string {
  const rows = machines.map((machine) => [
    machine.name,
    active(machine) ? "*" : "-",
    machine.driver,
    machine.state,
    machine.state === "Running" ? machine.url : "",
    machine.docker ? `v${machine.docker}` : "",
    machine.error ?? "",
  ]);
  const columns = [{ importance: 90 }, undefined, { importance: 20 }, { importance: 80 }, { importance: 85 }];
  return table(["NAME", "ACTIVE", "DRIVER", "STATE", "URL", "DOCKER", "ERRORS"], rows, {
    width,
    columns: [...columns, { importance: 10 }, { importance: 5, droppable: true }],
  });
}

/** The shape that `inspect` and `ls --format json` print. */
export function jsonOf(machine: Omit<MachineListing, "docker" | "error"> & Partial<MachineListing>): object {
  return {
    Name: machine.name,
    Driver: machine.driver,
    State: machine.state,
    URL: machine.state === "Running" ? machine.url : "",
    IPAddress: machine.ip,
    Gateway: machine.gateway,
    CPUs: machine.spec.cpus,
    Memory: machine.spec.memory,
    Labels: machine.spec.labels,
    EngineDir: machine.spec.engineDir ?? "",
    EngineOpts: machine.spec.engineOpts,
    Created: new Date(machine.created).toISOString(),
    Directory: machine.directory,
    Pid: machine.pid ?? 0,
    ...(machine.docker === undefined ? {} : { Docker: machine.docker ?? "" }),
    ...(machine.error === undefined ? {} : { Error: machine.error ?? "" }),
  };
}
