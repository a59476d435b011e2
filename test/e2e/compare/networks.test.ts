/** Networks, as on one engine: made, listed, inspected, joined, left, removed and pruned. */
import { compareCases } from "../support/case.ts";

/** What both CLIs show of a network, whatever its ID. */
const ROW = "{{.Name}} {{.Driver}} {{.Scope}}";

compareCases("networks", [
  {
    name: "create, ls, inspect, rm",
    steps: [
      "docker network create $N | wc -c",
      `docker network ls --filter name=^$N$ --format '${ROW}'`,
      "docker network inspect -f '{{.Name}} {{.Driver}} {{.Scope}} {{.Internal}} {{len .Containers}} {{json .Labels}}' $N",
      "docker network inspect -f '{{.Name}}' $(docker network ls -q --filter name=^$N$)",
      "docker network rm $N",
      "! docker network inspect $N",
      "! docker network rm $N",
    ],
  },
  {
    name: "create with labels, options and a subnet",
    steps: [
      "docker network create --label a=b --label case=$N --internal -o com.docker.network.bridge.name=$N --subnet 10.213.77.0/24 --gateway 10.213.77.1 $N >/dev/null",
      "docker network inspect -f '{{.Internal}} {{json .Labels}} {{json .Options}} {{json .IPAM.Config}}' $N",
      `docker network ls --filter label=case=$N --format '${ROW}'`,
      "docker network rm $N",
    ],
  },
  {
    name: "names that cannot be",
    steps: [
      "docker network create $N >/dev/null",
      "! docker network create $N",
      "! docker network create bridge",
      "! docker network rm bridge",
      "docker network rm $N",
    ],
  },
  {
    name: "ls with filters",
    steps: [
      "docker network create --label case=$N $N >/dev/null",
      `docker network ls --filter type=builtin --format '${ROW}'`,
      `docker network ls --filter label=case=$N --filter type=custom --filter driver=bridge --format '${ROW}'`,
      `docker network ls --filter name=$N --filter dangling=true --format '${ROW}'`,
      "docker network ls -q --filter name=nosuch$N",
      "! docker network ls --filter nosuch=1",
      "docker network rm $N",
    ],
  },
  {
    name: "containers find each other by name and alias",
    steps: [
      "docker network create $N >/dev/null",
      "docker run -d --name $N-a --network $N --network-alias db busybox sleep 300 >/dev/null",
      "docker run --rm --network $N busybox ping -c 1 -W 10 db >/dev/null",
      "docker run --rm --network $N busybox ping -c 1 -W 10 $N-a >/dev/null",
      "docker network inspect -f '{{range .Containers}}{{.Name}}{{end}}' $N",
      "! docker network rm $N",
      "docker rm -f $N-a",
      "docker network rm $N",
    ],
  },
  {
    name: "connect and disconnect",
    steps: [
      "docker network create $N >/dev/null",
      "docker network create $N-b >/dev/null",
      "docker run -d --name $N-a --network $N busybox sleep 300 >/dev/null",
      "docker network disconnect $N $N-a",
      "! docker network disconnect $N $N-a",
      "docker network connect --alias other $N $N-a",
      "! docker network connect $N $N-a",
      "docker inspect -f '{{range $k, $v := .NetworkSettings.Networks}}{{$k}} {{end}}' $N-a",
      "! docker network connect nosuch$N $N-a",
      "! docker network connect $N nosuch$N",
      "docker rm -f $N-a",
      "docker network rm $N $N-b",
    ],
    drop: /id [0-9a-f]+ /g,
  },
  {
    name: "prune takes what is unused, by its filters",
    steps: [
      "docker network create --label case=$N $N >/dev/null",
      "docker network prune -f --filter label=case=nosuch",
      "docker network prune -f --filter label=case=$N --filter until=1h",
      "docker network prune -f --filter label=case=$N",
    ],
  },
]);
