/** `shoal rebalance --dry-run`: moves that an operator may want now that nodes are new, or back. Nothing is moved. */
import { Command, Option } from "commander";
import { withManager } from "../client.ts";
import { CliError } from "../fail.ts";
import { printRows, type View, type ViewFlags } from "../format.ts";
import type { Io } from "../io.ts";
import { globalsOf, withFormat } from "../views/flags.ts";

/** An element of GET /shoal/rebalance. */
interface Proposal {
  readonly ID: string;
  readonly Name: string;
  readonly From: string;
  readonly To: string;
  readonly Why: string;
  /** Names of the containers that it would go with: as a whole or not at all. */
  readonly With: readonly string[];
}

const VIEW: View = {
  key: "Name",
  columns: [
    { header: "NAME", field: "Name", rule: { importance: 90, min: 8 } },
    { header: "FROM", field: "From", rule: { importance: 80, min: 6 } },
    { header: "TO", field: "To", rule: { importance: 80, min: 6 } },
    { header: "WITH", field: "With", rule: { importance: 20, min: 6, droppable: true } },
    { header: "WHY", field: "Why", rule: { importance: 30, min: 20 } },
  ],
};

interface RebalanceFlags extends ViewFlags {
  readonly dryRun?: boolean;
  readonly strategy: string;
}

export function rebalanceCommand(io: Io): Command {
  const command = new Command("rebalance")
    .usage("--dry-run [OPTIONS]")
    .description(
      "Show which containers would run on another node if they were placed today, such as a new node or one that is back: from, to and why. Nothing is moved; containers that may not move by themselves are not proposed",
    )
    .option("--dry-run", "only show")
    .addOption(
      new Option("--strategy <strategy>", "what is better: nodes that are evenly full, or few nodes that are full")
        .choices(["spread", "binpack"])
        .default("spread"),
    );
  return withFormat(command, "only names").action((flags: RebalanceFlags) => {
    if (flags.dryRun !== true) {
      throw new CliError(
        "shoal moves nothing for balance by itself: shoal rebalance --dry-run shows what it would move",
      );
    }
    return withManager(globalsOf(command), io, async (manager) => {
      const proposals = await manager.get(`/shoal/rebalance?strategy=${flags.strategy}`);
      if (!Array.isArray(proposals)) throw new CliError("the manager's list of moves is not a list");
      printRows(io, VIEW, (proposals as Proposal[]).map(rowOf), flags);
      const isTable = !flags.quiet && (flags.format ?? "table") === "table";
      if (isTable && proposals.length === 0) io.err("Nothing would be better elsewhere.\n");
    });
  });
}

function rowOf(proposal: Proposal) {
  const { ID, Name, From, To, Why, With } = proposal;
  return { json: proposal, fields: { ID, Name, From, To, Why, With: With.join(",") } };
}
