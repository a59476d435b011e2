/** S1, what goes wrong goes wrong in Docker's words: as on one engine. */
import { type Case, compareCases } from "../support/case.ts";

/** Every command that takes a container, with one that does not exist. */
const UNKNOWN = [
  "attach missing",
  "commit missing img",
  "cp missing:/x .",
  "diff missing",
  "exec missing true",
  "export missing",
  "inspect missing",
  "inspect --type container missing",
  "kill missing",
  "logs missing",
  "pause missing",
  "port missing",
  "rename missing other",
  "restart missing",
  "rm missing",
  "start missing",
  "start -a missing",
  "stats --no-stream missing",
  "stop missing",
  "top missing",
  "unpause missing",
  "update -m 64m missing",
  "wait missing",
];

const unknown: Case[] = UNKNOWN.map((command) => ({ name: `docker ${command}`, steps: [`! docker ${command}`] }));

compareCases("an unknown container", unknown);

compareCases("errors", [
  {
    name: "an invalid name",
    steps: [
      "! docker create --name 'a b' busybox",
      "! docker create --name -x busybox",
      "! docker create --name a busybox",
    ],
  },
  {
    name: "a name in use",
    steps: [
      "docker create --name $N busybox",
      "! docker create --name $N busybox",
      "! docker run --name $N busybox true",
    ],
  },
  {
    name: "bad ports",
    steps: [
      "! docker create --name $N -p 99999:80 busybox",
      "! docker create --name $N -p x:80 busybox",
      "! docker create --name $N -p 80:80/nosuch busybox",
      "! docker create --name $N --expose nosuch busybox",
    ],
  },
  {
    name: "bad env",
    steps: ["! docker create --name $N -e =x busybox", "! docker create --name $N --env-file nosuch busybox"],
  },
  { name: "bad memory", steps: ["! docker create --name $N -m 1k busybox", "! docker create --name $N -m x busybox"] },
  {
    name: "memory below its reservation",
    steps: ["! docker create --name $N -m 64m --memory-reservation 128m busybox"],
  },
  { name: "bad network", steps: ["! docker run --name $N --network nosuch$N busybox true"] },
  { name: "bad network container", steps: ["! docker run --name $N --network container:missing$N busybox true"] },
  { name: "bad link", steps: ["! docker run --name $N --link missing$N:x busybox true"] },
  { name: "bad volumes-from", steps: ["! docker create --name $N --volumes-from missing$N busybox"] },
  {
    name: "bad bind",
    steps: [
      "! docker create --name $N -v relative:../x busybox",
      "! docker create --name $N --mount type=bind,source=/nosuch/$N,target=/x busybox",
    ],
    // On which nodes, and the remedies.
    drop: / on node-1, node-2, node-3; mount a path that a node has.*to have it made/g,
  },
  {
    name: "bad working folder and user",
    steps: ["! docker create --name $N -w relative busybox", "! docker run --name $N -u nosuchuser busybox true"],
  },
  { name: "bad restart policy", steps: ["! docker create --name $N --restart nosuch busybox"] },
  { name: "bad log driver", steps: ["! docker create --name $N --log-driver nosuch busybox"] },
  { name: "bad runtime", steps: ["! docker create --name $N --runtime nosuch busybox"] },
  { name: "bad stop signal", steps: ["! docker create --name $N --stop-signal NOSUCH busybox"] },
  {
    name: "an invalid image name",
    steps: ["! docker create --name $N Busybox", "! docker create --name $N 'busybox:a b'"],
  },
  { name: "no command", steps: ["! docker create --name $N --entrypoint '' busybox"] },
  { name: "an ambiguous ID", steps: ["! docker inspect ''"], drop: /[\s\S]*/ },
]);
