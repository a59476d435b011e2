// Testcontainers' cases, without mapped ports. Arguments: the module's path. DOCKER_HOST names the engine.
import assert from "node:assert/strict";
import { runCases, until } from "./cases.mjs";

const { GenericContainer, Network, Wait } = await import(process.argv[2]);
const sleeper = () => new GenericContainer("busybox").withCommand(["sleep", "600"]);

await runCases({
  "start, exec, stop": async () => {
    const container = await sleeper().withEnvironment({ WORD: "told" }).start();
    const { output, exitCode } = await container.exec(["sh", "-c", "echo $WORD"]);
    assert.deepEqual([output, exitCode], ["told\n", 0]);
    await container.stop();
  },
  "waiting for a log message": async () => {
    const command = ["sh", "-c", "sleep 1; echo ready to go; sleep 600"];
    const container = await new GenericContainer("busybox")
      .withCommand(command)
      .withWaitStrategy(Wait.forLogMessage(/ready/))
      .start();
    await container.stop();
  },
  "waiting for a health check": async () => {
    const container = await sleeper()
      .withHealthCheck({ test: ["CMD", "true"], interval: 1000, retries: 5, timeout: 1000 })
      .withWaitStrategy(Wait.forHealthCheck())
      .start();
    await container.stop();
  },
  "waiting for a command, once": async () => {
    const container = await new GenericContainer("busybox")
      .withCommand(["true"])
      .withWaitStrategy(Wait.forOneShotStartup())
      .start();
    await container.stop();
  },
  "files in and out": async () => {
    const container = await sleeper()
      .withCopyContentToContainer([{ content: "first", target: "/first" }])
      .start();
    await container.copyContentToContainer([{ content: "second", target: "/second" }]);
    assert.equal((await container.exec(["cat", "/first", "/second"])).output, "firstsecond");
    const archive = await container.copyArchiveFromContainer("/second");
    let size = 0;
    for await (const chunk of archive) size += chunk.length;
    assert.ok(size > 0);
    await container.stop();
  },
  "a network of its own": async () => {
    const network = await new Network().start();
    const web = await new GenericContainer("nginx").withNetwork(network).withNetworkAliases("web").start();
    const client = await sleeper().withNetwork(network).start();
    await until(async () => (await client.exec(["wget", "-qO-", "http://web"])).output.includes("hello"));
    await client.stop();
    await web.stop();
    await network.stop();
  },
  "many at once": async () => {
    const network = await new Network().start();
    const all = await Promise.all([1, 2, 3, 4].map(() => sleeper().withNetwork(network).start()));
    await Promise.all(all.map((container) => container.stop()));
    await network.stop();
  },
  "logs, restart": async () => {
    const container = await new GenericContainer("busybox").withCommand(["sh", "-c", "echo seen; sleep 600"]).start();
    const stream = await container.logs();
    await new Promise((resolve) => stream.on("data", (line) => String(line).includes("seen") && resolve()));
    stream.destroy();
    await container.restart({ timeout: 1 });
    await container.stop();
  },
  commit: async () => {
    const container = await sleeper().start();
    await container.exec(["touch", "/made"]);
    const image = await container.commit({ repo: "cc-testcontainers", tag: "1", deleteOnExit: false });
    assert.ok(image);
    await container.stop();
  },
});
