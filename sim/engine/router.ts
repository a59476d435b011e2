/** Method and path → handler. A pattern's `{name}` is one part of the path, `{name...}` one or more. */
import type { Answer, Call } from "./call.ts";

export type Handler = (call: Call) => Answer | Promise<Answer>;

/** `POST /containers/{name}/start` → handler. */
export type Routes = Readonly<Record<string, Handler>>;

interface Entry {
  readonly route: string;
  readonly method: string;
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly handler: Handler;
}

export interface Match {
  readonly route: string;
  readonly params: Record<string, string>;
  readonly handler: Handler;
}

function compile(route: string, handler: Handler): Entry {
  const [method = "", path = ""] = route.split(" ");
  const names: string[] = [];
  const source = path.replace(/\{(\w+)(\.\.\.)?\}/g, (_all, name: string, many: string | undefined) => {
    names.push(name);
    return many ? "(.+)" : "([^/]+)";
  });
  return { route, method, pattern: new RegExp(`^${source}$`), names, handler };
}

export class Router {
  /** By method and first part of the path, so that few patterns are tried. */
  readonly #groups = new Map<string, Entry[]>();

  constructor(routes: Routes) {
    for (const [route, handler] of Object.entries(routes)) {
      const entry = compile(route, handler);
      const key = `${entry.method} ${route.split(" ")[1]?.split("/")[1] ?? ""}`;
      this.#groups.set(key, [...(this.#groups.get(key) ?? []), entry]);
    }
  }

  match(method: string, path: string): Match | undefined {
    for (const entry of this.#groups.get(`${method} ${path.split("/")[1] ?? ""}`) ?? []) {
      const found = entry.pattern.exec(path);
      if (!found) continue;
      const params: Record<string, string> = {};
      entry.names.forEach((name, index) => {
        params[name] = decodeURIComponent(found[index + 1] ?? "");
      });
      return { route: entry.route, params, handler: entry.handler };
    }
    return undefined;
  }
}
