import { expect, it } from "vitest";
import { readImages } from "./image-index.ts";

const DIGEST = `sha256:${"c4".repeat(32)}`;
const digestsOf = (tags: readonly string[] | null, digests: readonly string[] | null): readonly string[] | undefined =>
  readImages(JSON.stringify([{ Id: "sha256:1", RepoTags: tags, RepoDigests: digests }]))[0]?.repoDigests;

it("gives a digest that an engine tells without its repository that of the image's tags", () => {
  const tags = ["10.0.0.1:5000/box:latest", "10.0.0.1:5000/box:1", "busybox:latest"];
  expect(digestsOf(tags, [DIGEST])).toEqual([`10.0.0.1:5000/box@${DIGEST}`, `busybox@${DIGEST}`]);
  expect(digestsOf(null, [DIGEST])).toEqual([]);
});

it("keeps digests as engines tell them otherwise", () => {
  expect(digestsOf(["box:latest"], [`box@${DIGEST}`, "<none>@<none>"])).toEqual([`box@${DIGEST}`]);
  expect(digestsOf(null, null)).toEqual([]);
});
