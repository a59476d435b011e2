/**
 * The virtual engine's state: nodes, containers, images, ledger, events. One object that the files beside it work on;
 * it owns the parts and their wiring, they own the behaviour.
 */
import type { Engine } from "../engine/engine.ts";
import type { EngineObserver } from "../engine/observer.ts";
import type { Clock } from "../kit/clock.ts";
import type { Logger } from "../kit/log.ts";
import type { Random } from "../kit/random.ts";
import type { Filter } from "../scheduler/filters/filter.ts";
import type { GroupOptions } from "../scheduler/group.ts";
import { Ledger } from "../scheduler/ledger.ts";
import type { Matcher } from "../scheduler/matcher.ts";
import type { Strategy } from "../scheduler/strategies/strategy.ts";
import type { Store } from "../store/store.ts";
import { Availabilities } from "./availability.ts";
import type { BindMode } from "./bind-paths.ts";
import { Changes, KNOWN_NETWORKS, KNOWN_VOLUMES, LEFT_NETWORKS } from "./changes.ts";
import { Decisions } from "./decisions.ts";
import { type ClusterEvent, EventHub } from "./event-hub.ts";
import { ExecIndex } from "./exec-index.ts";
import type { ForeignMode } from "./foreign.ts";
import { Groups } from "./groups/groups.ts";
import { objectsOfGroups } from "./groups/standing.ts";
import { ImageIndex } from "./image-index.ts";
import { Inventory } from "./inventory.ts";
import { FormerNetworkIds } from "./networks/former-ids.ts";
import type { NodeNetwork } from "./networks/network.ts";
import type { ClusterNode } from "./node.ts";
import { Notes } from "./notes.ts";
import { ObjectCreates } from "./object-creates.ts";
import { ObjectIndex } from "./object-index.ts";
import type { ImageNote } from "./own-images.ts";
import { Placements } from "./placements.ts";
import { PullMemory } from "./pull-memory.ts";
import { Refresher } from "./refresh.ts";
import { Registry } from "./registry.ts";
import { Remembered } from "./remembered.ts";
import { type RememberedObject, remembering } from "./remembered-objects.ts";
import { Fences } from "./reschedule/fences.ts";
import { LIMBO, makeLimbo } from "./reschedule/limbo.ts";
import type { LeftNetwork } from "./reschedule/networks.ts";
import type { RescheduleMode } from "./reschedule/policy.ts";
import { Replacements } from "./reschedule/replacements.ts";
import { Rescheduler } from "./reschedule/rescheduler.ts";
import { Roll } from "./roll.ts";
import { StoreWriter } from "./store-writer.ts";
import { Tags } from "./tags.ts";
import { Tombstones } from "./tombstones.ts";
import { Undone } from "./undone.ts";
import type { ExpectedVolumes, VolumeNote } from "./volumes/own-volumes.ts";
import type { NodeVolume } from "./volumes/volume.ts";

export interface ClusterOptions {
  readonly strategy: Strategy;
  readonly filters: readonly Filter[];
  /** 0.05 admits 5 % more than a node reports. */
  readonly overcommit: number;
  /** What `-c N` with N ≤ 8 means: whole CPUs as in the seeds, or Docker's weight. */
  readonly cpuShares: "cpus" | "docker";
  readonly pullTo: "one" | "all";
  /** What names a group besides the usual labels, and how one is placed that does not say. */
  readonly groups: GroupOptions;
  /** List names as `node-1/redis`, as classic Swarm did. */
  readonly nodeNames: boolean;
  /** What is not ours; undefined: managed while there is but one node. */
  readonly foreign: ForeignMode | undefined;
  /** Bind mounts of paths that a node does not have; undefined: left to the engine while there is but one node. */
  readonly bindMounts?: BindMode | undefined;
  /** Names of volumes that are but caches; none without. */
  readonly cacheVolumes?: readonly Matcher[];
  /** What moves when its node is lost, and does not say itself; undefined: what its restart policy tells. */
  readonly reschedule?: RescheduleMode | undefined;
  /** Test mode: every container gets a cluster ID unlike the engine's. */
  readonly mintIds: boolean;
  /** Makes the connection to the engine at an address; not started yet. */
  readonly openEngine: (address: string, observer: EngineObserver) => Engine;
  /** The address of a host name in discovery; absent: names are shown as they are. */
  readonly resolveHost?: (host: string) => Promise<string>;
  /** What engines cannot hold; one manager's alone, and those that follow it only read it. */
  readonly store: Store;
  /** Another manager leads: this one changes nothing, on engines or in the store. */
  readonly follows?: boolean;
  /** False when it may have been deposed without knowing: what it would tell of may be over. Absent: it always knows. */
  readonly isCurrent?: () => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export class Cluster {
  readonly options: ClusterOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  #leads = true;
  readonly changes: Changes;
  /** By node ID, in the order of discovery. */
  readonly nodes = new Map<string, ClusterNode>();
  /** There was a second node at some time since the start. */
  hadSeveralNodes = false;
  readonly inventory = new Inventory();
  readonly tags: Tags;
  readonly images: ImageIndex;
  readonly networks: ObjectIndex<NodeNetwork>;
  readonly formerNetworks = new FormerNetworkIds();
  readonly volumes: ObjectIndex<NodeVolume>;
  readonly ledger = new Ledger();
  readonly placements = new Placements();
  readonly execs = new ExecIndex();
  readonly events: EventHub;
  /** What shoal told itself because no engine could any more, oldest first. */
  readonly missedEvents: ClusterEvent[] = [];
  readonly decisions: Decisions;
  readonly pullMemory: PullMemory;
  readonly refresher: Refresher;
  readonly writer: StoreWriter;
  readonly registry: Registry;
  readonly groups: Groups;
  readonly ownImages: Notes<ImageNote>;
  readonly ownVolumes: Notes<VolumeNote>;
  readonly expectedVolumes: ExpectedVolumes = new WeakMap();
  readonly objectCreates: ObjectCreates;
  readonly undone: Undone;
  readonly remembered = new Remembered();
  readonly rememberedNetworks: Notes<RememberedObject>;
  readonly rememberedVolumes: Notes<RememberedObject>;
  readonly tombstones = new Tombstones();
  /** Where containers are that wait for a node; none of `nodes`. */
  readonly limbo: ClusterNode;
  readonly rescheduler: Rescheduler;
  readonly fences: Fences;
  /** Copies that are to take over from containers of drained nodes. */
  readonly replacements: Replacements;
  readonly availabilities = new Availabilities();
  readonly roll: Roll;
  /** Networks that lost nodes still have, and that went elsewhere with their containers. */
  readonly leftNetworks: Notes<LeftNetwork>;

  constructor(options: ClusterOptions) {
    this.options = options;
    this.clock = options.clock;
    this.random = options.random;
    this.log = options.log;
    this.changes = new Changes(options.random);
    this.events = new EventHub(options.isCurrent);
    this.limbo = makeLimbo(options);
    this.rescheduler = new Rescheduler(this);
    this.fences = new Fences(this);
    this.replacements = new Replacements(this);
    this.roll = new Roll(this);
    this.decisions = new Decisions();
    this.pullMemory = new PullMemory(options.clock);
    this.refresher = new Refresher(this);
    this.writer = new StoreWriter(options.store, { ...options, told: (writes) => this.changes.noteWrites(writes) });
    this.registry = new Registry(this.writer, options.groups);
    this.tags = new Tags(this.writer);
    this.images = new ImageIndex(this.tags);
    this.groups = new Groups(this);
    const isMember = (nodeId: string): boolean => nodeId === LIMBO || this.nodes.has(nodeId);
    this.rememberedNetworks = new Notes(KNOWN_NETWORKS, this);
    this.rememberedVolumes = new Notes(KNOWN_VOLUMES, this);
    this.networks = new ObjectIndex(
      objectsOfGroups(this, "network"),
      remembering(this.rememberedNetworks, isMember),
      this.formerNetworks.observe,
    );
    this.volumes = new ObjectIndex(objectsOfGroups(this, "volume"), remembering(this.rememberedVolumes, isMember));
    this.objectCreates = new ObjectCreates(this);
    this.undone = new Undone(this);
    this.leftNetworks = new Notes(LEFT_NETWORKS, this);
    this.ownImages = new Notes("images/", this);
    this.ownVolumes = new Notes("volumes/", this);
    if (options.follows) void this.standDown();
  }

  /** It may change things; once it may not any more, it never may again. */
  get leads(): boolean {
    return this.#leads;
  }

  /** Changes nothing from now on, and does nothing more by itself. Resolves when what it was to write is in the store, or the store does not take it. */
  standDown(): Promise<void> {
    this.#leads = false;
    this.rescheduler.rest();
    for (const { waiting } of this.placements.all()) waiting?.cancel();
    return this.writer.retire();
  }

  /** Nodes that can be asked now. */
  reachable(): ClusterNode[] {
    return [...this.nodes.values()].filter((node) => node.reachable);
  }

  nodeByName(name: string): ClusterNode | undefined {
    for (const node of this.nodes.values()) if (node.name === name) return node;
    return undefined;
  }
}
