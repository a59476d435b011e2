import { describe, expect, it } from "vitest";
import { DockerError } from "./errors.ts";
import {
  imageMatcher,
  isHexPrefix,
  isValidContainerName,
  looksLikeId,
  matchImage,
  normalizeImage,
  splitNodePrefix,
} from "./references.ts";

const HEX = "0123456789abcdef".repeat(4);
const DIGEST = `sha256:${"f".repeat(64)}`;

describe("normalizeImage", () => {
  it.each([
    ["redis", "docker.io", "library/redis", "latest", "redis:latest", "docker.io/library/redis:latest"],
    ["redis:7", "docker.io", "library/redis", "7", "redis:7", "docker.io/library/redis:7"],
    ["docker.io/redis", "docker.io", "library/redis", "latest", "redis:latest", "docker.io/library/redis:latest"],
    [
      "index.docker.io/library/redis",
      "docker.io",
      "library/redis",
      "latest",
      "redis:latest",
      "docker.io/library/redis:latest",
    ],
    ["a/b__c-d.e", "docker.io", "a/b__c-d.e", "latest", "a/b__c-d.e:latest", "docker.io/a/b__c-d.e:latest"],
    ["localhost/a", "localhost", "a", "latest", "localhost/a:latest", "localhost/a:latest"],
    ["host:5000/a/b:x", "host:5000", "a/b", "x", "host:5000/a/b:x", "host:5000/a/b:x"],
    ["[::1]:5000/a", "[::1]:5000", "a", "latest", "[::1]:5000/a:latest", "[::1]:5000/a:latest"],
    ["Host/a", "Host", "a", "latest", "Host/a:latest", "Host/a:latest"],
    [
      "docker.io/library/a/b",
      "docker.io",
      "library/a/b",
      "latest",
      "library/a/b:latest",
      "docker.io/library/a/b:latest",
    ],
  ])("%s", (text, domain, path, tag, familiar, canonical) => {
    expect(normalizeImage(text)).toMatchObject({ domain, path, tag, digest: undefined, familiar, canonical });
  });

  it("keeps digests, and a tag only when given", () => {
    expect(normalizeImage(`redis@${DIGEST}`)).toMatchObject({
      tag: undefined,
      digest: DIGEST,
      familiar: `redis@${DIGEST}`,
    });
    expect(normalizeImage(`redis:7@${DIGEST}`)).toMatchObject({
      tag: "7",
      canonical: `docker.io/library/redis:7@${DIGEST}`,
    });
  });

  it.each([
    "",
    ":x",
    "a//b",
    "a/",
    "/a",
    "-a",
    "a:",
    "a:-",
    "a@sha256:1",
    `a@${DIGEST}@${DIGEST}`,
    "a..b",
    "http://a",
    "a b",
    "a\n",
    `a:${"t".repeat(129)}`,
  ])("refuses %j", (text) => {
    expect(() => normalizeImage(text)).toThrow(DockerError);
  });

  it("says why in dockerd's words", () => {
    expect(() => normalizeImage("Redis")).toThrow(
      "invalid reference format: repository name (library/Redis) must be lowercase",
    );
    expect(() => normalizeImage(HEX)).toThrow(
      `invalid repository name (${HEX}), cannot specify 64-byte hexadecimal strings`,
    );
    expect(() => normalizeImage("a".repeat(250))).toThrow("repository name must not be more than 255 characters");
  });
});

describe("matchImage", () => {
  const image = { id: `sha256:${HEX}`, repoTags: ["redis:latest", "quay.io/a/b:1"], repoDigests: [`redis@${DIGEST}`] };

  it.each([
    ["redis", "reference"],
    ["docker.io/library/redis:latest", "reference"],
    ["quay.io/a/b:1", "reference"],
    [`redis@${DIGEST}`, "reference"],
    [`redis:7@${DIGEST}`, "reference"],
    [HEX, "id"],
    [`sha256:${HEX}`, "id"],
    [HEX.slice(0, 12), "prefix"],
    [`sha256:${HEX.slice(0, 20)}`, "prefix"],
  ])("%s: %s", (text, how) => {
    expect(matchImage(text, image)).toBe(how);
  });

  it.each(["redis:7", "a/b:1", "edis", `other@${DIGEST}`, HEX.slice(1, 13), "sha256:", ""])(
    "%j names another",
    (text) => {
      expect(matchImage(text, image)).toBeUndefined();
    },
  );

  it("takes a hexadecimal word for a name before an ID's beginning", () => {
    const matcher = imageMatcher("0123");
    expect(matcher({ ...image, repoTags: ["0123:latest"] })).toBe("reference");
    expect(matcher({ ...image, repoTags: null, repoDigests: null })).toBe("prefix");
  });
});

describe("names and IDs", () => {
  it("knows what dockerd takes for a container's name", () => {
    expect(["a1", "a_b.c-d", "0x"].every(isValidContainerName)).toBe(true);
    expect(["a", "", "_a", "/a", "a b", "é1", "a\n", "ab\n"].some(isValidContainerName)).toBe(false);
  });

  it("knows IDs and their beginnings", () => {
    expect([looksLikeId(HEX), looksLikeId(HEX.slice(1)), looksLikeId(HEX.toUpperCase())]).toEqual([true, false, false]);
    expect([isHexPrefix("a"), isHexPrefix(HEX), isHexPrefix(`${HEX}0`), isHexPrefix(""), isHexPrefix("g")]).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it.each([
    ["redis", undefined, "redis"],
    ["/redis", undefined, "redis"],
    ["node-1/redis", "node-1", "redis"],
    ["/node-1/redis", "node-1", "redis"],
    ["//redis", undefined, "/redis"],
  ])("%s", (name, node, rest) => {
    expect(splitNodePrefix(name)).toEqual({ node, rest });
  });
});
