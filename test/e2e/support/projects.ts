/**
 * Projects as Compose makes them (its names, labels, order), by plain API calls: many of them in the time that the real
 * Compose takes for a few. They can be cut off in the middle of coming up, as a client is that was killed.
 */
import { type CallOptions, call, get } from "./http.ts";

export interface Project {
  readonly name: string;
  /** One or two; the first container joins all of them, the others the first. */
  readonly networks: number;
  /** Whether the first container has a named volume. */
  readonly hasVolume: boolean;
  /** Two or three; each looks for the first by its alias until it answers. */
  readonly containers: number;
}

/** The client dies in its call of this number, so many milliseconds after it was sent. */
export interface Cut {
  readonly call: number;
  readonly after: number;
}

/** An answer that was not the wanted one. */
export class Refusal extends Error {}

const LABEL = "com.docker.compose.project";
const VERSION = { "com.docker.compose.version": "2.40.3" };
/** Enough for a machine whose engines are all busy. */
const PATIENCE = 240_000;

const networkName = ({ name }: Project, index: number): string => `${name}_net${index}`;
const volumeName = ({ name }: Project): string => `${name}_data`;

/** A call whose answer must have this status, or one of these. Throws Refusal. */
async function must(host: string, status: number | readonly number[], path: string, options: CallOptions) {
  const answer = await call(host, path, { timeout: PATIENCE, ...options });
  if (![status].flat().includes(answer.status)) {
    throw new Refusal(`${options.method ?? "GET"} ${path}: ${answer.status} ${answer.text}`);
  }
  return answer;
}

/** Brings it up. @returns false when it was cut. Throws Refusal. */
export async function up(host: string, project: Project, cut?: Cut): Promise<boolean> {
  let calls = 0;
  let gone = false;
  const post = async (status: number, path: string, body?: unknown): Promise<string> => {
    if (gone) return "";
    const signal = ++calls === cut?.call ? AbortSignal.timeout(cut.after) : undefined;
    try {
      return (await must(host, status, path, { method: "POST", body, ...(signal && { signal }) })).text;
    } catch (error) {
      if (error instanceof Refusal || signal?.aborted !== true) throw error;
      gone = true;
      return "";
    } finally {
      // The answer came first: the client dies before its next call.
      gone ||= signal !== undefined;
    }
  };
  const labels = (more: Record<string, string>) => ({ [LABEL]: project.name, ...VERSION, ...more });
  for (let index = 1; index <= project.networks; index++) {
    const Labels = labels({ "com.docker.compose.network": `net${index}` });
    await post(201, "/networks/create", { Name: networkName(project, index), Driver: "bridge", Labels });
  }
  if (project.hasVolume) {
    const Labels = labels({ "com.docker.compose.volume": "data" });
    await post(201, "/volumes/create", { Name: volumeName(project), Labels });
  }
  for (let index = 1; index <= project.containers; index++) {
    const text = await post(201, `/containers/create?name=${project.name}-c${index}-1`, bodyOf(project, index, labels));
    const { Id = "" } = text === "" ? {} : (JSON.parse(text) as { Id?: string });
    await post(204, `/containers/${Id}/start`);
  }
  return !gone;
}

function bodyOf(project: Project, index: number, labels: (more: Record<string, string>) => Record<string, string>) {
  const first = index === 1;
  const joined = Array.from({ length: first ? project.networks : 1 }, (_, at) => networkName(project, at + 1));
  return {
    Image: "busybox",
    Cmd: ["sh", "-c", `${first ? "" : "until ping -c 1 -W 5 c1; do sleep 1; done; "}echo up; exec sleep 36000`],
    Labels: labels({
      "com.docker.compose.service": `c${index}`,
      "com.docker.compose.container-number": "1",
      "com.docker.compose.oneoff": "False",
      "com.docker.compose.config-hash": "f".repeat(64),
    }),
    HostConfig: {
      Memory: 16 << 20,
      NetworkMode: joined[0],
      RestartPolicy: { Name: index === 1 ? "unless-stopped" : "no" },
      Mounts: first && project.hasVolume ? [{ Type: "volume", Source: volumeName(project), Target: "/data" }] : [],
    },
    NetworkingConfig: { EndpointsConfig: Object.fromEntries(joined.map((name) => [name, { Aliases: [`c${index}`] }])) },
  };
}

/** What carries a project's label, by the lists of one address. */
export interface Belongings {
  readonly containers: readonly string[];
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
}

/** @param project one project's name; undefined for those of all */
export async function belongings(host: string, project?: string): Promise<Belongings> {
  const filters = labelled(project);
  const [containers, networks, { Volumes }] = await Promise.all([
    get<{ Id: string }[]>(host, `/containers/json?all=1&filters=${filters}`),
    get<{ Name: string }[]>(host, `/networks?filters=${filters}`),
    get<{ Volumes: { Name: string }[] | null }>(host, `/volumes?filters=${filters}`),
  ]);
  return {
    containers: containers.map(({ Id }) => Id),
    networks: networks.map(({ Name }) => Name),
    volumes: (Volumes ?? []).map(({ Name }) => Name),
  };
}

/** Whether the second container, which is up, has found the first by its alias. */
export async function isLinked(host: string, { name }: Project): Promise<boolean> {
  return (await must(host, 200, `/containers/${name}-c2-1/logs?stdout=1`, {})).text.includes("up\n");
}

/** How many of a project's containers run. */
export async function running(host: string, project: string): Promise<number> {
  return (await get<unknown[]>(host, `/containers/json?filters=${labelled(project)}`)).length;
}

const labelled = (project?: string, more: Record<string, readonly string[]> = {}): string =>
  encodeURIComponent(JSON.stringify({ label: [project === undefined ? LABEL : `${LABEL}=${project}`], ...more }));

/** Takes down what is listed: as Compose does it, or `abruptly`. Throws Refusal. */
export async function down(host: string, project: string, options: { volumes: boolean; abruptly: boolean }) {
  const { containers, networks, volumes } = await belongings(host, project);
  await Promise.all(
    containers.map(async (id) => {
      // 304: it does not run.
      if (!options.abruptly) await must(host, [204, 304], `/containers/${id}/stop?t=0`, { method: "POST" });
      await must(host, 204, `/containers/${id}${options.abruptly ? "?force=1" : ""}`, { method: "DELETE" });
    }),
  );
  for (const name of networks) await must(host, 204, `/networks/${name}`, { method: "DELETE" });
  if (options.volumes) for (const name of volumes) await must(host, 204, `/volumes/${name}`, { method: "DELETE" });
}

/** @returns names of the volumes that were removed */
export async function pruneVolumes(host: string, project: string): Promise<readonly string[]> {
  const filters = labelled(project, { all: ["1"] });
  const { text } = await must(host, 200, `/volumes/prune?filters=${filters}`, { method: "POST" });
  return (JSON.parse(text) as { VolumesDeleted: string[] | null }).VolumesDeleted ?? [];
}
