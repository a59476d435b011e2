/** S1, the whole JSON of inspect and of the list: as on one engine but for what is named here. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { normalizerFor } from "../support/case.ts";
import { docker } from "../support/docker.ts";
import { at, emptyFleet, fleet } from "../support/fleet.ts";
import { get } from "../support/http.ts";
import { type Manager, startManager } from "../support/manager.ts";

type Json = Record<string, unknown>;

let manager: Manager;
beforeAll(async () => {
  await emptyFleet();
  manager = await startManager();
});
afterAll(async () => {
  await manager?.stop();
  await emptyFleet();
});

const CREATE: Record<string, string> = {
  plain: "docker run -d --name NAME busybox sleep 60",
  ports: "docker run -d --name NAME -P -p 18300:81 -p 127.0.0.1:18301:82 redis",
  everything:
    "docker run -d --name NAME --hostname h --label a=b -e A=B -v NAMEvol:/data -m 64m --memory-swap 64m --cpus 0.5 " +
    "--restart unless-stopped --ulimit nofile=100:200 --dns 10.0.0.1 --add-host x:10.0.0.2 --cap-add NET_ADMIN " +
    "--health-cmd true --log-opt max-size=1m --tmpfs /t --sysctl net.ipv4.ip_forward=1 busybox sleep 60",
};

/** What rightly differs between two engines, and what shoal adds: the node. */
function comparable(raw: Json, side: "reference" | "subject"): unknown {
  const json = structuredClone(raw);
  delete json.Node;
  const state = typeof json.State === "object" ? (json.State as Json) : undefined;
  if (state !== undefined) state.Pid = "<pid>";
  if (state?.Health !== undefined) state.Health = "<health>";
  // Paths on the host contain the engine's own folders.
  for (const key of ["ResolvConfPath", "HostnamePath", "HostsPath", "LogPath", "GraphDriver"]) delete json[key];
  for (const mount of (json.Mounts as Json[] | undefined) ?? []) delete mount.Source;
  const settings = json.NetworkSettings as Json | undefined;
  for (const key of ["SandboxKey", "SandboxID"]) delete settings?.[key];
  return normalizerFor(side).value(withoutTwins(json));
}

/** On one engine each published port has an IPv6 twin in the JSON; through shoal the node's address stands there once. */
function withoutTwins(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value
      .filter((item) => (item as Json | null)?.HostIp !== "::" && (item as Json | null)?.IP !== "::")
      .map(withoutTwins);
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      // From 32768 on the engine chose it.
      const chosen = (key === "HostPort" || key === "PublicPort") && Number(item) >= 32_768;
      return [key, chosen ? "<port>" : withoutTwins(item)];
    }),
  );
}

describe("the whole JSON", () => {
  for (const [name, line] of Object.entries(CREATE)) {
    it(`of inspect: ${name}`, async () => {
      const sides = [fleet().reference.host, manager.host];
      await Promise.all(sides.map((host) => docker(at(host), line.replaceAll("NAME", `inspect-${name}`))));
      const [reference, subject] = await Promise.all(
        sides.map((host) => get<Json>(host, `/v1.41/containers/inspect-${name}/json`)),
      );
      const wanted = comparable(reference ?? {}, "reference");
      expect(comparable(subject ?? {}, "subject")).toEqual(wanted);
      const raw = JSON.stringify(subject);
      if (fleet().subject === "shoal") expect(raw).not.toContain('"HostIp":"::"');
    });

    it(`of the list: ${name}`, async () => {
      const path = `/v1.41/containers/json?all=1&filters=${encodeURIComponent(JSON.stringify({ name: [`inspect-${name}`] }))}`;
      const [reference, subject] = await Promise.all(
        [fleet().reference.host, manager.host].map((host) => get<Json[]>(host, path)),
      );
      const rows = (list: Json[] | undefined, side: "reference" | "subject"): unknown =>
        list?.map((row) => {
          const labels = row.Labels as Record<string, string>;
          const own = Object.fromEntries(Object.entries(labels).filter(([key]) => !key.startsWith("shoal.")));
          return comparable({ ...row, Labels: own, Created: "<time>", Ports: byPort(row.Ports) }, side);
        });
      expect(rows(subject, "subject")).toEqual(rows(reference, "reference"));
    });
  }

  it("of inspect names the node, and the CLI can print it", async () => {
    if (fleet().subject === "engine") return;
    await docker(at(manager.host), "docker create --name inspect-node busybox");
    const json = await get<{ Node?: { Name: string; IP: string; Addr: string } }>(
      manager.host,
      "/containers/inspect-node/json",
    );
    const node = fleet().nodes.find(({ name }) => name === json.Node?.Name);
    expect(node?.address).toBe(json.Node?.IP);
    expect(json.Node?.Addr).toBe(`${node?.address}:2375`);
    for (const cli of ["28", "20.10"] as const) {
      const printed = await docker(at(manager.host, cli), "docker inspect -f '{{.Node.Name}}' inspect-node");
      expect(printed).toBe(node?.name);
      const column = `docker ps -a --filter name=inspect-node --format '{{.Label "shoal.NODE"}}'`;
      expect(await docker(at(manager.host, cli), column)).toBe(node?.name);
    }
  });
});

/** Engines list ports in no order. */
function byPort(ports: unknown): unknown {
  const list = (ports as { PrivatePort: number; IP?: string }[] | undefined) ?? [];
  return [...list].sort(
    (one, other) => one.PrivatePort - other.PrivatePort || (one.IP ?? "").localeCompare(other.IP ?? ""),
  );
}
