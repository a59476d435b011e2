/** S1, images from a registry: as on one engine. */
import { type Beside, compareCases } from "../support/case.ts";
import { publish, startRegistry } from "../support/registry.ts";

async function withRegistry(): Promise<Beside> {
  const registry = await startRegistry();
  await publish(registry, "img", ["latest", "one", "two"]);
  return { env: { R: registry.name }, stop: () => registry.stop() };
}

const gone = (...tags: readonly string[]): string =>
  tags.map((tag) => `docker rmi -f $R/img:${tag} >/dev/null`).join("; ");

/** Which layers an engine knows hangs on what it pulled and pushed before, and quick states on the way are skipped. */
const LAYERS =
  /^<id \d+ short>: (?:Already exists|Pulling fs layer|Waiting|Verifying Checksum|Download complete|Pull complete)\n/gm;

compareCases(
  "pull from a registry",
  [
    {
      name: "pull, run, pull again",
      drop: LAYERS,
      steps: [
        "docker pull $R/img:one",
        "docker run --rm --name $N --pull never $R/img:one cat /tag",
        "docker pull $R/img:one",
        "docker images $R/img",
        "docker image inspect -f '{{json .RepoTags}} {{len .RepoDigests}}' $R/img:one",
        "docker rmi $R/img:one | sed 's/sha256:.*/<digest>/' | sort -u",
      ],
    },
    {
      name: "without a tag, quietly, and by digest",
      steps: [
        "docker pull -q $R/img",
        "docker image inspect -f '{{index .RepoDigests 0}}' $R/img >digest",
        gone("latest"),
        "docker pull -q $(cat digest)",
        "docker run --rm --name $N $(cat digest) cat /tag",
        "docker images --digests $R/img",
        "docker rmi -f $(cat digest) >/dev/null",
      ],
    },
    {
      name: "-a",
      steps: [
        "docker pull -q -a $R/img",
        "docker images $R/img --format '{{.Repository}}:{{.Tag}}' | sort",
        gone("latest", "one", "two"),
      ],
    },
    {
      name: "run of an image that has to be pulled",
      drop: LAYERS,
      steps: [
        "docker run --rm --name $N $R/img:two cat /tag",
        "docker run --rm --name $N $R/img:two cat /tag",
        gone("two"),
      ],
    },
    {
      name: "create --pull always",
      drop: LAYERS,
      steps: [
        "docker create --pull always --name $N $R/img:two cat /tag",
        "docker start -a $N",
        "docker rm $N",
        gone("two"),
      ],
    },
    { name: "a missing tag", steps: ["! docker pull $R/img:nosuch", "! docker pull -q $R/img:nosuch"] },
    { name: "a missing repository", steps: ["! docker pull $R/nosuch"] },
    {
      name: "run of a missing tag",
      steps: ["! docker run --name $N $R/img:nosuch", "! docker run --pull always --name $N $R/img:nosuch"],
    },
    { name: "a registry that does not answer", steps: ["! docker pull $(echo $R | sed s/:.*//):1/img"] },
  ],
  withRegistry,
);
