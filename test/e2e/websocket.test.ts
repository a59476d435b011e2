/** S1, attach/ws: a terminal in a browser's way of speaking, as on one engine. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { docker } from "./support/docker.ts";
import { sleep, until } from "./support/exec.ts";
import { at, emptyFleet, fleet } from "./support/fleet.ts";
import { type Manager, startManager } from "./support/manager.ts";
import { openWebSocket } from "./support/websocket.ts";

let manager: Manager;
beforeAll(async () => {
  await emptyFleet();
  manager = await startManager();
});
afterAll(async () => {
  await manager?.stop();
  await emptyFleet();
});

const PATH = "attach/ws?stream=1&stdin=1&stdout=1&stderr=1";

/** Where it is tried: the engine itself, the manager over TCP and over its unix socket, with and without a version. */
const places = (): readonly (readonly [string, string, string])[] => [
  ["engine", fleet().reference.host, "/v1.41"],
  ["tcp", manager.host, "/v1.41"],
  ["plain", manager.host, ""],
  ["unix", manager.socket, "/v1.41"],
];

describe("attach/ws", () => {
  it("reaches a shell on a terminal and ends with it", async () => {
    for (const [name, host, version] of places()) {
      const target = at(host);
      await docker(target, `docker run -dit --name ws-${name} busybox sh`);
      const link = await openWebSocket(host, `${version}/containers/ws-${name}/${PATH}`);
      link.send("echo shoal-$((40+2))\n");
      await until(`the shell's answer at ${name}`, 60_000, () => /^shoal-42\r$/m.test(link.received()) || undefined);
      link.send("exit 3\n");
      const ended = await Promise.race([link.closed.then(() => "closed"), sleep(10_000).then(() => "open")]);
      expect(ended, name).toBe("closed");
      expect(await docker(target, `docker wait ws-${name}`), name).toBe("3");
      link.destroy();
      await docker(target, `docker rm -f ws-${name}`);
    }
  });

  it("leaves the container running when the client goes", async () => {
    for (const [name, host, version] of places()) {
      const target = at(host);
      await docker(target, `docker run -dit --name left-${name} busybox sh`);
      const link = await openWebSocket(host, `${version}/containers/left-${name}/${PATH}`);
      link.close();
      link.destroy();
      const again = await openWebSocket(host, `${version}/containers/left-${name}/${PATH}`);
      again.send("echo still-$((1+1))\n");
      await until(`the shell's answer at ${name}`, 60_000, () => /^still-2\r$/m.test(again.received()) || undefined);
      again.destroy();
      await docker(target, `docker rm -f left-${name}`);
    }
  });

  it("is refused for a container that is missing", async () => {
    for (const [, host, version] of places()) {
      await expect(openWebSocket(host, `${version}/containers/nosuch/${PATH}`)).rejects.toThrow(
        /404[\s\S]*No such container: nosuch/,
      );
    }
  });
});
