/**
 * The store that several managers share, and what it tells of their leaderships in truth: which term is the latest, who
 * changes anything after a later one began, and which creates reach their engine only then. Owns these facts and the rule
 * that nothing is written or sent in another one's term.
 */

import { decodeHint, HINT_LABEL } from "../../src/cluster/hint.ts";
import { LEADER } from "../../src/cluster/restore.ts";
import type { EngineWire, WireRequest } from "../../src/engine/wire/wire.ts";
import { Contents } from "../../src/store/contents.ts";
import type { Txn } from "../../src/store/store.ts";
import { shown } from "./link.ts";
import type { Trace } from "./trace.ts";
import type { Complain } from "./witness.ts";

const READING = new Set(["GET", "HEAD"]);

export class SharedStore {
  readonly contents = new Contents();
  /** Beside it, for agents and managers. */
  readonly fences = new Contents();
  readonly #complain: Complain;
  readonly #trace: Trace;
  /** Nonce of a create → the term in which it was sent. */
  readonly #creates = new Map<string, number>();

  constructor(trace: Trace, complain: Complain) {
    this.#trace = trace;
    this.#complain = complain;
  }

  /** Of the last leadership that began. */
  get term(): number {
    return Number(this.contents.get(`${LEADER}/term`)?.value ?? 0);
  }

  /** A transaction is about to be taken. @param term of the leadership that asked; undefined: of none */
  taking(who: string, { writes }: Txn, term: number | undefined): void {
    const keys = writes.map(({ key }) => key).join(" ");
    // Renewals are told by what comes of their absence.
    if (keys !== LEADER) this.#trace.add("store", `takes of ${who}: ${keys.slice(0, 120)}`);
    if (term !== undefined && term < this.term) {
      this.#complain("deposed", `${who} writes ${keys} in term ${term}, and another one leads in term ${this.term}`);
    }
  }

  /** The way of a leader to an engine, under observation. */
  watched(who: string, wire: EngineWire, term: number): EngineWire {
    return {
      address: wire.address,
      request: (request) => {
        if (!READING.has(request.method)) this.#sending(who, request, term);
        return wire.request(request);
      },
      connect: (signal) => wire.connect(signal),
      close: () => wire.close(),
    };
  }

  #sending(who: string, { method, path, body }: WireRequest, term: number): void {
    if (term < this.term) {
      this.#complain("deposed", `${who} sends ${method} ${shown(path)} in term ${term}, and term ${this.term} began`);
    }
    if (typeof body !== "string" || !/\/containers\/create/.test(path)) return;
    const { Labels } = JSON.parse(body) as { Labels?: Record<string, string> };
    const hint = decodeHint(Labels?.[HINT_LABEL]);
    if (hint) this.#creates.set(hint.nonce, term);
  }

  /** What an engine makes of this create now comes from a leader of before. */
  isStray(nonce: string | undefined): boolean {
    const term = nonce === undefined ? undefined : this.#creates.get(nonce);
    return term !== undefined && term < this.term;
  }
}
