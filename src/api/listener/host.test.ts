import { describe, expect, it } from "vitest";
import { formatHost, isLocalHost, parseHost } from "./host.ts";

describe("parseHost", () => {
  it.each([
    ["tcp://0.0.0.0:2375", { kind: "tcp", host: "0.0.0.0", port: 2375 }],
    ["127.0.0.1:2375", { kind: "tcp", host: "127.0.0.1", port: 2375 }],
    ["manager.example:80", { kind: "tcp", host: "manager.example", port: 80 }],
    ["[::1]:2375", { kind: "tcp", host: "::1", port: 2375 }],
    ["tcp://[fe80::1%eth0]:1", { kind: "tcp", host: "fe80::1%eth0", port: 1 }],
    [":2375", { kind: "tcp", host: "", port: 2375 }],
    ["unix:///run/shoal.sock", { kind: "unix", path: "/run/shoal.sock" }],
  ])("reads %s and writes it back", (text, host) => {
    expect(parseHost(text)).toEqual(host);
    expect(parseHost(formatHost(parseHost(text)))).toEqual(host);
  });

  it.each([
    ["tcp://0.0.0.0", "-H tcp://0.0.0.0: no port, write tcp://0.0.0.0:2375"],
    ["localhost", "-H localhost: no port, write tcp://localhost:2375"],
    ["tcp://a:70000", "the port must be at most 65535"],
    ["tcp://a:1/x", "not an address to listen on"],
    ["::1:2375", "not an address to listen on"],
    ["tcp://user@a:1", "not an address to listen on"],
    ["a:b", "not an address to listen on"],
    ["fd://", "cannot listen on fd://, only on tcp:// and unix://"],
    ["http://a:1", "cannot listen on http://"],
    ["/run/x.sock", "to listen on a unix socket write unix:///run/x.sock"],
    ["unix://x.sock", "the socket's path must be absolute"],
    ["unix:///run/", "this is a directory"],
    [`unix:///${"x".repeat(107)}`, "107 bytes at most"],
  ])("refuses %s", (text, words) => {
    expect(() => parseHost(text)).toThrow(words);
  });

  it("knows what only this machine reaches", () => {
    const local = ["unix:///a", "127.0.0.1:1", "127.9.9.9:1", "localhost:1", "[::1]:1"];
    const open = [":1", "0.0.0.0:1", "10.0.0.1:1", "[::]:1", "127.0.0.1.evil.example:1"];
    expect(local.map((text) => isLocalHost(parseHost(text)))).toEqual(local.map(() => true));
    expect(open.map((text) => isLocalHost(parseHost(text)))).toEqual(open.map(() => false));
  });
});
