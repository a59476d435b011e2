/**
 * Structured logs: JSON lines, or a readable line on a terminal. Must not know what is logged.
 * Levels and their names are classic Swarm's: debug, info, warn, error, fatal, panic.
 */
import { type Logger as PinoLogger, pino } from "pino";

export type LogFields = Record<string, unknown>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds these fields to every line. */
  with(fields: LogFields): Logger;
}

export const LOG_LEVELS = ["debug", "info", "warn", "error", "fatal", "panic"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const silentLog: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silentLog,
};

/** A sink takes one finished line, newline included. */
export type LogSink = (line: string) => void;

/** @param human readable lines instead of JSON (a terminal) */
export function createLog(level: LogLevel, human: boolean, sink: LogSink): Logger {
  const logger = pino(
    {
      level: level === "panic" ? "fatal" : level,
      base: null,
      messageKey: "msg",
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => sink(human ? humanLine(line) : line) },
  );
  return wrap(logger);
}

type Pino = PinoLogger<never, boolean>;

function wrap(logger: Pino): Logger {
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
    with: (fields) => wrap(logger.child(fields)),
  };
}

/** `15:04:05 INFO  message  key=value …`: one line, whatever the values hold. */
function humanLine(json: string): string {
  const { level, time, msg, ...rest } = JSON.parse(json) as { level: string; time: string; msg?: string };
  const fields = Object.entries(rest)
    .map(
      ([key, value]) => `${key}=${typeof value === "string" && !/[\s"=]/.test(value) ? value : JSON.stringify(value)}`,
    )
    .join(" ");
  return `${time.slice(11, 19)} ${level.toUpperCase().padEnd(5)} ${msg ?? ""}${fields ? `  ${fields}` : ""}\n`;
}
