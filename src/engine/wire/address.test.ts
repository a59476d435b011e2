import { describe, expect, it } from "vitest";
import { formatAddress, hostHeader, parseAddress } from "./address.ts";

describe("parseAddress", () => {
  it.each([
    ["10.0.0.1:2375", "10.0.0.1:2375"],
    ["tcp://node-1:2376", "node-1:2376"],
    ["http://10.0.0.1:80/", "10.0.0.1:80"],
    ["10.0.0.1", "10.0.0.1:2375"],
    ["[::1]:2375", "[::1]:2375"],
    ["tcp://[fe80::1%eth0]", "[fe80::1%eth0]:2375"],
    ["unix:///var/run/docker.sock", "unix:///var/run/docker.sock"],
    ["/run/user/1000/docker.sock", "unix:///run/user/1000/docker.sock"],
  ])("reads %s", (text, canonical) => {
    expect(formatAddress(parseAddress(text))).toBe(canonical);
  });

  it.each(["", ":2375", "a:b", "a:0", "a:70000", "ssh://host", "a b:1", "::1:2375", "unix://"])(
    "refuses %j",
    (text) => {
      expect(() => parseAddress(text)).toThrow(`invalid engine address "${text}"`);
    },
  );

  it("names a socket docker in the Host header", () => {
    expect(hostHeader("unix:///run/docker.sock")).toBe("docker");
    expect(hostHeader("10.0.0.1:2375")).toBe("10.0.0.1:2375");
  });
});
