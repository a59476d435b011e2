import { describe, expect, it } from "vitest";
import { readRequest, takenFromEnv } from "./request.ts";
import { request } from "./testing.ts";

describe("tolerance", () => {
  it.each([null, undefined, "x", [], {}, { HostConfig: null, Env: null, Labels: null, NetworkingConfig: null }])(
    "reads %j as a request that asks nothing",
    (body) => {
      expect(readRequest(body, "c", {}, { cpuShares: "cpus" })).toMatchObject({
        image: "",
        nanoCpus: 0,
        memory: 0,
        ports: [],
        constraints: [],
        dependencies: [],
        volumes: [],
        networks: [],
        needs: [],
        succeeds: undefined,
      });
    },
  );

  it("folds the case of field names as Go does, and refuses a field spelled twice", () => {
    expect(request({ hostconfig: { MEMORY: 5 } }).memory).toBe(5);
    expect(() => request({ HostConfig: { Memory: 1, memory: 2 } })).toThrowError(
      expect.objectContaining({
        status: 400,
        message: "field Memory is given more than once in different letter case",
      }),
    );
  });

  it("does not fold the keys of maps", () => {
    expect(request({ Labels: { a: "1", A: "2", __proto__x: null } }).labels).toEqual({
      a: "1",
      A: "2",
      __proto__x: "",
    });
  });
});

describe("reservations", () => {
  it.each([
    [{ NanoCpus: 500_000_000, CpuShares: 2 }, 5e8],
    [{ CpuShares: 2 }, 2e9],
    [{ CpuShares: 8 }, 8e9],
    [{ CpuShares: 9 }, 0],
    [{ CpuShares: 1024 }, 0],
    [{ NanoCpus: -1 }, 0],
  ])("%j reserves %d nano CPUs", (HostConfig, nanoCpus) => {
    expect(request({ HostConfig }).nanoCpus).toBe(nanoCpus);
  });

  it("leaves CPU shares to Docker when told to", () => {
    const body = { HostConfig: { CpuShares: 2 } };
    expect(readRequest(body, "c", {}, { cpuShares: "docker" }).nanoCpus).toBe(0);
  });

  it.each([
    [{ Memory: 100 }, 100],
    [{ Memory: 100, MemoryReservation: 40 }, 40],
    [{ Memory: -1 }, 0],
    [{ Memory: "100" }, 0],
  ])("%j reserves %d bytes", (HostConfig, memory) => {
    expect(request({ HostConfig }).memory).toBe(memory);
  });
});

describe("ports", () => {
  const ports = (HostConfig: object, rest: object = {}) =>
    request({ HostConfig, ...rest }).ports.map((claim) => `${claim.ip}:${claim.port}/${claim.protocol}`);

  it.each([
    [{ "80/tcp": [{ HostIp: "", HostPort: "80" }] }, [":80/tcp"]],
    [{ "80/udp": [{ HostIp: "0.0.0.0", HostPort: "81" }] }, [":81/udp"]],
    [
      {
        "80/tcp": [
          { HostIp: "::", HostPort: "80" },
          { HostIp: "0.0.0.0", HostPort: "80" },
        ],
      },
      [":80/tcp"],
    ],
    [{ "80": [{ HostIp: "127.0.0.1", HostPort: "80" }] }, ["127.0.0.1:80/tcp"]],
    [{ "80/tcp": [{ HostIp: "[FE80::1]", HostPort: "80" }] }, ["fe80::1:80/tcp"]],
    [{ "80/tcp": [{ HostPort: "" }, { HostPort: "0" }, {}, null] }, []],
    [{ "80/tcp": [{ HostPort: "8000-8010" }] }, []],
    [{ "80/tcp": [{ HostPort: "8000-8000" }] }, [":8000/tcp"]],
    [{ "80/tcp": [{ HostPort: "99999" }] }, []],
    [{ "80/tcp": null }, []],
    [null, []],
  ])("bindings %j claim %j", (PortBindings, expected) => {
    expect(ports({ PortBindings })).toEqual(expected);
  });

  it("are the exposed ones on the host's network, and none without a network of one's own", () => {
    const PortBindings = { "80/tcp": [{ HostPort: "8080" }] };
    const ExposedPorts = { "80/tcp": {}, "90-91/udp": {} };
    expect(ports({ NetworkMode: "host", PortBindings }, { ExposedPorts })).toEqual([":80/tcp", ":90/udp", ":91/udp"]);
    expect(ports({ NetworkMode: "none", PortBindings }, { ExposedPorts })).toEqual([]);
    expect(ports({ NetworkMode: "container:db", PortBindings }, { ExposedPorts })).toEqual([]);
  });
});

describe("what it leans on", () => {
  it("reads links, volumes-from and container: modes", () => {
    const HostConfig = {
      Links: ["db:database", "/cache:/web/cache"],
      VolumesFrom: ["data:ro", "data:ro"],
      NetworkMode: "container:net",
      IpcMode: "container:ipc",
      PidMode: "host",
    };
    expect(request({ HostConfig }).dependencies).toEqual([
      { ref: "db", from: "--link" },
      { ref: "cache", from: "--link" },
      { ref: "data", from: "--volumes-from" },
      { ref: "net", from: "--network" },
      { ref: "ipc", from: "--ipc" },
    ]);
  });

  it("reads named volumes from binds and mounts", () => {
    const HostConfig = {
      Binds: ["data:/data:ro", "/host:/x", "./rel:/x", "C:\\dir:/x", "/anonymous", "node-1/old:/old", "anonymous"],
      Mounts: [
        { Type: "volume", Source: "logs", Target: "/l" },
        { Type: "volume", Source: "", Target: "/anonymous" },
        { Type: "bind", Source: "/etc", Target: "/etc" },
        null,
      ],
    };
    expect(request({ HostConfig }).volumes).toEqual(["data", "node-1/old", "logs"]);
  });

  it.each([
    ["default", {}, []],
    ["bridge", { bridge: {} }, []],
    ["container:x", {}, []],
    ["shop", { shop: {}, back: {} }, ["shop", "back"]],
    ["", { default: {} }, []],
  ])("reads the networks of mode %s with endpoints %j", (NetworkMode, EndpointsConfig, expected) => {
    const body = { HostConfig: { NetworkMode }, NetworkingConfig: { EndpointsConfig } };
    expect(request(body).networks).toEqual(expected);
  });
});

describe("bounds", () => {
  it("refuse more references than any container has", () => {
    const Binds = Array.from({ length: 1025 }, (_, i) => `v${i}:/v${i}`);
    expect(() => request({ HostConfig: { Binds } })).toThrowError(
      expect.objectContaining({ status: 400, message: "more than 1024 links, bind mounts, volumes and networks" }),
    );
    expect(request({ HostConfig: { Binds: Binds.slice(1) } }).volumes).toHaveLength(1024);
  });
});

describe("succession", () => {
  const compose = (labels: object) => ({
    "com.docker.compose.project": "shop",
    "com.docker.compose.service": "web",
    "com.docker.compose.container-number": "1",
    ...labels,
  });

  it("is Compose's slot, and the replaced ID where an old Compose gives one", () => {
    const id = "a".repeat(64);
    expect(request({ Labels: compose({}) }).succeeds).toEqual({ slot: "shop/web/1" });
    expect(request({ Labels: compose({ "com.docker.compose.replace": "web-1" }) }).succeeds).toEqual({
      slot: "shop/web/1",
    });
    expect(request({ Labels: { "com.docker.compose.replace": id } }).succeeds).toEqual({ replaces: id });
  });

  it("is nothing for a one-off", () => {
    expect(request({ Labels: compose({ "com.docker.compose.oneoff": "True" }) }).succeeds).toBeUndefined();
  });
});

describe("expressions", () => {
  it("come from Env and from classic Swarm's labels, each once", () => {
    const asked = request({
      Env: ["A=1", "constraint:storage==ssd", "affinity:container!=~db*", "whitelist:node==n1|n2", null],
      Labels: {
        "com.docker.swarm.constraints": '["storage==ssd","region!=eu"]',
        "com.docker.swarm.affinities": "null",
        "com.docker.swarm.reschedule-policies": '["on-node-failure"]',
      },
    });
    expect(asked.constraints.map(({ text }) => text)).toEqual(["storage==ssd", "region!=eu"]);
    expect(asked.affinities.map(({ text, soft }) => [text, soft])).toEqual([["container!=~db*", true]]);
    expect(asked.whitelists.map(({ text }) => text)).toEqual(["node==n1|n2"]);
    expect(asked.reschedule).toBe("on-node-failure");
  });

  it.each(["off", "never", "always", "on-node-failure"])("knows the reschedule policy %s", (policy) => {
    expect(request({ Env: [`reschedule:${policy}`] }).reschedule).toBe(policy);
    const seed = request({ Env: [`constraint:reschedule==${policy}`] });
    expect([seed.reschedule, seed.constraints]).toEqual([policy, []]);
  });

  it.each([
    [["reschedule:off", "reschedule:always"], "too many reschedule policies"],
    [["reschedule:sometimes"], "invalid reschedule policy: sometimes"],
    [["constraint:reschedule!=never"], "invalid reschedule policy: !=never"],
    [["constraint:storage"], "One of operator ==, != is expected"],
    [Array.from({ length: 257 }, (_, i) => `constraint:key==${i}`), "more than 256 constraint expressions"],
  ])("refuses %j", (Env, message) => {
    expect(() => request({ Env })).toThrowError(expect.objectContaining({ status: 400, message }));
  });

  it.each(["ssd", "{}", "[1]"])("refuses the label %j", (label) => {
    expect(() => request({ Labels: { "com.docker.swarm.constraints": label } })).toThrow(
      "label com.docker.swarm.constraints is not a JSON array of strings",
    );
  });
});

describe("what is taken from the environment", () => {
  it("is what is left, the entries, and labels that carry all of a kind", () => {
    const taken = takenFromEnv({
      Env: ["A=1", "constraint:storage==ssd", "constraint:reschedule==never", "B"],
      Labels: { "com.docker.swarm.constraints": '["region==eu"]', "com.docker.swarm.affinities": '["image==x"]' },
    });
    expect(taken).toEqual({
      env: ["A=1", "B"],
      entries: ["constraint:storage==ssd", "constraint:reschedule==never"],
      labels: {
        "com.docker.swarm.constraints": '["region==eu","storage==ssd"]',
        "com.docker.swarm.reschedule-policies": '["never"]',
      },
    });
  });

  it("is nothing without expressions", () => {
    expect(takenFromEnv({ Env: ["A=constraint:x"] })).toEqual({ env: undefined, entries: [], labels: {} });
  });

  it("reads back the same when the labels are used in its place", () => {
    const body = { Env: ["affinity:image==redis", "constraint:node!=~n1"], Labels: {} };
    const { env, labels } = takenFromEnv(body);
    const again = request({ Env: env, Labels: labels });
    const first = request(body);
    expect([again.affinities, again.constraints]).toEqual([first.affinities, first.constraints]);
  });
});
