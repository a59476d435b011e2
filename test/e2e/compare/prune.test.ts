/** S1, prunes: as on one engine, what they say they freed included. */
import { compareCases } from "../support/case.ts";

/** What other files left would be in the answer of the one engine. */
const CLEAN = "docker system prune -f --volumes >/dev/null";

compareCases("prunes", [
  {
    name: "container prune",
    steps: [
      CLEAN,
      "docker run --name $N busybox sh -c 'echo hello >/file'",
      "docker create --name $N-made -l keep=$N busybox >/dev/null",
      "docker run -d --name $N-runs busybox sleep 60 >/dev/null",
      "docker container prune -f --filter label=nosuch",
      "docker container prune -f --filter 'label!=keep'",
      "docker container prune -f --filter until=1h",
      "docker container prune -f",
      "docker ps -a --filter name=$N --format '{{.Names}}'",
    ],
  },
  {
    name: "image prune",
    steps: [
      CLEAN,
      "docker run --name $N busybox sh -c 'echo hello >/file'",
      "docker commit $N >/dev/null",
      "docker commit -c 'LABEL keep=1' $N >/dev/null",
      "docker rm $N >/dev/null",
      "docker image prune -f --filter until=1h",
      "docker image prune -f --filter 'label!=keep' | sed 's/sha256:.*/<deleted>/' | sort -u",
      "docker image prune -f | sed 's/sha256:.*/<deleted>/' | sort -u",
      "docker image prune -f",
    ],
  },
  {
    name: "volume prune before there was -a",
    only: "20.10",
    steps: [CLEAN, "docker run --name $N -v n$N:/named busybox true", "docker rm $N", "docker volume prune -f"],
  },
  {
    name: "system prune",
    steps: [
      CLEAN,
      "docker system prune -f",
      "docker run --name $N busybox sh -c 'echo hello >/file'",
      "docker system prune -f --volumes",
      "docker network prune -f",
    ],
  },
  {
    name: "filters that make no sense",
    steps: [
      "! docker container prune -f --filter nosuch=1",
      "! docker container prune -f --filter until=1h --filter until=2h",
      "! docker container prune -f --filter until=x",
      "! docker image prune -f --filter nosuch=1",
      "! docker image prune -f --filter until=x",
      "! docker volume prune -f --filter nosuch=1",
      "! docker network prune -f --filter nosuch=1",
      "! docker network prune -f --filter until=x",
    ],
  },
]);
