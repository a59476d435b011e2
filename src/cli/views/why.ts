/** `shoal why NAME`: the placement decision that the manager kept, readable at 80 columns. */
import { Command } from "commander";
import pc from "picocolors";
import { withManager } from "../client.ts";
import { CliError } from "../fail.ts";
import { printRows, type ViewFlags } from "../format.ts";
import type { Io } from "../io.ts";
import { table } from "../table.ts";
import { globalsOf, withFormat } from "./flags.ts";

/** GET /shoal/decisions/{name}. */
interface KeptDecision {
  readonly Name: string;
  readonly ID?: string;
  readonly Time: string;
  readonly Strategy: string;
  readonly Node?: string;
  readonly Refusal?: string | null;
  readonly Filters?: readonly { readonly Filter: string; readonly Excluded: readonly Exclusion[] }[] | null;
  readonly Scores?: readonly {
    readonly Node: string;
    readonly Weight: number;
    readonly SoftBroken?: readonly string[];
  }[];
}

interface Exclusion {
  readonly Node: string;
  readonly Why: string;
}

const WIDTH = 80;

export function whyCommand(io: Io): Command {
  const command = new Command("why")
    .usage("[OPTIONS] CONTAINER")
    .description("Explain why a container is on its node, or on none: what each filter excluded, and the scores")
    .argument("<container>", "name or ID");
  return withFormat(command, "only the node").action((name: string, flags: ViewFlags) =>
    withManager(globalsOf(command), io, async (manager) => {
      const decision = (await manager.get(`/shoal/decisions/${encodeURIComponent(name)}`)) as KeptDecision | null;
      if (typeof decision?.Name !== "string") throw new CliError(`the manager keeps no decision about ${name}`);
      if (flags.quiet) io.out(`${decision.Node ?? ""}\n`);
      else if (flags.format !== undefined && flags.format !== "table") {
        const { Name, ID = "", Time, Strategy, Node = "", Refusal } = decision;
        const fields = { Name, ID, Time, Strategy, Node, Refusal: Refusal ?? "" };
        printRows(io, { columns: [], key: "Node" }, [{ fields, json: decision }], flags);
      } else io.out(explain(decision, io));
    }),
  );
}

function explain(decision: KeptDecision, io: Io): string {
  const width = io.width ?? WIDTH;
  const colours = pc.createColors(io.colour);
  const outcome = decision.Node ? `is on ${colours.bold(decision.Node)}` : colours.red("was refused");
  const id = decision.ID ? ` (${decision.ID.slice(0, 12)})` : "";
  const lines = [
    `${colours.bold(decision.Name.replace(/^\//, ""))}${id} ${outcome}`,
    `decided ${decision.Time}, strategy ${decision.Strategy}`,
  ];
  if (decision.Refusal) lines.push("", ...decision.Refusal.split("\n").flatMap((line) => wrap(line, width, "")));
  lines.push("", colours.bold("Filters"));
  for (const { Filter, Excluded } of decision.Filters ?? []) lines.push(...filterLines(Filter, Excluded, width));
  if (!decision.Filters?.length) lines.push("  none");
  const scores = decision.Scores ?? [];
  if (scores.length > 0) lines.push("", colours.bold("Scores"), ...scoreLines(scores, width));
  return `${lines.join("\n")}\n`;
}

function filterLines(filter: string, excluded: readonly Exclusion[], width: number): string[] {
  if (excluded.length === 0) return [`  ${filter}: excluded none`];
  return [
    `  ${filter}: excluded ${excluded.length}`,
    ...excluded.flatMap(({ Node, Why }) => wrap(`    ${Node}: ${Why}`, width, "      ")),
  ];
}

function scoreLines(scores: NonNullable<KeptDecision["Scores"]>, width: number): string[] {
  const soft = scores.some((score) => (score.SoftBroken ?? []).length > 0);
  const text = table(
    soft ? ["NODE", "WEIGHT", "SOFT RULES BROKEN"] : ["NODE", "WEIGHT"],
    scores.map(({ Node, Weight, SoftBroken }) => [Node, String(Weight), (SoftBroken ?? []).join(", ")]),
    { width: width - 2 },
  );
  return text
    .trimEnd()
    .split("\n")
    .map((line) => `  ${line}`);
}

/** Breaks a line at spaces; later lines begin with `indent`. A word longer than the line stays whole. */
export function wrap(text: string, width: number, indent: string): string[] {
  const lines: string[] = [];
  const lead = /^\s*/.exec(text)?.[0] ?? "";
  let line = lead;
  let empty = true;
  for (const word of text.trim().split(/\s+/)) {
    if (!empty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}
