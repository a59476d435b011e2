import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { createApi } from "../../src/api/api.ts";
import { openRig, readAll, readUntil, until } from "../../src/api/listener/testing.ts";
import { type Clock, systemClock, type Timer } from "../../src/kit/clock.ts";
import { UPLOAD_STALL_MS } from "../../src/kit/limits.ts";
import { HOST, World } from "./world.ts";

/** The system's clock, but for the deadline of a stalled upload: that one comes when it is told to. */
class HeldDeadline {
  readonly #set = new Set<() => void>();
  /** How often it was set. */
  begun = 0;

  readonly clock: Clock = {
    ...systemClock,
    after: (ms, fn, options): Timer => {
      if (ms !== UPLOAD_STALL_MS) return systemClock.after(ms, fn, options);
      this.begun++;
      const late = (): void => fn();
      this.#set.add(late);
      return { cancel: () => this.#set.delete(late) };
    },
  };

  /** Deadlines that run. */
  get running(): number {
    return this.#set.size;
  }

  pass(): void {
    for (const late of this.#set) late();
  }
}

const PUT = "PUT /containers/one/archive?path=/tmp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";

describe("an upload", () => {
  it("that stops coming is given up with 408, and nothing of it is left", async () => {
    const deadline = new HeldDeadline();
    const world = await World.open();
    await world.run("one");
    const stopping = new AbortController();
    const rig = await openRig("unix", { ...createApi(world.cluster, HOST, stopping.signal), clock: deadline.clock });
    const socket = await rig.dial();
    const answer = readAll(socket);
    socket.write(`${PUT}Content-Type: application/x-tar\r\nContent-Length: 1000\r\n\r\n`);
    await until(() => deadline.running === 1);
    const before = deadline.begun;
    socket.write("a part of it");
    // The wait begins anew with each part.
    await until(() => deadline.begun > before);
    expect(deadline.running).toBe(1);
    deadline.pass();
    const text = await answer;
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    expect(text).toContain('{"message":"timed out reading the request body"}');
    socket.destroy();
    await until(() => rig.listeners.connections() === 0);
    expect(deadline.running).toBe(0);
    stopping.abort();
    await rig.close();
    await world.close();
  });

  it("whose reader is slow keeps nobody waiting for its client", async () => {
    const deadline = new HeldDeadline();
    let full = false;
    const rig = await openRig("unix", {
      clock: deadline.clock,
      handler: async ({ body, signal }) => {
        body.read(0);
        await until(() => body.readableLength >= body.readableHighWaterMark);
        full = true;
        await once(signal, "abort");
      },
    });
    const socket = await rig.dial();
    socket.write(`${PUT}Content-Length: 3000000\r\n\r\n`);
    socket.write(Buffer.alloc(2_000_000));
    await until(() => full);
    expect(deadline.begun).toBeGreaterThan(0);
    expect(deadline.running).toBe(0);
    socket.destroy();
    await rig.close();
  });
});

describe("a body where none belongs", () => {
  it.each(["POST /containers/one/wait", "GET /events", "GET /containers/one/logs?follow=1&stdout=1"])(
    "does not hide from %s that its client has left",
    { timeout: 60_000 },
    async (what) => {
      const world = await World.open();
      await world.run("one");
      const stopping = new AbortController();
      const rig = await openRig("unix", createApi(world.cluster, HOST, stopping.signal));
      const socket = await rig.dial();
      socket.write(`${what} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n`);
      const sent = new Promise<void>((resolve) => socket.write(Buffer.alloc(3_000_000), () => resolve()));
      expect(await readUntil(socket, (text) => text.includes("\r\n\r\n"))).toMatch(/^HTTP\/1\.1 200 /);
      await sent;
      socket.destroy();
      await until(() => rig.listeners.connections() === 0);
      stopping.abort();
      await rig.close();
      await world.close();
    },
  );
});
