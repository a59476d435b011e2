/** The page and its parts, read once. Nothing comes from elsewhere, and no script but these may run. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Answer } from "../api/listener/answer.ts";
import type { ApiRequest } from "../api/listener/request.ts";

const FILES: Readonly<Record<string, string>> = {
  "index.html": "text/html; charset=utf-8",
  "style.css": "text/css; charset=utf-8",
  "icon.svg": "image/svg+xml",
  "app.js": "text/javascript; charset=utf-8",
  "api.js": "text/javascript; charset=utf-8",
  "dom.js": "text/javascript; charset=utf-8",
  "clusters.js": "text/javascript; charset=utf-8",
  "cluster.js": "text/javascript; charset=utf-8",
  "nodes.js": "text/javascript; charset=utf-8",
  "sign-in.js": "text/javascript; charset=utf-8",
  "users.js": "text/javascript; charset=utf-8",
};

const POLICY = [
  "default-src 'none'",
  ...["script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'"],
  ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
].join("; ");

const HEADERS = [
  ...["Content-Security-Policy", POLICY, "X-Content-Type-Options", "nosniff", "Referrer-Policy", "no-referrer"],
  ...["X-Frame-Options", "DENY", "Cross-Origin-Opener-Policy", "same-origin", "Cache-Control", "no-cache"],
];

interface Asset {
  readonly body: Buffer;
  readonly headers: readonly string[];
  readonly etag: string;
}

export class Assets {
  readonly #files = new Map<string, Asset>();

  constructor() {
    for (const [name, type] of Object.entries(FILES)) {
      const body = readFileSync(new URL(`./page/${name}`, import.meta.url));
      const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
      const headers = ["Content-Type", type, "Content-Length", String(body.length), "ETag", etag, ...HEADERS];
      this.#files.set(name, { body, headers, etag });
    }
  }

  /** Answers when the request is for the page or a part of it. A cluster's URL shows the page to browsers. */
  serve({ method, path, headers }: ApiRequest, answer: Answer): boolean {
    if (method !== "GET" && method !== "HEAD") return false;
    const name = /^\/page\/([\w.-]+)$/.exec(path)?.[1];
    const isPage = path === "/" || (/^\/u\/[^/]+\/[^/]+$/.test(path) && /text\/html/.test(String(headers.accept)));
    const asset = this.#files.get(isPage ? "index.html" : (name ?? ""));
    if (!asset) return false;
    if (headers["if-none-match"] === asset.etag) answer.start(304, ["ETag", asset.etag, ...HEADERS]).end();
    else answer.start(200, asset.headers).end(method === "HEAD" ? undefined : asset.body);
    return true;
  }
}
