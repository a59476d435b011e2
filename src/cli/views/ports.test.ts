import { describe, expect, it } from "vitest";
import { portsText } from "./ports.ts";

const tcp = (port: number, outside?: number, ip = "10.0.0.1") =>
  outside === undefined
    ? { PrivatePort: port, Type: "tcp" }
    : { IP: ip, PrivatePort: port, PublicPort: outside, Type: "tcp" };

describe("ports", () => {
  it.each([
    [[], ""],
    [[tcp(6379)], "6379/tcp"],
    [[tcp(82, 82), tcp(80, 80), tcp(81, 81)], "10.0.0.1:80-82->80-82/tcp"],
    [[tcp(80, 80), tcp(82, 82)], "10.0.0.1:80->80/tcp, 10.0.0.1:82->82/tcp"],
    [[tcp(80, 8080), tcp(81), tcp(82)], "81-82/tcp, 10.0.0.1:8080->80/tcp"],
    [[tcp(80, 80), { ...tcp(80, 80), Type: "udp" }], "10.0.0.1:80->80/tcp, 10.0.0.1:80->80/udp"],
    [[tcp(80, 80, "::1"), tcp(81, 9000, "::1")], "[::1]:80->80/tcp, [::1]:9000->81/tcp"],
    [[tcp(80, 80), tcp(80, 80, "10.0.0.2")], "10.0.0.1:80->80/tcp, 10.0.0.2:80->80/tcp"],
  ])("%j", (ports, text) => {
    expect(portsText(ports)).toBe(text);
  });
});
