import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { type Clock, systemClock } from "../../kit/clock.ts";
import { DeadlineError } from "../../kit/deadline.ts";
import { sendJson } from "./answer.ts";
import { openRig, rawExchange, until } from "./testing.ts";

describe("a request", () => {
  it("whose wish to upgrade is ignored still hears that its client has left", async () => {
    let begun = 0;
    let gone = 0;
    const rig = await openRig("unix", {
      takesUpgrade: () => false,
      handler: async (request) => {
        begun++;
        await once(request.signal, "abort");
        gone++;
      },
    });
    for (const leave of ["destroy", "end"] as const) {
      const socket = await rig.dial();
      socket.write("POST /wait HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
      const before = begun;
      await until(() => begun > before);
      socket[leave]();
      await until(() => gone === begun && rig.listeners.connections() === 0);
      socket.destroy();
    }
    expect(gone).toBe(2);
    await rig.close();
  });

  it("expires when its handler asked for that, and its client is answered", async () => {
    const timers = new Map<number, () => void>();
    const clock: Clock = {
      ...systemClock,
      after: (ms, fn, options) => {
        timers.set(ms, fn);
        return systemClock.after(ms, fn, options);
      },
    };
    const rig = await openRig("unix", {
      clock,
      handler: async (request, answer) => {
        request.expire(123_456);
        timers.get(123_456)?.();
        sendJson(answer, 200, { late: request.signal.reason instanceof DeadlineError });
      },
    });
    const text = await rawExchange(rig, "GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    expect(text).toContain('{"late":true}');
    await rig.close();
  });
});
