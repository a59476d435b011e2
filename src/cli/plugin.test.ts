import { describe, expect, it } from "vitest";
import { pluginMetadata, startedAsPlugin, unwrapPluginCall } from "./plugin.ts";

describe("the docker CLI plugin", () => {
  it("is known by its name", () => {
    expect(startedAsPlugin("/root/.docker/cli-plugins/docker-shoal")).toBe(true);
    expect(startedAsPlugin("/usr/local/bin/shoal")).toBe(false);
    expect(startedAsPlugin(undefined)).toBe(false);
  });

  it("answers docker's question with what docker requires", () => {
    const metadata = JSON.parse(pluginMetadata(["docker-cli-plugin-metadata"], "1.2.3") ?? "null");
    expect(metadata).toMatchObject({ SchemaVersion: "0.1.0", Vendor: "shoal", Version: "v1.2.3" });
    expect(pluginMetadata(["shoal", "ps"], "1.2.3")).toBeUndefined();
  });

  it("drops the repeated word, keeps docker's flags before it, and nothing else", () => {
    expect(unwrapPluginCall(["shoal", "ps", "-a"])).toEqual({ args: ["ps", "-a"], configDir: undefined });
    expect(unwrapPluginCall(["-H", "tcp://a:1", "--tlsverify", "shoal", "run", "shoal"]).args).toEqual([
      ...["-H", "tcp://a:1", "--tlsverify", "run", "shoal"],
    ]);
    expect(unwrapPluginCall(["--context", "shoal", "shoal", "why", "x"]).args).toEqual([
      "--context",
      "shoal",
      "why",
      "x",
    ]);
    expect(unwrapPluginCall(["--config", "/c", "shoal", "ps"])).toEqual({ args: ["ps"], configDir: "/c" });
    expect(unwrapPluginCall(["--config=/c", "shoal", "ps"])).toEqual({ args: ["ps"], configDir: "/c" });
  });
});
