/** A hijacked connection joined to a process: its input with back-pressure and half-close, its output until the end. */
import type { Duplex } from "node:stream";
import type { Output, Wanted } from "./output.ts";
import type { Process } from "./process.ts";

export interface SessionOptions extends Wanted {
  readonly stdin: boolean;
  /** Whether the end of the connection's input ends the process' input. */
  readonly endsInput: boolean;
}

/**
 * `whenStarted` calls back with the process, at once or when it starts: what the client sends before that stays in the
 * connection, as `docker run -i` attaches before it starts.
 */
export function joinSession(
  connection: Duplex,
  output: Output,
  whenStarted: (run: (process: Process) => void) => void,
  options: SessionOptions,
): void {
  connection.on("error", () => connection.destroy());
  output.attach(connection, options);
  whenStarted((process) => {
    connection.on("data", (chunk: Buffer) => {
      if (!options.stdin) return;
      connection.pause();
      process.input(chunk, () => connection.resume());
    });
    connection.on("end", () => {
      if (options.stdin && options.endsInput) process.inputEnd();
    });
    connection.resume();
  });
}
