/** One line of an engine's event stream: the parsed parts that shoal acts on, and the text as it came. */
export interface EngineEvent {
  readonly type: string;
  readonly action: string;
  readonly actorId: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Seconds, and nanoseconds as a decimal string (beyond 2^53). */
  readonly time: number;
  readonly timeNano: string;
  /** The JSON object exactly as the engine wrote it, without newline. */
  readonly text: string;
}
