/** S1, `docker run` and what leads to a running container: as on one engine. */
import { compareCases } from "../support/case.ts";
import { onTerminal } from "../support/pty.ts";

compareCases("run", [
  {
    name: "-d -P of an image with exposed ports",
    steps: ["docker run -d -P --name $N redis", "docker ps --filter name=$N", "docker port $N", "docker port $N 6379"],
  },
  { name: "prints what the container prints", steps: ["docker run --name $N busybox echo hello"] },
  { name: "standard error stays apart", steps: ["docker run --name $N busybox sh -c 'echo out; echo err >&2'"] },
  { name: "exit code of the command", steps: ["! docker run --name $N busybox sh -c 'exit 7'"] },
  { name: "a command that is missing is 127", steps: ["! docker run --name $N busybox nosuchcommand"] },
  { name: "a command that cannot run is 126", steps: ["! docker run --name $N busybox /etc/passwd"] },
  {
    name: "a signal is 128 + n",
    steps: ["! docker run --name $N busybox sleep 60 & sleep 1; docker kill $N; wait $!"],
  },
  { name: "-i passes standard input", steps: ["printf 'one\\ntwo\\n' | docker run -i --name $N busybox cat"] },
  { name: "-i without input ends", steps: ["docker run -i --name $N busybox cat </dev/null"] },
  { name: "-i counts every byte", steps: ["head -c 1000000 /dev/zero | docker run -i --name $N busybox wc -c"] },
  { name: "without -i input is not read", steps: ["echo lost | docker run --name $N busybox cat"] },
  {
    name: "-it on a terminal",
    steps: [onTerminal("docker run -it --name $N busybox sh -c 'tty; echo hi; exit 3'").replace(/^/, "! ")],
  },
  {
    name: "-it has the size of the terminal",
    steps: [onTerminal("stty rows 33 cols 99; docker run -it --name $N busybox sh -c 'sleep 0.5; stty size'")],
  },
  { name: "-t without a terminal", steps: ["docker run -t --name $N busybox echo hi"] },
  { name: "-it without a terminal is refused", steps: ["! docker run -it --name $N busybox true </dev/null"] },
  {
    name: "--rm leaves nothing",
    steps: ["docker run --rm --name $N busybox echo gone", "docker ps -a --filter name=$N -q", "! docker inspect $N"],
  },
  {
    name: "--rm with -d",
    steps: [
      "docker run -d --rm --name $N busybox sleep 0.3",
      "while docker inspect $N >/dev/null 2>&1; do sleep 0.1; done",
      "docker ps -aq --filter name=$N",
    ],
  },
  {
    name: "--rm and the exit code",
    steps: ["! docker run --rm --name $N busybox sh -c 'echo x; exit 42'"],
  },
  {
    name: "create, start, start -a",
    steps: [
      "docker create --name $N busybox sh -c 'echo started; exit 5'",
      "docker ps -a --filter name=$N --format '{{.Names}} {{.Status}}'",
      "! docker start -a $N",
      "docker start $N",
      "docker wait $N",
    ],
  },
  {
    name: "start -ai passes input",
    steps: ["docker create -i --name $N busybox cat", "echo typed | docker start -ai $N"],
  },
  {
    name: "-e, -w, -u, --hostname",
    steps: [
      "docker run --name $N -e A=1 -e 'B=x y' -w /tmp -u nobody --hostname web busybox sh -c 'echo $A $B; pwd; id; hostname'",
    ],
  },
  {
    name: "--env-file",
    steps: ["printf 'A=1\\nB=two\\n' >env; docker run --name $N --env-file env busybox sh -c 'echo $A $B'"],
  },
  { name: "--entrypoint", steps: ["docker run --name $N --entrypoint echo busybox a b"] },
  { name: "--read-only", steps: ["! docker run --name $N --read-only busybox touch /x"] },
  { name: "--tmpfs", steps: ["docker run --name $N --tmpfs /x busybox sh -c 'echo y >/x/f; cat /x/f'"] },
  {
    name: "-v of a host folder",
    steps: ["docker run --name $N -v /etc:/host:ro busybox sh -c 'test -f /host/passwd && echo there'"],
  },
  {
    name: "-v of a named volume",
    steps: [
      "docker run --name $N -v vol$N:/data busybox sh -c 'echo kept >/data/f'",
      "docker run --name $N-b -v vol$N:/data --volumes-from $N busybox cat /data/f",
    ],
  },
  { name: "--init", steps: ["! docker run --name $N --init busybox sh -c 'exit 9'"], drop: /[\s\S]*/ },
  { name: "--network none", steps: ["docker run --name $N --network none busybox sh -c 'ip -o addr | wc -l'"] },
  {
    name: "--network container:",
    steps: [
      "docker run -d --name $N busybox sleep 60",
      "docker run --name $N-b --network container:$N busybox hostname",
    ],
    drop: /^.*$/m,
  },
  {
    name: "--link",
    steps: [
      "docker run -d --name $N busybox httpd -f -p 80 -h /www",
      "docker run --name $N-b --link $N:web busybox wget -qO- http://web/",
    ],
  },
  {
    name: "--label, --label-file",
    steps: [
      "echo b=2 >l; docker create --name $N --label a=1 --label-file l busybox",
      'docker inspect -f \'{{index .Config.Labels "a"}} {{index .Config.Labels "b"}}\' $N',
    ],
  },
  {
    name: "-m, --memory-reservation",
    steps: [
      "docker create --name $N -m 64m --memory-reservation 32m busybox",
      "docker inspect -f '{{.HostConfig.Memory}} {{.HostConfig.MemoryReservation}}' $N",
    ],
  },
  {
    name: "--cpus",
    steps: ["docker create --name $N --cpus 0.5 busybox", "docker inspect -f '{{.HostConfig.NanoCpus}}' $N"],
  },
  {
    name: "--ulimit without a limit",
    steps: ["docker create --name $N --ulimit core=-1 busybox", "docker inspect -f '{{json .HostConfig.Ulimits}}' $N"],
  },
  {
    name: "--restart",
    steps: [
      "docker create --name $N --restart on-failure:3 busybox",
      "docker inspect -f '{{json .HostConfig.RestartPolicy}}' $N",
    ],
  },
  {
    name: "--cidfile",
    steps: ["docker create --cidfile id --name $N busybox", "cat id; echo; docker inspect -f '{{.Id}}' $(cat id)"],
  },
  {
    name: "--pull never of a missing image",
    steps: ["! docker run --pull never --name $N nosuch$N"],
    drop: /\.\nSee 'docker run --help'\.$/m,
  },
  {
    name: "-d twice with one name",
    steps: ["docker run -d --name $N busybox sleep 60", "! docker run -d --name $N busybox sleep 60"],
  },
  {
    name: "warnings of the engine",
    steps: [
      "docker create --name $N --oom-kill-disable busybox",
      "docker run --rm --device /dev/null:/dev/seen busybox ls /dev/seen",
    ],
  },
  {
    name: "-p of a fixed port",
    steps: [
      "docker run -d --name $N -p 18080:80 nginx",
      "docker port $N",
      "docker ps --filter name=$N --format '{{.Ports}}'",
    ],
  },
  {
    name: "-p of a range",
    steps: [
      "docker run -d --name $N -p 18081-18083:81-83 nginx",
      "docker port $N 82",
      "docker ps --filter name=$N --format '{{.Ports}}'",
    ],
  },
  {
    name: "-p of an address and udp",
    steps: [
      "docker run -d --name $N -p 127.0.0.1:18090:80 -p 18090:53/udp nginx",
      "docker port $N | sort",
      "docker ps --filter name=$N --format '{{.Ports}}'",
    ],
  },
  {
    name: "--health-cmd",
    steps: [
      "docker run -d --name $N --health-cmd 'test -f /etc/passwd' --health-interval 200ms busybox sleep 60",
      "for i in $(seq 50); do test $(docker inspect -f '{{.State.Health.Status}}' $N) = healthy && break; sleep 0.1; done",
      "docker ps --filter name=$N --filter health=healthy --format '{{.Names}} {{.Status}}'",
    ],
  },
  {
    name: "--sig-proxy passes SIGTERM",
    steps: [
      "! docker run --name $N busybox sh -c 'trap \"exit 3\" TERM; echo up; while :; do sleep 0.1; done' & p=$!; sleep 1.5; kill $p; wait $p",
    ],
  },
]);
