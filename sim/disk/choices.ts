/** Every way in which something can fall out, one after the other. Must not know what is chosen. */
import type { Choose } from "./disk.ts";

/** Calls `run` once for each combination of what `choose` can answer. Returns how many there were. */
export async function everyChoice(run: (choose: Choose) => Promise<void>): Promise<number> {
  /** What was chosen, and of how many. */
  let path: { at: number; readonly below: number }[] = [];
  for (let count = 1; ; count++) {
    let depth = 0;
    await run((below) => {
      const choice = path[depth] ?? { at: 0, below };
      path[depth++] = choice;
      return choice.at;
    });
    path = path.slice(0, depth);
    while (path.length > 0) {
      const last = path[path.length - 1];
      if (last !== undefined && ++last.at < last.below) break;
      path.pop();
    }
    if (path.length === 0) return count;
  }
}
