import { expect, it } from "vitest";
import { cgroupMounts } from "./cgroup.ts";

it("finds the hierarchies of both versions, and nothing else", () => {
  const mounts = [
    "tmpfs /sys/fs/cgroup tmpfs rw 0 0",
    "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0",
    "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0",
    "proc /proc proc rw 0 0",
    "",
  ].join("\n");
  expect(cgroupMounts(mounts)).toEqual(["/sys/fs/cgroup/memory", "/sys/fs/cgroup/unified"]);
});
