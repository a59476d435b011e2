/** What a manager of several sends to engines, and what no longer. */
import { PassThrough, Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import type { EngineWire } from "../../engine/wire/wire.ts";
import { LEASE_SEND_MS } from "../../kit/replica-limits.ts";
import { fencedWire } from "./fenced-wire.ts";

function leading() {
  const sent: string[] = [];
  const wire: EngineWire = {
    address: "10.0.0.1:2375",
    async request({ method, path, signal }) {
      sent.push(method);
      if (path === "/hangs") {
        await new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
      }
      return { status: 200, headers: [], body: Readable.from([]) };
    },
    async connect() {
      sent.push("connect");
      return new PassThrough().on("error", () => {});
    },
    async close() {},
  };
  const lost = new AbortController();
  const lease = { remaining: 2_000, lost: lost.signal };
  return { sent, lease, lost, wire: fencedWire(wire, lease) };
}

describe("a manager whose lease", () => {
  it("is held sends what it is asked to", async () => {
    const { sent, wire } = leading();
    await wire.request({ method: "POST", path: "/containers/create" });
    await wire.request({ method: "GET", path: "/containers/json" });
    expect(sent).toEqual(["POST", "GET"]);
  });

  it("ends before it could be sent asks engines, and changes nothing there", async () => {
    const { sent, wire, lease } = leading();
    lease.remaining = LEASE_SEND_MS;
    await wire.request({ method: "GET", path: "/containers/json" });
    await expect(wire.request({ method: "POST", path: "/containers/create" })).rejects.toMatchObject({ sent: false });
    await expect(wire.request({ method: "DELETE", path: "/containers/x" })).rejects.toMatchObject({ fault: "aborted" });
    await expect(wire.connect()).rejects.toMatchObject({ sent: false });
    expect(sent).toEqual(["GET"]);
  });

  it("is lost breaks off what it asked to change, and nothing that reads", async () => {
    const { wire, lease, lost } = leading();
    const create = wire.request({ method: "POST", path: "/hangs" });
    const exec = await wire.connect();
    const list = wire.request({ method: "GET", path: "/hangs" }).then(() => "answered");
    lease.remaining = 0;
    lost.abort(new Error("lost"));
    await expect(create).rejects.toThrow("lost");
    expect(exec.destroyed).toBe(true);
    expect(await Promise.race([list, Promise.resolve("still asked")])).toBe("still asked");
  });
});
