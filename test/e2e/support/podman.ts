/**
 * podman's Docker-compatible service as a machine's engine: a folder with a `dockerd` that takes what machines give to
 * one and starts podman. Its programs come out of Debian packages and are never installed.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { unpackedPackages } from "./debian.ts";

/** With the libraries that a machine with Docker Engine does not have already. */
const PACKAGES = [
  "podman",
  "conmon",
  "crun",
  "containernetworking-plugins",
  "libgpgme11",
  "libassuan0",
  "libsubid4",
  "libyajl2",
];

/** Containers get no cgroups of their own: nobody would take those away after a machine that lost its power. */
const SCRIPT = `#!/bin/sh
set -eu
for arg; do
  case $arg in
  --host=tcp://*) address=\${arg#--host=} ;;
  --data-root=*) data=\${arg#--data-root=} ;;
  esac
done
# podman asks the package manager for its programs' versions before each answer of /version.
[ ! -e /usr/bin/dpkg ] || mount --bind /bin/false /usr/bin/dpkg
# crun refuses a host with both kinds of cgroups, even where it is to make none.
umount -l /sys/fs/cgroup/unified 2>/dev/null || :
mkdir -p "$data/home/.config/containers" "$data/networks" "$data/tmp"
cat >"$data/containers.conf" <<END
[containers]
cgroups = "disabled"
[network]
network_backend = "cni"
cni_plugin_dirs = ["$ROOT/usr/lib/cni"]
network_config_dir = "$data/networks"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "crun"
conmon_path = ["$ROOT/usr/bin/conmon"]
[engine.runtimes]
crun = ["\${0%/*}/crun"]
END
cat >"$data/storage.conf" <<END
[storage]
driver = "overlay"
graphroot = "$data/storage"
runroot = "/run/containers"
END
echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$data/home/.config/containers/policy.json"
echo 'unqualified-search-registries = ["docker.io"]' >"$data/registries.conf"
export HOME="$data/home" TMPDIR="$data/tmp" CONTAINERS_CONF="$data/containers.conf"
export CONTAINERS_STORAGE_CONF="$data/storage.conf" CONTAINERS_REGISTRIES_CONF="$data/registries.conf"
export LD_LIBRARY_PATH="$(echo "$ROOT"/usr/lib/*-linux-gnu)"
exec "$ROOT/usr/bin/podman" system service --time=0 "$address"
`;

/** podman's helper between it and crun passes no environment on. */
const CRUN = `#!/bin/sh
LD_LIBRARY_PATH="$(echo "$ROOT"/usr/lib/*-linux-gnu)" exec "$ROOT/usr/bin/crun" "$@"
`;

/** Throws with apt's words when it cannot be had. */
export async function podmanFolder(cache: string, work: string): Promise<string> {
  const root = await unpackedPackages("podman-bookworm", { suite: "bookworm", packages: PACKAGES }, cache);
  const folder = join(work, "podman");
  mkdirSync(folder);
  for (const [name, script] of Object.entries({ dockerd: SCRIPT, crun: CRUN })) {
    writeFileSync(join(folder, name), script.replace("\n", `\nROOT='${root}'\n`), { mode: 0o755 });
  }
  return folder;
}
