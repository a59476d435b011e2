/** The images of the suite: busybox, and two of it that expose ports as redis and nginx do; the same IDs everywhere. */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Target } from "./docker.ts";
import { docker } from "./docker.ts";
import { output, sleep } from "./exec.ts";

const IMAGES: readonly (readonly [string, readonly string[]])[] = [
  ["busybox:latest", ['CMD ["/bin/sh"]']],
  ["redis:latest", ["EXPOSE 6379", 'CMD ["/bin/nc","-ll","-p","6379","-e","/bin/echo","+PONG"]']],
  ["nginx:latest", ["EXPOSE 80", 'CMD ["/bin/httpd","-f","-p","80","-h","/www"]']],
];

/**
 * Imports the images on the first engine and copies them to the others by save and load: an import on each engine
 * would give each its own image ID.
 */
export async function provideImages(first: Target, others: readonly Target[], work: string): Promise<void> {
  const root = mkdtempSync(join(work, "image-"));
  await layOut(root, work);
  const archive = join(work, "root.tar");
  await output("tar", [
    "-C",
    root,
    "--owner=0",
    "--group=0",
    "--mtime=2024-01-01 00:00Z",
    "--sort=name",
    "-cf",
    archive,
    ".",
  ]);
  for (const [name, changes] of IMAGES) {
    // Engines compare the times of creation to the nanosecond and tell them in seconds: one image a second.
    await sleep(1000 - (Date.now() % 1000));
    const flags = changes.map((change) => `-c '${change}'`).join(" ");
    await docker(first, `docker import ${flags} ${archive} ${name} >/dev/null`);
  }
  const saved = join(work, "images.tar");
  await docker(first, `docker save -o ${saved} ${IMAGES.map(([name]) => name).join(" ")}`);
  await Promise.all(others.map((target) => docker(target, `docker load -q -i ${saved}`)));
  for (const path of [root, archive, saved]) rmSync(path, { recursive: true, force: true });
}

async function layOut(root: string, work: string): Promise<void> {
  for (const folder of ["bin", "etc", "tmp", "root", "www", "var"]) mkdirSync(join(root, folder));
  chmodSync(join(root, "tmp"), 0o1777);
  const busybox = join(root, "bin/busybox");
  copyFileSync(await staticBusybox(work), busybox);
  chmodSync(busybox, 0o755);
  const applets = (await output(busybox, ["--list"])).split("\n");
  // The binary's own name is in its list: as a link it would point to itself.
  for (const applet of applets) if (applet !== "busybox") symlinkSync("busybox", join(root, "bin", applet));
  writeFileSync(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n");
  writeFileSync(join(root, "etc/group"), "root:x:0:\nnogroup:x:65534:\n");
  writeFileSync(join(root, "www/index.html"), "hello from busybox\n");
}

/** Debian's busybox-static: the installed one, or the package unpacked beside the suite's other files. */
async function staticBusybox(work: string): Promise<string> {
  const installed = ["/bin/busybox", "/usr/bin/busybox"].find((path) => existsSync(path));
  const linked = installed === undefined ? "" : await output("sh", ["-c", `ldd ${installed} 2>&1 || true`]);
  if (installed !== undefined && /not a dynamic|statically/.test(linked)) return installed;
  const unpacked = join(work, "busybox-static");
  mkdirSync(unpacked, { recursive: true });
  await output("sh", ["-c", "apt-get download -q busybox-static && dpkg -x busybox-static_*.deb ."], {
    cwd: unpacked,
    timeout: 120_000,
  });
  const path = ["bin/busybox", "usr/bin/busybox"].map((name) => join(unpacked, name)).find((name) => existsSync(name));
  if (path === undefined) throw new Error("no static busybox: install Debian's busybox-static");
  return path;
}
