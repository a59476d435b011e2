/** The network between a manager and an engine: what is lost on the way is told to whoever waits. */
import { describe, expect, it } from "vitest";
import type { WireAnswer } from "../../src/engine/wire/wire.ts";
import { Host } from "./host.ts";
import { Life } from "./life.ts";
import { Link } from "./link.ts";
import { VirtualTime } from "./time.ts";
import { Trace } from "./trace.ts";

describe("an event stream", () => {
  it("that is cut while its answer is on the way breaks when it is there", async () => {
    const time = new VirtualTime();
    const plan = { memoryMb: 512, cpus: 1, foreign: 0 };
    // It has been carried out, and nobody reads yet.
    const host = new Host(time, 1, 0, plan, () => time.after(0, () => host.cutEvents()));
    const link = new Link({ time, host, life: new Life(), trace: new Trace(time) });
    let answer: WireAnswer | undefined;
    let end: unknown;
    void link.request({ method: "GET", path: "/events", lane: "long" }).then((given) => {
      answer = given;
      given.body.once("error", (error) => {
        end = error;
      });
    });
    await time.run(60_000);
    expect(answer?.status).toBe(200);
    expect(String(end)).toContain("the connection broke");
  });
});
