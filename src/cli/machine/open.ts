/** Local machines whose engines are asked over real sockets. Must not know commands. */
import { buffer } from "node:stream/consumers";
import { openWire } from "../../engine/wire/http-wire.ts";
import { type EngineProbe, LocalMachines, type LocalMachinesOptions } from "../../machine/local.ts";

/** `GET /version` on a connection of its own. */
export const probeEngine: EngineProbe = async (url, signal) => {
  const wire = openWire(url, undefined);
  try {
    const answer = await wire.request({ method: "GET", path: "/version", signal });
    const body = await buffer(answer.body);
    if (answer.status !== 200) throw new Error(`status ${answer.status}`);
    const { Version: version } = JSON.parse(body.toString()) as { Version?: string };
    return version ?? "unknown";
  } finally {
    await wire.close();
  }
};

/** The machines of a storage path, by default SHOAL_MACHINE_STORAGE_PATH or /var/lib/shoal/machines. */
export function openMachines(options: Partial<LocalMachinesOptions> = {}): LocalMachines {
  const fromEnvironment = process.env.SHOAL_MACHINE_STORAGE_PATH;
  const storagePath = options.storagePath ?? fromEnvironment;
  return new LocalMachines({ probe: probeEngine, ...options, ...(storagePath ? { storagePath } : {}) });
}
