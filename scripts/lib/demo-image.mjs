// The one image of the demo, made here so that no registry is needed: BusyBox with two small stand-ins.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attempt, run } from "./run.mjs";
import { Stop } from "./say.mjs";

const REDIS = `#!/bin/sh
trap 'exit 0' TERM INT
echo "$(date '+%d %b %H:%M:%S') # A stand-in for Redis: BusyBox, made by shoal's demo"
echo "$(date '+%d %b %H:%M:%S') * Ready to accept connections on port 6379"
while :; do nc -l -p 6379 -e echo +PONG & wait $!; done
`;

const NGINX = `#!/bin/sh
trap 'exit 0' TERM INT
echo "A stand-in for nginx: BusyBox httpd, made by shoal's demo"
mkdir -p /www
echo "hello from $(hostname)" > /www/index.html
httpd -f -p 80 -h /www & wait $!
`;

/** The names the seeds of shoal's story use, tagged only inside the demo's engines. */
const TAGS = {
  "redis:latest": ['CMD ["redis-server"]', "EXPOSE 6379"],
  "nginx:latest": ['CMD ["nginx"]', "EXPOSE 80"],
};

/** Imports the image into the engine at `url` under both names. */
export async function importImage(url, env) {
  const directory = mkdtempSync(join(tmpdir(), "shoal-demo-image-"));
  try {
    await fill(directory);
    const tar = join(directory, "image.tar");
    await run(["tar", "-C", join(directory, "root"), "-cf", tar, "."]);
    for (const [tag, changes] of Object.entries(TAGS)) {
      const options = [...changes, "LABEL shoal.demo=stand-in"].flatMap((change) => ["-c", change]);
      await run(["docker", "-H", url, "import", ...options, tar, tag], { env });
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Whether the engine at `url` has both names already. */
export async function hasImage(url, env) {
  return (await attempt(["docker", "-H", url, "image", "inspect", ...Object.keys(TAGS)], { env })).code === 0;
}

async function fill(directory) {
  const busybox = (await run(["sh", "-c", "PATH=$PATH:/bin:/usr/bin; command -v busybox"])).trim();
  if ((await attempt(["sh", "-c", 'ldd "$1" 2>&1 | grep -q "=>"', "sh", busybox])).code === 0)
    throw new Stop(`${busybox} is not static; the demo's image needs busybox-static: apt-get install busybox-static`);
  const path = (...parts) => join(directory, "root", ...parts);
  for (const name of ["bin", "etc", "tmp", "root"]) mkdirSync(path(name), { recursive: true });
  copyFileSync(busybox, path("bin", "busybox"));
  const applets = (await run([busybox, "--list"])).split("\n").filter((name) => name !== "" && name !== "busybox");
  for (const applet of applets) symlinkSync("busybox", path("bin", applet));
  writeFileSync(path("etc", "passwd"), "root:x:0:0:root:/root:/bin/sh\n");
  writeFileSync(path("bin", "redis-server"), REDIS, { mode: 0o755 });
  writeFileSync(path("bin", "nginx"), NGINX, { mode: 0o755 });
}
