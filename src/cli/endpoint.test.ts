import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findEndpoint } from "./endpoint.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "shoal-endpoint-"));
});
afterEach(() => rmSync(home, { recursive: true }));

function context(name: string, host: string, options: { skip?: boolean; ca?: string } = {}): void {
  const hash = createHash("sha256").update(name).digest("hex");
  const meta = join(home, ".docker/contexts/meta", hash);
  mkdirSync(meta, { recursive: true });
  const docker = { Host: host, SkipTLSVerify: options.skip ?? false };
  writeFileSync(join(meta, "meta.json"), JSON.stringify({ Name: name, Metadata: {}, Endpoints: { docker } }));
  if (options.ca === undefined) return;
  const tls = join(home, ".docker/contexts/tls", hash, "docker");
  mkdirSync(tls, { recursive: true });
  writeFileSync(join(tls, "ca.pem"), options.ca);
}

describe("the manager's endpoint", () => {
  it("follows docker's order", () => {
    context("a", "tcp://a:1");
    context("b", "tcp://b:1");
    writeFileSync(join(home, ".docker/config.json"), '{"currentContext":"a"}');
    const env = { HOME: home };
    expect(findEndpoint({}, env)).toMatchObject({ host: "tcp://a:1", dockerFindsIt: true, from: 'docker context "a"' });
    expect(findEndpoint({}, { ...env, DOCKER_CONTEXT: "b" }).host).toBe("tcp://b:1");
    expect(findEndpoint({}, { ...env, DOCKER_CONTEXT: "b", DOCKER_HOST: "tcp://c:1" }).host).toBe("tcp://c:1");
    expect(findEndpoint({ context: "b" }, { ...env, DOCKER_HOST: "tcp://c:1" })).toMatchObject({
      host: "tcp://b:1",
      dockerFindsIt: false,
    });
    expect(findEndpoint({ host: "d:1" }, { ...env, DOCKER_HOST: "tcp://c:1" }).host).toBe("d:1");
  });

  it("is shoal's own socket without any of these", () => {
    const env = { HOME: home, XDG_RUNTIME_DIR: home };
    const { host, dockerFindsIt } = findEndpoint({}, env);
    expect(host).toMatch(/^(tcp:\/\/127\.0\.0\.1:2375|unix:\/\/.*\/shoal\.sock)$/);
    expect(dockerFindsIt).toBe(false);
  });

  it("takes TLS from the environment as docker does", () => {
    writeFileSync(join(home, "ca.pem"), "CA");
    const env = { HOME: home, DOCKER_HOST: "tcp://a:1", DOCKER_CERT_PATH: home };
    expect(findEndpoint({}, env).tls).toBeUndefined();
    expect(findEndpoint({}, { ...env, DOCKER_TLS_VERIFY: "1" }).tls).toMatchObject({
      verify: true,
      ca: Buffer.from("CA"),
    });
    expect(findEndpoint({ tls: true }, env).tls).toMatchObject({ verify: false, cert: undefined });
    expect(() => findEndpoint({ tls: true, tlscert: "/none.pem" }, env)).toThrow("cannot read /none.pem");
    expect(() => findEndpoint({}, { ...env, DOCKER_CERT_PATH: "/none", DOCKER_TLS_VERIFY: "1" })).toThrow(
      "/none/ca.pem",
    );
  });

  it("takes TLS from the context's files", () => {
    context("t", "tcp://t:1", { ca: "CA" });
    context("s", "tcp://s:1", { skip: true });
    expect(findEndpoint({ context: "t" }, { HOME: home }).tls).toMatchObject({ verify: true, ca: Buffer.from("CA") });
    expect(findEndpoint({ context: "s" }, { HOME: home }).tls).toMatchObject({ verify: false });
  });

  it("refuses what it cannot use, naming it", () => {
    expect(() => findEndpoint({ host: "ssh://me@there" }, {})).toThrow("-H: ssh:// is not supported");
    expect(() => findEndpoint({ context: "none" }, { HOME: home })).toThrow('context "none" does not exist');
    expect(() => findEndpoint({ host: "a", context: "b" }, {})).toThrow("conflicting options");
  });
});
