import { describe, expect, it } from "vitest";
import { storeOptionsOf } from "./store-opt.ts";

describe("--store-opt", () => {
  it("takes what stores know, and the user and password of the environment", () => {
    const env = { SHOAL_STORE_USER: "joe", SHOAL_STORE_PASSWORD: "hunter2" };
    expect(storeOptionsOf(["kv.cacertfile=/ca", "kv.user=ann"], env)).toEqual({
      "kv.cacertfile": "/ca",
      "kv.user": "ann",
      "kv.password": "hunter2",
    });
    expect(storeOptionsOf()).toEqual({});
  });

  it.each([
    ["kv.path=x", "unknown --store-opt kv.path: there are kv.cacertfile, kv.certfile, kv.keyfile, kv.tls, kv.user"],
    ["nothing", "it should be of the form key=value"],
    ["kv.password=hunter2", "--store-opt takes no kv.password: use kv.passwordfile=FILE, or SHOAL_STORE_PASSWORD"],
  ])("refuses %s", (text, words) => {
    expect(() => storeOptionsOf([text])).toThrow(words);
    expect(() => storeOptionsOf([text])).not.toThrow("hunter2");
  });
});
