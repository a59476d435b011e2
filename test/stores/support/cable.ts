/** A cable: it carries TCP connections to one address, and when it is cut, nothing and no word of it. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

interface Strand {
  readonly near: Socket;
  far: Socket | undefined;
}

export class Cable {
  readonly #host: string;
  readonly #port: number;
  readonly #server: Server;
  readonly #strands = new Set<Strand>();
  #isCut = false;

  private constructor(to: string) {
    [this.#host, this.#port] = [to.slice(0, to.lastIndexOf(":")), Number(to.slice(to.lastIndexOf(":") + 1))];
    this.#server = createServer({ pauseOnConnect: true }, (near) => this.#lay(near));
  }

  /** @param address `host:port` */
  static async to(address: string): Promise<Cable> {
    const cable = new Cable(address);
    await new Promise<void>((done) => cable.#server.listen(0, "127.0.0.1", done));
    return cable;
  }

  /** `host:port` of its near end. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What was sent before is still on its way, and arrives when it is mended. */
  cut(): void {
    this.#isCut = true;
    for (const { near, far } of this.#strands) {
      near.unpipe().pause();
      far?.unpipe().pause();
    }
  }

  mend(): void {
    this.#isCut = false;
    for (const strand of this.#strands) this.#join(strand);
  }

  async close(): Promise<void> {
    for (const { near, far } of this.#strands) for (const socket of [near, far]) socket?.destroy();
    await new Promise((done) => this.#server.close(done));
  }

  #lay(near: Socket): void {
    const strand: Strand = { near, far: undefined };
    this.#strands.add(strand);
    this.#watch(near, strand);
    if (!this.#isCut) this.#join(strand);
  }

  #join(strand: Strand): void {
    const { near } = strand;
    if (strand.far === undefined) {
      strand.far = connect(this.#port, this.#host);
      this.#watch(strand.far, strand);
    }
    if (near.destroyed || strand.far.destroyed) this.#drop(strand);
    else near.pipe(strand.far).pipe(near);
  }

  #watch(socket: Socket, strand: Strand): void {
    // Its end is told by its close.
    socket.on("error", () => {});
    socket.once("close", () => {
      if (!this.#isCut) this.#drop(strand);
    });
  }

  #drop(strand: Strand): void {
    this.#strands.delete(strand);
    strand.near.destroy();
    strand.far?.destroy();
  }
}
