/** Published ports as `docker ps` prints them. */

/** As in GET /containers/json. */
export interface PortEntry {
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type: string;
}

interface Range {
  first: number;
  last: number;
}

/**
 * `10.0.0.1:80-81->80-81/tcp, 6379/tcp, 10.0.0.1:49153->8080/tcp`: neighbours become one range when their number is the
 * same outside and inside, or when they are not published; others stand alone, last, as docker has it.
 */
export function portsText(ports: readonly PortEntry[]): string {
  const sorted = [...ports].sort(
    (a, b) =>
      a.PrivatePort - b.PrivatePort ||
      compare(a.IP ?? "", b.IP ?? "") ||
      (a.PublicPort ?? 0) - (b.PublicPort ?? 0) ||
      compare(a.Type, b.Type),
  );
  const done: string[] = [];
  const moved: string[] = [];
  const open = new Map<string, Range & { ip: string; type: string }>();
  for (const { IP: ip = "", PrivatePort: port, PublicPort: outside, Type: type } of sorted) {
    if (ip !== "" && outside !== port) {
      moved.push(`${hostPort(ip, String(outside ?? 0))}->${port}/${type}`);
      continue;
    }
    const key = `${ip}/${type}`;
    const range = open.get(key);
    if (range && (port === range.last || port === range.last + 1)) range.last = port;
    else {
      if (range) done.push(rangeText(range));
      open.delete(key);
      open.set(key, { ip, type, first: port, last: port });
    }
  }
  return [...done, ...[...open.values()].map(rangeText), ...moved].join(", ");
}

function rangeText({ ip, type, first, last }: Range & { ip: string; type: string }): string {
  const ports = first === last ? String(first) : `${first}-${last}`;
  return ip === "" ? `${ports}/${type}` : `${hostPort(ip, ports)}->${ports}/${type}`;
}

function hostPort(ip: string, port: string): string {
  return ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
