/**
 * Consul's KV store: an entry's version is its `ModifyIndex`, a transaction is one of `/v1/txn`, and a watch asks for the
 * whole list each time that something below the prefix changed, for Consul keeps no history. Reads are `consistent`. Must
 * not know how servers are reached.
 *
 * Consul leaves `ModifyIndex` as it is when an entry is written as it was: a random `Flags` makes every write a new one.
 */
import type { Clock } from "../../../kit/clock.ts";
import type { Random } from "../../../kit/random.ts";
import { CONSUL_WAIT_S } from "../../../kit/store-limits.ts";
import { EVERY_STORE } from "../../bounds.ts";
import { type Entry, StoreError, type Txn, type TxnResult, type Version } from "../../store.ts";
import type { Address } from "../remote/address.ts";
import { type Answer, HttpServers, type Question } from "../remote/http-servers.ts";
import type { Remote, Told } from "../remote/remote.ts";

export const CONSUL_PORT = 8500;
const FLAGS = 2 ** 47;
/** A watch reads the list no more than this share of the time. */
const READING_SHARE = 1 / 4;
/** Of a transaction that was rolled back: not for a condition's sake. */
const DENIED = /denied|ACL/i;

interface KeyValue {
  readonly Key: string;
  /** Absent when it is empty. */
  readonly Value?: string | null;
  readonly ModifyIndex: number;
}

interface Operation {
  readonly Verb: "set" | "cas" | "delete" | "check-index" | "check-not-exists";
  readonly Key: string;
  readonly Value?: string;
  readonly Flags?: number;
  readonly Index?: number;
}

interface TxnAnswer {
  readonly Results?: readonly { readonly KV?: KeyValue }[] | null;
  readonly Errors?: readonly { readonly What?: string }[] | null;
}

export class Consul implements Remote {
  readonly limits = EVERY_STORE;
  readonly #servers: HttpServers;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(address: Address, { clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#servers = new HttpServers("Consul", address, clock);
    this.#clock = clock;
    this.#random = random;
    this.#headers = address.password ? { "x-consul-token": address.password } : {};
  }

  get name(): string {
    return this.#servers.name;
  }

  async get(key: string, signal: AbortSignal): Promise<Entry | undefined> {
    return this.#entries(await this.#servers.ask(this.#read(key, "consistent"), signal))[0];
  }

  async list(prefix: string, signal: AbortSignal): Promise<readonly Entry[]> {
    return this.#entries(await this.#servers.ask(this.#read(prefix, "recurse&consistent"), signal));
  }

  async txn(txn: Txn, signal: AbortSignal): Promise<TxnResult> {
    const operations = this.#operations(txn);
    if (operations.length === 0) return { ok: true, versions: [] };
    if (operations.length > this.limits.operations) {
      const most = `${this.name} takes ${this.limits.operations} operations in a transaction`;
      throw new StoreError(`${most}, this one has ${operations.length}: a deletion under a condition is two`);
    }
    const body = JSON.stringify(operations.map((operation) => ({ KV: operation })));
    const question = { method: "PUT", path: "/v1/txn", headers: this.#headers, body, reads: false } as const;
    const answer = await this.#servers.ask(question, signal);
    if (answer.status !== 200 && answer.status !== 409) throw this.#refusal(answer);
    const { Results, Errors } = JSON.parse(answer.text) as TxnAnswer;
    const denied = Errors?.find(({ What = "" }) => DENIED.test(What));
    if (denied) throw new StoreError(`${this.name}: ${denied.What}`);
    if (answer.status === 409) return { ok: false };
    // All of them are written at once, as of one index.
    const written = Results?.find(({ KV }) => KV !== undefined && KV !== null)?.KV;
    const version = written && String(written.ModifyIndex);
    return { ok: true, versions: txn.writes.map(({ value }) => (value === undefined ? undefined : version)) };
  }

  async follow(prefix: string, told: Told, signal: AbortSignal): Promise<never> {
    const over = new AbortController();
    const until = AbortSignal.any([signal, over.signal]);
    try {
      const first = await this.#servers.ask(this.#read(prefix, "recurse&consistent"), signal);
      const at = this.#servers.current;
      const question = async () => this.#read(prefix, "consistent");
      return await Promise.race([
        this.#listen(at, prefix, first, told, until),
        this.#servers.lookAfter(at, question, until),
      ]);
    } finally {
      over.abort(new Error("the watch is over"));
    }
  }

  close(): Promise<void> {
    return this.#servers.close();
  }

  async #listen(at: number, prefix: string, first: Answer, told: Told, signal: AbortSignal): Promise<never> {
    let index = "0";
    for (let answer = first; ; ) {
      const next = indexOf(answer);
      if (next !== index) told.all(this.#entries(answer));
      // Consul's rule: an index that goes back, as after a restoration, begins anew.
      index = Number(next) < Number(index) ? "0" : next;
      await this.#clock.sleep(answer.took * (1 / READING_SHARE - 1), signal);
      const query = `recurse&consistent&index=${index}&wait=${CONSUL_WAIT_S}s`;
      answer = await this.#servers.askAt(at, this.#read(prefix, query), signal, false);
    }
  }

  #read(key: string, query: string): Question {
    const path = key.split("/").map(encodeURIComponent).join("/");
    return { method: "GET", path: `/v1/kv/${path}?${query}`, headers: this.#headers, reads: true };
  }

  #entries(answer: Answer): readonly Entry[] {
    if (answer.status === 404) return [];
    if (answer.status !== 200) throw this.#refusal(answer);
    return (JSON.parse(answer.text) as readonly KeyValue[]).map(({ Key, Value, ModifyIndex }) => ({
      key: Key,
      value: Buffer.from(Value ?? "", "base64").toString("utf8"),
      version: String(ModifyIndex),
    }));
  }

  /** One for each key, but for a deletion under a condition: `delete-cas` is content when there is no such key. */
  #operations({ conditions, writes }: Txn): readonly Operation[] {
    const conditional = new Map(conditions.map(({ key, version }) => [key, version]));
    const written = new Map(writes.map(({ key, value }) => [key, value]));
    return [...new Set([...conditional.keys(), ...written.keys()])].flatMap((Key): readonly Operation[] => {
      const value = written.get(Key);
      if (value !== undefined) {
        const set = { Key, Value: Buffer.from(value).toString("base64"), Flags: this.#random.int(FLAGS) };
        if (!conditional.has(Key)) return [{ Verb: "set", ...set }];
        return [{ Verb: "cas", ...set, Index: Number(conditional.get(Key) ?? 0) }];
      }
      if (!conditional.has(Key)) return [{ Verb: "delete", Key }];
      const check = checkOf(Key, conditional.get(Key));
      return written.has(Key) && check.Verb === "check-index" ? [check, { Verb: "delete", Key }] : [check];
    });
  }

  /** What a server refuses has not happened; what it could not do may have. */
  #refusal({ status, text }: Answer): StoreError {
    const why = text.trim().slice(0, 500) || `status ${status}`;
    return new StoreError(`${this.name}: ${why}`, { uncertain: status >= 500 });
  }
}

function checkOf(Key: string, version: Version | undefined): Operation {
  return version === undefined
    ? { Verb: "check-not-exists", Key }
    : { Verb: "check-index", Key, Index: Number(version) };
}

function indexOf({ headers }: Answer): string {
  const index = headers["x-consul-index"];
  return typeof index === "string" ? index : "0";
}
