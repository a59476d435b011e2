import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Env } from "../io.ts";
import { run } from "../main.ts";
import { testIo } from "../test-io.ts";

let home: string;
let server: Server;
let serverName = "Shoal/0.1.0";

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "shoal-run-"));
  writeFileSync(join(home, "docker"), `#!/bin/sh\nprintf '%s\\n' "$@" > "${home}/args"\nexit \${CODE:-0}\n`);
  chmodSync(join(home, "docker"), 0o755);
  serverName = "Shoal/0.1.0";
  server = createServer((_, response) => response.setHeader("Server", serverName).end("OK"));
  await new Promise<void>((resolve) => server.listen(join(home, "m.sock"), resolve));
});
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(home, { recursive: true });
});

async function shoal(args: readonly string[], env: Env = {}) {
  const io = testIo({ HOME: home, PATH: `${home}:/usr/bin:/bin`, DOCKER_HOST: `unix://${home}/m.sock`, ...env });
  const code = await run(args, io);
  const given = existsSync(join(home, "args"))
    ? readFileSync(join(home, "args"), "utf8").trimEnd().split("\n")
    : undefined;
  return { code, given, err: io.stderr(), out: io.stdout() };
}

describe("shoal run", () => {
  it("hands docker its arguments and its exit code back", async () => {
    const { code, given } = await shoal(["run", "--constraint", "a.b=c", "-d", "redis", "--x"], { CODE: "42" });
    expect(code).toBe(42);
    expect(given).toEqual(["run", "-e", "constraint:a.b==c", "-d", "redis", "--x"]);
  });

  it("points docker at the manager when docker would not find it", async () => {
    const host = `unix://${home}/m.sock`;
    expect((await shoal(["-H", host, "run", "x"])).given).toEqual(["--host", host, "run", "x"]);
  });

  it("does not send expressions to what is no shoal manager, but plain runs it does", async () => {
    serverName = "Docker/28.2.2";
    const refused = await shoal(["run", "--constraint", "a.b=c", "x"]);
    expect(refused).toMatchObject({ code: 125, given: undefined });
    expect(refused.err).toContain("is not a shoal manager");
    expect((await shoal(["run", "x"])).given).toEqual(["run", "x"]);
  });

  it("fails as docker run does for its own reasons: 125", async () => {
    expect(await shoal(["run", "--reschedule", "x", "i"])).toMatchObject({
      code: 125,
      err: "shoal: invalid reschedule policy: x\n",
    });
    rmSync(join(home, "docker"));
    expect(await shoal(["run", "i"], { PATH: home })).toMatchObject({
      code: 125,
      err: "shoal: the docker CLI is not in PATH; shoal run needs it\n",
    });
  });

  it("explains its flags", async () => {
    expect((await shoal(["run", "--help"])).out).toContain("--constraint KEY=VALUE");
  });
});
