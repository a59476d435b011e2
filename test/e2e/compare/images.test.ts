/** S1, images: as on one engine. */
import { compareCases } from "../support/case.ts";

compareCases("images", [
  {
    name: "the table",
    steps: [
      "docker images busybox",
      "docker images --no-trunc busybox",
      "docker images -q redis",
      "docker images nosuch",
    ],
  },
  {
    name: "all",
    steps: [
      "docker images --format '{{.Repository}}:{{.Tag}} {{.ID}} {{.Size}}' | grep -e ^busybox -e ^redis -e ^nginx | sort",
    ],
  },
  {
    name: "filters",
    steps: [
      "docker images --filter reference='bus*' --format '{{.Repository}}'",
      "docker images --filter dangling=true -q",
      "docker images --filter label=nosuch -q",
      "! docker images --filter nosuch=1",
      "! docker images --filter dangling=x",
    ],
  },
  {
    name: "before and since",
    steps: [
      "docker images --filter before=nginx --format '{{.Repository}}' | sort",
      "docker images --filter since=busybox --format '{{.Repository}}' | sort",
    ],
  },
  { name: "--digests", steps: ["docker images --digests busybox"] },
  {
    name: "image inspect",
    steps: [
      "docker image inspect -f '{{.Id}} {{json .RepoTags}} {{.Os}} {{.Architecture}} {{json .Config.Cmd}} {{json .RootFS}} {{.Size}}' busybox redis",
      "! docker image inspect nosuch$N",
    ],
  },
  {
    name: "inspect by ID",
    steps: [
      "id=$(docker images -q redis); docker image inspect -f '{{json .RepoTags}}' $id",
      "docker image inspect -f '{{json .Config.ExposedPorts}}' $(docker image inspect -f '{{.Id}}' redis)",
    ],
  },
  {
    name: "history",
    steps: ["docker history busybox", "docker history --no-trunc -q redis", "! docker history nosuch$N"],
  },
  {
    name: "tag and rmi",
    steps: [
      "docker tag busybox t$N:1",
      "docker images t$N",
      "docker run --rm t$N:1 echo from the tag",
      "docker rmi t$N:1",
      "! docker image inspect t$N:1",
    ],
  },
  { name: "tag of a missing image", steps: ["! docker tag nosuch$N t$N"] },
  { name: "tag with an invalid name", steps: ["! docker tag busybox T$N:1", "! docker tag busybox 't:a b'"] },
  { name: "rmi of a missing image", steps: ["! docker rmi nosuch$N"] },
  {
    name: "rmi of an image in use",
    steps: [
      "docker run --name $N-0 busybox sh -c 'echo >/x'",
      "docker commit $N-0 used$N >/dev/null",
      "docker create --name $N used$N",
      "! docker rmi used$N",
      "docker rm $N",
      "docker rmi used$N | sed 's/sha256:.*/<deleted>/' | sort -u",
    ],
  },
  { name: "rmi -f of a tag", steps: ["docker tag busybox t$N", "docker rmi -f t$N"] },
  { name: "pull of a missing image", steps: ["! docker pull nosuch$N"] },
  { name: "pull -q of a missing image", steps: ["! docker pull -q nosuch$N:1"] },
  { name: "pull with an invalid name", steps: ["! docker pull Nosuch:1"] },
  { name: "run of a missing image", steps: ["! docker run --name $N nosuch$N"] },
  { name: "create of a missing image", steps: ["! docker create --name $N nosuch$N:7"] },
]);
