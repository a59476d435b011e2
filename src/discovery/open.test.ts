import { describe, expect, it } from "vitest";
import { systemClock } from "../kit/clock.ts";
import { openDiscovery } from "./open.ts";

const open = (url: string) => openDiscovery(url, { clock: systemClock, heartbeatMs: 1000 });

describe("openDiscovery", () => {
  it.each([
    ["nodes://a:1,b", ["a:1", "b:2375"]],
    ["a:1,b", ["a:1", "b:2375"]],
    ["a", ["a:2375"]],
    ["unix:///var/run/docker.sock", ["unix:///var/run/docker.sock"]],
    ["nodes://unix:///var/run/docker.sock,b", ["unix:///var/run/docker.sock", "b:2375"]],
    ["tcp://a:1,tcp://b:2", ["a:1", "b:2"]],
    ["NODES://10.0.0.[1:2]:2375", ["10.0.0.1:2375", "10.0.0.2:2375"]],
  ])("%s", async (url, entries) => {
    expect(open(url).url).toBe(url);
    expect(await open(url).list()).toEqual(entries.map((address) => ({ address })));
  });

  it.each(["token://x", "etcd://x/y", "consul://x", "zk://x", "mesos://x"])("%s: says what works now", (url) => {
    expect(() => open(url)).toThrow(/is not supported yet: nodes:\/\/.* and file:\/\/path work/);
  });

  it.each([
    ["ftp://x", "unknown discovery scheme ftp://"],
    ["nodes://", "names no node"],
    ["", "names no node"],
    ["file://", "names no file"],
    ["nodes://a:x", "bad port"],
    ["/etc/cluster", "bad host"],
  ])("%j: %s", (url, words) => {
    expect(() => open(url)).toThrow(words);
  });
});
