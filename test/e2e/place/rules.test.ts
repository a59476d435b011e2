/** S4: constraints, affinities and the containers that belong together. */
import { type PlaceCase, type Placement, placeCases } from "../support/place-case.ts";

const NONE = [/unable to find a node that satisfies/i];

/** One creation on an empty cluster. */
const rule = (flags: string, expected: Omit<Placement, "make">): PlaceCase => ({
  name: flags,
  steps: [{ make: `${flags} busybox`, ...expected }],
});

placeCases("constraints", [
  rule("-e constraint:storage==ssd", { on: "node-1" }),
  rule("-e constraint:storage!=ssd", { on: ["node-2", "node-3"] }),
  rule("-e constraint:storage==disk -e constraint:node!=node-2", { on: "node-3" }),
  rule("-e 'constraint:storage==s*'", { on: "node-1" }),
  rule("-e 'constraint:storage!=s*'", { on: ["node-2", "node-3"] }),
  rule("-e 'constraint:storage==/^ss?d$/'", { on: "node-1" }),
  rule("-e 'constraint:storage==/(?i)SSD/'", { on: "node-1" }),
  rule("-e 'constraint:storage!=/^d.*/'", { on: "node-1" }),
  rule("-e constraint:storage==nosuch", { refused: NONE }),
  rule("-e constraint:nosuch==x", { refused: NONE }),
  rule("-e constraint:storage==~nosuch", { on: ["node-1", "node-2", "node-3"] }),
  rule("-e constraint:storage==~ssd", { on: "node-1" }),
  rule("-e constraint:storage!=~disk", { on: "node-1" }),
  rule("-e constraint:storage==~nosuch -e constraint:node==~node-3", { on: "node-3" }),
  rule("-e constraint:node==node-2", { on: "node-2" }),
  rule("-e 'constraint:node==/node-[23]/' -e constraint:node!=node-2", { on: "node-3" }),
  rule("-e constraint:node==nosuch", { refused: NONE }),
  rule("-e constraint:ostype==linux -e constraint:node==node-3", { on: "node-3" }),
  rule("-e constraint:OSTYPE==linux -e 'constraint:OperatingSystem==*Debian*' -e constraint:node==node-2", {
    on: "node-2",
  }),
  rule("-e constraint:storagedriver==nosuch", { refused: NONE }),
  rule("-e 'constraint:StorageDriver==*' -e constraint:node==node-2", { on: "node-2" }),
  rule("-e 'constraint:kernelversion==*.*' -e constraint:node==node-2", { on: "node-2" }),
  rule("-e 'constraint:architecture==*64' -e constraint:node==node-2", { on: "node-2" }),
  rule("-e constraint:ostype==windows", { refused: NONE }),
  rule(`--label 'com.docker.swarm.constraints=["storage==ssd"]'`, { on: "node-1" }),
  rule("-e constraint:storage=ssd", { refused: [/constraint|expression|operator/i] }),
]);

placeCases("affinity", [
  {
    name: "to a container, by name and by ID",
    steps: [
      { make: "--name front -e constraint:node==node-3 busybox", on: "node-3" },
      { make: "-e affinity:container==front busybox", on: "node-3" },
      { make: "docker create -e affinity:container==$(docker inspect -f '{{.Id}}' front) busybox", on: "node-3" },
      { make: "-e 'affinity:container==fr*' busybox", on: "node-3" },
    ],
  },
  {
    name: "away from a container",
    steps: [
      { make: "--name front -e constraint:node==node-1 busybox", on: "node-1" },
      { make: "--name back -e affinity:container!=front busybox", apart: "front" },
      { make: "-e affinity:container!=front -e affinity:container!=back busybox", apart: "front" },
      { make: "-e affinity:container!=front -e constraint:node==node-1 busybox", refused: NONE },
    ],
  },
  {
    name: "to a container that is not there: hard is refused, soft is not",
    steps: [
      { make: "-e affinity:container==nosuch busybox", refused: NONE },
      { make: "-e affinity:container==~nosuch busybox", on: ["node-1", "node-2", "node-3"] },
    ],
  },
  {
    name: "to an image",
    steps: [
      { make: "docker create --name ca -e constraint:node==node-2 busybox touch /x", on: "node-2" },
      {
        make: "docker commit ca only-here:1 >/dev/null; docker create -e affinity:image==only-here:1 busybox",
        on: "node-2",
      },
      { make: "-e affinity:image!=only-here:1 -e constraint:node==node-2 busybox", refused: NONE },
      { make: "-e affinity:image==nosuch:1 busybox", refused: NONE },
      { make: "docker rmi only-here:1 >/dev/null; docker create busybox" },
    ],
  },
  {
    name: "to a label",
    steps: [
      { make: "--label tier=web -e constraint:node==node-2 busybox", on: "node-2" },
      { make: "-e affinity:tier==web busybox", on: "node-2" },
      { make: "-e affinity:tier!=web busybox", on: ["node-1", "node-3"] },
      { make: "-e affinity:tier==~nosuch busybox", on: ["node-1", "node-2", "node-3"] },
    ],
  },
]);

placeCases("dependencies", [
  {
    name: "links",
    steps: [
      { make: "docker run -d --name db -e constraint:node==node-3 busybox sleep 60", on: "node-3" },
      { make: "--link db:db busybox", with: "db" },
      { make: "--link db busybox", on: "node-3" },
    ],
  },
  {
    name: "--volumes-from",
    steps: [
      { make: "--name data -v /data -e constraint:node==node-2 busybox", on: "node-2" },
      { make: "--volumes-from data busybox", with: "data" },
      { make: "--volumes-from data:ro busybox", on: "node-2" },
    ],
  },
  {
    name: "--network container:, --ipc container:, --pid container:",
    steps: [
      { make: "docker run -d --name net --ipc shareable -e constraint:node==node-3 busybox sleep 60", on: "node-3" },
      { make: "docker run -d --network container:net busybox sleep 60", with: "net" },
      { make: "docker run -d --ipc container:net busybox sleep 60", on: "node-3" },
      { make: "docker run -d --pid container:net busybox sleep 60", on: "node-3" },
    ],
  },
  {
    name: "targets on several nodes are refused, saying which is where",
    steps: [
      { make: "docker run -d --name one -e constraint:node==node-1 busybox sleep 60", on: "node-1" },
      { make: "docker run -d --name two -v /data -e constraint:node==node-2 busybox sleep 60", on: "node-2" },
      { make: "--link one:one --link two:two busybox", refused: [/one/, /two/, /node-1/, /node-2/] },
      { make: "--link one:one --volumes-from two busybox", refused: [/node-1/, /node-2/] },
      { make: "--link one -e constraint:node==node-2 busybox", refused: NONE },
    ],
  },
  {
    name: "a named volume draws to where it is",
    steps: [
      { make: "--name first -v shared:/data -e constraint:node==node-3 busybox", on: "node-3" },
      { make: "-v shared:/data busybox", on: "node-3" },
      { make: "docker rm -f $(docker ps -aq) >/dev/null; docker create busybox" },
    ],
  },
]);
