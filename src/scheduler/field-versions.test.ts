import { describe, expect, it } from "vitest";
import { fieldNeeds } from "./field-versions.ts";

const endpoint = (settings: object) => ({ NetworkingConfig: { EndpointsConfig: { shop: settings } } });
const mount = (settings: object) => ({ HostConfig: { Mounts: [{ Type: "volume" }, settings] } });

describe("fieldNeeds", () => {
  it.each([
    [{ HostConfig: { CgroupnsMode: "private" } }, "HostConfig.CgroupnsMode", "1.41"],
    [{ HostConfig: { Annotations: { a: "b" } } }, "HostConfig.Annotations", "1.43"],
    [{ hostconfig: { annotations: { a: "b" } } }, "HostConfig.Annotations", "1.43"],
    [{ Healthcheck: { StartInterval: 5e9 } }, "Healthcheck.StartInterval", "1.44"],
    [endpoint({ MacAddress: "02:42:ac:11:00:02" }), "NetworkingConfig.EndpointsConfig.*.MacAddress", "1.44"],
    [endpoint({ GwPriority: 1 }), "NetworkingConfig.EndpointsConfig.*.GwPriority", "1.48"],
    [
      endpoint({ DriverOpts: { "com.docker.network.endpoint.sysctls": "net.x=1" } }),
      "NetworkingConfig.EndpointsConfig.*.DriverOpts.com.docker.network.endpoint.sysctls",
      "1.46",
    ],
    [mount({ BindOptions: { CreateMountpoint: true } }), "HostConfig.Mounts[].BindOptions.CreateMountpoint", "1.42"],
    [
      mount({ BindOptions: { ReadOnlyNonRecursive: true } }),
      "HostConfig.Mounts[].BindOptions.ReadOnlyNonRecursive",
      "1.44",
    ],
    [mount({ VolumeOptions: { Subpath: "a" } }), "HostConfig.Mounts[].VolumeOptions.Subpath", "1.45"],
    [mount({ TmpfsOptions: { Options: [["noexec"]] } }), "HostConfig.Mounts[].TmpfsOptions.Options", "1.46"],
    [mount({ Type: "image" }), "HostConfig.Mounts[].Type=image", "1.48"],
    [mount({ Type: "cluster" }), "HostConfig.Mounts[].Type=cluster", "1.42"],
  ])("%j needs %s", (body, field, version) => {
    expect(fieldNeeds(body, {})).toEqual([{ field, version }]);
  });

  it("needs nothing for what is newer than the client's version, which every engine drops", () => {
    const body = { HostConfig: { Annotations: { a: "b" } }, ...endpoint({ MacAddress: "02:42:ac:11:00:02" }) };
    expect(fieldNeeds(body, { version: "1.25" })).toEqual([]);
    expect(fieldNeeds(body, { version: "1.43" })).toEqual([{ field: "HostConfig.Annotations", version: "1.43" }]);
    expect(fieldNeeds(body, { version: "1.51" })).toHaveLength(2);
  });

  it("needs a platform's version", () => {
    expect(fieldNeeds({}, { platform: "linux/arm64" })).toEqual([{ field: "platform", version: "1.41" }]);
  });

  it("needs nothing for the empty values that new clients send, for the terminal's size, or for a second network", () => {
    const body = {
      Healthcheck: { StartInterval: 0 },
      HostConfig: {
        Annotations: {},
        CgroupnsMode: "",
        ConsoleSize: [24, 80],
        Mounts: [{ Type: "bind", BindOptions: { CreateMountpoint: false } }, null],
      },
      NetworkingConfig: { EndpointsConfig: { a: { MacAddress: "", GwPriority: 0, DriverOpts: null }, b: null } },
    };
    expect(fieldNeeds(body, {})).toEqual([]);
    expect(fieldNeeds(null, { platform: "" })).toEqual([]);
  });
});
