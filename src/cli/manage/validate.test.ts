import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CliError } from "../fail.ts";
import { fromGoFlags } from "../go-flags.ts";
import type { Env } from "../io.ts";
import { type ManageFlags, manageFlags } from "./flags.ts";
import { logLevel, type Validated, validateManage } from "./validate.ts";

function validate(line: string, env: Env = {}, uid = 0): Validated {
  const command = manageFlags();
  let argument: string | undefined;
  let flags: ManageFlags | undefined;
  command.action((discovery: string | undefined, given: ManageFlags) => {
    argument = discovery;
    flags = given;
  });
  command.parse(fromGoFlags(command, line.split(" ").filter(Boolean)), { from: "user" });
  if (!flags) throw new Error("no flags");
  return validateManage(flags, argument, env, uid);
}

describe("shoal manage refuses as classic Swarm does", () => {
  it.each([
    ["", "discovery required to manage a cluster. See 'shoal manage --help'."],
    ["--strategy fastest nodes://a", "strategy not supported"],
    ["--strategy constructor nodes://a", "strategy not supported"],
    ["-f health -f moon nodes://a", "filter not supported"],
    ["-c mesos nodes://a", 'unsupported cluster "mesos"'],
    ["--tls nodes://a", "--tlscert and --tlskey must be provided when using --tls"],
    ["--tls --tlscert c nodes://a", "--tlscert and --tlskey must be provided when using --tls"],
    ["--tlsverify --tlscert c --tlskey k nodes://a", "--tlscacert must be provided when using --tlsverify"],
    ["--tlscacert c nodes://a", "--tlscert, --tlskey and --tlscacert require the use of either --tls or --tlsverify"],
    ["--tlscert c nodes://a", "--tlscert, --tlskey and --tlscacert require the use of either --tls or --tlsverify"],
    ["--engine-refresh-min-interval 0s nodes://a", "min refresh interval should be a positive number"],
    ["--engine-refresh-max-interval 29s nodes://a", "max refresh interval cannot be less than min refresh interval"],
    ["--engine-failure-retry 0 nodes://a", "invalid failure retry count"],
    ["--engine-refresh-retry 4 nodes://a", "--engine-refresh-retry is deprecated. Use --engine-failure-retry"],
    ["--heartbeat 999ms nodes://a", "--heartbeat should be at least one second"],
    ["--heartbeat 60 nodes://a", 'invalid --heartbeat: time: missing unit in duration "60"'],
    ["--replication etcd://a", "--advertise address must be provided when using --leader-election"],
    ["--replication --addr a etcd://a", "--advertise should be of the form ip:port or hostname:port"],
    ["--replication --advertise a:0 etcd://a", "--advertise should be of the form ip:port or hostname:port"],
    ["--replication --advertise a:65536 etcd://a", "--advertise should be of the form ip:port or hostname:port"],
    ["--replication --advertise a:1 --replication-ttl 0s zk://a", "--replication-ttl should be a positive number"],
    [
      "--replication --advertise a:1 nodes://a",
      "Leader election is only supported with consul, etcd and zookeeper discovery, or with a --store there.",
    ],
    ["--cluster-opt swarm.overcommit=-1 nodes://a", "swarm.overcommit should be larger than -1, -1 is invalid"],
    ["--cluster-opt swarm.createretry=-1 nodes://a", "swarm.createretry can not be negative, -1 is invalid"],
    ["--cluster-opt nothing nodes://a", 'invalid --cluster-opt "nothing": it should be of the form key=value'],
    ["--discovery-opt nothing nodes://a", 'invalid --discovery-opt "nothing": it should be of the form key=value'],
    ["-H fd:// nodes://a", "invalid --host fd://: only tcp://host:port and unix:///path are supported"],
    ["-H tcp://a nodes://a", "invalid --host tcp://a: expected tcp://host:port or unix:///path"],
    ["--api-version 1.99 nodes://a", 'invalid --api-version "1.99": expected one from 1.24 to 1.51'],
    ["--cpu-shares half nodes://a", 'invalid --cpu-shares "half": use cpus, docker'],
    ["--pull-to some nodes://a", 'invalid --pull-to "some": use one, all'],
    ["--cache-volumes /*/ nodes://a", 'invalid --cache-volumes "/*/": nothing to repeat before *'],
    ["--bind-mounts make nodes://a", 'invalid --bind-mounts "make": use check, engine'],
    ["--group-policy scatter nodes://a", 'invalid --group-policy "scatter": use pack, pack-then-spill, spread'],
    ["--group-label a=b nodes://a", 'invalid --group-label "a=b": expected the name of a label'],
    ["--foreign ignore nodes://a", 'invalid --foreign "ignore": use protect, manage'],
    ["-l loud nodes://a", 'invalid --log-level "loud": use debug, info, warn, error, fatal, panic'],
  ])("%s", (line, message) => {
    expect(() => validate(line)).toThrow(new CliError(message));
  });
});

describe("shoal manage's options", () => {
  it("have classic Swarm's defaults, and shoal's own", () => {
    expect(validate("nodes://a:1")).toEqual({
      notes: [],
      options: {
        hosts: ["unix:///var/run/shoal.sock", "tcp://127.0.0.1:2375"],
        discovery: "nodes://a:1",
        discoveryOptions: {},
        hub: { url: undefined, token: undefined },
        strategy: undefined,
        filters: undefined,
        overcommit: 0.05,
        cpuShares: "cpus",
        pullTo: "one",
        groups: { labels: [], policy: "pack" },
        nodeNames: false,
        foreign: undefined,
        bindMounts: undefined,
        cacheVolumes: [],
        reschedule: "auto",
        replication: undefined,
        store: "file:///var/lib/shoal/store",
        storeOptions: {},
        cors: false,
        requireTls: false,
        allowHosts: [],
        apiVersion: "1.51",
        tls: undefined,
        heartbeatMs: 60_000,
        engineRefreshMinMs: 30_000,
        engineRefreshMaxMs: 60_000,
        engineFailureRetry: 3,
        logLevel: "info",
        auditLog: undefined,
        experimental: false,
        mintIds: false,
      },
    });
  });

  it("keep the store where the flag, the environment or the user's own state directory says", () => {
    const store = (line: string, env: Env = {}, uid = 0) => validate(line, env, uid).options.store;
    expect(store("--store memory:// nodes://a", { SHOAL_STORE: "file:///other" })).toBe("memory://");
    expect(store("nodes://a", { SHOAL_STORE: "file:///other" })).toBe("file:///other");
    expect(store("nodes://a", { HOME: "/home/joe" }, 1000)).toBe("file:///home/joe/.local/state/shoal/store");
    expect(store("nodes://a", { XDG_STATE_HOME: "/state" }, 1000)).toBe("file:///state/shoal/store");
  });

  it("come from flags in Go's spelling, and docker-machine's command line works", () => {
    const { options } = validate(
      "-strategy binpacking -f health -f port -H tcp://0.0.0.0:3376 -H :2375 -H unix:///x -api-enable-cors " +
        "--cluster-opt swarm.overcommit=0.2 -heartbeat 1m30s --allow-host a --allow-host b --pull-to all --node-names " +
        "--group-label ci.job --group-label team --group-policy spread file:///n",
    );
    expect(options).toMatchObject({
      strategy: "binpack",
      filters: ["health", "port"],
      hosts: ["tcp://0.0.0.0:3376", "tcp://0.0.0.0:2375", "unix:///x"],
      cors: true,
      overcommit: 0.2,
      heartbeatMs: 90_000,
      allowHosts: ["a", "b"],
      pullTo: "all",
      groups: { labels: ["ci.job", "team"], policy: "spread" },
      nodeNames: true,
      discovery: "file:///n",
    });
    expect(validate("--cors nodes://a").options.cors).toBe(true);
  });

  it("come from the environment, which flags override", () => {
    const env = {
      SWARM_DISCOVERY: "nodes://e",
      SWARM_HOST: "tcp://1.2.3.4:5,unix:///e",
      DEBUG: "1",
      SHOAL_FOREIGN: "manage",
      SHOAL_TEST_MINT_IDS: "1",
    };
    expect(validate("--foreign protect", env).options.foreign).toBe("protect");
    expect(validate("nodes://a", { SHOAL_FOREIGN: "" }).options.foreign).toBeUndefined();
    expect(validate("", env).options).toMatchObject({
      foreign: "manage",
      discovery: "nodes://e",
      hosts: ["tcp://1.2.3.4:5", "unix:///e"],
      logLevel: "debug",
      mintIds: true,
    });
    expect(validate("-H tcp://h:1 -l warn nodes://f", env).options).toMatchObject({
      discovery: "nodes://f",
      hosts: ["tcp://h:1"],
      logLevel: "warn",
    });
    expect(validate("--replication etcd://a", { SWARM_ADVERTISE: "a:1" })).toMatchObject({
      notes: [],
      options: { replication: { address: "a:1", ttlMs: 3_000, isMaster: false }, store: "etcd://a/shoal" },
    });
    expect(
      validate("--replication --replication-ttl 20s --advertise a:1 --store zk://s/x nodes://a").options,
    ).toMatchObject({ replication: { address: "a:1", ttlMs: 20_000 }, store: "zk://s/x" });
    expect(validate("--replication --master --advertise a:1 etcd://a").options.replication?.isMaster).toBe(true);
  });

  it("know where others reach this manager, as far as that can be known", () => {
    const advertised = (line: string) => validate(line).options.advertise;
    expect(advertised("--advertise a:1 -H tcp://b:1 https://hub/u/ann/c")).toBe("a:1");
    expect(advertised("-H unix:///s -H tcp://10.0.0.1:3375 https://hub/u/ann/c")).toBe("10.0.0.1:3375");
    for (const host of ["tcp://0.0.0.0:1", "tcp://:1", "tcp://127.0.0.1:1", "tcp://[::]:1", "tcp://localhost:1"]) {
      expect(advertised(`-H ${host} nodes://a`)).toBeUndefined();
    }
    const { notes } = validate("--advertise a:1 --master nodes://a");
    expect(notes.map((note) => note.split(" ")[0])).toEqual(["--master", "--advertise"]);
    expect(validate("--advertise a:1 token://x").notes).toEqual([]);
  });

  it("take DEBUG only as Go's true: other tools' DEBUG=name:* is not ours", () => {
    expect(logLevel({}, { DEBUG: "express:*" })).toBe("info");
    expect(logLevel({ debug: true }, {})).toBe("debug");
    expect(logLevel({ debug: true, logLevel: "error" }, {})).toBe("error");
  });

  it("say in one line each what comes later", () => {
    const { notes } = validate(
      "--replication --advertise h:1 --discovery-opt kv.path=x --cluster-opt swarm.createretry=2 --refresh-on-node-filter " +
        "--container-name-refresh-filter x --overcommit -0.5 consul://a",
    );
    expect(notes.map((note) => note.split(/[ ,;]/)[0])).toEqual([
      ...["swarm.createretry", "overcommit", "--refresh-on-node-filter"],
    ]);
  });
});

describe("shoal manage's TLS files", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "shoal-tls-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it("are named when they cannot be read or used", () => {
    expect(() => validate(`--tls --tlscert ${dir}/none.pem --tlskey ${dir}/none.pem nodes://a`)).toThrow(
      `cannot read --tlscert ${dir}/none.pem: ENOENT`,
    );
    writeFileSync(join(dir, "bad.pem"), "not a certificate");
    expect(() => validate(`--tls --tlscert ${dir}/bad.pem --tlskey ${dir}/bad.pem nodes://a`)).toThrow(
      `--tlscert ${dir}/bad.pem is not a usable PEM file`,
    );
  });
});
