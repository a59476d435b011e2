import { describe, expect, it } from "vitest";
import { DockerError } from "./errors.ts";
import { countPorts, isUnspecified, parseHostBindings, parsePort, parsePortRange } from "./ports.ts";

describe("parsePort", () => {
  it.each([
    ["80", 80, 80, "tcp"],
    ["80/tcp", 80, 80, "tcp"],
    ["53/UDP", 53, 53, "udp"],
    ["80/", 80, 80, "tcp"],
    ["8000-8010/sctp", 8000, 8010, "sctp"],
    ["0-65535", 0, 65535, "tcp"],
  ])("%s", (text, first, last, protocol) => {
    expect(parsePort(text)).toEqual({ first, last, protocol });
  });

  it.each(["", "x", "80/icmp", "80/tcp/udp", "65536", "9-8", "-1", "1-", "1-2-3", "+1", " 1", "1e3"])(
    "refuses %j",
    (text) => {
      expect(() => parsePort(text)).toThrow(DockerError);
    },
  );

  it("counts a range's ports", () => {
    expect([countPorts(parsePortRange("80")), countPorts(parsePortRange("8000-8010"))]).toEqual([1, 11]);
  });
});

describe("parseHostBindings", () => {
  it("reads lists as clients send them", () => {
    expect(parseHostBindings(null)).toEqual([]);
    expect(
      parseHostBindings([
        { HostIp: "127.0.0.1", HostPort: "8080" },
        { hostport: "9000-9001" },
        { HostPort: "" },
        { HostPort: "0" },
        {},
        null,
      ]),
    ).toEqual([
      { ip: "127.0.0.1", ports: { first: 8080, last: 8080 } },
      { ip: "", ports: { first: 9000, last: 9001 } },
      { ip: "", ports: undefined },
      { ip: "", ports: undefined },
      { ip: "", ports: undefined },
      { ip: "", ports: undefined },
    ]);
  });

  it("refuses what the engine would", () => {
    for (const value of ["80", {}, [{ HostPort: 80 }], [{ HostPort: "http" }], [{ HostIp: 1 }]]) {
      expect(() => parseHostBindings(value)).toThrow(DockerError);
    }
  });
});

describe("isUnspecified", () => {
  it("knows every spelling of every address", () => {
    expect(["", "0.0.0.0", "::", "[::]", "::0", "0:0:0:0:0:0:0:0"].every(isUnspecified)).toBe(true);
    expect(["127.0.0.1", "::1", "10.0.0.0", "0", ":"].some(isUnspecified)).toBe(false);
  });
});
