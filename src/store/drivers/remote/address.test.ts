/** A store's URL and options: what is read of them, and what is refused without a word of the password. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { publicUrl, readAddress } from "./address.ts";

describe("a store's address", () => {
  it("has servers, a path, and credentials that are percent-encoded", () => {
    expect(readAddress("etcd://joe:p%3A%40%2Fs@a,b:1,[::1]:2/x/y/", 2379)).toEqual({
      servers: [
        { host: "a", port: 2379 },
        { host: "b", port: 1 },
        { host: "::1", port: 2 },
      ],
      path: "x/y",
      user: "joe",
      password: "p:@/s",
      tls: undefined,
    });
    expect(readAddress("consul://:t0ken@a/x", 8500)).toMatchObject({ user: "", password: "t0ken" });
    expect(readAddress("zk://a", 2181)).toMatchObject({ path: "", user: "", password: "" });
    expect(readAddress("zk://a/x", 2181, { "kv.tls": "true" }).tls).toEqual({});
  });

  it.each([
    ["etcd://joe:hunter2@/x", 'bad store "etcd://…@/x"'],
    ["etcd://joe:hunter2@a:x/y", 'bad server of a store: "a:x"'],
    ["etcd://a:0/y", 'bad server of a store: "a:0"'],
    ["etcd://joe:hunter2%@a/y", "are percent-encoded"],
    ["etcd://a/x/../y", "bad key for the store"],
    ["etcd://a/x?y", "bad store"],
  ])("%s is refused", (url, words) => {
    expect(() => readAddress(url, 2379)).toThrow(words);
    expect(() => readAddress(url, 2379)).not.toThrow("hunter2");
  });

  it("is shown without what opens it", () => {
    expect(publicUrl("etcd://joe:hunter2@a/x")).toBe("etcd://…@a/x");
    expect(publicUrl("etcd://a/x@y")).toBe("etcd://a/x@y");
  });

  describe("with files", () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), "shoal-address-"));
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    it("takes the password from one, and names one that cannot be used", () => {
      const file = join(folder, "password");
      writeFileSync(file, "hunter2\n");
      const options = { "kv.user": "joe", "kv.passwordfile": file };
      expect(readAddress("etcd://a/x", 1, options)).toMatchObject({ user: "joe", password: "hunter2" });
      const read = (more: Record<string, string>) => () => readAddress("etcd://a/x", 1, more);
      expect(read({ "kv.passwordfile": join(folder, "none") })).toThrow("cannot read kv.passwordfile");
      expect(read({ "kv.certfile": file })).toThrow("kv.certfile and kv.keyfile of a store are given together");
      expect(read({ "kv.certfile": file, "kv.keyfile": file })).toThrow("TLS files of the store cannot be used");
      expect(read({ "kv.color": "red" })).toThrow("unknown option kv.color of a store: use kv.cacertfile");
    });
  });
});
