/**
 * What users call things: image references, container names and IDs, `node/name`. Grammar and normal forms of the
 * distribution project's references. Pure text; must not know which images, containers or nodes exist.
 */

import { REFERENCE_CHARS } from "../kit/limits.ts";
import { badRequest } from "./errors.ts";

export interface ImageReference {
  /** `docker.io` unless the reference names a registry. */
  readonly domain: string;
  /** `library/redis`. */
  readonly path: string;
  /** `latest` when neither tag nor digest was given. */
  readonly tag: string | undefined;
  /** `sha256:…` */
  readonly digest: string | undefined;
  /** As Docker shows it: `redis:latest`, `quay.io/a/b@sha256:…`. */
  readonly familiar: string;
  /** The familiar name without tag and digest, as in RepoTags and RepoDigests: `redis`. */
  readonly familiarName: string;
  /** In full: `docker.io/library/redis:latest`. */
  readonly canonical: string;
}

const DOMAIN_PART = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const DOMAIN = new RegExp(`^(?:${DOMAIN_PART}(?:\\.${DOMAIN_PART})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const FULL_ID = /^[0-9a-f]{64}$/;
const HEX = /^[0-9a-f]{1,64}$/;
const CONTAINER_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const DEFAULT_DOMAIN = "docker.io";
const NAME_CHARS = 255;

/**
 * An image reference in all its forms. A tag beside a digest is kept in `tag`, and in both names.
 * @throws DockerError 400 in dockerd's words
 */
export function normalizeImage(text: string): ImageReference {
  const invalid = () => badRequest("invalid reference format");
  if (text.length > REFERENCE_CHARS) throw invalid();
  if (FULL_ID.test(text)) {
    throw badRequest(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const [beforeDigest = "", digest, ...more] = text.split("@");
  if (more.length > 0 || (digest !== undefined && !DIGEST.test(digest))) throw invalid();
  // A colon behind the last slash begins the tag; one before it begins a port.
  const colon = beforeDigest.lastIndexOf(":");
  const hasTag = colon > beforeDigest.lastIndexOf("/");
  const name = hasTag ? beforeDigest.slice(0, colon) : beforeDigest;
  const givenTag = hasTag ? beforeDigest.slice(colon + 1) : undefined;
  if (givenTag !== undefined && !TAG.test(givenTag)) throw invalid();
  const { domain, path } = splitDomain(name);
  if (path !== path.toLowerCase()) {
    throw badRequest(`invalid reference format: repository name (${path}) must be lowercase`);
  }
  if (!DOMAIN.test(domain) || !PATH.test(path)) throw invalid();
  if (domain.length + 1 + path.length > NAME_CHARS) {
    throw badRequest(`repository name must not be more than ${NAME_CHARS} characters`);
  }
  const tag = givenTag ?? (digest === undefined ? "latest" : undefined);
  const suffix = `${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
  const familiarName = familiarOf(domain, path);
  return {
    domain,
    path,
    tag,
    digest,
    familiar: familiarName + suffix,
    familiarName,
    canonical: `${domain}/${path}${suffix}`,
  };
}

/** The first part is a registry when it has a dot, a colon or a capital letter, or is `localhost`. */
function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(slash, 0));
  const named = slash >= 0 && (/[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase());
  let domain = named ? first : DEFAULT_DOMAIN;
  let path = named ? name.slice(slash + 1) : name;
  if (domain === "index.docker.io") domain = DEFAULT_DOMAIN;
  if (domain === DEFAULT_DOMAIN && !path.includes("/")) path = `library/${path}`;
  return { domain, path };
}

function familiarOf(domain: string, path: string): string {
  if (domain !== DEFAULT_DOMAIN) return `${domain}/${path}`;
  const short = path.startsWith("library/") ? path.slice("library/".length) : path;
  // `docker.io/library/a/b` must not become `a/b`, which is another image.
  return short.includes("/") ? path : short;
}

/** What matching needs of an image; null lists as engines send them are empty. */
export interface ImageNames {
  /** `sha256:…` */
  readonly id: string;
  readonly repoTags: readonly string[] | null | undefined;
  readonly repoDigests: readonly string[] | null | undefined;
}

/** How well a reference names an image, best first: a caller takes the best over all images, as Docker does. */
export type ImageMatch = "id" | "reference" | "prefix";

/**
 * How `text` names the image: by its whole ID (with or without `sha256:`), by tag or digest in any normal form, or by the
 * beginning of its ID. Undefined when it does not. Parse once and use `imageMatcher` to try many images.
 */
export function matchImage(text: string, image: ImageNames): ImageMatch | undefined {
  return imageMatcher(text)(image);
}

/** `matchImage` for one reference and many images. */
export function imageMatcher(text: string): (image: ImageNames) => ImageMatch | undefined {
  const hex = text.startsWith("sha256:") ? text.slice("sha256:".length) : text;
  const isHex = HEX.test(hex);
  const id = FULL_ID.test(hex) ? `sha256:${hex}` : undefined;
  const reference = tryNormalize(text);
  const tag = reference?.digest === undefined ? reference?.familiar : undefined;
  const digest = reference?.digest === undefined ? undefined : `${reference.familiarName}@${reference.digest}`;
  return ({ id: imageId, repoTags, repoDigests }) => {
    if (imageId === id) return "id";
    if (tag !== undefined && repoTags?.includes(tag)) return "reference";
    if (digest !== undefined && repoDigests?.includes(digest)) return "reference";
    if (isHex && imageId.startsWith(`sha256:${hex}`)) return "prefix";
    return undefined;
  };
}

function tryNormalize(text: string): ImageReference | undefined {
  if (text.startsWith("sha256:")) return undefined;
  try {
    return normalizeImage(text);
  } catch {
    return undefined;
  }
}

/** Whether dockerd takes `name`, given without its slash, for a container. */
export function isValidContainerName(name: string): boolean {
  return CONTAINER_NAME.test(name);
}

/** Whether `text` is a whole container ID. */
export function looksLikeId(text: string): boolean {
  return FULL_ID.test(text);
}

/** Whether `text` could be the beginning of an ID. */
export function isHexPrefix(text: string): boolean {
  return HEX.test(text);
}

/** `node-1/redis` → node-1 and redis; `redis` and `/redis` → redis. A slash in front is dropped, as in Docker's names. */
export function splitNodePrefix(name: string): { readonly node: string | undefined; readonly rest: string } {
  const plain = name.startsWith("/") ? name.slice(1) : name;
  const slash = plain.indexOf("/");
  if (slash <= 0) return { node: undefined, rest: plain };
  return { node: plain.slice(0, slash), rest: plain.slice(slash + 1) };
}

/** `a/b` of `a/b:1` and `a/b@sha256:…`; a registry's port stays. */
export function repositoryOf(name: string): string {
  const [plain = ""] = name.split("@");
  const colon = plain.lastIndexOf(":");
  return colon > plain.lastIndexOf("/") ? plain.slice(0, colon) : plain;
}
