/** Copying in and out: one tar is kept for each container, whatever path it was put to. */
import { notFound } from "../../../src/docker/errors.ts";
import { type Answer, type Call, empty, readAll } from "../call.ts";
import type { SimContainer } from "../container.ts";
import type { Daemon } from "../daemon.ts";
import { goTime } from "../json.ts";
import type { Routes } from "../router.ts";
import { sizeInTar, tarOf } from "../tar.ts";

/** Go's os.ModeDir. */
const MODE_DIR = 2 ** 31;
const DIRECTORIES = ["/", "/tmp", "/root", "/var", "/etc", "/home"];

function statHeader(daemon: Daemon, container: SimContainer, path: string): Record<string, string> {
  const name = path.replace(/\/+$/, "").split("/").pop() ?? "";
  const clean = path.replace(/\/\.?$/, "") || "/";
  const size = container.archive ? sizeInTar(container.archive, name) : undefined;
  const directory = size === undefined && (DIRECTORIES.includes(clean) || clean === container.archivePath);
  if (size === undefined && !directory && clean !== "/etc/hostname") {
    throw notFound(`Could not find the file ${path} in container ${container.name}`);
  }
  const mode = directory ? MODE_DIR + 0o755 : 0o644;
  const stat = {
    name: name || "/",
    size: size ?? (directory ? 4096 : 13),
    mode,
    mtime: goTime(daemon.clock.now()),
    linkTarget: "",
  };
  return { "X-Docker-Container-Path-Stat": Buffer.from(JSON.stringify(stat)).toString("base64") };
}

async function put(daemon: Daemon, container: SimContainer, call: Call): Promise<Answer> {
  const path = call.query.get("path") ?? "";
  container.archive = await readAll(call.body);
  container.archivePath = path.replace(/\/+$/, "") || "/";
  daemon.lifecycle.note(container, "extract-to-dir", { path });
  return empty(200);
}

export function archiveRoutes(daemon: Daemon): Routes {
  const target = (call: Call): SimContainer => daemon.containers.get(call.params.name ?? "");
  const path = (call: Call): string => call.query.get("path") ?? "";
  const blob = (container: SimContainer): Buffer =>
    container.archive ?? tarOf("hostname", Buffer.from(`${container.id.slice(0, 12)}\n`));
  return {
    "HEAD /containers/{name}/archive": (call) => ({
      status: 200,
      headers: statHeader(daemon, target(call), path(call)),
    }),
    "GET /containers/{name}/archive": (call) => {
      const container = target(call);
      const headers = { "Content-Type": "application/x-tar", ...statHeader(daemon, container, path(call)) };
      daemon.lifecycle.note(container, "archive-path", { path: path(call) });
      return { status: 200, headers, body: blob(container) };
    },
    "PUT /containers/{name}/archive": (call) => put(daemon, target(call), call),
    "GET /containers/{name}/export": (call) => {
      const container = target(call);
      daemon.lifecycle.note(container, "export");
      return { status: 200, headers: { "Content-Type": "application/octet-stream" }, body: blob(container) };
    },
  };
}
