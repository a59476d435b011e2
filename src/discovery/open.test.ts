import { describe, expect, it } from "vitest";
import { systemClock } from "../kit/clock.ts";
import { silentLog } from "../kit/log.ts";
import { hubAddress, tokenAddress } from "./hub/address.ts";
import { openDiscovery, withoutSecret } from "./open.ts";
import { readDiscoveryOptions } from "./options.ts";

const open = (url: string) => openDiscovery(url, { clock: systemClock, log: silentLog, heartbeatMs: 60_000 });

describe("openDiscovery", () => {
  it.each([
    ["nodes://a:1,b", ["a:1", "b:2375"]],
    ["a:1,b:2", ["a:1", "b:2"]],
    ["10.0.0.[1:2]", ["10.0.0.1:2375", "10.0.0.2:2375"]],
    ["a", ["a:2375"]],
    ["unix:///var/run/docker.sock", ["unix:///var/run/docker.sock"]],
    ["nodes://unix:///var/run/docker.sock,b", ["unix:///var/run/docker.sock", "b:2375"]],
    ["tcp://a:1,tcp://b:2", ["a:1", "b:2"]],
    ["NODES://10.0.0.[1:2]:2375", ["10.0.0.1:2375", "10.0.0.2:2375"]],
  ])("%s", async (url, entries) => {
    const discovery = await open(url);
    expect(discovery.url).toBe(url);
    expect(await discovery.list()).toEqual(entries.map((address) => ({ address })));
    expect(discovery.registry).toBeUndefined();
  });

  it.each([
    ["ftp://x", "unknown discovery scheme ftp://"],
    ["mesos://x", "unknown discovery scheme mesos://"],
    ["nodes://", "names no node"],
    ["", "names no node"],
    ["file://", "names no file"],
    ["nodes://a:x", "bad port"],
    ["/etc/cluster", "bad host"],
    ["token://abc", "no hub is known, and classic Swarm's hosted service is gone: run one with `shoal hub`"],
    ["https://hub", "names no cluster"],
    ["https://hub/u/a/b?x=1", "bad URL of a hub at hub"],
  ])("%j: %s", async (url, words) => {
    await expect(open(url)).rejects.toThrow(words);
  });
});

describe("a cluster's address at a hub", () => {
  it("is the URL as it stands, with the token of the URL or of the environment", () => {
    expect(hubAddress("https://hub/u/demo/cluster-1", { token: "t" })).toEqual({
      host: "hub:443",
      tls: true,
      path: "/u/demo/cluster-1",
      credential: "t",
    });
    expect(hubAddress("http://abc@[::1]:2378/u/demo/c/", { token: "t" })).toEqual({
      host: "[::1]:2378",
      tls: false,
      path: "/u/demo/c",
      credential: "abc",
    });
  });

  it("is below the hub's own for a token, the hosted service's old base included", () => {
    const path = "/v1/clusters/0a1b";
    for (const url of ["http://hub:1", "http://hub:1/", "http://hub:1/v1"]) {
      expect(tokenAddress("0a1b", { url })).toMatchObject({ host: "hub:1", tls: false, path });
    }
    expect(tokenAddress("other:2/0a1b", { url: "http://hub:1" })).toMatchObject({ host: "other:2", tls: true, path });
    expect(() => tokenAddress("", { url: "http://hub" })).toThrow("token:// names no token");
  });

  it("is shown without what opens it", () => {
    expect(withoutSecret("token://0a1b")).toBe("token://…");
    expect(withoutSecret("token://hub:1/0a1b")).toBe("token://hub:1/…");
    expect(withoutSecret("https://joe:0a1b@hub/u/demo/c")).toBe("https://…@hub/u/demo/c");
    expect(withoutSecret("https://hub/v1/clusters/0a1b")).toBe("https://hub/v1/clusters/…");
    expect(withoutSecret("nodes://a,b")).toBe("nodes://a,b");
  });
});

describe("--discovery-opt", () => {
  it("has classic Swarm's names", () => {
    expect(readDiscoveryOptions(["kv.path=/a/b/", "kv.cacertfile=ca"])).toEqual({ path: "a/b", caFile: "ca" });
    expect(() => readDiscoveryOptions(["nothing"])).toThrow("it should be of the form key=value");
    expect(() => readDiscoveryOptions(["kv.color=red"])).toThrow("unknown --discovery-opt kv.color: there are kv.path");
  });
});
