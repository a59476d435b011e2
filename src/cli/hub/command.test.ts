/** What `shoal hub` makes of its command line. */
import { describe, expect, it } from "vitest";
import type { HubOptions } from "../../hub/options.ts";
import { CliError } from "../fail.ts";
import type { Env } from "../io.ts";
import { testIo } from "../test-io.ts";
import { hubCommand } from "./command.ts";

async function hub(line: string, env: Env = {}): Promise<HubOptions> {
  let seen: HubOptions | undefined;
  const command = hubCommand(testIo({ HOME: "/home/joe", ...env }), async () => async (options) => {
    seen = options;
  });
  await command.parseAsync(line.split(" ").filter(Boolean), { from: "user" });
  if (!seen) throw new Error("not started");
  return seen;
}

describe("shoal hub", () => {
  it("listens on loopback and keeps its store in a directory, unless told otherwise", async () => {
    const { hosts, store, storeOptions, anonymous } = await hub("");
    expect({ hosts, storeOptions, anonymous }).toEqual({
      hosts: ["tcp://127.0.0.1:2378"],
      storeOptions: {},
      anonymous: false,
    });
    expect(store).toMatch(/^file:\/\/.*\/shoal\/hub\/store$/);
  });

  it("takes a store's credentials and TLS as shoal manage does", async () => {
    const env = { SHOAL_STORE_USER: "joe", SHOAL_STORE_PASSWORD: "hunter2" };
    const { store, storeOptions } = await hub("--store etcd://h:2379/hub --store-opt kv.cacertfile=/ca.pem", env);
    expect(store).toBe("etcd://h:2379/hub");
    expect(storeOptions).toEqual({ "kv.cacertfile": "/ca.pem", "kv.user": "joe", "kv.password": "hunter2" });
    const refusal = "--store-opt takes no kv.password: use kv.passwordfile=FILE, or SHOAL_STORE_PASSWORD";
    await expect(hub("--store-opt kv.password=x")).rejects.toThrow(new CliError(refusal));
  });
});
