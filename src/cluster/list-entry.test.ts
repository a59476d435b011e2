import { describe, expect, it } from "vitest";
import { type ListEntry, nodePorts, readList, renderRow, retellEntry } from "./list-entry.ts";
import type { ContainerState } from "./record.ts";

const ROW = `{"Id":"e1","Names":["/web","/proxy/back"],"Image":"busybox","ImageID":"sha256:1","Created":1700000000,
"Ports":[{"IP":"0.0.0.0","PrivatePort":80,"PublicPort":8080,"Type":"tcp"},{"IP":"::","PrivatePort":80,"PublicPort":8080,"Type":"tcp"}],
"Labels":{"a":"1","shoal.hint":"{}"},"State":"running","Status":"Up 3 minutes (healthy)","Unheard":9223372036854775807,
"HostConfig":{"NetworkMode":"container:e2"},"NetworkSettings":{"Networks":{"bridge":{"NetworkID":"n1"}}}}`;

const VIEW = {
  id: "c1",
  shownName: "web",
  nodeName: "node-1",
  nodeIp: "10.0.0.1",
  clusterId: (id: string) => id.replace("e", "c"),
  networkId: (id: string) => id.replace("n", "m"),
};
const sent = (entry: ListEntry, status = ""): string => `${entry.head}${JSON.stringify(status)}${entry.tail}`;

describe("a row", () => {
  const [row] = readList(`[${ROW}]`);
  if (!row) throw new Error("the row was not read");

  it("is read as far as shoal acts on it", () => {
    expect(row).toMatchObject({
      engineId: "e1",
      name: "web",
      aliases: ["proxy/back"],
      state: "running",
      created: 17e8,
    });
  });

  it("is shown in the cluster's terms, and what is unknown passes", () => {
    const entry = renderRow(row, VIEW);
    const text = sent(entry, "Up 4 minutes");
    expect(JSON.parse(text)).toMatchObject({
      Id: "c1",
      Names: ["/web", "/proxy/back"],
      Labels: { a: "1", "shoal.NODE": "node-1" },
      Ports: [{ IP: "10.0.0.1", PrivatePort: 80, PublicPort: 8080, Type: "tcp" }],
      Status: "Up 4 minutes",
      HostConfig: { NetworkMode: "container:c2" },
      NetworkSettings: { Networks: { bridge: { NetworkID: "m1" } } },
    });
    expect(text).toContain('"Unheard":9223372036854775807');
    expect(text).not.toContain("shoal.hint");
    expect(entry.status).toEqual({ before: "Up ", duration: "3 minutes", after: " (healthy)" });
  });

  it("can be shown under another name, aliases of links stay", () => {
    const entry = renderRow(row, VIEW);
    const as = (from: ListEntry, shownName: string): ListEntry =>
      retellEntry(from, { shownName, state: "running", exitCode: undefined });
    const renamed = as(entry, "node-1/web");
    expect(JSON.parse(sent(renamed, "x"))).toEqual({
      ...JSON.parse(sent(entry, "x")),
      Names: ["/node-1/web", "/proxy/back"],
    });
    expect(sent(as(renamed, "web"), "x")).toBe(sent(entry, "x"));
  });

  it("can be shown in another state than the engine's row had", () => {
    const shown = (state: ContainerState, exitCode?: number): object => {
      const { status, ...rest } = retellEntry(renderRow(row, VIEW), { shownName: "web", state, exitCode });
      const { State, Ports } = JSON.parse(sent({ ...rest, status }, "x"));
      return { State, ports: Ports.length, Status: `${status.before}${status.duration}${status.after}` };
    };
    expect(shown("running")).toEqual({ State: "running", ports: 1, Status: "Up 3 minutes (healthy)" });
    expect(shown("paused")).toEqual({ State: "paused", ports: 1, Status: "Up Less than a second (Paused)" });
    expect(shown("exited", 7)).toEqual({ State: "exited", ports: 0, Status: "Exited (7) Less than a second ago" });
    // A stop's answer tells no code.
    expect(shown("exited")).toEqual({ State: "exited", ports: 0, Status: "Exited Less than a second ago" });
  });
});

describe("published ports", () => {
  it("show the node's address once for every address, and others as they are", () => {
    const port = { PrivatePort: 53, PublicPort: 53 };
    expect(
      nodePorts(
        [
          { IP: "0.0.0.0", ...port, Type: "udp" },
          { IP: "::", ...port, Type: "udp" },
          { IP: "127.0.0.1", ...port, Type: "udp" },
          { IP: "0.0.0.0", ...port, Type: "tcp" },
          { PrivatePort: 80, Type: "tcp" },
        ],
        "10.0.0.1",
      ),
    ).toEqual([
      { IP: "10.0.0.1", ...port, Type: "udp" },
      { IP: "127.0.0.1", ...port, Type: "udp" },
      { IP: "10.0.0.1", ...port, Type: "tcp" },
      { PrivatePort: 80, Type: "tcp" },
    ]);
  });
});
