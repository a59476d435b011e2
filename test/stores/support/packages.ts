/** Where the servers' programs come from: Debian packages, unpacked into the cache of the other suites and not installed. */
import { join } from "node:path";
import { packageCache, unpackedPackages } from "../../e2e/support/debian.ts";

/** etcd 3.4.23 and ZooKeeper 3.8.0. */
const SUITE = "bookworm";
/** The last suite that has Consul: 1.8.7. */
const CONSUL_SUITE = "bullseye";
const ARCHIVES = ["zookeeper", "slf4j", "netty", "dropwizard-metrics", "snappy"].map((name) => `lib${name}-java`);

export async function etcdProgram(): Promise<string> {
  return join(await bookworm(), "usr/bin/etcd");
}

export async function consulProgram(): Promise<string> {
  const packages = { suite: CONSUL_SUITE, packages: ["consul"] };
  return join(await unpackedPackages("stores-consul", packages, packageCache()), "usr/bin/consul");
}

/** The folder with Java's archives; a machine that runs them has to be there. */
export async function zookeeperArchives(): Promise<string> {
  return join(await bookworm(), "usr/share/java");
}

const bookworm = () =>
  unpackedPackages("stores-etcd-zookeeper", { suite: SUITE, packages: ["etcd-server", ...ARCHIVES] }, packageCache());
