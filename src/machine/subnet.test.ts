import { describe, expect, it } from "vitest";
import {
  addressIn,
  chooseHosts,
  chooseSubnet,
  gatewayOf,
  macOf,
  overlaps,
  parseSubnet,
  takenSubnets,
} from "./subnet.ts";

const subnet = (text: string) => parseSubnet(text) ?? { base: Number.NaN, prefix: 0 };

describe("subnets", () => {
  it("are read with their host bits cleared", () => {
    expect(parseSubnet("10.99.3.7/24")).toEqual(parseSubnet("10.99.3.0/24"));
    expect(parseSubnet("10.99.3.7")).toEqual({ base: 0x0a630307, prefix: 32 });
    for (const bad of ["default", "10.0.0", "10.0.0.256", "10.0.0.0/33", "fe80::/64"])
      expect(parseSubnet(bad)).toBeNull();
  });

  it("overlap when one holds the other, in either order", () => {
    expect(overlaps(subnet("10.0.0.0/8"), subnet("10.99.3.0/24"))).toBe(true);
    expect(overlaps(subnet("10.99.3.0/24"), subnet("10.0.0.0/8"))).toBe(true);
    expect(overlaps(subnet("10.99.3.0/24"), subnet("10.99.4.0/24"))).toBe(false);
  });

  it("are chosen free, from a start on and round", () => {
    expect(chooseSubnet([], 0)).toBe("10.99.0.0/24");
    expect(chooseSubnet(["10.99.0.1/24", "192.168.0.0/16"], 0)).toBe("10.99.1.0/24");
    expect(chooseSubnet(["10.99.255.0/25"], 255)).toBe("10.99.0.0/24");
    expect(chooseSubnet(["10.99.0.0/17"], 5)).toBe("10.99.128.0/24");
    expect(() => chooseSubnet(["10.0.0.0/8"], 0)).toThrow(/no free/);
  });

  it("are taken by routes and addresses of the host, a default route aside", () => {
    const routes = [
      "default via 172.16.0.1 dev eth0",
      "10.99.7.0/24 dev shoal1 proto kernel scope link src 10.99.7.1",
      "local 10.99.7.1 dev shoal1 table local proto kernel scope host src 10.99.7.1",
      "broadcast 10.99.7.255 dev shoal1 table local",
      "unreachable 10.50.0.0/16",
    ].join("\n");
    const addresses = "4: eth0    inet 172.16.0.2/30 brd 172.16.0.3 scope global eth0\\ valid_lft forever";
    expect(takenSubnets(routes, addresses)).toEqual([
      "10.99.7.0/24",
      "10.99.7.1",
      "10.99.7.255",
      "10.50.0.0/16",
      "172.16.0.2/30",
    ]);
  });
});

describe("addresses", () => {
  it("are the lowest free ones", () => {
    expect(chooseHosts([], 3)).toEqual([2, 3, 4]);
    expect(chooseHosts([2, 4], 2)).toEqual([3, 5]);
    expect(() => chooseHosts([], 254)).toThrow(/room for 253/);
  });

  it("and MAC addresses follow from the subnet", () => {
    expect(gatewayOf("10.99.3.0/24")).toBe("10.99.3.1");
    expect(addressIn("10.99.3.0/24", 254)).toBe("10.99.3.254");
    expect(macOf("10.99.3.2")).toBe("02:5a:0a:63:03:02");
  });
});
