/** What the row that a container's node listed last tells where its moves depend on it. Must not know what follows. */
import { fields } from "../../docker/json-text.ts";
import type { ContainerRecord } from "../record.ts";

export interface Row {
  /** Links to it are among them: `/web/db` is what web calls db. */
  readonly Names?: readonly string[];
  readonly HostConfig?: { readonly NetworkMode?: string };
  readonly NetworkSettings?: { readonly Networks?: Readonly<Record<string, Endpoint | null>> };
  readonly Mounts?: readonly { readonly Destination?: string }[];
}

export interface Endpoint {
  readonly NetworkID?: string;
  /** The addresses that its client gave. */
  readonly IPAMConfig?: { readonly IPv4Address?: string; readonly IPv6Address?: string } | null;
}

/** The parts of these names; nothing while its node has not listed it. */
export function rowOf<K extends keyof Row>({ entry }: ContainerRecord, ...keys: readonly K[]): Partial<Pick<Row, K>> {
  if (!entry) return {};
  const text = Buffer.concat([entry.head, Buffer.from('""'), entry.tail]).toString();
  const parts = fields(text);
  const read = (key: string): unknown => {
    const span = parts.get(key);
    return span && JSON.parse(text.slice(span.start, span.end));
  };
  return Object.fromEntries(keys.map((key) => [key, read(key) ?? undefined])) as Partial<Pick<Row, K>>;
}
