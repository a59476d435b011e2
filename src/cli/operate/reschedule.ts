/** `shoal reschedule --resume`: an operator's word that nodes which vanished together are lost. */
import { Command } from "commander";
import { withManager } from "../client.ts";
import { CliError } from "../fail.ts";
import type { Io } from "../io.ts";
import { globalsOf, withHost } from "../views/flags.ts";

export function rescheduleCommand(io: Io): Command {
  const command = new Command("reschedule")
    .usage("--resume")
    .description(
      "When many nodes vanish at once, the manager suspects itself and moves nothing. --resume says that they are lost: what may run elsewhere does",
    )
    .option("--resume", "move what may move");
  return withHost(command).action(({ resume }: { readonly resume?: boolean }) => {
    if (resume !== true) throw new CliError("say what to do: shoal reschedule --resume");
    return withManager(globalsOf(command), io, async (manager) => {
      const { Nodes = 0 } = (await manager.ask("POST", "/shoal/reschedule/resume")) as { readonly Nodes?: number };
      io.out(Nodes === 0 ? "No node is doubted.\n" : `${Nodes} nodes count as lost.\n`);
    });
  });
}
