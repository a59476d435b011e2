/** What is dangerous in a manager's options: said in the log and in `docker info`, or refused. */
import { formatHost, type Host, isLocalHost } from "../api/listener/host.ts";
import type { ManageOptions } from "./options.ts";

/** Throws with `--require-tls` instead of warning. */
export function warningsOf(options: ManageOptions, hosts: readonly Host[]): string[] {
  const open = options.tls?.verify ? [] : hosts.filter((host) => !isLocalHost(host));
  if (options.requireTls && open.length > 0) {
    throw new Error(
      `--require-tls: ${open.map(formatHost).join(", ")} would be open to anyone who reaches it: give --tlsverify with --tlscacert, --tlscert and --tlskey`,
    );
  }
  return open.map(
    (host) =>
      `[DANGEROUS] ${formatHost(host)} is open to anyone who reaches it, which is root on every node: use --tlsverify, or listen on 127.0.0.1 or a unix socket`,
  );
}
