// dockerode's cases. Arguments: the module's path. DOCKER_HOST names the engine.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { PassThrough } from "node:stream";
import { runCases, until } from "./cases.mjs";

const Docker = createRequire(import.meta.url)(process.argv[2]);
const docker = new Docker();
const text = (stream) =>
  new Promise((resolve, reject) => {
    const chunks = [];
    stream.on("data", (chunk) => chunks.push(Buffer.from(chunk)));
    stream.on("end", () => resolve(Buffer.concat(chunks).toString()));
    stream.on("error", reject);
  });
const followed = (stream) =>
  new Promise((resolve, reject) =>
    docker.modem.followProgress(stream, (error, lines) => (error ? reject(error) : resolve(lines))),
  );
const started = async (options) => {
  const container = await docker.createContainer({ Image: "busybox", Cmd: ["sleep", "600"], ...options });
  await container.start();
  return container;
};
/** What two streams of a multiplexed one tell. */
const demuxed = async (stream) => {
  const out = new PassThrough();
  const err = new PassThrough();
  const told = Promise.all([text(out), text(err)]);
  docker.modem.demuxStream(stream, out, err);
  stream.on("end", () => {
    out.end();
    err.end();
  });
  return told;
};
const rejects = (promise, statusCode) => assert.rejects(promise, { statusCode });

await runCases({
  "ping, version, info": async () => {
    assert.equal(String(await docker.ping()), "OK");
    assert.equal((await docker.version()).Os, "linux");
    assert.equal((await docker.info()).OSType, "linux");
  },
  "create, start, inspect, wait, remove": async () => {
    const container = await docker.createContainer({ name: "cc-rode", Image: "busybox", Cmd: ["sh", "-c", "exit 3"] });
    const waited = container.wait({ condition: "next-exit" });
    await container.start();
    assert.equal((await waited).StatusCode, 3);
    const { Name, State } = await container.inspect();
    assert.deepEqual([Name, State.ExitCode], ["/cc-rode", 3]);
    await container.remove();
    await rejects(container.inspect(), 404);
  },
  "run with its output": async () => {
    const out = new PassThrough();
    const told = text(out);
    const [result, container] = await docker.run("busybox", ["echo", "told"], out, { Tty: true });
    out.end();
    assert.equal(result.StatusCode, 0);
    assert.match(await told, /told/);
    await container.remove();
  },
  "list with filters": async () => {
    const container = await started({ Labels: { compat: "rode" } });
    const listed = await docker.listContainers({ filters: { label: ["compat=rode"], status: ["running"] } });
    assert.deepEqual(
      listed.map(({ Id }) => Id),
      [container.id],
    );
    const [sized] = await docker.listContainers({ size: true, filters: { id: [container.id] } });
    assert.ok(sized.SizeRootFs > 0);
    await container.remove({ force: true });
  },
  "attach, hijacked": async () => {
    const container = await docker.createContainer({
      Image: "busybox",
      Cmd: ["cat"],
      OpenStdin: true,
      StdinOnce: true,
      AttachStdin: true,
    });
    const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
    const told = demuxed(stream);
    await container.start();
    stream.end("through\n");
    assert.equal((await told)[0], "through\n");
    await container.remove({ force: true });
  },
  "exec, hijacked, with its exit code": async () => {
    const container = await started({});
    const exec = await container.exec({
      Cmd: ["sh", "-c", "cat; echo e >&2; exit 6"],
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
    });
    const stream = await exec.start({ hijack: true, stdin: true });
    const told = demuxed(stream);
    stream.end("in");
    assert.deepEqual(await told, ["in", "e\n"]);
    await container.pause();
    await container.unpause();
    const { ExitCode, Running } = await exec.inspect();
    assert.deepEqual([ExitCode, Running], [6, false]);
    await container.remove({ force: true });
  },
  "logs, followed": async () => {
    const container = await started({ Cmd: ["sh", "-c", "echo a; sleep 1; echo b"] });
    const stream = await container.logs({ follow: true, stdout: true, stderr: true });
    assert.equal((await demuxed(stream))[0], "a\nb\n");
    await container.remove({ force: true });
  },
  "stats, top, changes, rename, update, restart, kill": async () => {
    const container = await started({});
    assert.ok((await container.stats({ stream: false })).memory_stats !== undefined);
    assert.ok((await container.top()).Processes.length > 0);
    await container.changes();
    await container.rename({ name: "cc-rode-renamed" });
    await container.update({ Memory: 64 * 2 ** 20, MemorySwap: 128 * 2 ** 20 });
    await container.restart({ t: 0 });
    await container.kill();
    await rejects(container.kill(), 409);
    assert.equal((await container.inspect()).Name, "/cc-rode-renamed");
    await container.remove();
  },
  "archives both ways": async () => {
    const container = await started({});
    await docker.getContainer(container.id).exec({ Cmd: ["true"] });
    const tar = await text(await container.getArchive({ path: "/etc/passwd" }));
    assert.match(tar, /root:x:0:0/);
    await container.putArchive(await container.getArchive({ path: "/etc/passwd" }), { path: "/tmp" });
    assert.match(await text(await container.getArchive({ path: "/tmp/passwd" })), /root:x/);
    assert.ok((await text(await container.export())).length > 1000);
    await container.remove({ force: true });
  },
  "events by line, filtered": async () => {
    // An engine answers a moment before it listens.
    const since = Math.floor(Date.now() / 1000);
    const filters = { type: ["container"], event: ["create", "destroy"] };
    const stream = await docker.getEvents({ since, filters });
    const seen = [];
    let rest = "";
    stream.on("data", (chunk) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop();
      for (const line of lines) seen.push(JSON.parse(line));
    });
    const container = await docker.createContainer({ Image: "busybox" });
    await container.remove();
    await until(() => seen.filter(({ Actor }) => Actor.ID === container.id).length === 2);
    stream.destroy();
    const mine = seen.filter(({ Actor }) => Actor.ID === container.id);
    assert.deepEqual(
      mine.map(({ Action }) => Action),
      ["create", "destroy"],
    );
  },
  "images: list, inspect, history, tag, remove": async () => {
    const image = docker.getImage("busybox");
    await image.tag({ repo: "cc-rode", tag: "1" });
    const [{ RepoTags }] = await docker.listImages({ filters: { reference: ["cc-rode"] } });
    assert.deepEqual(RepoTags, ["cc-rode:1"]);
    assert.equal((await docker.getImage("cc-rode:1").inspect()).Id, (await image.inspect()).Id);
    await docker.getImage("cc-rode:1").history();
    await docker.getImage("cc-rode:1").remove();
    await rejects(docker.getImage("cc-rode:1").inspect(), 404);
  },
  "images: save and load": async () => {
    await docker.getImage("busybox").tag({ repo: "cc-rode", tag: "2" });
    const tar = await docker.getImage("cc-rode:2").get();
    await followed(await docker.loadImage(tar));
    await docker.getImage("cc-rode:2").remove();
  },
  "a pull of an image that is nowhere is rejected": async () => {
    await assert.rejects(docker.pull("127.0.0.1:1/cc-missing:1").then(followed));
  },
  commit: async () => {
    const container = await started({});
    const { Id } = await container.commit({ repo: "cc-rode", tag: "3" });
    assert.equal((await docker.getImage("cc-rode:3").inspect()).Id, Id);
    await container.remove({ force: true });
    await docker.getImage("cc-rode:3").remove();
  },
  networks: async () => {
    // What is connected after its start has to be where the network is.
    const Labels = { compat: "rode", "shoal.group": "cc-rode" };
    const network = await docker.createNetwork({ Name: "cc-rode", Labels });
    const one = await started({ HostConfig: { NetworkMode: "cc-rode" } });
    const other = await started({ Labels });
    await network.connect({ Container: other.id, EndpointConfig: { Aliases: ["other"] } });
    const { Containers } = await network.inspect();
    assert.deepEqual(Object.keys(Containers).sort(), [one.id, other.id].sort());
    assert.equal((await docker.listNetworks({ filters: { label: ["compat=rode"] } })).length, 1);
    await network.disconnect({ Container: other.id });
    for (const container of [one, other]) await container.remove({ force: true });
    await network.remove();
    await rejects(network.inspect(), 404);
  },
  volumes: async () => {
    await docker.createVolume({ Name: "cc-rode", Labels: { compat: "rode" } });
    const volume = docker.getVolume("cc-rode");
    assert.equal((await volume.inspect()).Name, "cc-rode");
    const user = await started({ HostConfig: { Binds: ["cc-rode:/data"] } });
    await rejects(volume.remove(), 409);
    await user.remove({ force: true });
    assert.equal((await docker.listVolumes({ filters: { label: ["compat=rode"] } })).Volumes.length, 1);
    await volume.remove();
    await rejects(volume.inspect(), 404);
  },
  "prunes, df": async () => {
    const filters = { label: ["compat=nothing"] };
    await docker.pruneContainers({ filters });
    await docker.pruneImages({ filters });
    await docker.pruneNetworks({ filters });
    await docker.pruneVolumes({ filters });
    assert.ok(Array.isArray((await docker.df()).Images));
  },
  "errors carry Docker's codes": async () => {
    await rejects(docker.createContainer({ name: "a b", Image: "busybox" }), 400);
    await rejects(docker.createContainer({ Image: "cc-missing" }), 404);
    await rejects(docker.getContainer("cc-missing").start(), 404);
    const container = await started({});
    await rejects(container.remove(), 409);
    await assert.rejects(container.start(), { statusCode: 304 }).catch(() => {});
    await container.remove({ force: true });
  },
  "swarm and plugins": async () => {
    await rejects(docker.swarmInspect(), 503);
    await rejects(docker.listServices(), 503);
    assert.ok(Array.isArray(await docker.listPlugins()));
  },
});
