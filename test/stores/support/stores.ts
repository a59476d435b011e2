/** The stores that other machines keep, for what is to hold over every one of them. */
import { consul } from "./consul.ts";
import { etcd } from "./etcd.ts";
import { consulProgram, etcdProgram, zookeeperArchives } from "./packages.ts";
import type { Program } from "./server.ts";
import { zookeeper } from "./zookeeper.ts";

export interface StoreKind {
  readonly scheme: string;
  program(): Promise<Program>;
}

export const STORES: readonly StoreKind[] = [
  { scheme: "etcd", program: async () => etcd(await etcdProgram()) },
  { scheme: "consul", program: async () => consul(await consulProgram()) },
  { scheme: "zk", program: async () => zookeeper(await zookeeperArchives()) },
];
