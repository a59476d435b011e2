/**
 * The protections that shoal has, each with what its absence looks like: a part of the manager that does not do its work.
 * With any of them off the checkers must find a seed that fails; production code knows nothing of this.
 */
import type { Cluster } from "../../src/cluster/cluster.ts";
import type { ObjectCreate, ObjectCreates } from "../../src/cluster/object-creates.ts";
import { type EngineWire, WireError } from "../../src/engine/wire/wire.ts";
import type { Store, Write } from "../../src/store/store.ts";
import type { Weakness } from "./open-cluster.ts";

export interface Protection {
  /** What it protects from, in one line. */
  readonly why: string;
  readonly off: Weakness;
  /** Of scenes.ts: where it is needed, when the usual plans seldom come to that. */
  readonly scene?: string;
}

/** The store forgets what is written under a prefix. */
const forgets = (prefix: string) => ({
  store: (store: Store): Store => ({
    limits: store.limits,
    get: (key, options) => store.get(key, options),
    list: (under, options) => store.list(under, options),
    watch: (under, observer, signal) => store.watch(under, observer, signal),
    close: () => store.close(),
    async txn({ conditions, writes }, options) {
      const kept = writes.filter(({ key }) => !key.startsWith(prefix));
      const result = await store.txn({ conditions, writes: kept }, options);
      return result.ok ? { ok: true, versions: writes.map(() => "") } : result;
    },
  }),
});

/** Makes the wire say of creates that were lost on their way that they were never sent. */
const neverSent = (wire: EngineWire): EngineWire => ({
  address: wire.address,
  connect: (signal) => wire.connect(signal),
  close: () => wire.close(),
  request: (request) =>
    wire.request(request).catch((error: unknown) => {
      if (!(error instanceof WireError) || !/\/containers\/create/.test(request.path)) throw error;
      throw new WireError(error.fault, false, error.message);
    }),
});

/** What is booked counts only some moments later: as if something waited between the decision and the booking. */
function booksLate({ ledger, inventory, clock }: Cluster): void {
  const reserve = ledger.reserve.bind(ledger);
  ledger.reserve = (reservation) => {
    if (inventory.byId(reservation.id)?.state !== "placing") {
      reserve(reservation);
      return;
    }
    clock.after(20, () => {
      if (inventory.byId(reservation.id)?.state === "placing") reserve(reservation);
    });
  };
}

/** Creates under way hold nothing. */
function holdsNothing({ ledger, inventory }: Cluster): void {
  const reserve = ledger.reserve.bind(ledger);
  ledger.reserve = (reservation) => {
    if (inventory.byId(reservation.id)?.state !== "placing") reserve(reservation);
  };
}

/** Names of creates under way are free. */
function givesNamesTwice({ inventory }: Cluster): void {
  const named = inventory.named.bind(inventory);
  inventory.named = (name) => new Set([...named(name)].filter(({ state }) => state !== "placing"));
}

/** A node is chosen for the first object of a group, and the next one does not know. */
function forgetsHomes({ groups }: Cluster): void {
  groups.decide = () => {};
}

/** Volumes that creates under way will make are nowhere yet. */
function makesVolumesTwice({ placements, objectCreates }: Cluster): void {
  placements.upcomingVolumes = () => [];
  forgetsCreates(objectCreates, "volumes");
}

/** Names of networks that are being made are free. */
function givesNetworksTwice({ networks, objectCreates }: Cluster): void {
  networks.hold = () => {};
  forgetsCreates(objectCreates, "networks");
}

function forgetsCreates(creates: ObjectCreates, kind: ObjectCreate["kind"]): void {
  const nodesOf = creates.nodesOf.bind(creates);
  creates.nodesOf = (asked, name) => (asked === kind ? new Set() : nodesOf(asked, name));
}

/** The client is answered before the store has it. */
function answersEarly({ writer }: Cluster): void {
  writer.write = (writes: readonly Write[]) => {
    writer.later(writes);
    return Promise.resolve();
  };
}

/** What no engine tells any more nobody tells. */
function makesUpNoEvents({ events }: Cluster): void {
  const publish = events.publish.bind(events);
  events.publish = (event) => {
    if (event.attributes["shoal.missed"] === undefined) publish(event);
  };
}

/** Of two copies of a container none is the newer one: neither the store nor the labels on engines tell. */
const ageless: Weakness = {
  store: (store) => ({
    limits: store.limits,
    get: (key, options) => store.get(key, options),
    list: (under, options) => store.list(under, options),
    watch: (under, observer, signal) => store.watch(under, observer, signal),
    close: () => store.close(),
    txn: ({ conditions, writes }, options) => store.txn({ conditions, writes: writes.map(firstCopy) }, options),
  }),
  observer: (told) => ({
    facts: (facts) => told.facts(facts),
    inventory: (lists) =>
      told.inventory({ ...lists, containers: lists.containers.replace(/(shoal\.hint[^}]*?),\\"e\\":\d+/g, "$1") }),
    event: (event) => told.event(event),
    state: (state, error) => told.state(state, error),
  }),
};

function firstCopy(write: Write): Write {
  return { ...write, value: write.value?.replace(/"epoch":\d+/, '"epoch":1') };
}

export const PROTECTIONS: Readonly<Record<string, Protection>> = {
  "ledger hold": {
    why: "creates under way hold their CPU, memory and ports",
    off: { cluster: holdsNothing },
  },
  "decision lock": {
    why: "nothing waits between choosing a node and booking on it",
    off: { cluster: booksLate },
  },
  "name hold": {
    why: "creates under way hold their names",
    off: { cluster: givesNamesTwice },
  },
  "network name hold": {
    why: "a network that is being made holds its name",
    off: { cluster: givesNetworksTwice },
    scene: "open objects",
  },
  "volume hold": {
    why: "a volume that a create will make is where that create goes",
    off: { cluster: makesVolumesTwice },
    scene: "open objects",
  },
  home: {
    why: "the first object of a group books a home for all",
    off: { cluster: forgetsHomes },
    scene: "open objects",
  },
  "open create": {
    why: "a network or volume that a crash leaves unanswered keeps its name until its node has told",
    off: forgets("making/"),
    scene: "open objects",
  },
  objects: {
    why: "the networks and volumes that a node had are known also while it cannot be asked after a restart",
    off: forgets("known/"),
    scene: "open objects",
  },
  "read your writes": {
    why: "a list waits until what clients changed is read back",
    off: {
      cluster({ refresher }) {
        refresher.settled = () => Promise.resolve();
      },
    },
  },
  "sent at most once": {
    why: "a create that may have arrived is not sent to another node",
    off: { wire: neverSent },
  },
  comparison: {
    why: "the cache is compared with each engine now and then, for events that were lost",
    off: { timing: { resyncEveryMs: 1e9 } },
  },
  "missed events": {
    why: "what happened and no engine tells any more is told",
    off: { cluster: makesUpNoEvents },
  },
  "former networks": {
    why: "the ID of a network is known also when its engine tells of its end",
    off: {
      cluster({ formerNetworks }) {
        formerNetworks.get = () => undefined;
      },
    },
    scene: "projects",
  },
  foreign: {
    why: "what was not made through shoal is left alone",
    off: { options: { foreign: "manage" } },
  },
  intent: {
    why: "a create that a crash leaves unanswered keeps its name until its node has told",
    off: forgets("intents/"),
    scene: "open creates",
  },
  identity: {
    why: "who a container is outlives the manager",
    off: forgets("containers/"),
  },
  inventory: {
    why: "what a node had is known also while it cannot be asked after a restart",
    off: forgets("rows/"),
  },
  tombstone: {
    why: "what was removed from a lost node does not come back with it",
    off: forgets("tombstones/"),
  },
  epoch: {
    why: "the newest copy of a container is the container",
    off: ageless,
    scene: "moves",
  },
  "durable answer": {
    why: "a client is answered when the store has it, not before",
    off: { cluster: answersEarly },
  },
  "store fence": {
    why: "a leader's changes of the store are conditional on its term",
    off: { unfenced: true },
    scene: "replicas",
  },
  "lease check": {
    why: "a leader looks at its lease before it sends an engine a change",
    off: { unleased: true },
    scene: "replicas",
  },
  "answers under lease": {
    why: "a manager that stood still answers nobody from what it knew before",
    off: { outdated: true },
    scene: "replicas",
  },
  changes: {
    why: "a manager that does not lead asks the leader what it changed, before it answers",
    off: { untold: true },
    scene: "replicas",
  },
  "fence wait": {
    why: "what a lost node may still run is made elsewhere when its fence's time is over, not before",
    off: {
      cluster({ fences }) {
        fences.isClear = () => true;
      },
    },
    scene: "fences",
  },
  "fence stop": {
    why: "an agent that is out of touch stops what may be moved",
    off: { idleAgents: true },
    scene: "fences",
  },
  brake: {
    why: "of many nodes that vanish at once none counts as lost",
    off: {
      cluster({ rescheduler: { losses } }) {
        const note = losses.note.bind(losses);
        losses.note = (nodes) => {
          note(nodes);
          (losses.doubted as Set<string>).clear();
        };
      },
    },
    scene: "blackouts",
  },
  "kept aside": {
    why: "what was replaced is stopped and kept aside when its node is back",
    off: {
      cluster({ tombstones }) {
        tombstones.once = () => Promise.resolve();
      },
    },
    scene: "lost hosts",
  },
  undone: {
    why: "a create that counts as not made is nobody's when its engine makes it after all",
    off: forgets("undone/"),
    scene: "given up",
  },
  nonce: {
    why: "a container made from a committed image inherits no identity",
    off: {
      cluster({ images }) {
        images.hintOf = () => undefined;
      },
    },
  },
};
