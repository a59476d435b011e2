/** What befalls engines and what somebody does on them past shoal, carried out at its time. Must not know managers. */
import type { SimContainer } from "../engine/container.ts";
import type { History } from "./history.ts";
import type { Host } from "./host.ts";
import type { NodeItem, NodePlan, OwnItem } from "./plan.ts";
import { OLD_NETWORK, OLD_VOLUME } from "./projects.ts";
import type { Trace } from "./trace.ts";
import { OWN_LABEL, TOKEN_LABEL, type Witness } from "./witness.ts";

export interface FateParts {
  readonly history: History;
  readonly witness: Witness;
  readonly trace: Trace;
  readonly committed: readonly string[];
}

/** The fault begins now; the answer ends it, and is called once. */
export function befall(parts: FateParts, host: Host, { fault, forMs }: NodeItem): () => void {
  const { trace } = parts;
  trace.add(host.name, `${fault} for ${forMs} ms`);
  const end = begin(parts, host, fault);
  return () => {
    trace.add(host.name, `${fault} is over`);
    end();
  };
}

/** @returns what ends it */
function begin({ witness, history }: FateParts, host: Host, fault: NodeItem["fault"]): () => void {
  const { faults } = host.engine;
  switch (fault) {
    case "power cycle":
      host.fail();
      return () =>
        witness.elsewhere(() => {
          host.boot();
          witness.cycled(host);
        });
    case "power off":
      host.powerOff();
      return () =>
        witness.elsewhere(() => {
          host.boot();
          witness.cycled(host);
        });
    case "hang":
      faults.hung(true);
      return () => faults.hung(false);
    case "partition":
      host.partitioned = true;
      return () => host.heal();
    case "unstable":
      host.unstable = 25;
      return () => {
        host.unstable = 0;
      };
    case "slow":
      host.slowMs = 1_500;
      return () => {
        host.slowMs = 0;
      };
    case "lost events":
      host.losing = history.made.length % 2 === 0 ? 100 : 50;
      return () => {
        host.losing = 0;
      };
    case "cut events":
      host.cutEvents();
      return () => {};
    case "disk full":
      host.diskFull(true);
      return () => host.diskFull(false);
    case "clock step":
      host.clock.step(history.made.length % 2 === 0 ? 3_600_000 : -3_600_000);
      return () => {};
  }
}

/** Refusals of the engine are part of the game. */
export function doElsewhere(parts: FateParts, host: Host, item: OwnItem): void {
  if (host.down) return;
  parts.trace.add(host.name, `past shoal: ${item.what} ${item.which}`);
  parts.witness.elsewhere(() => {
    try {
      own(parts, host, item);
    } catch (error) {
      parts.trace.add(host.name, `past shoal: ${String(error)}`);
    }
  });
}

function own({ witness, history, committed }: FateParts, host: Host, item: OwnItem): void {
  const { containers, lifecycle } = host.engine.daemon;
  const number = `${host.name}-${item.at}`;
  if (/network|volume/.test(item.what)) {
    ownObject(host, item);
    return;
  }
  if (item.what === "create" || item.what === "run committed") {
    const image = item.what === "create" ? "busybox" : committed.findLast((tag) => host.engine.daemon.images.find(tag));
    // Sometimes under a name that clients of shoal use as well.
    const name = item.name < 3 ? `c${item.name + 1}` : `own-${number}`;
    const body = { Image: image ?? "busybox", Cmd: ["sleep", "infinity"], Labels: { [OWN_LABEL]: number } };
    lifecycle.start(containers.create(name, body, "1.51"));
    return;
  }
  const isOwn = (container: SimContainer): boolean => OWN_LABEL in ((container.config.Labels ?? {}) as object);
  const from = containers.all().filter((container) => !item.onlyOwn || isOwn(container));
  const container = from[item.which % Math.max(1, from.length)];
  if (!container) return;
  if (!isOwn(container)) {
    // Started or stopped past shoal: what it holds there shoal learns of a moment later.
    witness.unaccounted(host);
    for (const made of history.made) if (made.copies.some((copy) => copy.container === container)) made.meddled = true;
  }
  if (item.what === "start") lifecycle.start(container);
  else if (item.what === "stop") lifecycle.stop(container);
  else if (item.what === "remove") lifecycle.remove(container, true, false);
  else containers.rename(container, `own-${number}`);
}

/** Names that clients of shoal use as well, now and then. */
function ownObject(host: Host, { what, name, which, onlyOwn }: OwnItem): void {
  const { networks, volumes, containers } = host.engine.daemon;
  const isOwn = ({ labels }: { readonly labels: object }): boolean => !onlyOwn || !(TOKEN_LABEL in labels);
  const one = <T extends { readonly labels: object }>(all: readonly T[]): T | undefined => {
    const from = all.filter(isOwn);
    return from[which % Math.max(1, from.length)];
  };
  if (what === "create network") networks.create({ Name: name < 3 ? `n${name + 1}` : `own-net-${name}` });
  else if (what === "create volume") volumes.create(name < 3 ? `v${name + 1}` : `own-vol-${name}`, {});
  else if (what === "remove network") networks.remove(one(networks.all())?.id ?? "");
  else {
    const volume = one(volumes.all())?.name ?? "";
    volumes.remove(volume, containers.mounting(volume));
  }
}

/** What was there before shoal: it counts, and nobody may touch it. */
export function furnish(host: Host, { foreign, pools }: NodePlan): void {
  const { daemon } = host.engine;
  daemon.images.add("busybox");
  for (let made = 0; made < foreign; made++) {
    const body = {
      Image: "busybox",
      Cmd: ["sleep", "infinity"],
      Labels: { [OWN_LABEL]: `old-${made}` },
      Volumes: { "/data": {} },
      HostConfig: { Memory: 64 * 1024 ** 2, RestartPolicy: { Name: "always" } },
    };
    const container = daemon.containers.create(`old-${host.name}-${made}`, body, "1.51");
    if (made === 0) daemon.lifecycle.start(container);
  }
  if (pools === undefined) return;
  daemon.networks.create({ Name: OLD_NETWORK });
  daemon.volumes.create(OLD_VOLUME, {});
  daemon.networks.pools = pools + 1;
}
