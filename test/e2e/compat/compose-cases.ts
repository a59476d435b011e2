/** What Compose v1 and v2 are asked to do. Scripts: `docker-compose` is the version under test, `docker` any CLI. */
import type { Script } from "./client.ts";

const FILE = `
version: "2.4"
services:
  db:
    image: redis
    volumes: ["data:/data"]
    healthcheck: {test: ["CMD-SHELL", "netstat -ltn | grep -q 6379"], interval: 1s, retries: 30}
  web:
    image: nginx
    environment: {COLOR: "\${COLOR:-blue}"}
    depends_on: {db: {condition: service_healthy}}
    ports: ["80"]
  client:
    image: busybox
    command: sleep 600
    stop_grace_period: 0s
    networks: [default, back]
networks:
  back: {}
volumes:
  data: {}
`;

export const COMPOSE_SWEEP = "docker-compose down -v -t 0";

const compose: readonly (readonly [string, string])[] = [
  ["config", `cat >docker-compose.yml <<'END'${FILE}END\ndocker-compose config | grep_ COLOR`],
  ["up -d, with a dependency on health", "docker-compose up -d; test $(docker-compose ps -q | wc -l) = 3"],
  ["ps", "docker-compose ps | grep_ web; test $(docker-compose ps -q web | wc -l) = 1"],
  ["services find each other by name", "until_ 'docker-compose exec -T client wget -qO- http://web | grep_ hello'"],
  [
    "exec",
    `test "$(docker-compose exec -T web sh -c 'echo $COLOR')" = blue; code=0; docker-compose exec -T web sh -c 'exit 4' || code=$?; test $code = 4`,
  ],
  ["logs", "docker-compose exec -T web sh -c 'echo told >/proc/1/fd/1'; until_ 'docker-compose logs web | grep_ told'"],
  ["port", "docker-compose port web 80 | grep_ -E ':[0-9]+$'"],
  ["top", "docker-compose top client | grep_ sleep"],
  [
    "a second up changes nothing",
    'before=$(docker-compose ps -q | sort); docker-compose up -d; test "$before" = "$(docker-compose ps -q | sort)"',
  ],
  [
    "up with another environment replaces one service",
    `db=$(docker-compose ps -q db); web=$(docker-compose ps -q web); COLOR=red docker-compose up -d
test $db = $(docker-compose ps -q db); test $web != $(docker-compose ps -q web)
test "$(docker-compose exec -T web sh -c 'echo $COLOR')" = red`,
  ],
  [
    "scale up and down",
    "docker-compose up -d --scale client=3; test $(docker-compose ps -q client | wc -l) = 3; docker-compose up -d --scale client=1; test $(docker-compose ps -q client | wc -l) = 1",
  ],
  ["run", `test "$(docker-compose run --rm -T client echo once)" = once`],
  ["pause, unpause", "docker-compose pause web; docker-compose unpause web"],
  [
    "stop, start, restart, kill",
    "docker-compose stop -t 0 web; docker-compose start web; docker-compose restart -t 0 client; docker-compose kill client; docker-compose up -d",
  ],
  ["rm", 'docker-compose rm -s -f client; test -z "$(docker-compose ps -q client)"'],
  [
    "the volume outlives down",
    "docker-compose exec -T db sh -c 'echo kept >/data/f'; docker-compose down -t 0; docker-compose up -d; docker-compose exec -T db grep -q kept /data/f",
  ],
  [
    "down -v leaves nothing",
    `docker-compose down -v -t 0
left() { docker $1 -q --filter label=com.docker.compose.project=$COMPOSE_PROJECT_NAME; }
test -z "$(left 'ps -a')$(left 'network ls')$(left 'volume ls')"`,
  ],
];

export const COMPOSE_CASES: readonly Script[] = compose.map(([name, script]) => ({ name, script }));
