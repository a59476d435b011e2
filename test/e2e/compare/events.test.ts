/** S1, `docker events`: order, filters, since and until: as on one engine. */
import { compareCases } from "../support/case.ts";

const shown = "--format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.image}}'";
/** Runs `work`, then prints the events since its beginning. */
const during = (work: string, flags: string): string =>
  `S=$(date +%s); ${work} >/dev/null; docker events --since $S --until $(($(date +%s)+1)) ${flags}`;

compareCases("events", [
  { name: "of one run", steps: [during("docker run --name $N busybox true", `--filter container=$N ${shown}`)] },
  {
    name: "of a life",
    steps: [
      during(
        "docker run -d --name $N busybox sleep 60; docker pause $N; docker unpause $N; docker exec $N true; docker rename $N $N-b; docker stop -t 0 $N-b; docker rm $N-b",
        `--filter type=container ${shown} | grep $N`,
      ),
    ],
  },
  {
    name: "filter event",
    steps: [
      during(
        "docker run --name $N busybox true",
        `--filter container=$N --filter event=start --filter event=die ${shown}`,
      ),
    ],
  },
  {
    name: "filter image",
    steps: [during("docker run --name $N redis true", `--filter image=redis --filter event=create ${shown} | grep $N`)],
  },
  {
    name: "filter label",
    steps: [during("docker run --name $N --label k=$N busybox true", `--filter label=k=$N ${shown}`)],
  },
  {
    name: "filter type image",
    steps: [
      during(
        "docker tag busybox t$N; docker rmi t$N",
        `--filter type=image --format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}' | grep -e t$N -e untag | sort -u`,
      ),
    ],
  },
  {
    name: "the exit code in die",
    steps: [
      during(
        "docker run --name $N busybox sh -c 'exit 3' || true",
        "--filter container=$N --filter event=die --format '{{.Actor.Attributes.exitCode}}'",
      ),
    ],
  },
  { name: "one line each", steps: [during("docker create --name $N busybox", "--filter container=$N | wc -l")] },
  {
    name: "by ID",
    steps: [during("docker create --name $N busybox", `--filter container=$(docker inspect -f '{{.Id}}' $N) ${shown}`)],
  },
  {
    name: "live",
    steps: [
      `timeout 20 docker events --filter container=$N --filter event=destroy ${shown} >ev & p=$!; sleep 0.7; docker create --name $N busybox >/dev/null; docker rm $N; for i in $(seq 50); do test -s ev && break; sleep 0.1; done; kill $p; wait $p; cat ev`,
    ],
  },
  {
    name: "live, filtered by label, image and type",
    steps: [
      `timeout 20 docker events --filter type=container --filter label=case=$N --filter image=redis --filter event=create --filter event=destroy ${shown} >ev & p=$!; sleep 0.7; docker create --name $N-a --label case=$N busybox >/dev/null; docker create --name $N-b redis >/dev/null; docker create --name $N-c --label case=$N redis >/dev/null; docker rm $N-a $N-b $N-c; for i in $(seq 50); do grep -q destroy ev && break; sleep 0.1; done; kill $p; wait $p; cat ev`,
    ],
  },
  {
    // The name is this case's alone: an end without a beginning brings all that the engine remembers.
    name: "live to an end",
    steps: [
      `docker create --name $N-end busybox >/dev/null; docker events --until $(($(date +%s)+3)) --filter container=$N-end ${shown} >ev & p=$!; sleep 0.7; docker rm $N-end; wait $p; cat ev`,
    ],
  },
  {
    name: "to an end in the past",
    steps: [
      `docker create --name $N-past busybox >/dev/null; sleep 1.1; docker events --until $(date +%s) --filter container=$N-past ${shown}`,
      "docker events --until 1000000000 --filter container=$N-past",
    ],
  },
  { name: "a time in the past only", steps: ["docker events --since 1000000000 --until 1000000001"] },
  { name: "a wrong filter and a wrong time", steps: ["! docker events --since nosuch --until 1"] },
]);
