import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import stringWidth from "string-width";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { run } from "../main.ts";
import { testIo } from "../test-io.ts";

const NOW = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const id = (digit: string): string => digit.repeat(64);

const CONTAINERS = [
  {
    Id: id("a"),
    Names: ["/redis", "/web/db"],
    Image: "redis:2.8",
    Command: "redis-server --appendonly yes",
    Created: (NOW - 3 * MINUTE) / 1000,
    Ports: [{ IP: "192.168.0.42", PrivatePort: 6379, PublicPort: 49178, Type: "tcp" }],
    Labels: { "shoal.NODE": "node-1", team: "x" },
    State: "running",
    Status: "Up 3 minutes",
  },
  {
    Id: id("b"),
    Names: null,
    Image: `sha256:${id("c")}`,
    Command: "sh",
    Created: NOW / 1000,
    State: "pending",
    Status: "pending",
  },
];

const WAITING = {
  ...{ ID: id("b"), Name: "large", Image: "redis:2.8", Left: "node-3" },
  Why: "no resources available to schedule container\nresource: 2 nodes: 1 GiB of 2 GiB memory free, 2 GiB asked",
};

const MOVES = [
  {
    ID: id("a"),
    Name: "web",
    From: "node-1",
    To: "node-3",
    Why: "node-1 has 4 containers beside it, node-3 0",
    With: [],
  },
  {
    ID: id("b"),
    Name: "db",
    From: "node-1",
    To: "node-3",
    Why: "node-3 keeps storage==~ssd, which node-1 does not",
    With: ["api"],
  },
];

const GIB = 2 ** 30;
const NODE = {
  ...{ ID: "n1", Name: "node-1", Address: "10.0.0.1:2375", State: "healthy", Error: "", EngineVersion: "28.2.2" },
  ...{ Containers: 3, Running: 2, ReservedCPUs: 1e9, TotalCPUs: 2e9, ReservedMemory: GIB, TotalMemory: 2 * GIB },
  ...{ UsedCPUs: 3.5e8, UsedMemory: GIB / 4, Labels: { storage: "ssd" } },
};
const LOST = {
  ...NODE,
  Name: "node-2",
  State: "disconnected",
  Error: "connection refused",
  UsedCPUs: null,
  UsedMemory: null,
};

const IMAGES = [
  { ID: `sha256:${id("c")}`, Tags: ["a:1", "a:2"], Nodes: ["node-1", "node-2"], Created: NOW / 1000 - 180, Size: GIB },
  { ID: `sha256:${id("d")}`, Tags: [], Nodes: ["node-1"], Created: NOW / 1000, Size: 10 },
];
const CONFLICTS = [
  { Tag: "a:1", Node: "node-1", ID: `sha256:${id("c")}`, Meant: true },
  { Tag: "a:1", Node: "node-2", ID: `sha256:${id("d")}`, Meant: false },
  { Tag: "b:1", Node: "node-3", ID: `sha256:${id("e")}`, Meant: null },
];
const GROUP = {
  ...{ Key: "com.docker.compose.project=web", Home: "node-1", Policy: "pack" },
  ...{ Containers: ["web-a", "web-b"], Networks: ["web_default"], Volumes: [], Elsewhere: [] },
  ...{ ReservedCPUs: 0.5e9, ReservedMemory: GIB },
};

const DECISION = {
  ...{ Name: "/redis", ID: id("a"), Time: "2026-01-01T00:00:00Z", Strategy: "binpack", Node: "node-1" },
  Filters: [
    { Filter: "health", Excluded: [] },
    {
      Filter: "resource",
      Excluded: [{ Node: "node-2", Why: "memory: wants 10 GiB, has 2 GiB of which 1 GiB are reserved by others" }],
    },
  ],
  Scores: [
    { Node: "node-1", Weight: 150, SoftBroken: ["storage==~ssd"] },
    { Node: "node-3", Weight: 50 },
  ],
};

let dir: string;
let server: Server;
let asked: string[] = [];
let serverName = "Shoal/0.1.0 (linux)";

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "shoal-views-"));
  server = createServer((request, response) => {
    const path = request.url ?? "";
    asked.push(path);
    response.setHeader("Server", serverName);
    const answers: Record<string, unknown> = {
      "/containers/json": CONTAINERS,
      "/shoal/pending": [WAITING],
      "/shoal/rebalance": path.includes("binpack") ? [] : MOVES,
      "/shoal/nodes": [NODE, LOST],
      "/shoal/images": path.includes("conflicts=1") ? CONFLICTS : IMAGES,
      "/shoal/groups": [GROUP, { ...GROUP, Key: "ci.job=7", ReservedCPUs: 0, ReservedMemory: 0 }],
      "/shoal/decisions/redis": DECISION,
      "/shoal/decisions/big": {
        ...DECISION,
        Name: "big",
        Node: undefined,
        Refusal: "no resources available\n- memory: 3 nodes",
      },
    };
    const answer = answers[path.split("?")[0] ?? ""];
    if (path === "/_ping") response.end("OK");
    else if (answer !== undefined) response.end(JSON.stringify(answer));
    else response.writeHead(404).end(JSON.stringify({ message: `No such container: ${path.split("/").at(-1)}` }));
  });
  await new Promise<void>((resolve) => server.listen(join(dir, "m.sock"), resolve));
});

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(dir, { recursive: true });
});

beforeEach(() => {
  asked = [];
  serverName = "Shoal/0.1.0 (linux)";
});

async function shoal(args: readonly string[], options: { width?: number; colour?: boolean } = {}) {
  const io = testIo({ DOCKER_HOST: `unix://${dir}/m.sock`, HOME: dir }, { now: NOW, ...options });
  const code = await run(args, io);
  return { code, out: io.stdout(), err: io.stderr(), lines: io.stdout().trimEnd().split("\n") };
}

describe("shoal ps", () => {
  it("shows the first seed's columns", async () => {
    const { code, lines } = await shoal(["ps"]);
    expect(code).toBe(0);
    expect(lines[0]?.split(/\s{2,}/)).toEqual([
      ...["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NODE", "NAMES"],
    ]);
    expect(lines[1]?.split(/\s{2,}/)).toEqual([
      ...["aaaaaaaaaaaa", "redis:2.8", '"redis-server --appe…"', "3 minutes ago", "Up 3 minutes"],
      ...["192.168.0.42:49178->6379/tcp", "node-1", "redis"],
    ]);
    expect(lines[2]?.split(/\s{2,}/)).toEqual([
      ...["bbbbbbbbbbbb", "cccccccccccc", '"sh"', "Less than a second ago", "pending"],
    ]);
  });

  it("fits a terminal of 80 and keeps node, name and ports whole", async () => {
    const { lines } = await shoal(["ps"], { width: 80 });
    expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThanOrEqual(80);
    expect(lines[1]).toMatch(/192\.168\.0\.42:49178->6379\/tcp\s+node-1\s+redis$/);
  });

  it("passes flags on as the API's query", async () => {
    await shoal(["ps", "-a", "-n", "2", "-f", "name=a", "-f", "name=b", "--filter", "node=node-1"]);
    const query = new URLSearchParams(asked[1]?.split("?")[1]);
    expect(query.get("all")).toBe("1");
    expect(query.get("limit")).toBe("2");
    expect(JSON.parse(query.get("filters") ?? "")).toEqual({ name: { a: true, b: true }, node: { "node-1": true } });
    await shoal(["ps", "-l", "-q"]);
    expect(asked.at(-1)).toBe("/containers/json?limit=1");
  });

  it("prints IDs, JSON lines and templates", async () => {
    expect((await shoal(["ps", "-q"])).lines).toEqual(["aaaaaaaaaaaa", "bbbbbbbbbbbb"]);
    expect((await shoal(["ps", "-q", "--no-trunc"])).lines[0]).toBe(id("a"));
    const { lines } = await shoal(["ps", "--format", "json"]);
    expect(lines.map((line) => JSON.parse(line).Node)).toEqual(["node-1", ""]);
    expect(JSON.parse(lines[0] ?? "").Labels).toBe("team=x");
    expect((await shoal(["ps", "--format", "{{.ID}}\\t{{json .Node}}"])).lines[0]).toBe('aaaaaaaaaaaa\t"node-1"');
    expect((await shoal(["ps", "--format", "table {{.Names}}\\t{{.Node}}"])).lines.slice(0, 2)).toEqual([
      ...["NAMES   NODE", "redis   node-1"],
    ]);
    expect((await shoal(["ps", "--format", "{{.Nope}}"])).err).toContain("there is no field Nope");
    expect((await shoal(["ps", "--format", "{{range .Ports}}"])).err).toContain("is not supported");
  });

  it("says why containers are pending, below the table alone", async () => {
    const why =
      "no resources available to schedule container; resource: 2 nodes: 1 GiB of 2 GiB memory free, 2 GiB asked";
    expect((await shoal(["ps", "-a"])).err).toBe(`large is pending: ${why}\n`);
    expect((await shoal(["ps", "-a", "-q"])).err).toBe("");
    const { lines } = await shoal(["ps", "--pending"], { width: 80 });
    expect(lines[0]?.split(/\s{2,}/)).toEqual(["CONTAINER ID", "IMAGE", "LEFT", "NAME", "WHY"]);
    expect(lines[1]).toMatch(/^b{12}\s+redis:2\.8\s+node-3\s+large\s+no resources .*…$/);
    expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThanOrEqual(80);
    expect((await shoal(["ps", "--pending", "-q"])).out).toBe(`${"b".repeat(12)}\n`);
    expect(JSON.parse((await shoal(["ps", "--pending", "--format", "json"])).out)).toEqual(WAITING);
    expect((await shoal(["ps", "--pending", "--format", "{{.Why}}"])).out).toBe(`${why}\n`);
  });

  it("is coloured on a terminal only", async () => {
    expect((await shoal(["ps"])).out).not.toContain("\u001b");
  });
});

describe("shoal node", () => {
  it("lists state, engine, containers and sizes within 80 columns", async () => {
    const { lines, err } = await shoal(["node", "ls"], { width: 80 });
    expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThanOrEqual(80);
    expect(lines[1]?.split(/\s{2,}/)).toEqual([
      "node-1",
      "healthy",
      "28.2.2",
      "2/3",
      "1/2",
      "0.35",
      "1GiB/2GiB",
      "256MiB",
    ]);
    expect(err).toBe("node-2: connection refused\n");
    expect((await shoal(["nodes", "-q"])).lines).toEqual(["node-1", "node-2"]);
    expect(JSON.parse((await shoal(["nodes", "--format", "json"])).lines[0] ?? "")).toEqual(NODE);
  });

  it("inspects by name", async () => {
    expect(JSON.parse((await shoal(["node", "inspect", "node-2"])).out)).toEqual([LOST]);
    expect(await shoal(["node", "inspect", "node-9"])).toMatchObject({ code: 1, err: "shoal: No such node: node-9\n" });
  });
});

describe("shoal images", () => {
  it("lists images with their nodes", async () => {
    const { lines } = await shoal(["images"]);
    expect(lines.map((line) => line.trim().split(/\s{2,}/))).toEqual([
      ["TAGS", "IMAGE ID", "CREATED", "SIZE", "NODES"],
      ["a:1,a:2", "cccccccccccc", "3 minutes ago", "1GiB", "node-1,node-2"],
      ["<none>", "dddddddddddd", "Less than a second ago", "10B", "node-1"],
    ]);
    expect((await shoal(["images", "-q"])).lines).toEqual(["cccccccccccc", "dddddddddddd"]);
    expect(JSON.parse((await shoal(["images", "--format", "json"])).lines[0] ?? "")).toEqual(IMAGES[0]);
  });

  it("says with --conflicts which image counts", async () => {
    const { lines } = await shoal(["images", "--conflicts"]);
    expect(lines.map((line) => line.trim().split(/\s{2,}/))).toEqual([
      ["TAG", "NODE", "IMAGE ID", "IN THE CLUSTER"],
      ["a:1", "node-1", "cccccccccccc", "this one"],
      ["a:1", "node-2", "dddddddddddd", "absent"],
      ["b:1", "node-3", "eeeeeeeeeeee", "undecided"],
    ]);
  });
});

describe("shoal rebalance", () => {
  it("shows from, to and why within 80 columns, and moves nothing", async () => {
    const { code, lines } = await shoal(["rebalance", "--dry-run"], { width: 80 });
    expect(code).toBe(0);
    expect(lines[0]?.split(/\s{2,}/)).toEqual(["NAME", "FROM", "TO", "WITH", "WHY"]);
    expect(lines[1]).toMatch(/^web\s+node-1\s+node-3\s+node-1 has 4 containers beside it, node-3 0$/);
    expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThanOrEqual(80);
    expect((await shoal(["rebalance", "--dry-run"])).lines[2]?.split(/\s{2,}/)[3]).toBe("api");
    expect((await shoal(["rebalance", "--dry-run", "-q"])).lines).toEqual(["web", "db"]);
    const json = (await shoal(["rebalance", "--dry-run", "--format", "json"])).lines;
    expect(json.map((line) => JSON.parse(line))).toEqual(MOVES);
  });

  it("says when nothing would be better, and that it does nothing else", async () => {
    const nothing = await shoal(["rebalance", "--dry-run", "--strategy", "binpack"]);
    expect([nothing.code, nothing.err]).toEqual([0, "Nothing would be better elsewhere.\n"]);
    const { code, err } = await shoal(["rebalance"]);
    expect([code, err]).toEqual([1, expect.stringContaining("shoal rebalance --dry-run shows what it would move")]);
    expect((await shoal(["rebalance", "--dry-run", "--strategy", "random"])).err).toContain("spread, binpack");
  });
});

describe("shoal groups", () => {
  it("shows homes, members and what is reserved", async () => {
    const { code, lines } = await shoal(["groups"]);
    expect(code).toBe(0);
    expect(lines.map((line) => line.split(/\s{2,}/))).toEqual([
      ["GROUP", "HOME", "POLICY", "CONTAINERS", "NETWORKS", "VOLUMES", "ELSEWHERE", "RESERVED"],
      ["com.docker.compose.project=web", "node-1", "pack", "2", "1", "0", "0", "0.5 CPUs, 1GiB"],
      ["ci.job=7", "node-1", "pack", "2", "1", "0", "0", "-"],
    ]);
    expect((await shoal(["groups", "-q"])).lines).toEqual(["com.docker.compose.project=web", "ci.job=7"]);
    expect(JSON.parse((await shoal(["groups", "--format", "json"])).lines[0] ?? "")).toEqual(GROUP);
  });
});

describe("shoal why", () => {
  it("explains a placement and a refusal within 80 columns", async () => {
    const { out, lines } = await shoal(["why", "redis"], { width: 80 });
    expect(out).toContain("redis (aaaaaaaaaaaa) is on node-1");
    expect(out).toContain("resource: excluded 1");
    expect(out).toMatch(/node-1\s+150\s+storage==~ssd/);
    expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThanOrEqual(80);
    expect((await shoal(["why", "big"])).out).toMatch(/big \(a+\) was refused.*- memory: 3 nodes/s);
    expect((await shoal(["why", "-q", "redis"])).out).toBe("node-1\n");
    expect(JSON.parse((await shoal(["why", "--format", "json", "redis"])).out)).toEqual(DECISION);
  });

  it("passes on the manager's words", async () => {
    expect(await shoal(["why", "nobody"])).toMatchObject({ code: 1, err: "shoal: No such container: nobody\n" });
  });
});

describe("a view", () => {
  it("says in one sentence that an endpoint is no shoal manager", async () => {
    serverName = "Docker/28.2.2 (linux)";
    const { code, err } = await shoal(["ps"]);
    expect(code).toBe(1);
    expect(err).toMatch(/^shoal: unix:\S+ \(DOCKER_HOST\) is not a shoal manager; .*\n$/);
    expect(asked).toEqual(["/_ping"]);
  });

  it("says where nothing answers", async () => {
    const { code, err } = await shoal(["-H", `unix://${dir}/none.sock`, "ps"]);
    expect(code).toBe(1);
    expect(err).toContain(`cannot connect to the shoal manager at unix://${dir}/none.sock (-H)`);
  });

  it("takes -H after its name, too, over DOCKER_HOST", async () => {
    const { err } = await shoal(["node", "ls", "-H", `unix://${dir}/other.sock`]);
    expect(err).toContain("other.sock (-H)");
  });
});
