/** S1, what goes in and out of a container: logs, exec, attach: as on one engine. */
import { compareCases } from "../support/case.ts";
import { onTerminal } from "../support/pty.ts";

const up = "docker run -d --name $N busybox sleep 60";
const printed =
  "docker run --name $N busybox sh -c 'for i in 1 2 3 4 5; do echo out $i; echo err $i >&2; sleep 0.05; done' >/dev/null 2>&1";

compareCases("logs", [
  { name: "both streams apart", steps: [printed, "docker logs $N"] },
  {
    name: "--tail",
    steps: [
      printed,
      "docker logs --tail 3 $N 2>&1 | wc -l",
      "docker logs --tail 0 $N",
      "docker logs --tail all $N | wc -l",
    ],
  },
  { name: "-t", steps: [printed, "docker logs -t --tail 2 $N"] },
  {
    name: "--since and --until",
    steps: [
      printed,
      "docker logs --since 10m $N | wc -l",
      "docker logs --since 2100-01-01T00:00:00Z $N",
      "docker logs --until 2001-01-01T00:00:00Z $N",
    ],
  },
  {
    name: "-f to the end",
    steps: ["docker run -d --name $N busybox sh -c 'for i in 1 2 3; do echo $i; sleep 0.2; done'", "docker logs -f $N"],
  },
  {
    name: "-f to an end from outside",
    steps: [
      "docker run -d --name $N busybox sh -c 'trap \"echo bye; exit 0\" TERM; echo up; while :; do sleep 0.1; done'",
      "docker logs -f $N & sleep 1; docker stop $N >/dev/null; wait $!",
      "docker run -d --name $N-b busybox sleep 60",
      "docker logs -f $N-b & sleep 0.5; docker rm -f $N-b >/dev/null; wait $!",
    ],
  },
  { name: "-f --tail", steps: [printed, "docker logs -f --tail 1 $N 2>&1 | wc -l"] },
  { name: "of a terminal", steps: ["docker run -t --name $N busybox echo hi", "docker logs $N"] },
  {
    name: "--details",
    steps: ["docker run --name $N --log-opt labels=k --label k=v busybox echo hi", "docker logs --details $N"],
  },
  {
    name: "without a driver that reads",
    steps: ["docker run --name $N --log-driver none busybox echo hi", "! docker logs $N"],
  },
]);

compareCases("exec", [
  {
    name: "prints, and passes exit codes",
    steps: [up, "docker exec $N echo hi", "! docker exec $N sh -c 'echo o; echo e >&2; exit 9'"],
  },
  {
    name: "-i",
    steps: [up, "printf 'a\\nb\\n' | docker exec -i $N cat", "head -c 300000 /dev/zero | docker exec -i $N wc -c"],
  },
  { name: "-it", steps: [up, `! ${onTerminal("docker exec -it $N sh -c 'tty; exit 8'")}`] },
  {
    name: "-it has the terminal's size",
    steps: [up, onTerminal("stty rows 31 cols 97; docker exec -it $N sh -c 'sleep 0.5; stty size'")],
  },
  { name: "-t", steps: [up, "docker exec -t $N echo hi"] },
  {
    name: "-d",
    steps: [
      up,
      "docker exec -d $N sh -c 'echo there >/tmp/f'",
      "for i in 1 2 3 4 5 6 7 8 9; do docker exec $N cat /tmp/f 2>/dev/null && break; sleep 0.1; done",
    ],
  },
  { name: "-e -w -u", steps: [up, "docker exec -e A=b -w /tmp -u nobody $N sh -c 'echo $A; pwd; id -u'"] },
  { name: "a missing command", steps: [up, "! docker exec $N nosuchcommand"] },
  { name: "a missing folder and user", steps: [up, "! docker exec -u nosuchuser $N true"] },
  { name: "in a stopped one", steps: ["docker create --name $N busybox", "! docker exec $N true"] },
  { name: "a second exec while one waits", steps: [up, "docker exec $N sleep 1 & docker exec $N echo second; wait"] },
  { name: "by ID prefix", steps: [up, "docker exec $(docker inspect -f '{{.Id}}' $N | cut -c1-12) echo hi"] },
]);

compareCases("attach", [
  {
    name: "sees what comes",
    steps: ["docker run -d --name $N busybox sh -c 'sleep 1; echo late; exit 3'", "! docker attach $N"],
  },
  {
    name: "--no-stdin",
    steps: ["docker run -d --name $N busybox sh -c 'sleep 1; echo late'", "docker attach --no-stdin $N </dev/null"],
  },
  {
    name: "passes input",
    steps: [
      "docker run -di --name $N busybox sh -c 'read line; echo got $line'",
      "(echo typed; sleep 1) | docker attach $N",
    ],
  },
  {
    name: "the end of the input reaches the command, and its answer comes back",
    steps: [
      "docker create -i --name $N busybox sh -c 'wc -c; echo end; exit 6'",
      "docker start $N",
      "! head -c 200000 /dev/zero | docker attach $N",
    ],
  },
  {
    name: "the input's end leaves the output open",
    steps: [
      "docker create -i --name $N busybox sh -c 'cat; sleep 1.5; echo late'",
      "docker start $N",
      "printf 'a\\nb\\n' | docker attach $N",
    ],
  },
  {
    name: "two at once see the same",
    steps: [
      "docker run -d --name $N busybox sh -c 'sleep 1.5; echo one; sleep 0.2; echo two'",
      "docker attach --no-stdin $N >a & docker attach --no-stdin $N >b; wait; cmp a b && cat a",
    ],
  },
  { name: "to a stopped one", steps: ["docker run --name $N busybox true", "! docker attach $N"] },
  { name: "to a paused one", steps: [up, "docker pause $N", "! docker attach $N", "docker unpause $N"] },
]);
