/** Simulated engines behind real sockets, for managers that are processes of their own. */
import { SimEngine } from "../../../sim/engine/engine.ts";
import { systemClock } from "../../../src/kit/clock.ts";
import { systemRandom } from "../../../src/kit/random.ts";

export class Engines {
  /** As a manager's discovery. */
  readonly url: string;
  readonly #engines: readonly SimEngine[];

  private constructor(engines: readonly SimEngine[], addresses: readonly string[]) {
    this.#engines = engines;
    this.url = `nodes://${addresses.join(",")}`;
  }

  static async start(count: number): Promise<Engines> {
    const engines = Array.from(
      { length: count },
      (_, at) => new SimEngine({ clock: systemClock, random: systemRandom, name: `node-${at + 1}` }),
    );
    return new Engines(engines, await Promise.all(engines.map((engine) => engine.listen({ port: 0 }))));
  }

  get count(): number {
    return this.#engines.length;
  }

  /** Of every container on whichever engine, sorted; a name that two of them have is there twice. */
  names(): readonly string[] {
    return this.#engines.flatMap(({ daemon }) => daemon.containers.all().map(({ name }) => name)).sort();
  }

  async close(): Promise<void> {
    await Promise.all(this.#engines.map((engine) => engine.close()));
  }
}
