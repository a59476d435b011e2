/**
 * A simulated Docker Engine: in memory, repeatable from its clock and its random source. Owns the composition; the
 * rest of `sim/engine/` holds one noun a file.
 */
import type { EngineWire } from "../../src/engine/wire/wire.ts";
import type { Answer } from "./call.ts";
import { CallCounts } from "./calls.ts";
import { Daemon } from "./daemon.ts";
import type { SimEngineOptions } from "./facts.ts";
import type { Faults } from "./faults.ts";
import { Handler, type RawCall } from "./handler.ts";
import { HttpFace, type ListenTarget } from "./http-face.ts";
import { MemoryWire } from "./memory-wire.ts";
import { Router } from "./router.ts";
import { archiveRoutes } from "./routes/archive.ts";
import { checkpointRoutes } from "./routes/checkpoints.ts";
import { containerStreamRoutes } from "./routes/container-streams.ts";
import { containerRoutes } from "./routes/containers.ts";
import { imageTransferRoutes } from "./routes/image-transfer.ts";
import { imageRoutes } from "./routes/images.ts";
import { networkRoutes, volumeRoutes } from "./routes/networks.ts";
import { pluginRoutes } from "./routes/plugins.ts";
import { registryRoutes } from "./routes/registry.ts";
import { systemRoutes } from "./routes/system.ts";

export { ENGINE_20_10, ENGINE_29, type SimEngineOptions } from "./facts.ts";

export interface PreloadOptions {
  /** Present afterwards, pulled or not. */
  readonly image?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Names are `<prefix>-<number>`; the engine's own name and `c` unless given. */
  readonly prefix?: string;
  /** Bytes reserved by each. */
  readonly memory?: number;
  readonly running?: boolean;
}

export class SimEngine {
  /** Everything inside, for tests that look or meddle. */
  readonly daemon: Daemon;
  readonly calls = new CallCounts();
  readonly #handler: Handler;
  readonly #face: HttpFace;
  #changing: Promise<void> = Promise.resolve();

  constructor(options: SimEngineOptions) {
    this.daemon = new Daemon(options);
    const router = new Router({
      ...systemRoutes(this.daemon),
      ...containerRoutes(this.daemon),
      ...containerStreamRoutes(this.daemon),
      ...archiveRoutes(this.daemon),
      ...checkpointRoutes(this.daemon),
      ...pluginRoutes(),
      ...registryRoutes(this.daemon),
      ...imageTransferRoutes(this.daemon),
      ...imageRoutes(this.daemon),
      ...networkRoutes(this.daemon),
      ...volumeRoutes(this.daemon),
    });
    this.#handler = new Handler(this.daemon, router, this.calls);
    this.#face = new HttpFace(this.#handler);
    this.daemon.faults.onDead((dead) => {
      this.#changing = this.#changing.then(() => (dead ? this.#face.down() : this.#face.up()));
      // A port that another process took meanwhile shows in settled(), not as an unhandled rejection.
      this.#changing.catch(() => undefined);
    });
  }

  get name(): string {
    return this.daemon.facts.name;
  }

  get faults(): Faults {
    return this.daemon.faults;
  }

  /** Serves on a unix socket or a loopback port; resolves with what a client dials, as discovery lists it. */
  listen(target: ListenTarget): Promise<string> {
    return this.#face.listen(target);
  }

  /** Resolves when its listeners agree with `faults.dead`. */
  settled(): Promise<void> {
    return this.#changing;
  }

  /** The engine without sockets, at an address of its own. */
  wire(address = `sim://${this.name}`): EngineWire {
    return new MemoryWire(address, this.#handler, this.#face, this.faults);
  }

  /** One call without any transport. Rejects only when the client is gone. */
  answer(call: RawCall): Promise<Answer> {
    return this.#handler.answer(call);
  }

  /** Power fails and comes back: open calls are cut, containers stop, those with a restart policy run again. */
  powerCycle(): void {
    this.faults.dead(true);
    this.daemon.lifecycle.powerCycle();
    this.faults.dead(false);
  }

  /** `count` containers that are there from the start, without events. Answers their IDs. */
  preload(count: number, options: PreloadOptions = {}): string[] {
    const { containers, images, events, lifecycle, facts } = this.daemon;
    const image = options.image ?? "busybox:latest";
    if (!images.find(image)) images.add(image);
    const prefix = options.prefix ?? `${this.name}-c`;
    const ids: string[] = [];
    events.silently(() => {
      for (let made = 0; made < count; made++) {
        const body = {
          Image: image,
          Cmd: ["sleep", "infinity"],
          Labels: { ...options.labels },
          HostConfig: { Memory: options.memory ?? 0 },
        };
        const container = containers.create(`${prefix}-${containers.size}`, body, facts.apiVersion);
        if (options.running ?? true) lifecycle.start(container);
        ids.push(container.id);
      }
    });
    return ids;
  }

  /** Ends listeners, connections and timers. */
  async close(): Promise<void> {
    this.faults.clear();
    await this.#changing.catch(() => undefined);
    await this.#face.down();
  }
}
