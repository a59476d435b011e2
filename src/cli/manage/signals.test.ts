import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { silentLog } from "../../kit/log.ts";
import { listenToSignals } from "./signals.ts";

class FakeProcess extends EventEmitter {
  readonly exits: number[] = [];
  exit(code: number): void {
    this.exits.push(code);
  }
}

describe("signals", () => {
  it("to stop abort once, then end at once", () => {
    const source = new FakeProcess();
    const stop = listenToSignals(silentLog, source);
    source.emit("SIGTERM", "SIGTERM");
    expect(stop.signal.aborted).toBe(true);
    expect(source.exits).toEqual([]);
    source.emit("SIGINT", "SIGINT");
    expect(source.exits).toEqual([130]);
    stop.dispose();
    expect(source.listenerCount("SIGTERM") + source.listenerCount("SIGINT")).toBe(0);
  });

  it("to hang up reach who asked for them, as long as they are listened to", () => {
    const source = new FakeProcess();
    const signals = listenToSignals(silentLog, source);
    let hangups = 0;
    signals.onHangup(() => hangups++);
    source.emit("SIGHUP");
    source.emit("SIGHUP");
    signals.dispose();
    source.emit("SIGHUP");
    expect(hangups).toBe(2);
    expect(signals.signal.aborted).toBe(false);
  });
});
