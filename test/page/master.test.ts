/**
 * The first documents' discovery and master stories, on the page, with real agents, managers and a real etcd over simulated
 * engines: create a cluster with an account of one's own, run the join command that was copied, see nodes come; one manager
 * is the master by --master; promote another one, and what clients create meanwhile is there once, whichever manager they ask.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it, onTestFailed } from "vitest";
import { SimEngine } from "../../sim/engine/engine.ts";
import { openTestHub, type TestHub } from "../../src/hub/testing.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { seededRandom } from "../../src/kit/random.ts";
import { sleep, until } from "../e2e/support/exec.ts";
import { call } from "../e2e/support/http.ts";
import { etcd } from "../stores/support/etcd.ts";
import { etcdProgram } from "../stores/support/packages.ts";
import { freePorts, Server } from "../stores/support/server.ts";
import { openBrowser, picture, type Visit, visit } from "./browser.ts";

const SHOAL = resolve(import.meta.dirname, "../../bin/shoal");
/** Far more than it ever takes. */
const PATIENCE_MS = 120_000;

let browser: Browser;
let hub: TestHub;
let store: Server;
let seen: Visit;
let folder: string;
const engines: SimEngine[] = [];
const children: { readonly child: ChildProcess; readonly log: () => string }[] = [];

/** A process of `shoal` that stays. */
function run(args: readonly string[]): void {
  const env = { PATH: process.env.PATH ?? "", HOME: folder, XDG_RUNTIME_DIR: folder };
  const child = spawn(SHOAL, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (log += chunk.toString()));
  children.push({ child, log: () => log });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "shoal-master-"));
  [browser, hub, store] = await Promise.all([
    openBrowser(),
    openTestHub({ store: "memory://" }),
    Server.start(etcd(await etcdProgram())),
  ]);
});
afterAll(async () => {
  for (const { child } of children) child.kill("SIGTERM");
  await Promise.all(children.map(({ child }) => child.exitCode ?? child.signalCode ?? once(child, "exit")));
  await Promise.all([seen?.close(), store?.remove(), hub?.close(), ...engines.map((engine) => engine.close())]);
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The words of a command that the page lets one copy, after `shoal`. */
async function copied(page: Page, name: string): Promise<string[]> {
  await page.getByRole("button", { name: `Copy the ${name} command` }).click();
  await page
    .getByRole("status")
    .filter({ hasText: `The ${name} command is copied.` })
    .waitFor();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  return text.split(" ").slice(1);
}

const create = (host: string, name: string) =>
  call(host, `/containers/create?name=${name}`, {
    ...{ method: "POST", timeout: PATIENCE_MS },
    body: { Image: "redis", Cmd: ["redis-server"] },
  });
const names = async (host: string): Promise<string[]> => {
  const { status, text } = await call(host, "/containers/json?all=1", { timeout: PATIENCE_MS });
  if (status !== 200) return [];
  return (JSON.parse(text) as { Names: string[] }[]).flatMap(({ Names }) => Names.map((name) => name.slice(1))).sort();
};

it("tells both stories, with no write lost", async () => {
  onTestFailed(() => {
    for (const { log } of children) console.error(log().slice(-2_000));
  });
  seen = await visit(browser, hub.url);
  const { page } = seen;
  const signIn = async (token: string): Promise<void> => {
    await page.getByLabel("Token").fill(token);
    await page.getByRole("button", { name: "Sign in" }).click();
  };
  await signIn(hub.adminToken);
  await page.getByRole("link", { name: "Users" }).click();
  await page.getByRole("heading", { name: "Add a user" }).waitFor();
  await page.getByLabel("Name").fill("demo-user");
  await page.getByRole("button", { name: "Add user" }).click();
  const account = (await page.locator("#user-token").textContent()) ?? "";
  await page.getByRole("button", { name: "Sign out" }).click();
  await signIn(account);
  await page.getByText("Signed in as demo-user.").waitFor();
  await page.getByLabel("Name").fill("cluster-1");
  await page.getByRole("button", { name: "Create cluster" }).click();
  await page.waitForURL("**/u/demo-user/cluster-1");
  await page.getByText("No node yet").waitFor();

  // Discovery: each node joins by the command that the page gives.
  const joining = await copied(page, "join");
  for (const index of [1, 2, 3]) {
    const clock = systemClock;
    const random = seededRandom(index);
    const engine = new SimEngine({ clock, random, name: `node-${index}`, cpus: 4, memory: 8 * 2 ** 30 });
    engine.daemon.images.add("redis:latest");
    engines.push(engine);
    const address = await engine.listen({ port: 0 });
    const command = joining.map((word) => word.replace("ADDRESS:2375", address.replace(/^tcp:\/\//, "")));
    const more = ["--name", `node-${index}`, "--label", `storage=${index === 1 ? "ssd" : "disk"}`];
    run([...command.slice(0, 1), ...more, "--state-dir", join(folder, `agent-${index}`), ...command.slice(1)]);
  }
  const nodes = page.getByRole("table", { name: "Nodes" });
  for (const index of [1, 2, 3])
    await nodes
      .getByRole("row")
      .filter({ hasText: `node-${index}` })
      .waitFor();
  await page.getByText("3 nodes up").waitFor();
  await nodes.getByText("storage=ssd").waitFor();

  // Managers, one after another; the first is the master by its own flag, and leads.
  const managing = await copied(page, "manage");
  const managers = page.getByRole("table", { name: "Managers" });
  const roleOf = (address: string, role: string) =>
    managers.getByRole("row").filter({ hasText: address }).getByRole("cell", { name: role, exact: true }).waitFor();
  const ports = await freePorts(3);
  const addresses = ports.map((port) => `127.0.0.1:${port}`);
  const [one = "", two = "", three = ""] = addresses;
  const hosts = addresses.map((address) => `tcp://${address}`);
  const replicated = ["--replication", "--store", `etcd://${store.address}/shoal`];
  for (const address of addresses) {
    const command = managing.map((word) => word.replace(/ADDRESS:3375|0\.0\.0\.0:3375/, address));
    const isMaster = address === one;
    run([...command.slice(0, 1), ...(isMaster ? ["--master"] : []), ...replicated, ...command.slice(1)]);
    await roleOf(address, isMaster ? "primary, master" : "replica");
  }
  await managers.getByText("3 nodes, 0 containers").waitFor();

  // Master: the second one is promoted in the place of the first while clients create through all of them.
  const answered: string[] = [];
  let isOver = false;
  const clients = hosts.map(async (host, client) => {
    for (let count = 0; !isOver; count++) {
      const name = `c-${client}-${count}`;
      const made = await create(host, name).catch(() => undefined);
      if (made?.status === 201) answered.push(name);
      else await sleep(50);
    }
  });
  const progress = (what: string, more: number) => {
    const before = answered.length;
    return until(what, PATIENCE_MS, () => (answered.length >= before + more ? true : undefined));
  };
  await progress("creates", 5);
  await managers.getByRole("button", { name: `Promote ${two}` }).click();
  await page
    .getByRole("status")
    .filter({ hasText: `${two} leads.` })
    .waitFor();
  await roleOf(two, "primary, master");
  await roleOf(one, "replica");
  await roleOf(three, "replica");
  await progress("creates under the new leader", 10);
  isOver = true;
  await Promise.all(clients);
  await picture(page, "master");

  const info = JSON.parse((await call(hosts[0] ?? "", "/info")).text) as { SystemStatus: [string, string][] };
  expect(info.SystemStatus.slice(0, 2)).toEqual([
    ["Role", "replica"],
    ["Primary", two],
  ]);
  // What was answered is there, on every manager, and each name once.
  for (const host of hosts) {
    const listed = await until(`the list of ${host}`, PATIENCE_MS, async () => {
      const now = await names(host);
      return now.length > 0 ? now : undefined;
    });
    expect(answered.filter((name) => !listed.includes(name))).toEqual([]);
    expect(new Set(listed).size).toBe(listed.length);
  }
  const onEngines = engines.flatMap((engine) => [...engine.daemon.containers.all()].map(({ name }) => name));
  expect(new Set(onEngines).size).toBe(onEngines.length);

  await page.setViewportSize({ width: 360, height: 740 });
  await picture(page, "master-phone");
  expect(seen.complaints).toEqual([]);
});
