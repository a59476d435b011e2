import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { run } from "../main.ts";
import { testIo } from "../test-io.ts";

const JOB = { Name: "job", Why: "neither its restart policy nor it itself asks to be rescheduled" };
const WEB = { Name: "web", Why: "it is about to leave", StopFirst: "it is paused" };

it("drain --wait says once what is stopped first although it asks for the other, and then what stays", async () => {
  const dir = mkdtempSync(join(tmpdir(), "shoal-node-"));
  const looks = [[JOB, WEB], [JOB, WEB], [JOB]];
  const asked: string[] = [];
  const server = createServer(({ method, url = "" }, response) => {
    asked.push(`${method} ${url}`);
    response.setHeader("Server", "Shoal/0.1.0 (linux)");
    if (url === "/_ping") response.end("OK");
    else if (url.endsWith("/remaining")) response.end(JSON.stringify(looks.shift()));
    else response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(join(dir, "m.sock"), resolve));
  const io = testIo({ DOCKER_HOST: `unix://${dir}/m.sock`, HOME: dir });
  try {
    expect(await run(["node", "drain", "--wait", "node-2"], io)).toBe(0);
    expect(io.stdout()).toBe("node-2\n");
    expect(io.stderr()).toBe(`web is stopped first: it is paused\njob stays: ${JOB.Why}\n`);
    expect(asked).toContain("POST /shoal/nodes/node-2/drain");
    expect(looks).toEqual([]);
  } finally {
    await new Promise((resolve) => server.close(resolve));
    rmSync(dir, { recursive: true });
  }
});
