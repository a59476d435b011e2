/** What happens to a container after it was made: start, stop, kill, pause, end and removal, with their events. */
import { conflict, DockerError, notFound } from "../../src/docker/errors.ts";
import { type Health, hasHealthcheck, isRunning, type SimContainer } from "./container.ts";
import { type Containers, eventAttributes, type Makers, stillRunning } from "./containers.ts";
import type { SimFacts } from "./facts.ts";
import { obj, str } from "./json.ts";
import { Output } from "./output.ts";
import { type PortMap, Ports, postedBindings } from "./ports.ts";
import { Process, signalEnds, signalNumber } from "./process.ts";
import { isOld, notRunningText, say } from "./words.ts";

export class Lifecycle {
  readonly #with: Makers;
  readonly #containers: Containers;
  readonly #facts: SimFacts;
  readonly #ports = new Ports();
  #pid = 1000;

  constructor(makers: Makers, containers: Containers, facts: SimFacts) {
    this.#with = makers;
    this.#containers = containers;
    this.#facts = facts;
  }

  #emit(container: SimContainer, action: string, more: Record<string, string> = {}): void {
    this.#with.events.emit("container", action, container.id, eventAttributes(container, more));
  }

  /** The kept and live output; made on first use, since most containers are never read. */
  output(container: SimContainer): Output {
    container.output ??= new Output(this.#with.clock);
    return container.output;
  }

  /** False when it runs already (304). Throws 404 for a missing network, 409 when paused, 500 for a taken port. */
  start(container: SimContainer): boolean {
    if (container.status === "paused") {
      throw conflict("cannot start a paused container, try unpause instead");
    }
    if (container.status === "running") return false;
    try {
      this.#bind(container);
    } catch (error) {
      container.exitCode = 128;
      container.error = error instanceof Error ? error.message : String(error);
      throw error;
    }
    for (const { Type, Source } of container.mounts) if (Type === "bind") this.#with.paths.add(Source);
    container.status = "running";
    container.health = hasHealthcheck(container) ? "starting" : undefined;
    container.error = "";
    container.exitCode = 0;
    container.pid = this.#pid++;
    container.startedAt = this.#with.clock.now();
    this.#emit(container, "start");
    container.process = new Process(container.argv, container.config.OpenStdin === true, this.#with.clock, {
      write: (stream, data, taken) => this.output(container).write(stream, data, taken),
      exit: (code) => this.#ended(container, code),
    });
    for (const run of container.onStart.splice(0)) run(container.process);
    return true;
  }

  /** Ports and networks of a container that starts. */
  #bind(container: SimContainer): void {
    const { networks } = this.#with;
    const mode = str(container.hostConfig.NetworkMode);
    const found = [...container.wanted].map(([name, posted]) => {
      const network = networks.find(name);
      if (!network) throw notFound(`network ${name} not found`);
      return { name, network, posted };
    });
    if (mode.startsWith("container:")) this.#containers.get(mode.slice("container:".length));
    const ownStack = mode !== "host" && mode !== "none" && !mode.startsWith("container:");
    const all = container.hostConfig.PublishAllPorts === true;
    container.ports = ownStack ? this.#publish(container, all) : {};
    for (const { name, network, posted } of found) {
      container.endpoints.set(name, networks.connect(network, container, posted));
    }
  }

  #publish(container: SimContainer, all: boolean): PortMap {
    const exposed = Object.keys(obj(container.config.ExposedPorts));
    const wanted = postedBindings(container.hostConfig.PortBindings);
    if (exposed.length === 0 && Object.keys(wanted).length === 0) return {};
    const endpoint = `${container.name} (${container.id})`;
    return this.#ports.bind(container.id, wanted, exposed, all, this.#facts.ipv6, endpoint);
  }

  /** The main process is gone, for whatever reason. */
  #ended(container: SimContainer, code: number): void {
    const { clock, networks } = this.#with;
    container.status = "exited";
    container.exitCode = code;
    container.pid = 0;
    container.finishedAt = clock.now();
    container.process = undefined;
    container.execs.clear();
    this.#ports.release(container.id);
    container.ports = {};
    const seconds = Math.floor((container.finishedAt - container.startedAt) / 1000);
    const execDuration: Record<string, string> = isOld(this.#facts) ? {} : { execDuration: String(seconds) };
    this.#emit(container, "die", { ...execDuration, exitCode: String(code) });
    for (const name of container.endpoints.keys()) {
      const network = networks.find(name);
      if (network) networks.disconnect(network, container.id);
    }
    container.endpoints.clear();
    container.output?.end();
    for (const waiter of [...container.waiters]) if (waiter.condition !== "removed") waiter.done(code);
    if (container.hostConfig.AutoRemove === true) this.#containers.forget(container, true);
  }

  #end(container: SimContainer, code: number): void {
    if (container.process?.running) container.process.end(code);
    else this.#ended(container, code);
  }

  /** False when it does not run (304). */
  stop(container: SimContainer): boolean {
    if (!isRunning(container)) return false;
    const wanted = signalNumber(str(container.config.StopSignal) || "SIGTERM") || 15;
    this.#emit(container, "kill", { signal: String(wanted) });
    this.#end(container, 128 + wanted);
    this.#emit(container, "stop");
    return true;
  }

  kill(container: SimContainer, signal: string): void {
    const number = signalNumber(signal || "SIGKILL");
    if (number === 0) throw new DockerError(400, say(this.#facts, `invalid signal: ${signal}`));
    this.#running(container, say(this.#facts, `cannot kill container: ${container.name}: `));
    this.#emit(container, "kill", { signal: String(number) });
    if (signalEnds(number)) this.#end(container, 128 + number);
  }

  restart(container: SimContainer): void {
    this.stop(container);
    this.start(container);
    this.#emit(container, "restart");
  }

  /** What its healthcheck found. */
  check(container: SimContainer, health: Health): void {
    container.health = health;
    this.#emit(container, `health_status: ${health}`);
  }

  pause(container: SimContainer): void {
    this.#running(container, "");
    if (container.status === "paused") throw conflict(say(this.#facts, `container ${container.id} is already paused`));
    container.status = "paused";
    this.#emit(container, "pause");
  }

  unpause(container: SimContainer): void {
    if (container.status !== "paused")
      throw new DockerError(500, say(this.#facts, `container ${container.id} is not paused`));
    container.status = "running";
    this.#emit(container, "unpause");
  }

  /** Throws 409 unless it runs. */
  #running(container: SimContainer, prefix: string): void {
    if (!isRunning(container)) throw conflict(`${prefix}${notRunningText(this.#facts, container.id)}`);
  }

  remove(container: SimContainer, force: boolean, withVolumes: boolean): void {
    if (isRunning(container)) {
      if (!force) throw stillRunning(container, this.#facts);
      const auto = container.hostConfig.AutoRemove === true;
      this.#emit(container, "kill", { signal: "9" });
      this.#end(container, 137);
      if (auto) return;
    }
    this.#containers.forget(container, withVolumes);
  }

  /**
   * The machine lost power and is back: everything had stopped without an event;
   * dockerd starts `always` and `unless-stopped`, marks all else exited with 255.
   */
  powerCycle(): void {
    for (const container of this.#containers.all().reverse()) {
      if (!isRunning(container)) continue;
      container.process?.drop();
      container.process = undefined;
      this.#ports.release(container.id);
      for (const network of this.#with.networks.all()) network.attached.delete(container.id);
      container.endpoints.clear();
      container.output?.end();
      container.status = "exited";
      container.exitCode = 255;
      container.finishedAt = this.#with.clock.now();
      const policy = str(obj(container.hostConfig.RestartPolicy).Name);
      if (policy === "always" || policy === "unless-stopped") this.start(container);
    }
  }

  /** What can change at run time; zero values are left alone, as dockerd does. Throws 400. */
  update(container: SimContainer, posted: Record<string, unknown>): void {
    if (Number(posted.Memory ?? 0) > 0 && Number(posted.Memory) < 6 * 1024 * 1024) {
      throw new DockerError(400, "Minimum memory limit allowed is 6MB");
    }
    for (const [key, value] of Object.entries(posted)) {
      const none =
        value === 0 || value === "" || value === null || (key === "RestartPolicy" && str(obj(value).Name) === "");
      if (!none) container.hostConfig[key] = value;
    }
    this.#emit(container, "update");
  }

  /** Calls `run` with the main process, at once or at the next start. */
  whenStarted(container: SimContainer, run: (process: Process) => void): void {
    if (container.process) run(container.process);
    else container.onStart.push(run);
  }

  /** Resolves with the exit code when the condition holds. `abort` ends the wait. */
  wait(container: SimContainer, condition: string, abort: AbortSignal): Promise<number> {
    if (condition === "not-running" && !isRunning(container)) return Promise.resolve(container.exitCode);
    return new Promise((resolve) => {
      const waiter = {
        condition,
        done: (code: number): void => {
          container.waiters.delete(waiter);
          resolve(code);
        },
      };
      container.waiters.add(waiter);
      abort.addEventListener("abort", () => container.waiters.delete(waiter), { once: true });
    });
  }

  /** For events that carry no more than the container: attach, top, resize and the like. */
  note(container: SimContainer, action: string, more: Record<string, string> = {}): void {
    this.#emit(container, action, more);
  }
}
