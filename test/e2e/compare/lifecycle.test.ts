/** S1, the life of a container after its creation: as on one engine. */
import { compareCases } from "../support/case.ts";

const state = "docker inspect -f '{{.State.Status}} {{.State.Running}} {{.State.Paused}} {{.State.ExitCode}}' $N";
const up = "docker run -d --name $N busybox sleep 60";

compareCases("lifecycle", [
  { name: "stop", steps: [up, "docker stop -t 0 $N", state, "docker stop -t 0 $N"] },
  {
    name: "stop lets the command finish",
    steps: [
      "docker run -d --name $N busybox sh -c 'trap \"exit 4\" TERM; while :; do sleep 0.1; done'",
      "sleep 0.3; docker stop $N",
      state,
    ],
  },
  { name: "stop of several", steps: [up, "docker run -d --name $N-b busybox sleep 60", "docker stop -t 0 $N $N-b"] },
  { name: "restart", steps: [up, "docker restart -t 0 $N", state] },
  { name: "restart of a stopped one", steps: ["docker run --name $N busybox true", "docker restart -t 0 $N"] },
  { name: "start twice", steps: [up, "docker start $N", state] },
  { name: "kill", steps: [up, "docker kill $N", "docker wait $N", state] },
  {
    name: "kill -s",
    steps: [
      "docker run -d --name $N busybox sh -c 'trap \"echo usr1; exit 6\" USR1; while :; do sleep 0.1; done'",
      "sleep 0.3; docker kill -s USR1 $N",
      "docker wait $N",
      "docker logs $N",
    ],
  },
  { name: "kill of a stopped one", steps: ["docker run --name $N busybox true", "! docker kill $N"] },
  { name: "kill with a wrong signal", steps: [up, "! docker kill -s NOSUCH $N"] },
  {
    name: "pause and unpause",
    steps: [
      up,
      "docker pause $N",
      state,
      "docker ps --filter name=$N --format '{{.Status}}'",
      "docker unpause $N",
      state,
    ],
  },
  {
    name: "pause twice",
    steps: [up, "docker pause $N", "! docker pause $N", "docker unpause $N", "! docker unpause $N"],
  },
  { name: "exec in a paused one", steps: [up, "docker pause $N", "! docker exec $N true", "docker unpause $N"] },
  {
    name: "wait",
    steps: ["docker run -d --name $N busybox sh -c 'sleep 0.3; exit 12'", "docker wait $N", "docker wait $N"],
  },
  {
    name: "wait for several",
    steps: [
      "docker run -d --name $N busybox sh -c 'exit 1'",
      "docker run -d --name $N-b busybox sh -c 'exit 2'",
      "docker wait $N $N-b",
    ],
  },
  {
    name: "rename",
    steps: [
      up,
      "docker rename $N $N-new",
      "docker inspect -f '{{.Name}}' $N-new",
      "! docker inspect $N",
      "docker rm -f $N-new",
    ],
  },
  {
    name: "rename to a taken name",
    steps: [up, "docker create --name $N-b busybox", "! docker rename $N $N-b", "docker inspect -f '{{.Name}}' $N"],
  },
  { name: "rename to itself", steps: ["docker create --name $N busybox", "! docker rename $N $N"] },
  { name: "rename to an invalid name", steps: ["docker create --name $N busybox", "! docker rename $N 'a b'"] },
  {
    name: "a name is free again after rm",
    steps: ["docker create --name $N busybox", "docker rm $N", "docker create --name $N busybox"],
  },
  {
    name: "a name is free again after rename",
    steps: ["docker create --name $N busybox", "docker rename $N $N-b", "docker create --name $N busybox"],
  },
  {
    name: "update -m",
    steps: [
      "docker create --name $N -m 64m busybox",
      "docker update -m 128m --memory-swap 256m $N",
      "docker inspect -f '{{.HostConfig.Memory}}' $N",
    ],
  },
  {
    name: "update --restart",
    steps: [
      "docker create --name $N busybox",
      "docker update --restart on-failure:2 $N",
      "docker inspect -f '{{json .HostConfig.RestartPolicy}}' $N",
    ],
  },
  { name: "update with a wrong value", steps: ["docker create --name $N busybox", "! docker update -m 1m $N"] },
  {
    name: "restart policy runs it again",
    steps: [
      "docker run -d --name $N --restart on-failure:2 busybox false",
      "for i in $(seq 100); do test $(docker inspect -f '{{.RestartCount}}' $N) = 2 && break; sleep 0.1; done; docker wait $N",
      "docker inspect -f '{{.RestartCount}}' $N",
    ],
  },
  { name: "rm", steps: ["docker run --name $N busybox true", "docker rm $N", "! docker rm $N"] },
  { name: "rm of a running one", steps: [up, "! docker rm $N", "docker rm -f $N"] },
  {
    name: "rm by a short ID",
    steps: ["id=$(docker create --name $N busybox); docker rm $(echo $id | cut -c1-12)", "! docker inspect $N"],
  },
  {
    name: "rm -v takes the anonymous volume",
    steps: [
      "docker run --name $N -v /data busybox true",
      "docker inspect -f '{{len .Mounts}} {{(index .Mounts 0).Name}}' $N",
      "docker rm -v $N",
    ],
  },
  { name: "rm -f of a missing one", steps: ["docker rm -f $N"], only: "28" },
  { name: "rm of several with one missing", steps: ["docker create --name $N busybox", "! docker rm $N $N-missing"] },
  {
    name: "container prune",
    steps: [
      "docker create --name $N --label case=$N busybox",
      "docker container prune -f --filter label=case=$N | sed '/^Total/d'",
      "! docker inspect $N",
    ],
  },
  {
    name: "container prune with a filter spares the others",
    steps: [
      "docker create --name $N --label case=$N busybox",
      "docker container prune -f --filter label=case=other$N",
      "docker ps -aq --filter name=$N",
    ],
  },
  {
    name: "top",
    steps: [
      "docker run -d --name $N busybox sh -c 'sleep 60; true'",
      "docker top $N | awk '{print $1, $8, $9}'",
      "docker top $N -eo pid,comm,args | awk '{print $2, $3, $4}'",
    ],
  },
  { name: "top of a stopped one", steps: ["docker create --name $N busybox", "! docker top $N"] },
  {
    name: "stats --no-stream",
    steps: [
      "docker run -d --name $N -m 64m busybox sleep 60",
      "docker stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemUsage}}' $N | sed 's/ [0-9.]*[kKM]iB / <used> /'",
      "docker stats --no-stream --format '{{.ID}}' $N",
    ],
  },
  {
    name: "stats, a while",
    steps: [
      "docker run -d --name $N busybox sleep 60",
      // Until the first measurement its columns are empty. CLI 28 ends at the second signal.
      "timeout --foreground -k 1 -s INT 6 docker stats --format '{{.Name}} {{.PIDs}}' $N >out; grep -o \"$N 1\" out | sort | uniq -c | awk '{print $2, $3, ($1 >= 2)}'",
    ],
  },
  {
    name: "stats, until the container is removed",
    steps: [
      "docker run -d --name $N busybox sleep 60",
      "timeout --foreground -k 1 -s INT 7 docker stats --format '{{.Name}} {{.PIDs}}' $N >out & sleep 2.5; docker rm -f $N; wait $!; echo end $?; grep -q \"$N 1\" out && echo measured",
    ],
  },
  {
    name: "stats of a stopped one",
    steps: [
      "docker create --name $N busybox",
      "docker stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemUsage}}' $N",
    ],
  },
  {
    name: "diff",
    steps: [
      "docker run --name $N busybox sh -c 'touch /new; rm /etc/group; echo x >>/etc/passwd'",
      "docker diff $N | sort",
    ],
  },
  {
    name: "IDs of any length",
    steps: [
      "id=$(docker create --name $N busybox); docker inspect -f '{{.Name}}' $id $(echo $id | cut -c1-12) $(echo $id | cut -c1-20); docker start $id",
    ],
  },
  {
    name: "names with a slash in front",
    steps: ["docker create --name $N busybox", "docker inspect -f '{{.Name}}' /$N", "docker start /$N"],
  },
]);
