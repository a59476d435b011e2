import { expect, it } from "vitest";
import { freezerIn } from "./cgroups.ts";

const V1 = "cgroup /sys/fs/cgroup/freezer cgroup rw,relatime,freezer 0 0";
const V2 = "cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0";

it.each([
  ["version 1 and an empty version 2 beside it", `${V2}\n${V1}\n`, { mount: "/sys/fs/cgroup/freezer", isV1: true }],
  ["version 2", "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n", { mount: "/sys/fs/cgroup", isV1: false }],
  ["no freezer", "cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n", undefined],
])("the freezer is found in the mounts of a machine with %s", (_what, mounts, found) => {
  expect(freezerIn(mounts)).toEqual(found);
});
