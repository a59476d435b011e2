import { describe, expect, it } from "vitest";
import { type AccessOptions, createAccess } from "./access.ts";
import { parseHost } from "./host.ts";
import type { Remote } from "./request.ts";

function status(
  headers: Record<string, string>,
  transport: Remote["transport"] = "tcp",
  options: Partial<AccessOptions> = {},
): number {
  const access = createAccess({
    hosts: [parseHost("tcp://10.1.2.3:2375"), parseHost("named.example:2375")],
    machineNames: ["Box.corp.example"],
    allow: ["other.example"],
    ...options,
  });
  const rawHeaders = Object.entries(headers).flat();
  return access.refusal({ headers, rawHeaders, remote: { address: "", transport } })?.status ?? 200;
}

describe("access", () => {
  it.each([
    "127.0.0.1:2375",
    "[::1]:2375",
    "192.168.7.7",
    "localhost:2375",
    "LOCALHOST",
    "api.moby.localhost",
    "box",
    "box.corp.example:2375",
    "named.example:2375",
    "named.example.:2375",
    "other.example",
    "",
  ])("lets the host %j in", (host) => {
    expect(status({ host })).toBe(200);
  });

  it.each([
    "evil.example",
    "evil.example:2375",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "docker",
    "corp.example",
  ])("refuses the host %j", (host) => {
    expect(status({ host })).toBe(403);
  });

  it("does not mind the host on a unix socket, where clients make one up, or behind a certificate", () => {
    for (const host of ["docker", "%2Frun%2Fdocker.sock", "api.moby.localhost"]) {
      expect(status({ host }, "unix")).toBe(200);
      expect(status({ host }, "tls")).toBe(200);
    }
  });

  it("refuses pages on every transport", () => {
    for (const transport of ["tcp", "unix", "tls"] as const) {
      expect(status({ host: "localhost", origin: "http://evil.example" }, transport)).toBe(403);
      expect(status({ host: "localhost", origin: "null" }, transport)).toBe(403);
      expect(status({ host: "localhost", "sec-fetch-site": "cross-site" }, transport)).toBe(403);
    }
    expect(status({ host: "evil.example:2375", origin: "http://evil.example:2375" })).toBe(403);
    expect(status({ host: "localhost:2375", origin: "http://localhost:3000" })).toBe(403);
  });

  it("lets in what this listener itself served, and websocket clients that name it as their origin", () => {
    expect(status({ host: "localhost:2375", origin: "http://localhost:2375", "sec-fetch-site": "same-origin" })).toBe(
      200,
    );
  });

  it("lets everybody in with CORS, with classic Swarm's headers", () => {
    expect(status({ host: "evil.example", origin: "http://evil.example" }, "tcp", { cors: true })).toBe(200);
    expect(createAccess({ hosts: [], cors: true }).headers).toEqual([
      "Access-Control-Allow-Origin",
      "*",
      "Access-Control-Allow-Headers",
      "Origin, X-Requested-With, Content-Type, Accept",
      "Access-Control-Allow-Methods",
      "GET, POST, DELETE, PUT, OPTIONS, HEAD",
    ]);
  });

  it("refuses two hosts", () => {
    const access = createAccess({ hosts: [] });
    const rawHeaders = ["Host", "localhost", "host", "evil.example"];
    const remote = { address: "", transport: "tcp" } as const;
    expect(access.refusal({ headers: { host: "localhost" }, rawHeaders, remote })?.status).toBe(400);
  });
});
