/** The hub's page, in a browser: by mouse, by keyboard, at a phone's width, light and dark, and as a screen reader has it. */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openTestHub, type TestHub } from "../../src/hub/testing.ts";
import { faintTexts, openBrowser, overflow, picture, type Visit, visit } from "./browser.ts";

let browser: Browser;
let hub: TestHub;
let seen: Visit;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  hub = await openTestHub({ store: "memory://" });
});
afterEach(async () => {
  expect(seen.complaints).toEqual([]);
  expect([...seen.origins]).toEqual([hub.url]);
  await seen.close();
  await hub.close();
});

const open = async (path = "/", options?: Parameters<typeof visit>[2]): Promise<Page> => {
  seen = await visit(browser, `${hub.url}${path}`, options);
  return seen.page;
};
const signIn = async (page: Page, token = hub.adminToken): Promise<void> => {
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
};
const cluster = async (name = "cluster-1"): Promise<{ path: string; token: string }> => {
  const body = JSON.stringify({ name });
  return (await (await hub.fetch("/v1/clusters", { token: hub.adminToken, method: "POST", body })).json()) as never;
};
const GIB = 2 ** 30;
const register = async (path: string, index: number, more: object = {}): Promise<void> => {
  const node = { addr: `192.168.0.4${index}:2375`, id: `0123456789abcdef${index}`, name: `node-${index}` };
  const body = JSON.stringify({ ...node, ttl: 180, cpus: 2, memory: 4 * GIB, ...more });
  const answer = await hub.fetch(path, { token: hub.adminToken, method: "POST", body });
  expect(answer.status).toBe(200);
};
const SIZE = { nodes: 3, healthy: 2, containers: 5, cpus: 6, reservedCpus: 1.5, memory: 12 * GIB, reservedMemory: GIB };
/** A sign of life of a manager. @returns the promotion that it hears of */
const manager = async (path: string, addr: string, role: string, more: object = {}): Promise<string | undefined> => {
  const { ttl = 180, ...state } = more as { readonly ttl?: number };
  const cluster = role === "primary" ? { cluster: SIZE } : {};
  const body = JSON.stringify({ addr, ttl, manager: { role, isMaster: false, ...cluster, ...state } });
  const answer = await hub.fetch(`${path}/managers`, { token: hub.adminToken, method: "POST", body });
  return ((await answer.json()) as { promotion: { id: string } | null }).promotion?.id;
};
const row = (page: Page, name: string) => page.getByRole("row").filter({ hasText: name });
/** What reads of the page, which do not wait by themselves, come to show. */
const soon = <T>(read: () => Promise<T>) => expect.poll(read, { timeout: 20_000 });
const gone = (page: Page, name: string) => row(page, name).waitFor({ state: "detached" });

describe("the hub's page", () => {
  it("takes the first seed's way: sign in, create a cluster, copy the join command, see nodes come", async () => {
    const page = await open();
    await signIn(page, "wrong");
    await page.getByRole("alert").filter({ hasText: "opens nothing here" }).waitFor();
    await picture(page, "sign-in");
    await signIn(page);
    await page.getByLabel("Name").fill("cluster-1");
    await page.getByRole("button", { name: "Create cluster" }).click();
    await page.waitForURL("**/u/admin/cluster-1");
    await page.getByText("No node yet").waitFor();

    const command = page.locator("#join-command");
    const { token } = (await (await hub.fetch("/u/admin/cluster-1/status", { token: hub.adminToken })).json()) as {
      token: string;
    };
    expect(await command.textContent()).not.toContain(token);
    await page.getByRole("button", { name: "Copy the join command" }).click();
    await page.getByRole("status").filter({ hasText: "The join command is copied." }).waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    const url = hub.url.replace("://", `://${token}@`);
    expect(copied).toBe(`shoal join --advertise ADDRESS:2375 ${url}/u/admin/cluster-1`);
    await page.getByRole("button", { name: "Show the token in the join command" }).click();
    expect(await command.textContent()).toBe(copied);

    await register("/u/admin/cluster-1", 1, { labels: { storage: "ssd" } });
    await page.getByRole("status").filter({ hasText: "node-1 joined." }).waitFor();
    const about = ["node-1", "192.168.0.41:2375", "up", "node", "2 CPUs, 4.0 GiB", "storage=ssd", "Remove"];
    await soon(() => row(page, "node-1").getByRole("cell").allTextContents()).toEqual(about);
    await register("/u/admin/cluster-1", 2, { labels: { storage: "disk" } });
    await row(page, "node-2").waitFor();
    await page.getByText("2 nodes up").waitFor();
  });

  it("shows a node that fell silent, and removes one after asking", async () => {
    const { path } = await cluster();
    await register(path, 1, { ttl: 1 });
    await register(path, 2);
    const page = await open(path);
    await signIn(page);
    await row(page, "node-1").getByText("silent for less than a minute").waitFor();
    await page.getByText("1 node up, 1 silent").waitFor();
    const remove = page.getByRole("button", { name: "Remove node-1" });
    await remove.click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await soon(() => row(page, "node-1").count()).toBe(1);
    await remove.click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await gone(page, "node-1");
    await page.getByRole("status").filter({ hasText: "node-1 is gone." }).waitFor();
    await row(page, "node-2").waitFor();
  });

  it("promotes a manager to master", async () => {
    const { path } = await cluster();
    for (const index of [1, 2, 3]) await register(path, index, { labels: { storage: index === 1 ? "ssd" : "disk" } });
    await manager(path, "192.168.0.41:3376", "primary");
    await manager(path, "192.168.0.42:3376", "replica");
    const page = await open(path);
    await signIn(page);
    const managers = page.getByRole("table", { name: "Managers" });
    const cells = (address: string) => managers.getByRole("row").filter({ hasText: address }).getByRole("cell");
    const reserved = "1.5 of 6 CPUs, 1.0 of 12.0 GiB";
    await soon(() => cells("192.168.0.41:3376").allTextContents()).toEqual([
      ...["192.168.0.41:3376", "up", "primary", "2 of 3 nodes healthy, 5 containers", reserved, "Promote"],
    ]);
    await managers.getByRole("button", { name: "Promote 192.168.0.42:3376" }).click();
    await managers.getByRole("cell", { name: "replica, master", exact: true }).waitFor();
    await page.getByRole("status").filter({ hasText: "192.168.0.42:3376 is the master." }).waitFor();
    // The managers follow.
    const promotion = await manager(path, "192.168.0.42:3376", "replica");
    await manager(path, "192.168.0.41:3376", "replica", { promotion });
    await manager(path, "192.168.0.42:3376", "primary", { promotion, isMaster: true });
    await page.getByRole("status").filter({ hasText: "192.168.0.42:3376 leads." }).waitFor();
    await soon(() => row(page, "node-2").getByRole("cell").nth(3).textContent()).toBe("primary, master");
    await soon(() => row(page, "node-1").getByRole("cell").nth(3).textContent()).toBe("replica");
    await soon(() => row(page, "node-3").getByRole("cell").nth(3).textContent()).toBe("node");
    await picture(page, "cluster");
    await page.emulateMedia({ colorScheme: "dark" });
    await picture(page, "cluster-dark");
    await managers.getByRole("button", { name: "Release 192.168.0.42:3376" }).click();
    await page.getByRole("status").filter({ hasText: "is the master no more" }).waitFor();
    await managers.getByRole("button", { name: "Promote 192.168.0.42:3376" }).waitFor();
  });

  it("shows which manager is pinned by --master, and one that fell silent", async () => {
    const { path } = await cluster();
    await manager(path, "192.168.0.41:3376", "primary", { isMaster: true });
    await manager(path, "192.168.0.42:3376", "replica", { ttl: 1 });
    const page = await open(path);
    await signIn(page);
    const managers = page.getByRole("table", { name: "Managers" });
    await managers.getByRole("cell", { name: "primary, master", exact: true }).waitFor();
    await managers.getByText("silent for less than a minute").waitFor();
    await managers.getByRole("button", { name: "Release 192.168.0.41:3376" }).waitFor();
    await managers.getByRole("button", { name: "Remove 192.168.0.42:3376" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await managers.getByRole("row").filter({ hasText: "192.168.0.42:3376" }).waitFor({ state: "detached" });
  });

  it("has users made by the admin, who see their own clusters alone", async () => {
    await cluster();
    const page = await open("/#users");
    await signIn(page);
    await page.getByLabel("Name").fill("ann");
    await page.getByRole("button", { name: "Add user" }).click();
    const token = (await page.locator("#user-token").textContent()) ?? "";
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    await page.getByRole("button", { name: "Sign out" }).click();
    await signIn(page, token);
    await page.getByText("No cluster yet").waitFor();
    await page.getByText("Signed in as ann.").waitFor();
    expect(await page.getByRole("link", { name: "Users" }).count()).toBe(0);
    await page.goto(`${hub.url}/u/admin/cluster-1`);
    await page.getByRole("heading", { name: "no such cluster: admin/cluster-1" }).waitFor();
  });

  it("opens with a cluster's own token, and then neither promotes nor deletes", async () => {
    const { path, token } = await cluster();
    await manager(path, "192.168.0.41:3376", "primary");
    const page = await open(path);
    await signIn(page, token);
    await page.getByRole("table", { name: "Managers" }).waitFor();
    expect(await page.getByRole("button", { name: /Promote|Delete/ }).count()).toBe(0);
  });

  it("needs no mouse, and gives the focus back", async () => {
    const { path } = await cluster();
    await register(path, 1);
    const page = await open("/");
    await page.getByLabel("Token").waitFor();
    await page.keyboard.type(hub.adminToken);
    await page.keyboard.press("Enter");
    const link = page.getByRole("link", { name: "cluster-1" });
    await link.waitFor();
    await reach(page, "cluster-1");
    await page.keyboard.press("Enter");
    await row(page, "node-1").waitFor();
    await reach(page, "Remove");
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle);
    expect(outline).toBe("solid");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await soon(() => page.evaluate(() => document.activeElement?.textContent)).toBe("Remove");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await gone(page, "node-1");
  });

  it("keeps the focus where it is while rows come and go around it", async () => {
    const { path } = await cluster();
    await register(path, 2);
    const page = await open(path);
    await signIn(page);
    await page.getByRole("button", { name: "Remove node-2" }).focus();
    await register(path, 1);
    await row(page, "node-1").waitFor();
    await soon(() => page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toBe("Remove node-2");
  });

  it("has landmarks, names and roles for a screen reader", async () => {
    const { path } = await cluster();
    await register(path, 1, { labels: { storage: "ssd" } });
    const page = await open(path, { viewport: { width: 360, height: 740 } });
    await signIn(page);
    await row(page, "node-1").waitFor();
    const tree = await page.locator("body").ariaSnapshot();
    for (const part of [
      "- banner:",
      '- navigation "Account":',
      "- main:",
      "- status",
      '- heading "cluster-1" [level=1]',
    ]) {
      expect(tree).toContain(part);
    }
    expect(tree).toContain('- table "Nodes":');
    expect(tree).toContain('- columnheader "Address"');
    expect(tree).toContain('- button "Remove node-1"');
    expect(await page.locator("html").getAttribute("lang")).toBe("en");
  });

  it.each(["light", "dark"] as const)("fits a phone and is readable (%s)", async (colorScheme) => {
    const { path } = await cluster("a-cluster-with-a-rather-long-name.of-the-department");
    for (const index of [1, 2, 3]) {
      await register(path, index, { labels: { storage: "ssd", region: "us-east-1a", environment: "production" } });
    }
    await manager(path, "192.168.0.41:3376", "primary");
    const page = await open("/", { viewport: { width: 360, height: 740 }, colorScheme });
    await page.getByLabel("Token").waitFor();
    expect([await overflow(page), await faintTexts(page)]).toEqual([0, []]);
    await signIn(page);
    await page.getByRole("link", { name: /a-cluster/ }).waitFor();
    expect([await overflow(page), await faintTexts(page)]).toEqual([0, []]);
    await picture(page, `clusters-phone-${colorScheme}`);
    await page.getByRole("link", { name: /a-cluster/ }).click();
    await row(page, "node-3").waitFor();
    expect([await overflow(page), await faintTexts(page)]).toEqual([0, []]);
    await picture(page, `cluster-phone-${colorScheme}`);
  });
});

/** Goes on with Tab until the focus is on what reads so. */
async function reach(page: Page, text: string): Promise<void> {
  for (let presses = 0; presses < 40; presses++) {
    await page.keyboard.press("Tab");
    if ((await page.evaluate(() => document.activeElement?.textContent)) === text) return;
  }
  throw new Error(`Tab never came to ${text}`);
}
