/** S1, images that come and go as archives and to a registry: as on one engine. */
import { type Beside, compareCases } from "../support/case.ts";
import { startRegistry } from "../support/registry.ts";

async function withRegistry(): Promise<Beside> {
  const registry = await startRegistry();
  return { env: { R: registry.name }, stop: () => registry.stop() };
}

/** Each side pushes to a repository of its own: a registry fails one of two who push the same at once. */
const SIDE = /(?:reference|subject)\//g;
const REMOVED = "| sed 's/sha256:.*/<digest>/' | sort -u";

compareCases(
  "archives and registries",
  [
    {
      name: "save and load",
      steps: [
        "docker tag busybox t$N:1",
        "docker save -o t.tar t$N:1",
        "docker rmi t$N:1",
        "docker load -i t.tar",
        "docker run --rm --name $N --pull never t$N:1 echo from the archive",
        "docker load -q <t.tar",
        "docker rmi t$N:1",
      ],
    },
    {
      name: "save of several, and by ID",
      steps: [
        "docker save redis nginx:latest | tar tf - | grep -c json",
        "docker save docker.io/library/redis:latest >a; docker save $(docker images -q redis) >b; ls a b",
      ],
    },
    { name: "save of a missing image", steps: ["! docker save nosuch$N >x", "! docker save busybox nosuch$N:1 >x"] },
    { name: "load of what is no archive", steps: ["! echo garbage | docker load"] },
    {
      name: "import",
      steps: [
        "echo hello >file; tar cf f.tar file",
        "docker import -c 'CMD [\"x\"]' -m 'a message' f.tar i$N:1 | sed 's/sha256:.*/<id>/'",
        "docker image inspect -f '{{json .Config.Cmd}} {{.Comment}} {{len .RootFS.Layers}}' i$N:1",
        "docker images i$N --format '{{.Repository}}:{{.Tag}}'",
        "docker create --name $N i$N:1 >/dev/null; docker cp $N:/file - | tar xO; docker rm $N",
        `docker rmi i$N:1 ${REMOVED}`,
        "! docker import f.tar I$N:1",
        "! docker import -c NOPE f.tar",
      ],
    },
    {
      name: "push",
      drop: SIDE,
      steps: [
        "docker tag busybox $R/$SIDE/p$N:1",
        "docker push $R/$SIDE/p$N:1 | grep -e refers -e digest",
        "docker push -q $R/$SIDE/p$N:1",
        `docker rmi $R/$SIDE/p$N:1 ${REMOVED}`,
        "docker pull -q $R/$SIDE/p$N:1",
        "docker run --rm --name $N $R/$SIDE/p$N:1 echo from the registry",
        `docker rmi $R/$SIDE/p$N:1 ${REMOVED}`,
      ],
    },
    {
      name: "push -a",
      drop: SIDE,
      steps: [
        "docker tag busybox $R/$SIDE/a$N:1; docker tag busybox $R/$SIDE/a$N:2",
        "docker push -a $R/$SIDE/a$N | grep digest | sort",
        `docker rmi $R/$SIDE/a$N:1 $R/$SIDE/a$N:2 ${REMOVED}`,
      ],
    },
    { name: "push of a missing image", steps: ["! docker push $R/nosuch$N:1", "! docker push -a $R/nosuch$N"] },
  ],
  withRegistry,
);
