/**
 * A store that is restored from a backup while the manager runs. The backup knows less than the manager does, so all that
 * the manager knows is written into it again; what only the backup knows, the next manager takes in.
 */
import type { Cluster } from "./cluster.ts";
import { clusterWrite } from "./restore.ts";

/** Until the signal aborts. Rejects when the store cannot be watched. */
export async function followStore(cluster: Cluster, signal: AbortSignal): Promise<void> {
  let restored = false;
  const observer = {
    // The first one is what the manager has loaded.
    snapshot: () => {
      if (restored) writeAgain(cluster);
      restored = true;
    },
    change: () => {},
  };
  await cluster.options.store.watch("", observer, signal);
}

function writeAgain(cluster: Cluster): void {
  const { inventory, placements, registry, objectCreates, tags, groups, writer, log } = cluster;
  log.warn("the store was restored: what this manager knows is written into it again");
  writer.later([clusterWrite(registry)]);
  for (const record of inventory.newestFirst()) registry.remember(record);
  for (const placement of placements.all()) registry.rememberIntent(placement);
  for (const notes of [cluster.ownImages, cluster.ownVolumes]) notes.writeAgain();
  for (const notes of [cluster.rememberedNetworks, cluster.rememberedVolumes]) notes.writeAgain();
  tags.writeAgain();
  groups.writeAgain();
  objectCreates.writeAgain();
}
