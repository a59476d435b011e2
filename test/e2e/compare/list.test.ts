/** S1, `docker ps`: columns, flags and every filter Docker documents: as on one engine. */
import { compareCases } from "../support/case.ts";

const three =
  "docker run -d --name $N-a --label k=1 busybox sleep 60 >/dev/null; docker create --name $N-b --label k=2 redis >/dev/null; docker run --name $N-c --label k=1 busybox sh -c 'exit 3' || true";
const list = (flags: string): string =>
  `docker ps -a --filter name=$N ${flags} --format '{{.Names}} {{.Image}} {{.State}} {{.Command}}'`;

compareCases("ps", [
  { name: "the table", steps: [three, "docker ps --filter name=$N", "docker ps -a --filter name=$N"] },
  {
    name: "-q and --no-trunc",
    steps: [
      three,
      "docker ps -q --filter name=$N",
      "docker ps -aq --no-trunc --filter name=$N",
      "docker ps -a --no-trunc --filter name=$N",
    ],
  },
  {
    name: "-s",
    steps: [
      "docker run --name $N busybox sh -c 'head -c 100000 /dev/zero >/big'",
      "docker ps -as --filter name=$N --format '{{.Size}}'",
    ],
  },
  { name: "newest first", steps: [three, list("")] },
  { name: "-l", steps: ["docker create --name $N busybox >/dev/null; docker ps -l --format '{{.Names}}'"] },
  {
    name: "-n",
    steps: [
      "docker create --name $N busybox >/dev/null; docker create --name $N-b busybox >/dev/null; docker ps -n 2 --format '{{.Names}}'",
    ],
  },
  {
    name: "filter name, exact and part",
    steps: [
      three,
      "docker ps -a --filter name=^/$N-a$ --format '{{.Names}}'",
      "docker ps -a --filter name=$N-b --format '{{.Names}}'",
    ],
  },
  {
    name: "filter id",
    steps: [
      "id=$(docker create --name $N busybox); docker ps -a --filter id=$id --format '{{.Names}}'; docker ps -a --filter id=$(echo $id | cut -c1-10) --format '{{.Names}}'",
    ],
  },
  {
    name: "filter label",
    steps: [
      three,
      list("--filter label=k"),
      list("--filter label=k=1"),
      list("--filter label=k=1 --filter label=none"),
    ],
  },
  {
    name: "filter exited",
    steps: [three, list("--filter exited=3"), list("--filter exited=0"), "! docker ps --filter exited=x"],
  },
  {
    name: "filter status",
    steps: [
      three,
      ...["created", "running", "exited", "paused", "restarting", "removing", "dead"].map((status) =>
        list(`--filter status=${status}`),
      ),
    ],
  },
  { name: "filter status twice", steps: [three, list("--filter status=created --filter status=exited")] },
  { name: "filter status, wrong", steps: ["! docker ps --filter status=nosuch"] },
  {
    name: "filter ancestor",
    steps: [
      three,
      list("--filter ancestor=redis"),
      list("--filter ancestor=busybox:latest"),
      list("--filter ancestor=$(docker image inspect -f '{{.Id}}' redis)"),
      list("--filter ancestor=nosuch"),
    ],
  },
  {
    name: "filter before and since",
    steps: [three, list("--filter before=$N-c"), list("--filter since=$N-a"), "! docker ps --filter since=nosuch$N"],
  },
  {
    name: "filter volume",
    steps: [
      "docker create --name $N -v v$N:/data busybox",
      list("--filter volume=v$N"),
      list("--filter volume=/data"),
      list("--filter volume=/nosuch"),
    ],
  },
  {
    name: "filter network",
    steps: [
      "docker create --name $N --network none busybox",
      list("--filter network=none"),
      list("--filter network=bridge"),
    ],
  },
  {
    name: "filter publish and expose",
    steps: [
      "docker run -d --name $N -p 18100:80 nginx",
      list("--filter publish=18100"),
      list("--filter publish=80"),
      list("--filter expose=80"),
      list("--filter expose=80/udp"),
      list("--filter publish=1-100"),
    ],
  },
  {
    name: "filter health",
    steps: [three, list("--filter health=none"), list("--filter health=healthy"), "! docker ps --filter health=nosuch"],
  },
  { name: "filter isolation is for Windows", steps: [three, list("--filter isolation=default")] },
  {
    name: "filter is-task",
    steps: [three, list("--filter is-task=false"), list("--filter is-task=true"), "! docker ps --filter is-task=x"],
  },
  { name: "an unknown filter", steps: ["! docker ps --filter nosuch=1"] },
  {
    name: "format json",
    steps: [
      "docker create --name $N busybox",
      "docker ps -a --filter name=$N --format '{{json .Names}} {{json .Mounts}} {{json .Networks}} {{.LocalVolumes}}'",
    ],
  },
  {
    name: "mounts and networks columns",
    steps: [
      "docker create --name $N -v v$N:/data busybox",
      "docker ps -a --filter name=$N --format 'table {{.Names}}\\t{{.Mounts}}\\t{{.Networks}}\\t{{.RunningFor}}'",
    ],
  },
  {
    name: "labels column",
    steps: ["docker create --name $N --label k=v busybox", "docker ps -a --filter name=$N --format '{{.Label \"k\"}}'"],
  },
  {
    name: "exposed but unpublished ports",
    steps: ["docker run -d --name $N redis", "docker ps --filter name=$N --format '{{.Ports}}'", "docker port $N"],
  },
  {
    name: "port of a port that is not published",
    steps: ["docker run -d --name $N redis", "! docker port $N 1234", "! docker port $N nosuch"],
  },
]);
