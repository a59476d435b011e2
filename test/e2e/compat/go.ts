/** The Go SDK, built as Debian has it: every module's source from a package, GOPATH mode, nothing from a proxy. */
import { join } from "node:path";
import { packageCache, unpackedPackages } from "../support/debian.ts";
import { output } from "../support/exec.ts";
import { fleet } from "../support/fleet.ts";
import { type Client, runProgram } from "./client.ts";

const GO_VERSION = "1.19";
const SUITE = "bookworm";
const MODULES = [
  "docker-docker",
  "docker-go-connections",
  "docker-go-units",
  "docker-distribution",
  "opencontainers-image-spec",
  "opencontainers-go-digest",
  "opencontainers-specs",
  "pkg-errors",
  "gogo-protobuf",
  "sirupsen-logrus",
  "moby-term",
  "morikuni-aec",
  "containerd-containerd",
  "moby-sys",
  "google-uuid",
].map((name) => `golang-github-${name}-dev`);
const MORE = ["golang-golang-x-net-dev", "golang-golang-x-sys-dev", "golang-golang-x-time-dev"];

export const GO: Client = {
  name: "Go SDK",
  share: "all",
  prepare: async () => {
    const packages = [`golang-${GO_VERSION}-go`, `golang-${GO_VERSION}-src`, ...MODULES, ...MORE];
    const root = await unpackedPackages("go-sdk-bookworm", { suite: SUITE, packages }, packageCache());
    const program = join(fleet().work, "go-cases");
    const env = {
      PATH: process.env.PATH ?? "",
      HOME: fleet().work,
      GOROOT: join(root, `usr/lib/go-${GO_VERSION}`),
      GOPATH: join(root, "usr/share/gocode"),
      // A second run builds nothing.
      GOCACHE: join(packageCache(), "go-cache"),
      GO111MODULE: "off",
      CGO_ENABLED: "0",
      GOFLAGS: "-p=1",
    };
    const source = join(import.meta.dirname, "programs/go/main.go");
    await output(join(env.GOROOT, "bin/go"), ["build", "-o", program, source], { env, timeout: 900_000 });
    const status = await output("sh", [
      "-c",
      `cat ${root}/usr/share/gocode/src/github.com/docker/docker/VERSION || true`,
    ]);
    return { version: status === "" ? "20.10" : status, run: (side) => runProgram([program], side, {}) };
  },
};
