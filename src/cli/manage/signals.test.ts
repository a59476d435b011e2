import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { silentLog } from "../../kit/log.ts";
import { onStopSignals } from "./signals.ts";

class FakeProcess extends EventEmitter {
  readonly exits: number[] = [];
  exit(code: number): void {
    this.exits.push(code);
  }
}

describe("stop signals", () => {
  it("abort once, then end at once", () => {
    const source = new FakeProcess();
    const stop = onStopSignals(silentLog, source);
    source.emit("SIGTERM", "SIGTERM");
    expect(stop.signal.aborted).toBe(true);
    expect(source.exits).toEqual([]);
    source.emit("SIGINT", "SIGINT");
    expect(source.exits).toEqual([130]);
    stop.dispose();
    expect(source.listenerCount("SIGTERM") + source.listenerCount("SIGINT")).toBe(0);
  });
});
