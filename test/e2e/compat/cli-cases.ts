/** What the docker CLI is asked to do, in each of its versions. Scripts: `docker` is the CLI under test. */
import type { Script } from "./client.ts";

/** Takes away what a script that failed left. */
export const CLI_SWEEP = `docker ps -aq --filter label=compat | xargs -r docker rm -f -v
docker ps -aq --filter name=cc- | xargs -r docker rm -f -v
docker network ls -q --filter name=cc- | xargs -r docker network rm
docker volume ls -q --filter name=cc- | xargs -r docker volume rm
docker images -q --filter reference='cc-*' | xargs -r docker rmi -f`;

const cases: readonly (readonly [string, string])[] = [
  ["version, info", "docker version | grep_ 'API version'; docker info | grep_ 'Operating System'"],
  ["run", `test "$(docker run --rm busybox echo hello)" = hello`],
  ["run: exit code", "code=0; docker run --rm busybox sh -c 'exit 7' || code=$?; test $code = 7"],
  ["run: standard input", `test "$(echo piped | docker run -i --rm busybox cat)" = piped`],
  [
    "run: environment, folder, user, entrypoint",
    `test "$(docker run --rm -e A=1 -w /tmp -u nobody --entrypoint sh busybox -c 'echo $A $PWD $(id -un)')" = '1 /tmp nobody'`,
  ],
  [
    "run: limits and capabilities",
    "docker run --rm -m 64m --cpus 0.5 --pids-limit 50 --ulimit nofile=99 --cap-drop ALL --read-only --tmpfs /scratch --shm-size 8m busybox sh -c 'test $(ulimit -n) = 99 && touch /scratch/x && ! touch /x'",
  ],
  [
    "create, start -a, wait, rm",
    "docker create --name cc-a busybox sh -c 'echo out; exit 3'; code=0; docker start -a cc-a | grep_ out || code=$?; test \"$(docker wait cc-a)\" = 3; docker rm cc-a",
  ],
  [
    "ps and its filters",
    `id=$(docker run -d --name cc-a --label compat=1 busybox sleep 600)
test "$(docker ps --format '{{.Names}}' --filter name=cc-a)" = cc-a
test "$(docker ps -q --no-trunc --filter label=compat=1 --filter status=running)" = $id
test "$(docker ps -q --no-trunc --filter ancestor=busybox --filter id=$id)" = $id
test -z "$(docker ps -q --filter name=cc-a --filter ancestor=nginx)"
docker ps -s --filter name=cc-a | grep_ virtual
docker rm -f cc-a`,
  ],
  [
    "exec",
    `docker run -d --name cc-a busybox sleep 600
test "$(docker exec -e A=2 cc-a sh -c 'echo $A')" = 2
test "$(echo in | docker exec -i cc-a cat)" = in
code=0; docker exec cc-a sh -c 'exit 5' || code=$?; test $code = 5
docker exec -d cc-a touch /made; until_ 'docker exec cc-a test -e /made'
docker rm -f cc-a`,
  ],
  [
    "logs, logs -f, --tail, -t",
    `docker run -d --name cc-a busybox sh -c 'echo one; echo two; sleep 1; echo three >&2'
test "$(docker logs -f cc-a 2>/dev/null)" = "$(printf 'one\\ntwo')"
test "$(docker logs --tail 1 cc-a 2>&1)" = three; docker logs -t cc-a 2>&1 | grep_ Z; docker rm cc-a`,
  ],
  [
    "attach",
    "docker run -d -i --name cc-a busybox sh -c 'read word; echo got $word'; (echo attached; sleep 2) | docker attach cc-a | grep_ 'got attached'; docker rm -f cc-a",
  ],
  [
    "cp both ways",
    `docker run -d --name cc-a busybox sleep 600; echo file >sent
docker cp sent cc-a:/tmp/; docker exec cc-a grep -q file /tmp/sent
docker exec cc-a sh -c 'mkdir /d; echo back >/d/f'; docker cp cc-a:/d got; grep -q back got/f
docker cp cc-a:/d - | tar -t | grep_ d/f; docker rm -f cc-a; rm -r sent got`,
  ],
  [
    "pause, kill, rename, restart, stop, top, port, stats, update",
    `docker run -d --name cc-a -p 18080:80 nginx
docker pause cc-a; docker ps --filter name=cc-a | grep_ Paused; docker unpause cc-a
docker rename cc-a cc-b; docker top cc-b | grep_ httpd; docker port cc-b 80 | grep_ ':18080$'
docker stats --no-stream cc-b | grep_ cc-b; docker update -m 96m --memory-swap 192m cc-b
test "$(docker inspect -f '{{.HostConfig.Memory}}' cc-b)" = 100663296
docker restart -t 0 cc-b; docker kill -s KILL cc-b; test "$(docker wait cc-b)" = 137; docker start cc-b
docker stop -t 0 cc-b; docker rm cc-b`,
  ],
  [
    "diff, commit, export, import, history",
    `docker run --name cc-a busybox sh -c 'echo new >/new'
docker diff cc-a | grep_ 'A /new'; docker commit -c 'CMD ["cat","/new"]' -m words cc-a cc-image:1
test "$(docker run --rm cc-image:1)" = new; docker history cc-image:1 | grep_ words
docker export cc-a | docker import -c 'CMD ["cat","/new"]' - cc-image:2; test "$(docker run --rm cc-image:2)" = new
docker rm cc-a; docker rmi cc-image:1 cc-image:2`,
  ],
  [
    "tag, images, rmi, save, load",
    `docker tag busybox cc-image:a; test "$(docker images -q cc-image:a)" = "$(docker images -q busybox)"
test "$(docker images --format '{{.Repository}}:{{.Tag}}' cc-image)" = cc-image:a
docker save -o image.tar cc-image:a; docker rmi cc-image:a; docker load -i image.tar | grep_ cc-image:a
docker image inspect cc-image:a; docker rmi cc-image:a; rm image.tar`,
  ],
  [
    "a health check",
    `docker run -d --name cc-a --health-cmd 'test -e /ready' --health-interval 1s --health-retries 2 busybox sh -c 'sleep 1; touch /ready; sleep 600'
until_ 'docker ps --filter name=cc-a --filter health=healthy | grep_ healthy'; docker rm -f cc-a`,
  ],
  [
    "restart policies",
    `docker run -d --name cc-a --restart on-failure:2 busybox false
until_ 'test "$(docker inspect -f "{{.RestartCount}} {{.State.Status}}" cc-a)" = "2 exited"'; docker rm cc-a`,
  ],
  [
    "events",
    `since=$(date +%s); docker run --name cc-events busybox true; docker rm cc-events; until=$(($(date +%s) + 1))
test "$(docker events --since $since --until $until --filter container=cc-events --format '{{.Action}}' | tr '\\n' ' ')" = 'create attach start die destroy '`,
  ],
  [
    "networks",
    `docker network create cc-net; docker network ls --filter name=cc-net --format '{{.Name}} {{.Driver}}' | grep_ '^cc-net bridge$'
docker run -d --name cc-a --network cc-net --network-alias web nginx
until_ 'docker run --rm --network cc-net busybox wget -qO- http://web | grep_ hello'
docker run -d --name cc-b --network cc-net busybox sleep 600; docker exec cc-b ping -c 1 cc-a
docker network inspect -f '{{len .Containers}}' cc-net | grep_ '^2$'
docker network disconnect cc-net cc-b; docker network connect --alias late cc-net cc-b
docker exec cc-a ping -c 1 late; docker rm -f cc-a cc-b; docker network rm cc-net`,
  ],
  [
    "networks: subnet, address, internal, labels",
    `docker network create --internal --label compat=net --subnet 10.213.7.0/24 cc-net
docker run --rm --network cc-net --ip 10.213.7.9 busybox ip addr | grep_ 10.213.7.9
docker network ls -q --filter label=compat=net | grep_ .; docker network inspect cc-net | grep_ 10.213.7.0
docker network rm cc-net`,
  ],
  [
    "networks: bridge, host, none, container",
    `docker network inspect bridge host none
docker run -d --name cc-a busybox sleep 600
test "$(docker run --rm --network container:cc-a busybox hostname)" = "$(docker exec cc-a hostname)"
test "$(docker run --rm --network none busybox ls /sys/class/net)" = lo
docker run --rm --network host busybox true; docker rm -f cc-a`,
  ],
  [
    "links",
    "docker run -d --name cc-a nginx; until_ 'docker run --rm --link cc-a:web busybox wget -qO- http://web | grep_ hello'; docker rm -f cc-a",
  ],
  [
    "published ports",
    `docker run -d --name cc-a -P nginx; docker port cc-a 80 | grep_ -E ':[0-9]+$'
docker ps --filter name=cc-a --format '{{.Ports}}' | grep_ -- '->80/tcp'; docker rm -f cc-a`,
  ],
  [
    "volumes",
    `docker volume create --label compat=vol cc-vol; docker volume inspect cc-vol | grep_ Mountpoint
docker run --rm -v cc-vol:/data busybox sh -c 'echo kept >/data/f'
test "$(docker run --rm -v cc-vol:/data busybox cat /data/f)" = kept
test "$(docker run --rm --mount source=cc-vol,target=/data,readonly busybox cat /data/f)" = kept
docker volume ls -q --filter label=compat=vol | grep_ '^cc-vol$'; docker volume ls -q --filter dangling=true | grep_ '^cc-vol$'
docker volume rm cc-vol; not docker volume inspect cc-vol`,
  ],
  [
    "volumes: made by run, --volumes-from, rm -v",
    `docker run -d --name cc-a -v cc-made:/data -v /anonymous busybox sh -c 'echo v >/data/f; sleep 600'
until_ 'docker run --rm --volumes-from cc-a busybox grep -q v /data/f'
docker rm -f -v cc-a; docker volume inspect cc-made; docker volume rm cc-made`,
  ],
  [
    "bind mounts",
    "docker run --rm -v /etc:/seen:ro busybox test -e /seen/hostname; docker run --rm --mount type=bind,source=/etc,target=/seen busybox test -e /seen/hostname",
  ],
  [
    "prunes",
    `docker run --name cc-a --label compat=prune busybox true; docker network create --label compat=prune cc-net; docker volume create --label compat=prune cc-vol
docker container prune -f --filter label=compat=prune | grep_ Total; not docker inspect cc-a
docker network prune -f --filter label=compat=prune | grep_ cc-net; docker image prune -f
docker volume rm cc-vol`,
  ],
  ["system df", "docker system df | grep_ Images; docker system df -v | grep_ busybox"],
  [
    "what is not there",
    `for what in "container inspect" "image inspect" "network inspect" "volume inspect" stop rm rmi logs; do
code=0; docker $what cc-missing 2>err || code=$?; test $code -ne 0; grep -qi 'no such\\|not found' err; done; rm err`,
  ],
  [
    "names in use",
    "docker create --name cc-a busybox; not docker create --name cc-a busybox 2>err; grep -q 'already in use' err; docker rm cc-a; rm err",
  ],
  [
    "swarm mode is not on",
    "not docker node ls 2>err; grep -q 'not a swarm manager' err; not docker service ls; rm err",
  ],
  ["plugins", "docker plugin ls | grep_ NAME"],
];

export const CLI_CASES: readonly Script[] = cases.map(([name, script]) => ({ name, script }));
