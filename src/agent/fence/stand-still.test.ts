/** One pass over the containers of a machine, with an engine that answers or does not, and cgroups that are but notes. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { encodeHint, HINT_LABEL } from "../../cluster/hint.ts";
import type { EngineClient } from "../../engine/client.ts";
import { systemClock } from "../../kit/clock.ts";
import type { ContainerCgroup } from "./cgroups.ts";
import { Movable } from "./movable.ts";
import { StandStill } from "./stand-still.ts";

const NO_NEEDS = { nanoCpus: 0, memory: 0, ports: [], whenExited: false };
const hint = (nonce: string, moves?: "asked" | "unasked"): string =>
  encodeHint({ id: undefined, nonce, epoch: 1, needs: NO_NEEDS, cpuShares: undefined, moves });
const idOf = (letter: string): string => letter.repeat(64);

interface Container {
  readonly labels: Readonly<Record<string, string>>;
  readonly mounts: number;
  readonly image: string;
  state: string;
  frozen: boolean;
}

let root: string;
let containers: Map<string, Container>;
let hung: boolean;
let asked: string[];
let host: StandStill;

function run(letter: string, label: string | undefined, more: Partial<Container> = {}): void {
  const labels: Record<string, string> = label === undefined ? {} : { [HINT_LABEL]: label };
  const container = { labels, mounts: 0, image: "sha256:plain", state: "running", frozen: false, ...more };
  containers.set(idOf(letter), container);
  const directory = join(root, "containers", idOf(letter));
  mkdirSync(directory, { recursive: true });
  const points = Object.fromEntries(Array.from({ length: container.mounts }, (_, i) => [`/${i}`, {}]));
  const config = { Config: { Labels: labels }, MountPoints: points, Image: container.image };
  writeFileSync(join(directory, "config.v2.json"), JSON.stringify(config));
}

const INHERITED = hint("old", "asked");
const states = (): string[] =>
  [...containers].map(([id, { state, frozen }]) => `${id[0]} ${frozen ? "frozen" : state}`).sort();

async function json(_method: string, path: string): Promise<unknown> {
  if (hung) throw new Error("no answer");
  if (path === "/info") return { DockerRootDir: root };
  if (path.startsWith("/images/")) {
    return { Config: { Labels: path.includes("committed") ? { [HINT_LABEL]: INHERITED } : null } };
  }
  const rows = [...containers].filter(([, { labels }]) => labels[HINT_LABEL] !== undefined);
  return rows.map(([Id, { labels: Labels, state: State, image: ImageID, mounts }]) => ({
    ...{ Id, Labels, State, ImageID },
    Mounts: Array.from({ length: mounts }, () => ({})),
  }));
}

async function text(_method: string, path: string): Promise<string> {
  if (hung) throw new Error("no answer");
  const [, id = "", what = ""] = /^\/containers\/([^/]+)\/(.*)$/.exec(path) ?? [];
  asked.push(`${what} ${id[0]}`);
  const container = containers.get(id);
  // What is frozen does not end.
  if (container && !container.frozen) container.state = "exited";
  return "";
}

const cgroups = {
  running: async (): Promise<readonly ContainerCgroup[]> =>
    [...containers]
      .filter(([, { state }]) => state === "running" || state === "paused")
      .map(([id, { frozen, state }]) => ({ id, path: id, frozen: frozen || state === "paused" })),
  freeze: async ({ id }: ContainerCgroup): Promise<void> => {
    const container = containers.get(id);
    if (container) container.frozen = true;
  },
  kill: async ({ id }: ContainerCgroup): Promise<void> => {
    const container = containers.get(id);
    if (container) Object.assign(container, { frozen: false, state: "exited" });
  },
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "shoal-fence-"));
  mkdirSync(join(root, "image/overlay2/imagedb/content/sha256"), { recursive: true });
  for (const [image, labels] of [
    ["plain", {}],
    ["committed", { [HINT_LABEL]: INHERITED }],
  ] as const) {
    const path = join(root, "image/overlay2/imagedb/content/sha256", image);
    writeFileSync(path, JSON.stringify({ config: { Labels: labels } }));
  }
  containers = new Map();
  hung = false;
  asked = [];
  const client = { json, text } as unknown as EngineClient;
  host = new StandStill(client, new Movable(client), cgroups, systemClock);
  run("a", hint("1", "asked"), { mounts: 1 });
  run("b", hint("2", "unasked"));
  run("c", hint("3", "unasked"), { mounts: 1 });
  run("d", hint("4"));
  run("e", undefined);
  run("f", INHERITED, { image: "sha256:committed" });
});
afterEach(() => rmSync(root, { recursive: true }));

const OTHERS = ["c running", "d running", "e running", "f running"];

it("stops what may be moved by its engine, and nothing else", async () => {
  const stopped = new Set<string>();
  await host.still(10_000, (ids) => ids.forEach((id) => void stopped.add(id)));
  expect(states()).toEqual(["a exited", "b exited", ...OTHERS]);
  expect([...stopped].sort()).toEqual([idOf("a"), idOf("b")]);
  expect(asked.every((one) => one.startsWith("stop?t="))).toBe(true);
  expect(await host.end(() => {})).toBe(true);
});

it("freezes it when the engine hangs, also what the engine never told of, and ends it when the engine answers", async () => {
  await host.know();
  hung = true;
  run("7", hint("5", "asked"));
  run("8", INHERITED, { image: "sha256:committed" });
  const stopped = new Set<string>();
  const stopping = (ids: readonly string[]): void => ids.forEach((id) => void stopped.add(id));
  await host.still(20, stopping);
  expect(states()).toEqual(["7 frozen", "8 running", "a frozen", "b frozen", ...OTHERS]);
  await expect(host.end(stopping)).rejects.toThrow("no answer");
  hung = false;
  expect(await host.end(stopping)).toBe(false);
  expect(await host.end(stopping)).toBe(true);
  expect(states()).toEqual(["7 exited", "8 running", "a exited", "b exited", ...OTHERS]);
  expect([...stopped].sort()).toEqual([idOf("7"), idOf("a"), idOf("b")]);
  expect(asked.sort()).toEqual(["kill 7", "kill a", "kill b"]);
});

it("stops what is started while it stands still, and leaves alone what is paused", async () => {
  for (const letter of ["a", "b"]) Object.assign(containers.get(idOf(letter)) ?? {}, { state: "paused" });
  await host.still(10_000, () => {});
  await host.still(0, () => {});
  expect(await host.end(() => {})).toBe(true);
  expect(states()).toEqual(["a paused", "b paused", ...OTHERS]);
  Object.assign(containers.get(idOf("b")) ?? {}, { state: "running" });
  await host.still(0, () => {});
  expect(states()).toEqual(["a paused", "b frozen", ...OTHERS]);
});
