/** S1, files in and out of containers: cp, export, commit: as on one engine. */
import { compareCases } from "../support/case.ts";

const stopped = "docker create --name $N busybox sleep 60";

/** Whether the CLI still was sending when it was refused is chance. */
const UNSENT = /^time="<time>" level=error msg="Can't (?:add file|close tar).*\n/gm;

compareCases("cp", [
  {
    name: "a file in and out",
    steps: [stopped, "echo hello >f; docker cp f $N:/tmp/f", "docker cp $N:/tmp/f back; cat back"],
  },
  {
    name: "into a running one",
    steps: [
      "docker run -d --name $N busybox sleep 60",
      "echo hello >f; docker cp f $N:/tmp/",
      "docker exec $N cat /tmp/f",
    ],
  },
  {
    name: "a folder",
    steps: [
      stopped,
      "mkdir -p d/e; echo 1 >d/a; echo 2 >d/e/b; docker cp d $N:/tmp/",
      "docker cp $N:/tmp/d out; find out -type f | sort | xargs cat",
    ],
  },
  {
    name: "a folder's content",
    steps: [stopped, "mkdir d; echo 1 >d/a; docker cp d/. $N:/tmp/", "docker cp $N:/tmp/. out; ls out"],
  },
  {
    name: "a tar on standard input",
    steps: [stopped, "echo hello >f; tar -cf - f | docker cp - $N:/tmp", "docker cp $N:/tmp/f - | tar -xOf -"],
  },
  { name: "a tar to standard output", steps: [stopped, "docker cp $N:/etc/passwd - | tar -tf -"] },
  {
    name: "-a keeps owners, links are kept",
    steps: [
      stopped,
      "ln -s /etc/passwd l; docker cp l $N:/tmp/",
      "docker cp $N:/tmp/l out; readlink out",
      "docker cp -L $N:/bin/sh sh; test -s sh",
    ],
  },
  {
    name: "a missing source",
    steps: [stopped, "! docker cp $N:/nosuch out", "! docker cp nosuch $N:/tmp"],
    drop: /work\/c\w+-\w+/g,
  },
  { name: "a missing target folder", steps: [stopped, "! echo x >f; docker cp f $N:/no/such/folder/"], drop: UNSENT },
  { name: "a file onto a folder's name", steps: [stopped, "! mkdir d; docker cp d $N:/etc/passwd"], drop: UNSENT },
  { name: "a missing container", steps: ["! docker cp missing$N:/etc/passwd ."] },
  { name: "between containers is refused", steps: [stopped, "! docker cp $N:/a $N:/b"] },
  {
    name: "one megabyte",
    steps: [
      stopped,
      "yes shoal | head -c 1000000 >f; docker cp f $N:/tmp/f; docker cp $N:/tmp/f back; cmp f back && wc -c <back",
    ],
  },
]);

compareCases("export and commit", [
  {
    name: "export",
    steps: [
      "docker run --name $N busybox sh -c 'echo x >/new'",
      "docker export $N | tar -tf - | grep -c -e '^new$' -e '^bin/sh$'",
      "docker export -o out.tar $N; tar -xOf out.tar new",
    ],
  },
  { name: "export of a missing one", steps: ["! docker export missing$N"] },
  {
    name: "commit, and run the image",
    steps: [
      "docker run --name $N busybox sh -c 'echo kept >/f'",
      "docker commit $N img$N | wc -c",
      "docker run --rm img$N cat /f",
      "docker rmi img$N >/dev/null",
    ],
  },
  {
    name: "commit -c -m -a",
    steps: [
      "docker create --name $N busybox",
      "docker commit -m words -a me -c 'CMD [\"echo\",\"changed\"]' -c 'ENV A=b' $N img$N:1 >/dev/null",
      "docker image inspect -f '{{.Author}} {{.Comment}} {{json .Config.Cmd}}' img$N:1",
      "docker run --rm img$N:1",
      "docker rmi img$N:1 >/dev/null",
    ],
  },
  {
    name: "commit of a running one",
    steps: [
      "docker run -d --name $N busybox sleep 60",
      "docker commit $N img$N | wc -c",
      "docker inspect -f '{{.State.Status}}' $N",
      "docker rmi img$N >/dev/null",
    ],
  },
  { name: "commit with an invalid name", steps: ["docker create --name $N busybox", "! docker commit $N Img$N"] },
  { name: "commit of a missing one", steps: ["! docker commit missing$N img$N"] },
]);
