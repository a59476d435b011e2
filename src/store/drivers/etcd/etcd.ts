/**
 * etcd, by the JSON form of its v3 API (3.4 and later): keys are plain, an entry's version is its `mod_revision`, and a
 * watch is the list at one revision and then all that came after it. Reads are linearizable. Must not know how servers
 * are reached.
 */
import type { Readable } from "node:stream";
import type { Clock } from "../../../kit/clock.ts";
import { STORE_PAGE_ENTRIES } from "../../../kit/store-limits.ts";
import { type Entry, type Limits, StoreError, type Txn, type TxnResult } from "../../store.ts";
import type { Address } from "../remote/address.ts";
import { type Answer, HttpServers, linesOf, type Question } from "../remote/http-servers.ts";
import type { Remote, Told } from "../remote/remote.ts";

/** A server takes 128 operations and 1.5 MiB a request unless told otherwise. */
const LIMITS: Limits = { operations: 128, bytes: 1 << 20 };
/** Its tokens are random or signed, and may run out at any time. */
const UNAUTHENTICATED = 401;
const STALE_TOKEN = /invalid auth token|revision of auth store is old|user name is empty/;

export const ETCD_PORT = 2379;

interface Header {
  readonly revision: string;
}

interface KeyValue {
  readonly key: string;
  readonly value?: string;
  readonly mod_revision: string;
}

interface Range {
  readonly header: Header;
  readonly kvs?: readonly KeyValue[];
  readonly more?: boolean;
}

interface Watched {
  readonly error?: { readonly message?: string };
  readonly result?: {
    readonly canceled?: boolean;
    readonly cancel_reason?: string;
    readonly events?: readonly { readonly type?: string; readonly kv: KeyValue }[];
  };
}

export class Etcd implements Remote {
  readonly limits = LIMITS;
  readonly #servers: HttpServers;
  readonly #user: string;
  readonly #password: string;
  /** Of the last authentication. */
  #token: Promise<string> | undefined;

  constructor(address: Address, clock: Clock) {
    this.#servers = new HttpServers("etcd", address, clock);
    this.#user = address.user;
    this.#password = address.password;
  }

  get name(): string {
    return this.#servers.name;
  }

  async get(key: string, signal: AbortSignal): Promise<Entry | undefined> {
    const { kvs = [] } = await this.#read<Range>("kv/range", { key: base64(key) }, signal);
    return kvs[0] && entryOf(kvs[0]);
  }

  async list(prefix: string, signal: AbortSignal): Promise<readonly Entry[]> {
    return (await this.#list(prefix, signal)).entries;
  }

  async txn({ conditions, writes }: Txn, signal: AbortSignal): Promise<TxnResult> {
    const request = {
      compare: conditions.map(({ key, version = "0" }) => ({
        key: base64(key),
        target: "MOD",
        result: "EQUAL",
        mod_revision: version,
      })),
      success: writes.map(({ key, value }) =>
        value === undefined
          ? { request_delete_range: { key: base64(key) } }
          : { request_put: { key: base64(key), value: base64(value) } },
      ),
    };
    const answer = await this.#ask("kv/txn", request, signal, false);
    const { header, succeeded = false } = JSON.parse(answer) as {
      readonly header: Header;
      readonly succeeded?: boolean;
    };
    if (!succeeded) return { ok: false };
    return { ok: true, versions: writes.map(({ value }) => (value === undefined ? undefined : header.revision)) };
  }

  async follow(prefix: string, told: Told, signal: AbortSignal): Promise<never> {
    const { entries, revision } = await this.#list(prefix, signal);
    const at = this.#servers.current;
    const over = new AbortController();
    const until = AbortSignal.any([signal, over.signal]);
    try {
      const start = { start_revision: String(BigInt(revision) + 1n) };
      const stream = await this.#servers.stream(
        at,
        await this.#question("watch", { create_request: { ...range(prefix), ...start } }, signal, true),
        until,
      );
      told.all(entries);
      const look = { ...range(prefix), limit: "1", keys_only: true };
      const question = () => this.#question("kv/range", look, signal, true);
      return await Promise.race([this.#listen(stream, told), this.#servers.lookAfter(at, question, until)]);
    } finally {
      over.abort(new Error("the watch is over"));
    }
  }

  close(): Promise<void> {
    return this.#servers.close();
  }

  async #listen(stream: Readable, told: Told): Promise<never> {
    for await (const line of linesOf(stream)) {
      const { error, result = {} } = JSON.parse(line) as Watched;
      if (error || result.canceled) {
        throw new StoreError(`${this.name} ended a watch: ${error?.message ?? result.cancel_reason ?? "unknown"}`);
      }
      for (const { type, kv } of result.events ?? []) {
        if (type === "DELETE") told.change({ key: text(kv.key), version: undefined, value: undefined });
        else told.change(entryOf(kv));
      }
    }
    throw new StoreError(`${this.name} ended a watch`);
  }

  /** Page by page, all as of the first one's revision. */
  async #list(prefix: string, signal: AbortSignal): Promise<{ entries: readonly Entry[]; revision: string }> {
    const entries: Entry[] = [];
    const { range_end } = range(prefix);
    let { key } = range(prefix);
    let revision = "0";
    for (;;) {
      const request = { key, range_end, revision, limit: String(STORE_PAGE_ENTRIES) };
      const { header, kvs = [], more = false } = await this.#read<Range>("kv/range", request, signal);
      if (revision === "0") revision = header.revision;
      for (const kv of kvs) entries.push(entryOf(kv));
      const last = entries.at(-1);
      if (!more || last === undefined) return { entries, revision };
      key = base64(`${last.key}\0`);
    }
  }

  async #read<T>(path: string, request: object, signal: AbortSignal): Promise<T> {
    return JSON.parse(await this.#ask(path, request, signal, true)) as T;
  }

  /** The answer's text; rejects with StoreError when it is a refusal. */
  async #ask(path: string, request: object, signal: AbortSignal, reads: boolean): Promise<string> {
    const token = this.#token;
    const answer = await this.#servers.ask(await this.#question(path, request, signal, reads), signal);
    if (!this.#user || !isStale(answer)) return this.#accept(answer);
    // It was refused, so it may be asked again, once, with a new token.
    if (this.#token === token) this.#token = undefined;
    return this.#accept(await this.#servers.ask(await this.#question(path, request, signal, reads), signal));
  }

  async #question(path: string, request: object, signal: AbortSignal, reads: boolean): Promise<Question> {
    const headers: Question["headers"] = this.#user ? { authorization: await this.#authenticated(signal) } : {};
    return { method: "POST", path: `/v3/${path}`, headers, body: JSON.stringify(request), reads };
  }

  /** One authentication for all who ask meanwhile. */
  #authenticated(signal: AbortSignal): Promise<string> {
    this.#token ??= this.#authenticate(signal).catch((error: unknown) => {
      this.#token = undefined;
      // Whatever it was for has not been asked.
      throw new StoreError((error as Error).message, { cause: error });
    });
    return this.#token;
  }

  async #authenticate(signal: AbortSignal): Promise<string> {
    const body = JSON.stringify({ name: this.#user, password: this.#password });
    const answer = await this.#servers.ask(
      { method: "POST", path: "/v3/auth/authenticate", body, reads: true },
      signal,
    );
    return (JSON.parse(this.#accept(answer)) as { readonly token: string }).token;
  }

  /** What a server refuses has not happened; what it could not do may have. */
  #accept({ status, text }: Answer): string {
    if (status === 200) return text;
    throw new StoreError(`${this.name}: ${messageIn(text) || `status ${status}`}`, { uncertain: status >= 500 });
  }
}

function isStale({ status, text }: Answer): boolean {
  return status === UNAUTHENTICATED || (status !== 200 && STALE_TOKEN.test(text));
}

function messageIn(text: string): string {
  try {
    const { message = "", error = "" } = JSON.parse(text) as { readonly message?: string; readonly error?: string };
    return message || error;
  } catch {
    return text.slice(0, 500);
  }
}

/** All keys that begin with a prefix; of an empty one, etcd's own way to say all. */
function range(prefix: string): { key: string; range_end: string } {
  if (prefix === "") return { key: base64("\0"), range_end: base64("\0") };
  const last = prefix.length - 1;
  const next = prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1);
  return { key: base64(prefix), range_end: base64(next) };
}

function entryOf({ key, value = "", mod_revision }: KeyValue): Entry {
  return { key: text(key), value: text(value), version: mod_revision };
}

const base64 = (value: string): string => Buffer.from(value).toString("base64");
const text = (value: string): string => Buffer.from(value, "base64").toString("utf8");
