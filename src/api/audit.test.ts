/** What stands in a line, and the lines of what shoal does unasked. */
import { describe, expect, it } from "vitest";
import { unavailable } from "../docker/errors.ts";
import { systemClock } from "../kit/clock.ts";
import { AUDIT_FIELD_CHARS } from "../kit/limits.ts";
import { Audit, type AuditSink } from "./audit.ts";
import { cut, optionsOf, whoIs, withoutQuotes } from "./audit-line.ts";

describe("an error in a line", () => {
  it.each([
    ["No such container: web", "No such container"],
    [
      'Conflict. The container name "/web" is already in use by container "1f". You have to',
      "Conflict. The container name … is already in use by container …. You have to",
    ],
    [
      "no resources available to schedule container\nresource: 3 of 3 nodes",
      "no resources available to schedule container",
    ],
    [
      "Unable to find a node that satisfies the following conditions \n[PASSWORD=x]",
      "Unable to find a node that satisfies the following conditions",
    ],
    ["invalid environment variable: =hunter2", "invalid environment variable"],
    [
      'failed to create task for container: exec: "hunter2": stat hunter2: no such file',
      "failed to create task for container",
    ],
    [
      "conflict: unable to remove repository reference `a` (must force) - container 1f",
      "conflict: unable to remove repository reference … (must force) - container 1f",
    ],
    ["node-1: no space left on device: more", "node-1: no space left on device"],
    ["invalid restart policy 'hunter2", "invalid restart policy …"],
    ["this engine can't do that", "this engine can't do that"],
    ["", ""],
  ])("%j is %j", (message, expected) => expect(withoutQuotes(message)).toBe(expected));
});

describe("fields", () => {
  it("are cut, and only the listed parameters are taken", () => {
    expect(cut("x".repeat(5_000))).toHaveLength(AUDIT_FIELD_CHARS + 1);
    const query = new URLSearchParams({ signal: "KILL", filters: "hunter2", t: "" });
    expect(optionsOf(query, ["signal", "t", "force"])).toEqual({ signal: "KILL", t: "" });
    expect(optionsOf(query)).toBeUndefined();
  });

  it("name a client by its transport, address and certificate", () => {
    expect(whoIs({ transport: "unix", address: "" })).toEqual({ via: "unix" });
    const certificate = { CN: "alice", O: "ops" };
    expect(whoIs({ transport: "tls", address: "10.0.0.9", certificateName: "alice", certificate })).toEqual({
      via: "tls",
      address: "10.0.0.9",
      certificate,
    });
  });
});

describe("what shoal does unasked", () => {
  const lines: string[] = [];
  const sink = (ready = async (): Promise<void> => {}): AuditSink => ({
    ready,
    write: async (line) => void lines.push(line),
  });

  it("has a line of its own, by shoal, with the node and what came of it", async () => {
    const watch = new Audit(sink(), systemClock).watch(() => "node-1");
    (await watch("DELETE", "/containers/1f?force=1&v=1"))(204);
    (await watch("POST", "/containers/1f/stop?t=0"))(undefined);
    (await watch("POST", "/containers/1f/wait"))(200);
    expect(lines.splice(0).map((line) => JSON.parse(line) as unknown)).toMatchObject([
      {
        who: { via: "shoal" },
        action: "container.remove",
        stage: "done",
        method: "DELETE",
        route: "/containers/{name}",
        engines: [{ node: "node-1", call: "DELETE /containers/1f", status: 204 }],
        status: 204,
      },
      { action: "container.stop", engines: [{ call: "POST /containers/1f/stop", status: null }], status: null },
    ]);
  });

  it("is not done while no line can be written", async () => {
    const refuse = async (): Promise<void> => {
      throw unavailable("full");
    };
    const watch = new Audit(sink(refuse), systemClock).watch(() => "node-1");
    await expect(watch("DELETE", "/containers/1f")).rejects.toThrow("full");
    expect(lines).toEqual([]);
  });
});
