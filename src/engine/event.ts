/** One event of an engine's event stream: the parsed parts that shoal acts on, and the text as it came. */
import { dockersEvent, type EventJson } from "./podman.ts";

export interface EngineEvent {
  readonly type: string;
  readonly action: string;
  readonly actorId: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Seconds, and nanoseconds as a decimal string (beyond 2^53). */
  readonly time: number;
  readonly timeNano: string;
  /** The JSON object exactly as the engine wrote it (podman's in Docker's words), without newline. */
  readonly text: string;
}

/** Undefined when the text is no event (not JSON, or without type, action and time). */
export function parseEvent(told: string): EngineEvent | undefined {
  const first = read(told);
  const text = (first && dockersEvent(told, first)) ?? told;
  const json = text === told ? first : read(text);
  if (typeof json?.Type !== "string" || typeof json.Action !== "string") return undefined;
  const timeNano = nanoseconds(text, json.time);
  if (timeNano === undefined) return undefined;
  const { ID: id, Attributes: attributes } = json.Actor ?? {};
  return {
    type: json.Type,
    action: json.Action,
    actorId: typeof id === "string" ? id : "",
    attributes: typeof attributes === "object" && attributes !== null ? (attributes as Record<string, string>) : {},
    time: typeof json.time === "number" ? json.time : Number(timeNano.slice(0, -9)),
    timeNano,
    text,
  };
}

function read(text: string): EventJson | null {
  try {
    return JSON.parse(text) as EventJson | null;
  } catch {
    return null;
  }
}

/** Read from the text, since JSON.parse rounds it; a quote inside an attribute is escaped, so the key cannot be faked. */
function nanoseconds(text: string, time: unknown): string | undefined {
  const at = text.lastIndexOf('"timeNano":');
  const digits = at < 0 ? undefined : /^"timeNano":\s*(\d{10,19})/.exec(text.slice(at, at + 40))?.[1];
  if (digits !== undefined) return digits;
  return typeof time === "number" && time > 0 ? `${Math.floor(time)}000000000` : undefined;
}
