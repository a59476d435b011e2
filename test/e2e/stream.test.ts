/** S6: streams through the manager: no hang, no lost byte, and memory that does not grow with what passes. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Certificates, makeCertificates, tlsFront } from "./support/certs.ts";
import { docker, shell, type Target } from "./support/docker.ts";
import { pooled, sleep } from "./support/exec.ts";
import { at, clis, emptyFleet, fleet } from "./support/fleet.ts";
import { type Manager, startManager } from "./support/manager.ts";
import { onTerminal } from "./support/pty.ts";

const { full, minted } = fleet();
/** Bytes know no IDs: the minted run shows that streams open, the plain one counts. */
const short = minted && !full;
const RUNS = full ? 3000 : short ? 30 : 300;
const MiB = 2 ** 20;
const SIZE = (short ? 128 : 1024) * MiB;
const MOST_GROWTH = 64 * MiB;
const MINUTES = 60_000;

let manager: Manager;
let secured: Manager;
let certificates: Certificates;
const fronts: { close(): void }[] = [];

beforeAll(async () => {
  await emptyFleet();
  manager = await startManager();
  certificates = await makeCertificates(join(fleet().work, "certs"));
  const entries: string[] = [];
  for (const { address } of fleet().nodes) {
    const front = await tlsFront(address, certificates);
    fronts.push(front);
    entries.push(front.entry);
  }
  const { server } = certificates;
  const files = ["--tlscacert", `${server}/ca.pem`, "--tlscert", `${server}/cert.pem`, "--tlskey", `${server}/key.pem`];
  secured = await startManager({ entries, flags: ["--tlsverify", ...files] });
});
afterAll(async () => {
  await manager?.stop();
  await secured?.stop();
  for (const front of fronts) front.close();
  await emptyFleet();
});

const secure = (from: string): Record<string, string> => ({ DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: from });

/** Runs `echo x | docker run -i … cat` again and again and names each run that was not answered with x. */
async function echoes(target: () => Target): Promise<void> {
  const wrong: string[] = [];
  await pooled(
    4,
    Array.from({ length: RUNS }, (_, index) => async () => {
      const line = `echo x${index} | docker run --rm -i --network none busybox cat`;
      const done = await shell(target(), line, { timeout: 2 * MINUTES });
      if (done.code !== 0 || done.stdout !== `x${index}\n`) wrong.push(`${index}: ${JSON.stringify(done)}`);
    }),
  );
  expect(wrong).toEqual([]);
}

describe(`echo x | docker run -i, ${RUNS} times`, () => {
  it("over tcp", () => echoes(() => at(manager.host)), 30 * MINUTES);
  it("over unix", () => echoes(() => at(manager.socket, "20.10")), 30 * MINUTES);
  it("over TLS", () => echoes(() => at(secured.host, "28", secure(certificates.client))), 30 * MINUTES);
});

describe("TLS", () => {
  it("works for both CLIs, terminal included", async () => {
    for (const cli of clis()) {
      const target = at(secured.host, cli, secure(certificates.client));
      expect(await docker(target, "printf 'a\\nb' | docker run --rm -i busybox cat")).toBe("a\nb");
      const cwd = join(fleet().work, `tls-${cli}`);
      mkdirSync(cwd);
      const shown = await shell(target, onTerminal("docker run --rm -it busybox sh -c 'echo hi; exit 4'"), { cwd });
      expect(shown).toMatchObject({ code: 4, stdout: "hi\r\n" });
    }
  });

  it("refuses who has no certificate, or a stranger's", async () => {
    if (fleet().subject === "engine") return;
    const none = await shell(at(secured.host), "docker version -f '{{.Server.Version}}'");
    expect(none.code).not.toBe(0);
    const stranger = await shell(at(secured.host, "28", secure(certificates.stranger)), "docker ps");
    expect(stranger.code).not.toBe(0);
    expect(stranger.stderr).toMatch(/certificate|tls/i);
  });
});

describe("detach keys over the unix socket", () => {
  // Over tcp no stock CLI detaches, engine or cluster: there it takes its own escape for a broken connection.
  for (const cli of clis()) {
    it(`docker ${cli}`, async () => {
      const keys = `(sleep 1; printf '\\020\\021'; sleep 1) | script -qec 'docker attach detach' /dev/null`;
      const ways: string[] = [];
      for (const host of [fleet().reference.socket, manager.socket]) {
        const target = at(host, cli);
        await docker(target, "docker run -dit --name detach busybox sh");
        const done = await shell(target, keys);
        const running = await docker(target, "docker inspect -f '{{.State.Running}}' detach");
        await docker(target, "docker rm -f detach");
        ways.push(`${done.stdout.trim().split("\n").at(-1)} ${done.code} ${running}`);
      }
      expect(ways[0]).toContain("read escape sequence");
      expect(ways[1]).toBe(ways[0]);
    });
  }
});

/** `SIZE` bytes that do not repeat with any buffer's size, as a shell command. */
const source = `yes 'shoal: many engines behind one' | head -c ${SIZE}`;

describe(`${SIZE / MiB} MiB each way`, () => {
  let sum = "";
  let target: Target;
  beforeAll(async () => {
    target = at(manager.host);
    sum = (await docker(target, `${source} | md5sum`)).split(" ")[0] ?? "";
    await docker(target, "docker run -d --name big busybox sleep 3600");
  });

  /** Runs the line while the manager's memory is watched. */
  async function steady(line: string): Promise<string> {
    const before = manager.rss();
    let peak = before;
    let done = false;
    const watch = (async () => {
      while (!done) {
        peak = Math.max(peak, manager.rss());
        await sleep(50);
      }
    })();
    try {
      return await docker(target, line, { timeout: 10 * MINUTES });
    } finally {
      done = true;
      await watch;
      const grown = peak - before;
      console.log(`${line.slice(-60)}: the manager grew by ${(grown / MiB).toFixed(1)} MiB`);
      expect(grown).toBeLessThan(MOST_GROWTH);
    }
  }

  const limit = 12 * MINUTES;
  it(
    "cp in",
    async () => {
      const file = join(fleet().work, "big");
      await docker(target, `${source} >${file}`, { timeout: MINUTES });
      await steady(`docker cp ${file} big:/in && rm ${file}`);
      expect(await docker(target, "docker exec big md5sum /in")).toContain(sum);
    },
    limit,
  );
  it(
    "cp out",
    async () => {
      expect(await steady("docker cp big:/in - | tar -xO | md5sum")).toContain(sum);
    },
    limit,
  );
  it(
    "exec in",
    async () => {
      expect(await steady(`${source} | docker exec -i big md5sum`)).toContain(sum);
    },
    limit,
  );
  it(
    "exec out",
    async () => {
      expect(await steady("docker exec big cat /in | md5sum")).toContain(sum);
      await docker(target, "docker rm -f big");
    },
    limit,
  );
  const quiet = "docker run --rm -i --network none --log-driver none";
  it(
    "attach in",
    async () => {
      expect(await steady(`${source} | ${quiet} busybox md5sum`)).toContain(sum);
    },
    limit,
  );
  it(
    "attach out",
    async () => {
      expect(await steady(`${quiet} busybox sh -c "${source}" | md5sum`)).toContain(sum);
    },
    limit,
  );
});
