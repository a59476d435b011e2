/** SIGINT and SIGTERM as an AbortSignal, SIGHUP as a call. Must not know what is stopped. */
import { constants } from "node:os";
import type { Logger } from "../../kit/log.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** The part of a process that sends signals. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  exit(code: number): void;
}

export interface ManagerSignals {
  /** Aborts on the first SIGINT or SIGTERM; the second ends the process at once with 128 + its number. */
  readonly signal: AbortSignal;
  /** Called at each SIGHUP, which ends the process while nobody listens. */
  readonly onHangup: (listener: () => void) => void;
  dispose(): void;
}

export function listenToSignals(log: Logger, source: SignalSource = process): ManagerSignals {
  const controller = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      source.exit(128 + constants.signals[signal]);
      return;
    }
    log.info(`${signal}: stopping; once more ends at once`);
    controller.abort(new Error(`stopped by ${signal}`));
  };
  for (const signal of SIGNALS) source.on(signal, onSignal);
  const hangups: (() => void)[] = [];
  return {
    signal: controller.signal,
    onHangup: (listener) => {
      hangups.push(listener);
      source.on("SIGHUP", listener);
    },
    dispose: () => {
      for (const signal of SIGNALS) source.off(signal, onSignal);
      for (const listener of hangups) source.off("SIGHUP", listener);
    },
  };
}
