import { describe, expect, it } from "vitest";
import { claimsOfListed, needsOfInspect } from "./needs.ts";

describe("needs of a container that an engine inspects", () => {
  it("are its limits, its published ports and whether it restarts by itself", () => {
    expect(
      needsOfInspect({
        Config: { Labels: null, ExposedPorts: { "80/tcp": {} } },
        HostConfig: {
          NanoCpus: 5e8,
          CpuShares: 2,
          Memory: 200,
          MemoryReservation: 100,
          NetworkMode: "default",
          PortBindings: { "80/tcp": [{ HostIp: "", HostPort: "8080" }], "81/tcp": [{ HostIp: "", HostPort: "" }] },
          RestartPolicy: { Name: "always" },
        },
      }),
    ).toEqual({
      nanoCpus: 5e8,
      memory: 100,
      ports: [{ ip: "", port: 8080, protocol: "tcp" }],
      whenExited: true,
    });
  });

  it("are the exposed ports on the host's network", () => {
    const inspect = { Config: { ExposedPorts: { "53/udp": {} } }, HostConfig: { NetworkMode: "host" } };
    expect(needsOfInspect(inspect).ports).toEqual([{ ip: "", port: 53, protocol: "udp" }]);
  });

  it("are counted even when its labels hold what is no expression", () => {
    const inspect = {
      Config: { Labels: { "com.docker.swarm.constraints": '["node=="]' }, Env: ["constraint:(((=="] },
      HostConfig: { Memory: 300, RestartPolicy: { Name: "unless-stopped" } },
    };
    expect(needsOfInspect(inspect)).toMatchObject({ memory: 300, whenExited: false });
  });
});

describe("ports that a list shows", () => {
  it("are claimed once for every address", () => {
    expect(
      claimsOfListed([
        { IP: "0.0.0.0", PrivatePort: 80, PublicPort: 8080, Type: "tcp" },
        { IP: "::", PrivatePort: 80, PublicPort: 8080, Type: "tcp" },
        { IP: "127.0.0.1", PrivatePort: 81, PublicPort: 8081, Type: "tcp" },
        { PrivatePort: 82, Type: "tcp" },
      ]),
    ).toEqual([
      { ip: "", port: 8080, protocol: "tcp" },
      { ip: "127.0.0.1", port: 8081, protocol: "tcp" },
    ]);
  });
});
