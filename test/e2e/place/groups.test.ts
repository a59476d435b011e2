/** What belongs together lives together: its home, what does not fit there any more, and what is reserved for it. */
import { placeCases } from "../support/place-case.ts";

const P = "--label com.docker.compose.project=p";
const Q = "--label com.docker.compose.project=q";
const JOB = "--label ci.job=7";

placeCases("groups", [
  {
    name: "a project lives where its first network was made, and the next project elsewhere",
    steps: [
      { make: `docker network create ${P} p_net >/dev/null; docker create --name pa ${P} --network p_net busybox` },
      {
        make: `docker network create ${Q} q_net >/dev/null; docker create --name qa ${Q} --network q_net busybox`,
        apart: "pa",
      },
      { make: `--name pb ${P} -m 1g busybox`, with: "pa" },
      { make: `--name pc ${P} -v p_data:/data busybox`, with: "pa" },
      { make: `--name qb ${Q} -m 1g busybox`, with: "qa" },
    ],
  },
  {
    name: "what no longer fits at home is refused with who lives there, what is free and what helps",
    steps: [
      { make: `--name p-db ${P} -m 1536m busybox` },
      {
        make: `--name p-web ${P} -m 1g busybox`,
        refused: [
          "no resources available to schedule container",
          /group: 2 of 3 nodes; com\.docker\.compose\.project=p lives on node-\d with 1 container \(p-db\); make room there, or let its containers live apart with the label shoal\.group\.policy=pack-then-spill or spread/,
          /resource: 1 of 3 nodes; nearest miss node-\d: 614\.4 MiB of 2\.1 GiB memory free, 1 GiB asked/,
        ],
      },
      { make: "docker rm p-db >/dev/null; docker create --name other -m 1g busybox" },
    ],
  },
  {
    name: "pack-then-spill goes elsewhere when home is full, and home again where there is room",
    steps: [
      { make: `--name ca ${P} --label shoal.group.policy=pack-then-spill -m 1536m busybox` },
      { make: `--name cb ${P} -m 1g busybox`, apart: "ca" },
      { make: `--name cc ${P} -m 512m busybox`, with: "ca" },
    ],
  },
  {
    name: "spread puts each on the emptiest node, but a network still holds what joins it",
    steps: [
      { make: `docker run -d --name ca ${P} --label shoal.group.policy=spread busybox sleep 600` },
      { make: `docker run -d --name cb ${P} --label shoal.group.policy=spread busybox sleep 600`, apart: "ca" },
      {
        make: `docker network create ${P} --label shoal.group.policy=spread node-3/p_net >/dev/null; docker create ${P} --label shoal.group.policy=spread --network p_net busybox`,
        on: "node-3",
      },
    ],
  },
  {
    name: "what is reserved is kept from others, and its members draw from it",
    steps: [
      {
        make: `-e constraint:node==node-1 --name ca ${P} --label shoal.reserve=mem=1536m -m 256m busybox`,
        on: "node-1",
      },
      {
        make: "-e constraint:node==node-1 -m 1g busybox",
        refused: [/614\.4 MiB of 2\.1 GiB memory free, 1 GiB asked/],
      },
      { make: `--name cb ${P} -m 1g busybox`, on: "node-1" },
      { make: "-e constraint:node==node-1 -m 512m busybox", on: "node-1" },
      {
        make: `${P} --label shoal.reserve=mem=2g busybox`,
        refused: [
          /lives on node-1 with 2 containers \(ca, cb\); .* memory left for it there, 2 GiB asked \(shoal\.reserve\)/,
        ],
      },
    ],
  },
  {
    name: "sessions, jobs and groups that are named belong together, too; the name of a group comes before a project's",
    steps: [
      { make: "--name sa --label org.testcontainers.session-id=1 busybox" },
      { make: "--name sb --label org.testcontainers.session-id=1 -m 1g busybox", with: "sa" },
      { make: "--name ja --label com.gitlab.gitlab-runner.job.id=9 busybox" },
      { make: "--name jb --label com.gitlab.gitlab-runner.job.id=9 -m 1g busybox", with: "ja" },
      { make: `--name ga --label shoal.group=g ${P} -e constraint:node==node-2 busybox`, on: "node-2" },
      { make: `--name pa ${P} -e constraint:node==node-3 busybox`, on: "node-3" },
      { make: `--label shoal.group=g ${P} -m 1g busybox`, on: "node-2" },
    ],
  },
  {
    name: "a constraint that the home does not satisfy is refused, naming the home",
    steps: [
      { make: `--name pa ${P} -e constraint:node==node-2 busybox`, on: "node-2" },
      {
        make: `${P} -e constraint:node==node-1 busybox`,
        refused: [/com\.docker\.compose\.project=p lives on node-2 with 1 container \(pa\)/, /node==node-1/],
      },
    ],
  },
]);

placeCases(
  "--group-label and --group-policy",
  [
    {
      name: "name what belongs together, and how it is placed unless a label says so",
      steps: [
        { make: `docker run -d --name ca ${JOB} busybox sleep 600` },
        { make: `docker run -d --name cb ${JOB} busybox sleep 600`, apart: "ca" },
        { make: "--name cc --label ci.job=8 --label shoal.group.policy=pack busybox" },
        { make: "--name cd --label ci.job=8 --label shoal.group.policy=pack -m 1g busybox", with: "cc" },
      ],
    },
  ],
  { flags: ["--group-label", "ci.job", "--group-policy", "spread"] },
);
