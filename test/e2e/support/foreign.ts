/** What somebody else made on the fleet's engines, past every manager, and all that can be seen of it. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { docker } from "./docker.ts";
import { at, type EngineAddress, fleet } from "./fleet.ts";
import { call, get } from "./http.ts";

export interface Foreign {
  readonly node: EngineAddress;
  /** IDs or names. */
  readonly containers: readonly { readonly id: string; readonly name: string }[];
  readonly images: readonly string[];
  readonly volumes: readonly string[];
  readonly networks: readonly string[];
}

/** Shell lines; `$I` is the node's number. All but the twin have names of their own. */
const MAKE = [
  "docker volume create --label owner=them theirs-data-$I >/dev/null",
  "docker run --rm -v theirs-data-$I:/data busybox sh -c 'echo kept >/data/file; mkdir /data/dir; echo deep >/data/dir/file'",
  "docker volume create theirs-empty-$I >/dev/null; docker volume create >/dev/null",
  "docker run -d --name theirs-run-$I -v /data -l keep=yes busybox sh -c 'echo anonymous >/data/file; sleep 86400'",
  "docker run -d -i -t --name theirs-tty-$I busybox",
  "docker run -d --name theirs-paused-$I busybox sleep 86400 && docker pause theirs-paused-$I",
  "docker run --name theirs-ended-$I -v theirs-data-$I:/data busybox sh -c 'exit 3' || true",
  "docker create --name theirs-made-$I -v /data busybox sleep 86400",
  "docker run -d --name twin busybox sleep 86400",
  // What `docker compose up` leaves.
  "docker network create --label com.docker.compose.project=shop$I shop$I\\_default",
  "docker volume create --label com.docker.compose.project=shop$I shop$I\\_db",
  "docker run -d --name shop$I-db-1 --network shop$I\\_default -v shop$I\\_db:/db -l com.docker.compose.project=shop$I -l com.docker.compose.service=db -l com.docker.compose.container-number=1 -l com.docker.compose.oneoff=False busybox sh -c 'echo rows >/db/table; sleep 86400'",
  "docker run --name shop$I-job-1 --network shop$I\\_default -l com.docker.compose.project=shop$I -l com.docker.compose.service=job -l com.docker.compose.container-number=1 -l com.docker.compose.oneoff=False busybox true",
  "docker network create theirs-net-$I",
  "docker commit theirs-run-$I theirs-image-$I:1; docker commit -m untagged theirs-run-$I; docker tag redis theirs-redis-$I:1",
];

/** Makes it on every node. */
export async function makeForeign(): Promise<Foreign[]> {
  return Promise.all(
    fleet().nodes.map(async (node, index) => {
      for (const line of MAKE) await docker(at(node.host), line, { env: { I: String(index + 1) } });
      return look(node);
    }),
  );
}

/** Everything that is on a node now. */
async function look(node: EngineAddress): Promise<Foreign> {
  const { host } = node;
  const containers = await get<{ Id: string; Names: string[] }[]>(host, "/containers/json?all=1");
  const images = await get<{ Id: string }[]>(host, "/images/json?all=1");
  const volumes = await get<{ Volumes: { Name: string }[] | null }>(host, "/volumes");
  const networks = await get<{ Id: string }[]>(host, "/networks");
  return {
    node,
    containers: containers.map(({ Id, Names }) => ({ id: Id, name: (Names[0] ?? "").slice(1) })),
    images: images.map(({ Id }) => Id),
    volumes: (volumes.Volumes ?? []).map(({ Name }) => Name),
    networks: networks.map(({ Id }) => Id),
  };
}

/** The whole state as the engine tells it, by path; what is gone is told as the engine's error. */
export async function stateOf(foreign: Foreign): Promise<Record<string, unknown>> {
  const { node } = foreign;
  const state: Record<string, unknown> = {};
  const ask = async (path: string): Promise<void> => {
    const { status, text } = await call(node.host, path);
    state[`${node.name} ${path}`] = status === 200 ? seen(foreign, path, JSON.parse(text)) : text;
  };
  for (const { id } of foreign.containers) {
    await ask(`/containers/${id}/json`);
    await ask(`/containers/${id}/changes`);
  }
  for (const id of foreign.images) await ask(`/images/${id}/json`);
  for (const id of foreign.networks) await ask(`/networks/${id}`);
  for (const name of foreign.volumes) {
    await ask(`/volumes/${name}`);
    state[`${node.name} files of ${name}`] = filesOf(state[`${node.name} /volumes/${name}`] as { Mountpoint?: string });
  }
  return state;
}

const BUILT_IN = ["bridge", "host", "none"];

/** Our own tags on a foreign image, and newer containers on the networks that every engine has, are no change of theirs. */
function seen({ containers }: Foreign, path: string, value: unknown): unknown {
  const object = value as Record<string, unknown>;
  if (path.startsWith("/images/")) {
    const tags = (object.RepoTags as string[] | null) ?? [];
    return { ...object, RepoTags: tags.filter((tag) => !tag.startsWith("mine")).sort(), Metadata: undefined };
  }
  if (!path.startsWith("/networks/") || !BUILT_IN.includes(String(object.Name))) return value;
  const joined = Object.entries((object.Containers ?? {}) as Record<string, unknown>);
  return { ...object, Containers: joined.filter(([joinedId]) => containers.some(({ id }) => id === joinedId)).sort() };
}

/** Path → digest of the content and time of the last change: machines keep their data in this host's own folders. */
function filesOf({ Mountpoint: top }: { readonly Mountpoint?: string }): unknown {
  if (top === undefined || !existsSync(top)) return "not seen";
  const found: Record<string, string> = {};
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(top, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else {
        const digest = createHash("sha256")
          .update(readFileSync(join(top, path)))
          .digest("hex");
        found[path] = `${digest} ${statSync(join(top, path)).mtimeMs}`;
      }
    }
  };
  walk("");
  return found;
}

/** Takes away all but the containers. */
export async function removeForeign(): Promise<void> {
  const keep = ["busybox:latest", "redis:latest", "nginx:latest"];
  await Promise.all(
    [...fleet().nodes].map(async ({ host }) => {
      const rows = await get<{ RepoTags: string[] | null }[]>(host, "/images/json");
      const tags = rows
        .flatMap(({ RepoTags }) => RepoTags ?? [])
        .filter((tag) => !keep.includes(tag) && !tag.startsWith("<"));
      for (const tag of tags) await call(host, `/images/${encodeURIComponent(tag)}?force=1`, { method: "DELETE" });
      await call(host, "/images/prune", { method: "POST" });
      await call(host, "/v1.41/volumes/prune", { method: "POST" });
      await call(host, `/volumes/prune?filters=${encodeURIComponent('{"all":["true"]}')}`, { method: "POST" });
      await call(host, "/networks/prune", { method: "POST" });
    }),
  );
}
