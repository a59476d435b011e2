/** Which container an exec runs in: engines look execs up by an ID of their own. Bounded; the oldest is forgotten first. */
import { EXECS_REMEMBERED } from "../kit/limits.ts";
import type { ContainerRecord } from "./record.ts";

export class ExecIndex {
  readonly #records = new Map<string, ContainerRecord>();

  add(execId: string, record: ContainerRecord): void {
    this.#records.set(execId, record);
    if (this.#records.size <= EXECS_REMEMBERED) return;
    for (const oldest of this.#records.keys()) {
      this.#records.delete(oldest);
      break;
    }
  }

  get(execId: string): ContainerRecord | undefined {
    const record = this.#records.get(execId);
    return record?.removed ? undefined : record;
  }
}
