/** Runs the stock docker CLI in this process's place: its stdio, its signals, its exit code. */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { CliError, codeOf } from "../fail.ts";
import type { Io } from "../io.ts";
import { RUN_FAILED } from "./split.ts";

const FORWARDED = ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const;

/** Resolves with docker's exit code, 128 + the signal's number when a signal ended it. Throws CliError without docker. */
export function runDocker(args: readonly string[], io: Io): Promise<number> {
  return new Promise((resolve, reject) => {
    // As a plugin: the very docker that was typed, should there be several.
    const docker = io.env.DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND || "docker";
    const child = spawn(docker, args, { stdio: "inherit", env: { ...io.env } });
    const release = forwardSignals(child);
    child.once("error", (error) => {
      release();
      reject(
        codeOf(error) === "ENOENT"
          ? new CliError("the docker CLI is not in PATH; shoal run needs it", RUN_FAILED)
          : new CliError(`docker: ${error.message}`, RUN_FAILED),
      );
    });
    child.once("exit", (code, signal) => {
      release();
      resolve(signal === null ? (code ?? RUN_FAILED) : 128 + constants.signals[signal]);
    });
  });
}

/** On a terminal, Ctrl-C reaches docker by itself: passing it on would make it two, which docker reads as force. */
function forwardSignals(child: ChildProcess): () => void {
  const byTerminal = process.stdin.isTTY === true;
  const listeners = FORWARDED.map((signal) => {
    const keyboard = signal === "SIGINT" || signal === "SIGQUIT";
    const listener = (): void => {
      if (!(keyboard && byTerminal)) child.kill(signal);
    };
    process.on(signal, listener);
    return { signal, listener };
  });
  return () => {
    for (const { signal, listener } of listeners) process.off(signal, listener);
  };
}
