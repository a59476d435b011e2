/** The hub process: store, state, service and listeners put together, run until told to stop. */
import { createAccess } from "../api/listener/access.ts";
import { formatHost, type Host, isLocalHost, parseHost } from "../api/listener/host.ts";
import { openListeners } from "../api/listener/listen.ts";
import { buildInfo } from "../kit/build.ts";
import { systemClock } from "../kit/clock.ts";
import { SHUTDOWN_MS } from "../kit/limits.ts";
import type { Logger } from "../kit/log.ts";
import { systemRandom } from "../kit/random.ts";
import { openStore } from "../store/open.ts";
import { openAdminToken } from "./accounts.ts";
import { Assets } from "./assets.ts";
import type { HubOptions } from "./options.ts";
import { hubService } from "./service.ts";
import { HubState } from "./state.ts";

/**
 * Resolves after a graceful stop, begun by `signal`. Rejects when it cannot start.
 * @param onNewToken takes the admin's token when it was made now: it is not shown again
 */
export async function runHub(
  options: HubOptions,
  log: Logger,
  signal: AbortSignal,
  onNewToken: (token: string, file: string) => void,
): Promise<void> {
  const hosts = options.hosts.map(parseHost);
  warnIfOpen(options, hosts, log);
  const context = { clock: systemClock, random: systemRandom, log };
  const store = await openStore(options.store, { ...context, options: options.storeOptions });
  const stopping = new AbortController();
  const ended = AbortSignal.any([signal, stopping.signal]);
  try {
    const { token, isNew } = openAdminToken(options.adminTokenFile, systemRandom);
    const state = new HubState({ ...context, store }, token);
    let failure: Error | undefined;
    await state.open(ended, (error) => {
      failure = error;
      stopping.abort();
    });
    const access = createAccess({ hosts, allow: options.allowHosts, what: "hub" });
    const listeners = await openListeners(hosts, {
      handler: hubService({ ...context, state, assets: new Assets(), anonymous: options.anonymous }),
      takesUpgrade: () => false,
      upgrade: async ({ socket }) => void socket.destroy(),
      access,
      headers: ["Server", `Shoal-Hub/${buildInfo().version}`],
      tls: options.tls,
      ...context,
    });
    if (isNew) onNewToken(token, options.adminTokenFile);
    for (const address of listeners.addresses) log.info("listening", { address });
    if (!ended.aborted)
      await new Promise<void>((resolve) => ended.addEventListener("abort", () => resolve(), { once: true }));
    log.info("stopping");
    await listeners.close(SHUTDOWN_MS);
    if (failure) throw failure;
  } finally {
    stopping.abort();
    await store.close();
  }
}

/** Tokens and addresses are in the requests. */
function warnIfOpen({ tls, requireTls }: HubOptions, hosts: readonly Host[], log: Logger): void {
  const open = tls ? [] : hosts.filter((host) => !isLocalHost(host));
  if (open.length === 0) return;
  const where = open.map(formatHost).join(", ");
  if (requireTls)
    throw new Error(`--require-tls: ${where} would take tokens in clear: give --tls, --tlscert and --tlskey`);
  log.warn(
    `${where} takes tokens in clear: use --tls with --tlscert and --tlskey, or listen on 127.0.0.1 behind a proxy`,
  );
}
