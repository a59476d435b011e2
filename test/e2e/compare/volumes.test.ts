/** Volumes: as on one engine, made, used, listed, read and removed. */
import { compareCases } from "../support/case.ts";

compareCases("volumes", [
  {
    name: "made by themselves",
    steps: [
      "docker volume create $N",
      "docker volume create --driver local --label app=$N $N-labels",
      "docker volume create $N",
      "docker volume ls --filter name=$N",
      "docker volume ls -q --filter label=app=$N",
      "docker volume ls -q --filter name=^$N$",
      "docker volume inspect --format '{{.Name}} {{.Driver}} {{.Scope}} {{json .Options}} {{json .Labels}}' $N $N-labels",
      "docker volume rm $N $N-labels",
      "docker volume ls -q --filter name=$N",
    ],
  },
  {
    name: "without a name",
    steps: ["V=$(docker volume create) && docker volume inspect --format '{{.Name}}' $V && docker volume rm $V"],
  },
  {
    name: "used, and used again",
    steps: [
      "docker volume create $N",
      "docker run --rm -v $N:/data busybox sh -c 'echo kept >/data/file'",
      "docker run --rm -v $N:/data:ro busybox cat /data/file",
      "docker run --rm --mount type=volume,source=$N,target=/d busybox cat /d/file",
      "docker create --name $N -v $N:/data -v $N-way:/way busybox",
      "docker volume ls -q --filter dangling=true --filter name=$N",
      "docker volume ls -q --filter dangling=false --filter name=$N",
      "! docker volume rm $N",
      "docker rm -v $N",
      "docker volume ls -q --filter dangling=true --filter name=$N",
      "docker volume rm $N $N-way",
    ],
  },
  {
    name: "what is wrong",
    steps: [
      "! docker volume inspect nosuch-$N",
      "! docker volume rm nosuch-$N",
      "docker volume rm -f nosuch-$N",
      "! docker volume create nowhere/$N",
      "! docker volume create x",
      "! docker volume create -o bad=1 $N",
      "! docker volume ls --filter nosuch=1",
      "! docker volume ls --filter dangling=maybe",
      "! docker create --name $N -v nowhere/$N:/x busybox",
    ],
  },
  {
    name: "pruned by their labels, before there was -a",
    only: "20.10",
    steps: [
      "docker volume prune -f >/dev/null",
      "docker volume create --label keep=yes $N-kept",
      "docker volume create $N-other",
      "docker volume prune -f --filter label=keep=no",
      "docker volume prune -f --filter label!=keep",
      "docker volume prune -f --filter label=keep=yes",
    ],
  },
]);
