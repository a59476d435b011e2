/** The insides of one simulated engine, as the routes see them. Must not know transports. */
import type { Clock } from "../../src/kit/clock.ts";
import type { Random } from "../../src/kit/random.ts";
import { Containers } from "./containers.ts";
import { Events } from "./events.ts";
import { Execs } from "./execs.ts";
import { factsOf, type SimEngineOptions, type SimFacts } from "./facts.ts";
import { Faults } from "./faults.ts";
import { Images } from "./images.ts";
import { Lifecycle } from "./lifecycle.ts";
import { Networks } from "./networks.ts";
import { Volumes } from "./volumes.ts";

export class Daemon {
  readonly clock: Clock;
  readonly random: Random;
  readonly facts: SimFacts;
  readonly events: Events;
  readonly images: Images;
  readonly networks: Networks;
  readonly volumes: Volumes;
  readonly containers: Containers;
  readonly lifecycle: Lifecycle;
  readonly execs: Execs;
  readonly faults: Faults;
  /** What is there in the host's file system, as far as mounts ask. */
  readonly paths: Set<string>;

  constructor(options: SimEngineOptions) {
    const { clock, random } = options;
    this.clock = clock;
    this.random = random;
    this.facts = factsOf(options);
    this.events = new Events(clock);
    this.images = new Images(clock, this.events, options.pullable ?? [], options.imageSalt ?? "");
    for (const image of options.images ?? ["busybox:latest"]) this.images.add(image);
    this.paths = new Set(options.paths ?? ["/", "/etc", "/tmp", "/var/run/docker.sock"]);
    this.networks = new Networks(clock, random, this.events);
    this.volumes = new Volumes(clock, this.events);
    this.containers = new Containers(this);
    this.lifecycle = new Lifecycle(this, this.containers, this.facts);
    this.execs = new Execs(clock, random, this.lifecycle, this.facts);
    this.faults = new Faults(clock);
  }
}
