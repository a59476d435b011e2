/**
 * What the events that readers of a manager were told must be, beside those that its engines told: all of them, in each
 * engine's order, and a whole story of each container, volume and network.
 */
import { identity, type LoggedEvent } from "./event-log.ts";
import type { Stream } from "./event-tap.ts";

/** One engine's part. */
export interface EngineSide {
  /** What it told a reader of its own. */
  readonly own: readonly LoggedEvent[];
  /** What it told the manager, by identity, in the order of arrival. */
  readonly toManager: ReadonlyMap<string, LoggedEvent>;
  /** When the manager listened. */
  readonly streams: readonly Stream[];
  /** When it was killed: what it remembered is gone with it. */
  readonly ends: readonly bigint[];
}

export interface Account {
  readonly engines: readonly EngineSide[];
  /** What readers of the manager were told. */
  readonly told: readonly LoggedEvent[];
  /** The containers that clients know of. */
  readonly known: ReadonlySet<string>;
}

export type Present = "running" | "there";

const OBJECTS = ["container", "volume", "network"];

/** Containers go on on other nodes; volumes and networks are their node's, and no name is given twice. */
export const subject = ({ type, node, id, name }: Pick<LoggedEvent, "type" | "node" | "id" | "name">): string =>
  type === "container" ? `container ${id}` : `${type} ${node}/${type === "network" ? name : id}`;

/** As a failure shows them; with a star, what shoal made up. */
const words = (events: readonly LoggedEvent[]): string =>
  events
    .map(({ action, missed, timeNano }) => `${action}${missed ? "*" : ""}@${(timeNano / 1_000_000n) % 10_000_000n}`)
    .join(" ");

function stories(events: readonly LoggedEvent[]): Map<string, LoggedEvent[]> {
  const found = new Map<string, LoggedEvent[]>();
  for (const event of events) {
    if (!OBJECTS.includes(event.type)) continue;
    const story = found.get(subject(event));
    if (story) story.push(event);
    else found.set(subject(event), [event]);
  }
  return found;
}

/** From the opening of a stream to the end of the reading of all lists, on a busy machine. */
const READING_MS = 5_000;

/** What engines told their own readers and nobody told the manager's. */
const silent = ({ engines, told }: Account): { readonly engine: EngineSide; readonly event: LoggedEvent }[] => {
  const known = new Set(told.map(identity));
  return engines.flatMap((engine) =>
    engine.own.filter((event) => !known.has(identity(event))).map((event) => ({ engine, event })),
  );
};

interface Untold {
  readonly engine: EngineSide;
  readonly event: LoggedEvent;
  /** What the manager's readers were told of the same. */
  readonly story: readonly LoggedEvent[];
}

/** What engines told and the manager owed to its readers and did not tell. */
function owed(account: Account): Untold[] {
  const left = silent(account).filter(({ engine, event }) => isOwed(engine, event));
  if (left.length === 0) return [];
  const { engines, told, known } = account;
  const toldIds = new Map(told.map((event) => [identity(event), event.id]));
  const idOf = ({ own }: EngineSide) =>
    own.flatMap((event) => {
      const id = toldIds.get(identity(event));
      return id === undefined ? [] : ([[event.id, id]] as const);
    });
  const ids = new Map(engines.flatMap(idOf));
  const byShoal = stories(told);
  return left.flatMap(({ engine, event }) => {
    // Its next copies have other IDs on their engines.
    const id = ids.get(event.id) ?? event.id;
    const story = byShoal.get(subject({ ...event, id })) ?? [];
    const heard = engine.toManager.get(identity(event)) ?? event;
    if (event.type === "container" && isKeptAside(engine, heard, story, known.has(id))) return [];
    return [{ engine, event, story }];
  });
}

/** The same, in words: each with what both told of its subject. */
export function untold(account: Account): string[] {
  const byEngine = stories(account.engines.flatMap(({ own }) => own));
  return owed(account).map(({ event, story }) => {
    const whole = words(byEngine.get(subject(event)) ?? []);
    return `${identity(event)} of ${event.name}; by the engine: ${whole}; told: ${words(story)}`;
  });
}

/** Which way each of them went, or did not go, for whoever reads a failure. @param since start of the manager */
export function traces(account: Account, since: bigint): string {
  const at = (nano: bigint): string => `${(nano / 1_000_000n) % 10_000_000n}`;
  const arrived = (event: LoggedEvent): string => at(BigInt(event.arrived) * 1_000_000n);
  return owed(account)
    .flatMap(({ engine: { toManager, streams, ends }, event, story }) => {
      const heard = toManager.get(identity(event));
      const near = streams.filter(({ to }) => to === undefined || to > event.timeNano - 60_000_000_000n);
      return [
        `${identity(event)}: manager since ${at(since)}, engine ended ${ends.map(at).slice(-2).join()}`,
        `  heard ${heard ? `${arrived(heard)} on ${heard.connection}` : "never"}`,
        `  streams ${near.map(({ from, to }) => `${at(from)}-${to === undefined ? "" : at(to)}`).join(" ")}`,
        ...story
          .slice(-12)
          .map((one) => `  told ${one.action}@${at(one.timeNano)} at ${arrived(one)} on ${one.connection}`),
      ];
    })
    .join("\n");
}

/** How many events engines told their own readers and not the manager, which listened or could not ask any more. */
export const lost = (account: Account): number =>
  silent(account).filter(({ engine, event }) => !isOwed(engine, event)).length;

/**
 * What was told the manager, or would have been if it had asked. An engine waits for no reader longer than 100 ms: what
 * it left out of a stream is its own loss, and so is what it told nobody before its end.
 */
function isOwed({ toManager, streams, ends }: EngineSide, event: LoggedEvent): boolean {
  const { timeNano } = event;
  if (toManager.has(identity(event))) return true;
  if (streams.some(({ from, to }) => from <= timeNano && (to === undefined || timeNano <= to))) return false;
  const asked = streams.find(({ from }) => from > timeNano)?.from;
  return !ends.some((end) => timeNano < end && (asked === undefined || end < asked));
}

/**
 * A copy that is kept aside is nobody's business: one that never was the container, or that its client removed while its
 * node was lost, or that another node took over.
 *
 * A stream that a manager opens waits until the lists are read: what it removes meanwhile it removes from a lost node.
 *
 * @param heard as the manager heard it
 * @param story of what it would be a copy of
 */
function isKeptAside(
  { streams }: EngineSide,
  { arrived, node }: LoggedEvent,
  story: readonly LoggedEvent[],
  isKnown: boolean,
): boolean {
  if (!isKnown && !story.some(({ missed }) => !missed)) return true;
  const opened = streams.findLast(({ from }) => Number(from / 1_000_000n) <= arrived);
  const read = opened === undefined ? 0 : Number(opened.from / 1_000_000n) + READING_MS;
  const isOver = ({ action, missed, arrived: told }: LoggedEvent): boolean =>
    action === "destroy" && told <= (missed ? Math.max(arrived, read) : arrived);
  if (story.some(isOver)) return true;
  return story.some(({ action, node: other }) => action === "create" && other !== node);
}

/**
 * Of each connection to the manager, the events that came before one that their engine had told earlier. The past is
 * sorted by time, and an engine may tell of two moments in the other order: what agrees with either is in order.
 */
export function disorder({ engines, told }: Pick<Account, "engines" | "told">): string[] {
  const places = new Map(engines.flatMap(({ toManager }) => [...toManager.keys()].map((key, place) => [key, place])));
  const last = new Map<string, { readonly place: number; readonly timeNano: bigint }>();
  return told.flatMap((event) => {
    const { timeNano, connection, node } = event;
    const place = places.get(identity(event));
    if (place === undefined) return [];
    const before = last.get(`${connection} ${node}`);
    if (before && place < before.place && timeNano < before.timeNano) {
      return [`${identity(event)} on connection ${connection}`];
    }
    last.set(`${connection} ${node}`, { place, timeNano });
    return [];
  });
}

/**
 * What is wrong with the past as a manager tells it.
 *
 * @param remembered what engines remember of the same time
 * @param told what readers were told of it as it happened
 */
export function pastFlaws(
  past: readonly LoggedEvent[],
  remembered: readonly LoggedEvent[],
  told: readonly LoggedEvent[],
): string[] {
  const known = new Set(told.map(identity));
  const keys = past.map(identity);
  const there = new Set(keys);
  const missing = remembered.map(identity).filter((key) => known.has(key) && !there.has(key));
  return [
    ...missing.map((key) => `not told of the past: ${key}`),
    ...keys.filter((key, index) => keys.indexOf(key) < index).map((key) => `told twice of the past: ${key}`),
    ...past
      .filter(({ timeNano }, index) => timeNano < (past[index - 1]?.timeNano ?? 0n))
      .map((event) => `not sorted: ${identity(event)}`),
  ];
}

/**
 * What events say that no container, volume or network does. An engine that cannot make a container to its end, because
 * it stops itself for example, tells of its removal alone: so does the manager.
 *
 * @param present by `subject`
 */
export function flaws(
  { engines, told }: Pick<Account, "engines" | "told">,
  present: ReadonlyMap<string, Present>,
): string[] {
  const all = stories(told);
  const byEngines = stories(engines.flatMap(({ own }) => own));
  return [...new Set([...all.keys(), ...present.keys()])].flatMap((what) => {
    const story = all.get(what) ?? [];
    if (isRemovalAlone(story) && isRemovalAlone(byEngines.get(what) ?? [])) return [];
    const wrong = what.startsWith("container ")
      ? containerFlaw(story, present.get(what))
      : objectFlaw(story, present.has(what));
    return wrong === undefined ? [] : [`${what}: ${wrong}: ${words(story)}`];
  });
}

const isRemovalAlone = (story: readonly LoggedEvent[]): boolean =>
  story.length === 1 && story[0]?.type === "container" && story[0].action === "destroy" && !story[0].missed;

function containerFlaw(told: readonly LoggedEvent[], present: Present | undefined): string | undefined {
  let state: "none" | "ended" | "runs" | "gone" = "none";
  for (const { action } of told) {
    const before = state;
    // Twice when a node could not start it, and another one made it.
    if (action === "create" && (before === "none" || before === "ended")) state = "ended";
    else if (action === "start" && before === "ended") state = "runs";
    else if (action === "die" && before === "runs") state = "ended";
    else if (action === "destroy" && before === "ended") state = "gone";
    else if (["create", "start", "die", "destroy"].includes(action)) return `${action} of what ${before}`;
  }
  const expected = present === undefined ? "gone" : present === "running" ? "runs" : "ended";
  return state === expected ? undefined : `the events end with ${state}, it is ${present ?? "gone"}`;
}

function objectFlaw(told: readonly LoggedEvent[], isPresent: boolean): string | undefined {
  let isThere = false;
  for (const { action, type } of told) {
    // An engine tells of a volume's creation whenever somebody asks for one of its name.
    if (action === "create" && (!isThere || type === "volume")) isThere = true;
    else if (action === "destroy" && isThere) isThere = false;
    else if (action === "create" || action === "destroy")
      return `${action} of what is ${isThere ? "there" : "not there"}`;
  }
  return isThere === isPresent ? undefined : `by the events it is ${isThere ? "there" : "gone"}, and it is not`;
}
