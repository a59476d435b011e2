/**
 * ZooKeeper (3.6 and later): a key is a node's path, an entry's version the `mzxid` of its data, a node without data only a
 * place for others. Reads follow a `sync`. A watch is one recursive, persistent watch of the server's and a look at each
 * node that it names. How a transaction is done is in plan.ts, what is sent in wire/. Must not know how servers are reached.
 *
 * A list is read node by node: each entry as it was at some moment of the call.
 */
import type { Clock } from "../../../kit/clock.ts";
import { orAbort } from "../../../kit/deadline.ts";
import { ZOOKEEPER_AT_ONCE, ZOOKEEPER_PARENTS, ZOOKEEPER_REQUEST_BYTES } from "../../../kit/store-limits.ts";
import type { Change } from "../../contents.ts";
import { type Entry, type Limits, StoreError, type Txn, type TxnResult } from "../../store.ts";
import type { Address } from "../remote/address.ts";
import type { Remote, Told } from "../remote/remote.ts";
import { decodeValue, type Found, keyOf, parentsOf, pathOf, planTxn } from "./plan.ts";
import { Sessions } from "./sessions.ts";
import { type Connection, type Reply, ZooKeeperError } from "./wire/connection.ts";
import {
  type Acl,
  ANY,
  CREATOR,
  ERROR,
  multiRequest,
  OP,
  partRequest,
  pathRequest,
  type Request,
  readMulti,
  readRequest,
  readStat,
  type Stat,
  sizeOf,
  WORLD,
  watchRequest,
} from "./wire/operations.ts";

export const ZOOKEEPER_PORT = 2181;
const LIMITS: Limits = { operations: 256, bytes: 640 << 10 };
/** What was planned on is no longer so. */
const OVERTAKEN: readonly number[] = [ERROR.noNode, ERROR.badVersion, ERROR.nodeExists, ERROR.notEmpty];

interface Node {
  readonly data: Buffer;
  readonly stat: Stat;
}

export class ZooKeeper implements Remote {
  readonly limits = LIMITS;
  readonly #sessions: Sessions;
  readonly #acl: Acl;
  /** Above all entries; every deletion writes it. */
  readonly #guard: string;
  readonly #parents = new Set<string>();

  constructor(address: Address, clock: Clock) {
    this.#sessions = new Sessions(address, clock);
    this.#acl = address.user ? CREATOR : WORLD;
    this.#guard = pathOf(address.path);
  }

  get name(): string {
    return this.#sessions.name;
  }

  async get(key: string, signal: AbortSignal): Promise<Entry | undefined> {
    return this.#sessions.read(async (connection) => {
      const [, node] = await Promise.all([this.#sync(connection, signal), getNode(connection, pathOf(key), signal)]);
      return entryOf(key, node);
    }, signal);
  }

  async list(prefix: string, signal: AbortSignal): Promise<readonly Entry[]> {
    return this.#sessions.read((connection) => this.#walk(connection, prefix, signal), signal);
  }

  async txn(txn: Txn, signal: AbortSignal): Promise<TxnResult> {
    const keys = new Set([...txn.conditions, ...txn.writes].map(({ key }) => key));
    if (keys.size === 0) return { ok: true, versions: [] };
    for (;;) {
      const { guard, stats } = await this.#sessions.read((connection) => this.#look(connection, keys, signal), signal);
      const situation = { guard, acl: this.#acl, found: (key: string) => stats.get(key) };
      const parts = planTxn(txn, situation);
      if (parts === undefined) return { ok: false };
      const request = multiRequest(parts);
      if (sizeOf(request) > ZOOKEEPER_REQUEST_BYTES) {
        throw new StoreError(`${this.name} takes no more than ${ZOOKEEPER_REQUEST_BYTES} bytes in a transaction`);
      }
      const zxid = await this.#commit(request, signal);
      if (zxid !== undefined) {
        const version = String(zxid);
        return { ok: true, versions: txn.writes.map(({ value }) => (value === undefined ? undefined : version)) };
      }
      this.#parents.clear();
    }
  }

  async follow(prefix: string, told: Told, signal: AbortSignal): Promise<never> {
    const changed = new Set<string>();
    let wake = () => {};
    const connection = await this.#sessions.open(signal, (path) => {
      changed.add(keyOf(path));
      wake();
    });
    const listen = async (): Promise<never> => {
      await connection.ask(watchRequest(directoryOf(prefix)), signal);
      told.all(await this.#walk(connection, prefix, signal));
      for (;;) {
        const keys = [...changed].filter((key) => key.startsWith(prefix));
        changed.clear();
        await inBatches(keys, async (key) =>
          told.change(changeOf(key, await getNode(connection, pathOf(key), signal))),
        );
        if (changed.size === 0) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    };
    try {
      return await orAbort(listen(), AbortSignal.any([signal, connection.ended]));
    } catch (error) {
      throw this.#sessions.failure(error);
    } finally {
      connection.close();
    }
  }

  async close(): Promise<void> {
    this.#sessions.close();
  }

  /** So that what is read next is no older than now. */
  #sync(connection: Connection, signal: AbortSignal): Promise<Reply> {
    return connection.ask(pathRequest(OP.sync, "/"), signal);
  }

  /** What is at each key, with the guard as it was before; makes the nodes above all keys. */
  async #look(connection: Connection, keys: ReadonlySet<string>, signal: AbortSignal) {
    await this.#makeParents(connection, keys, signal);
    const stats = new Map<string, Found>();
    const [, before] = await Promise.all([
      this.#sync(connection, signal),
      // In this order at the server, too.
      getStat(connection, this.#guard, signal),
      ...[...keys].map(async (key) => stats.set(key, await getStat(connection, pathOf(key), signal))),
    ]);
    return { guard: { path: this.#guard, version: before?.version ?? ANY }, stats };
  }

  /** The transaction's number; undefined when it was not done because something has changed. */
  async #commit(request: Request, signal: AbortSignal): Promise<bigint | undefined> {
    const connection = await this.#sessions.connection(signal);
    try {
      const { zxid, body } = await connection.ask(request, signal);
      const error = readMulti(body);
      if (error === 0) return zxid;
      throw new ZooKeeperError(error);
    } catch (error) {
      if (error instanceof ZooKeeperError && OVERTAKEN.includes(error.code)) return undefined;
      throw this.#sessions.failure(error);
    }
  }

  async #makeParents(connection: Connection, keys: Iterable<string>, signal: AbortSignal): Promise<void> {
    const missing = new Set([...keys].flatMap(parentsOf).filter((path) => !this.#parents.has(path)));
    const create = (path: string) => partRequest({ op: "create", path, data: Buffer.alloc(0), acl: this.#acl });
    // The server works them off in this order.
    await Promise.all([...missing].map((path) => unless([ERROR.nodeExists], connection.ask(create(path), signal))));
    if (this.#parents.size + missing.size > ZOOKEEPER_PARENTS) this.#parents.clear();
    for (const path of missing) this.#parents.add(path);
  }

  /** Level by level. */
  async #walk(connection: Connection, prefix: string, signal: AbortSignal): Promise<readonly Entry[]> {
    await this.#sync(connection, signal);
    const entries: Entry[] = [];
    let level = await getChildren(connection, directoryOf(prefix), signal);
    while (level.length > 0) {
      const next: string[][] = [];
      const within = level.filter((path) => keyOf(path).startsWith(prefix));
      await inBatches(within, async (path) => {
        const node = await getNode(connection, path, signal);
        const entry = entryOf(keyOf(path), node);
        if (entry) entries.push(entry);
        if (node && node.stat.children > 0) next.push([...(await getChildren(connection, path, signal))]);
      });
      level = next.flat();
    }
    return entries;
  }
}

/** The node that all nodes with the prefix lie below. */
function directoryOf(prefix: string): string {
  return pathOf(prefix.slice(0, Math.max(0, prefix.lastIndexOf("/"))));
}

function entryOf(key: string, node: Node | undefined): Entry | undefined {
  const value = node && decodeValue(node.data);
  return value === undefined ? undefined : { key, value, version: String(node?.stat.mzxid) };
}

function changeOf(key: string, node: Node | undefined): Change {
  return entryOf(key, node) ?? { key, version: undefined, value: undefined };
}

async function getNode(connection: Connection, path: string, signal: AbortSignal): Promise<Node | undefined> {
  const reply = await unless([ERROR.noNode], connection.ask(readRequest(OP.getData, path), signal));
  return reply && { data: reply.body.buffer(), stat: readStat(reply.body) };
}

async function getStat(connection: Connection, path: string, signal: AbortSignal): Promise<Stat | undefined> {
  const reply = await unless([ERROR.noNode], connection.ask(readRequest(OP.exists, path), signal));
  return reply && readStat(reply.body);
}

async function getChildren(connection: Connection, path: string, signal: AbortSignal): Promise<readonly string[]> {
  const reply = await unless([ERROR.noNode], connection.ask(readRequest(OP.getChildren, path), signal));
  const above = path === "/" ? "" : path;
  return reply?.body.list(() => `${above}/${reply.body.text()}`) ?? [];
}

/** Undefined when the server answers with one of these errors. */
async function unless(errors: readonly number[], reply: Promise<Reply>): Promise<Reply | undefined> {
  try {
    return await reply;
  } catch (error) {
    if (error instanceof ZooKeeperError && errors.includes(error.code)) return undefined;
    throw error;
  }
}

async function inBatches<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < items.length; from += ZOOKEEPER_AT_ONCE) {
    await Promise.all(items.slice(from, from + ZOOKEEPER_AT_ONCE).map(work));
  }
}
