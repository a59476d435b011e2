/** A fence that is on outlives its agent: its ID and what it stopped, in the agent's state directory. */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface NotedFence {
  readonly id: string;
  /** The engine's container IDs. */
  readonly stopped: readonly string[];
}

export interface FenceNote {
  read(): NotedFence | undefined;
  /** Undefined: it was lifted. */
  write(fence: NotedFence | undefined): void;
}

export function openNote(directory: string): FenceNote {
  const path = join(directory, "fence.json");
  return {
    read() {
      try {
        const { id, stopped } = JSON.parse(readFileSync(path, "utf8")) as Partial<NotedFence>;
        return typeof id === "string" && Array.isArray(stopped) ? { id, stopped } : undefined;
      } catch {
        // Without one, or with half of one, it begins as after any start: in touch, or fenced soon.
        return undefined;
      }
    },
    write(fence) {
      if (!fence) {
        rmSync(path, { force: true });
        return;
      }
      writeFileSync(`${path}.new`, `${JSON.stringify(fence)}\n`, { mode: 0o600 });
      renameSync(`${path}.new`, path);
    },
  };
}
