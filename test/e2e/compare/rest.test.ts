/** S1, what is asked of an engine besides its containers and images: as of one engine. */
import { type Beside, compareCases } from "../support/case.ts";
import { publish, startRegistry } from "../support/registry.ts";

async function withRegistry(): Promise<Beside> {
  const registry = await startRegistry();
  await publish(registry, "img", ["one"]);
  return { env: { R: registry.name }, stop: () => registry.stop() };
}

/** What the CLI has no command for. */
const curl = (path: string): string => `curl -s "http://\${DOCKER_HOST#tcp://}/v1.41${path}"`;

compareCases(
  "the rest of the API",
  [
    {
      name: "swarm mode",
      steps: [
        "! docker node ls",
        "! docker node inspect self",
        "! docker service ls",
        "! docker service create --name $N busybox",
        "! docker secret ls",
        "! docker config ls",
        "! docker stack ls",
        "! docker swarm leave",
        "! docker swarm join-token worker",
        "docker info -f '{{.Swarm.LocalNodeState}}'",
      ],
    },
    {
      name: "system df",
      steps: [
        "docker run --name $N busybox sh -c 'echo hello >/file'",
        "docker system df --format '{{.Type}} {{.TotalCount}} {{.Active}} {{.Size}}' | grep ^Containers",
        "docker system df -v --format '{{range .Containers}}{{.Names}} {{.Size}} {{.Image}}{{end}}'",
      ],
    },
    {
      name: "checkpoints without experimental engines",
      steps: [
        "docker create --name $N busybox >/dev/null",
        "! docker checkpoint ls $N",
        curl("/containers/$N/checkpoints"),
      ],
    },
    { name: "search", steps: ["! docker search --limit 200 nosuch"] },
    {
      name: "what a registry says of an image",
      steps: [
        curl("/distribution/$R/img:one/json"),
        curl("/distribution/$R/img:nosuch/json"),
        curl("/distribution/X/json"),
      ],
    },
  ],
  withRegistry,
);
