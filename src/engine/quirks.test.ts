import { describe, expect, it } from "vitest";
import {
  isContainerMissing,
  isImageMissing,
  isNodesOwnFault,
  isPortTaken,
  isRemovalInProgress,
  nameConflict,
} from "./quirks.ts";

const PROGRAMMING = "driver failed programming external connectivity on endpoint web (0af1)";

describe("a node's own fault", () => {
  it.each([
    [500, "write /var/lib/docker/tmp/x: no space left on device"],
    [500, "error creating overlay mount to /var/lib/docker/overlay2/x/merged: invalid argument"],
    [
      500,
      "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error setting cgroup config",
    ],
    [
      500,
      "OCI runtime create failed: container_linux.go:380: starting container process caused: process_linux.go:545: cgroups: cannot find cgroup mount destination: unknown",
    ],
    [500, "no available IPv4 addresses on this network's address pools: bridge (4f1c)"],
    [400, "all predefined address pools have been fully subnetted"],
    [500, "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network"],
    [500, `${PROGRAMMING}: Bind for 0.0.0.0:80 failed: port is already allocated`],
    [500, `${PROGRAMMING}: Error starting userland proxy: listen tcp4 0.0.0.0:80: bind: address already in use`],
    [
      500,
      "failed to set up container networking: driver failed programming external connectivity on endpoint web (0af1): failed to bind host port for 0.0.0.0:80:172.17.0.2:80/tcp: address already in use",
    ],
    [500, "failed to bind host port 0.0.0.0:8080/tcp: address already in use"],
    [400, "Unknown runtime specified kata"],
    [400, "unknown or invalid runtime name: kata"],
    [500, 'could not select device driver "" with capabilities: [[gpu]]'],
    [500, "fork/exec /usr/bin/containerd-shim: resource temporarily unavailable"],
  ])("%i %s", (status, message) => {
    expect(isNodesOwnFault(status, message)).toBe(true);
  });

  it.each([
    [
      400,
      'OCI runtime create failed: container_linux.go:380: starting container process caused: exec: "nope": executable file not found in $PATH: unknown',
    ],
    [
      500,
      'failed to create shim task: OCI runtime create failed: exec: "nope": executable file not found in $PATH: unknown',
    ],
    [
      500,
      "OCI runtime create failed: error mounting: not a directory: Are you trying to mount a directory onto a file (or vice-versa)?",
    ],
    [400, 'invalid mount config for type "bind": bind source path does not exist: /nope'],
    [409, 'Conflict. The container name "/web" is already in use by container "0123456789abcdef"'],
    [404, "No such image: redis:7"],
    [400, "Minimum memory limit allowed is 6MB"],
    [403, "Address already in use"],
    [200, "no space left on device"],
  ])("is not %i %s", (status, message) => {
    expect(isNodesOwnFault(status, message)).toBe(false);
  });
});

describe("what an engine means", () => {
  it("by a taken port", () => {
    expect(isPortTaken(500, `${PROGRAMMING}: Bind for 0.0.0.0:80 failed: port is already allocated`)).toBe(true);
    expect(isPortTaken(500, "Address already in use")).toBe(false);
  });

  it("by a missing image or container", () => {
    expect(isImageMissing(404, "No such image: redis:7")).toBe(true);
    expect(isImageMissing(404, "No such container: redis")).toBe(false);
    expect(isImageMissing(500, "No such image: redis:7")).toBe(false);
    expect(isContainerMissing(404, "No such container: redis")).toBe(true);
    expect(isContainerMissing(404, "No such exec instance: 1")).toBe(false);
  });

  it("by a conflict of names", () => {
    const id = "0123456789abcdef".repeat(4);
    const message = `Conflict. The container name "/web" is already in use by container "${id}". You have to remove`;
    expect(nameConflict(409, message)).toEqual({ id });
    expect(nameConflict(409, "You cannot remove a running container")).toBeUndefined();
  });

  it("by a removal that is under way", () => {
    expect(isRemovalInProgress(409, "removal of container web is already in progress")).toBe(true);
  });
});
