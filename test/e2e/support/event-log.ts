/**
 * The event stream of an engine or a manager over any number of connections, as a careful client reads it: asked again
 * from the last event's time when it breaks off. Knows nothing of what the events mean.
 */
import { request } from "node:http";
import { sleep } from "./exec.ts";

export interface LoggedEvent {
  readonly type: string;
  /** Without what an exec's carries after its colon. */
  readonly action: string;
  readonly id: string;
  readonly name: string;
  readonly node: string;
  readonly timeNano: bigint;
  /** Told by shoal itself, because no engine could any more. */
  readonly missed: boolean;
  /** Which connection brought it first, and when, in milliseconds since the epoch. */
  readonly connection: number;
  readonly arrived: number;
}

export interface EventLog {
  /** Each once, in the order of arrival. */
  readonly events: readonly LoggedEvent[];
  /** Events that one connection told twice. */
  readonly repeated: readonly string[];
  stop(): void;
}

/** What tells one event from every other one, whoever tells it: IDs in the cluster are not always the engine's. */
export const identity = ({ node, timeNano, type, action }: LoggedEvent): string =>
  `${node} ${timeNano} ${type} ${action}`;

/** Nanoseconds since the epoch. */
export const nanoNow = (): bigint => BigInt(Date.now()) * 1_000_000n;

/** As `since` and `until` take it. */
export function seconds(nano: bigint): string {
  const digits = nano.toString().padStart(10, "0");
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

/**
 * Takes a stream's text piece by piece, with or without the lines that frame its chunks.
 *
 * @param node that it comes from; undefined where the events themselves say it
 */
export function eventReader(
  node: string | undefined,
  connection: number,
  onEvent: (event: LoggedEvent, line: string) => void,
): (text: string) => void {
  let rest = "";
  return (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.startsWith("{")) onEvent(read(line, node, connection), line);
  };
}

/** An event is stamped before it is published, and nodes do not wait for each other: a later one may carry an earlier time. */
const OVERLAP = 10_000_000_000n;
/** Between two tries of what does not answer. */
const RETRY_MS = 100;

/**
 * @param host `tcp://address:port`. What happens from the call on is logged; resolves when the first connection is open.
 * @param node that it is, when it is an engine
 */
export async function logEvents(host: string, node?: string): Promise<EventLog> {
  const began = nanoNow();
  const { hostname, port } = new URL(host);
  const events: LoggedEvent[] = [];
  const known = new Set<string>();
  const repeated: string[] = [];
  let over = false;
  let end = (): void => {};
  let from = began;

  const connect = (connection: number, opened: () => void): Promise<void> =>
    new Promise((resolve) => {
      const here = new Set<string>();
      const take = eventReader(node, connection, (event, line) => {
        const key = identity(event);
        if (here.has(key)) repeated.push(line);
        here.add(key);
        if (known.has(key)) return;
        known.add(key);
        events.push(event);
        if (event.timeNano - OVERLAP > from) from = event.timeNano - OVERLAP;
      });
      const sent = request({ host: hostname, port, path: `/events?since=${seconds(from)}` }, (answer) => {
        opened();
        answer.setEncoding("utf8").on("data", take);
        answer.on("error", () => {}).on("close", resolve);
      });
      end = () => sent.destroy();
      sent.on("error", () => resolve()).end();
    });

  await new Promise<void>((opened) => {
    void (async () => {
      for (let connection = 1; !over; connection++) {
        await connect(connection, opened);
        await sleep(RETRY_MS);
      }
    })();
  });
  return {
    events,
    repeated,
    stop: () => {
      over = true;
      end();
    },
  };
}

function read(line: string, origin: string | undefined, connection: number): LoggedEvent {
  const { Type, Action, Actor } = JSON.parse(line) as {
    Type: string;
    Action: string;
    Actor: { ID: string; Attributes?: Record<string, string> };
  };
  const { name = "", "node.name": attributed = "", "shoal.missed": missed } = Actor.Attributes ?? {};
  const [action = ""] = Action.split(":", 1);
  return {
    type: Type,
    action,
    id: Actor.ID,
    name,
    node: origin ?? attributed,
    // Beyond what JSON.parse can hold.
    timeNano: BigInt(/"timeNano":\s*(\d+)/.exec(line)?.[1] ?? 0),
    missed: missed !== undefined,
    connection,
    arrived: Date.now(),
  };
}
