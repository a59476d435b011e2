/** The agents of a world whose nodes have fences; none otherwise. Owns what befalls them with their machines. */
import { Agent } from "./agent.ts";
import type { Host } from "./host.ts";
import type { Network } from "./path.ts";
import type { NodeItem, Plan } from "./plan.ts";
import type { SharedStore } from "./shared-store.ts";
import type { VirtualTime } from "./time.ts";

export interface AgentsParts {
  readonly plan: Plan;
  readonly time: VirtualTime;
  readonly hosts: readonly Host[];
  readonly network: Network;
  readonly shared: SharedStore;
  /** They stop nothing: the protection switched off. */
  readonly idle: boolean;
}

export class Agents {
  readonly byHost: ReadonlyMap<Host, Agent>;
  readonly #network: Network;

  constructor({ plan, time, hosts, network, shared, idle }: AgentsParts) {
    this.#network = network;
    const make = (host: Host): Agent =>
      new Agent({ plan, time, host, path: network.between(host.name, "store"), contents: shared.fences, idle });
    this.byHost = new Map(plan.fenced ? hosts.map((host) => [host, make(host)]) : []);
  }

  begin(): void {
    for (const agent of this.byHost.values()) agent.boot(0);
  }

  /** What befalls a machine befalls its agent, from now on. @returns what ends both */
  share(host: Host, { fault }: NodeItem, finish: () => void): () => void {
    const agent = this.byHost.get(host);
    if (!agent) return finish;
    let more = (): void => {};
    if (fault === "partition") {
      more = this.#network.between(host.name, "store").cut();
    } else if (fault === "power off" || fault === "power cycle") {
      agent.fail();
      more = () => agent.boot();
    }
    return () => {
      finish();
      more();
    };
  }

  /** What has not come to rest, in words. */
  differences(): string[] {
    return [...this.byHost].flatMap(([{ name }, agent]) => (agent.isOn ? [`the fence of ${name} is on`] : []));
  }
}
