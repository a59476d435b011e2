/**
 * A store that is restored from a backup while the manager runs. The backup knows less than the manager does, so all that
 * the manager knows is written into it again; what only the backup knows, the next manager takes in.
 */
import type { Version, WatchObserver } from "../store/store.ts";
import { writeAvailabilities } from "./availability.ts";
import type { Cluster } from "./cluster.ts";
import { CLUSTER, clusterWrite } from "./restore.ts";

/**
 * Until the signal aborts. Rejects when the store cannot be watched. The store's own entry tells: whatever comes in the
 * place of everything gives it another version, and an interruption alone does not.
 */
export async function followStore(cluster: Cluster, signal: AbortSignal): Promise<void> {
  let known: { readonly version: Version | undefined } | undefined;
  const observer: WatchObserver = {
    snapshot: (entries) => {
      const version = entries.find(({ key }) => key === CLUSTER)?.version;
      // The first one is what the manager has loaded.
      if (known && known.version !== version) writeAgain(cluster);
      known = { version };
    },
    change: ({ key, version }) => {
      if (key === CLUSTER) known = { version };
    },
  };
  await cluster.options.store.watch(CLUSTER, observer, signal);
}

function writeAgain(cluster: Cluster): void {
  const { inventory, placements, registry, objectCreates, undone, tags, groups, writer, log } = cluster;
  log.warn("the store was restored: what this manager knows is written into it again");
  writer.later([clusterWrite(registry)]);
  for (const record of inventory.newestFirst()) registry.remember(record);
  for (const placement of placements.all()) registry.rememberIntent(placement);
  for (const notes of [cluster.ownImages, cluster.ownVolumes]) notes.writeAgain();
  for (const notes of [cluster.rememberedNetworks, cluster.rememberedVolumes]) notes.writeAgain();
  tags.writeAgain();
  groups.writeAgain();
  objectCreates.writeAgain();
  undone.writeAgain();
  writeAvailabilities(cluster);
  cluster.leftNetworks.writeAgain();
  cluster.replacements.writeAgain();
}
