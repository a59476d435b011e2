/** docs/api.md from the route table, so that the page cannot say anything else than the code does. */
import { API_VERSION, MIN_API_VERSION } from "../docker/version.ts";
import type { How, Route } from "./route.ts";

const HOW: Readonly<Record<Exclude<How, "unsupported">, string>> = {
  cached: "answered by the manager from what it knows",
  proxied: "asked of the one node concerned; bodies pass byte for byte, IDs, names and error texts are translated",
  scheduled: "placed on a node first",
  "fanned out": "done on every node concerned, the answers made one",
  aggregated: "merged from what all nodes said",
};

export function describeApi(routes: readonly Route[]): string {
  const served = routes.filter(({ how }) => how !== "unsupported");
  const unsupported = routes.filter(({ how }) => how === "unsupported");
  return [
    "# The API",
    "",
    "<!-- Made from the route table by `npm run docs`: change src/api/routes/ instead. -->",
    "",
    `Docker Engine API ${API_VERSION}; clients from ${MIN_API_VERSION} on. Every path also under \`/v1.NN/\`. Towards an engine, the client's version is brought into what the engine speaks.`,
    "",
    ...Object.entries(HOW).map(([how, words]) => `- **${how}**: ${words}.`),
    "",
    "A route with an action under **audit** changes something, and is called that there.",
    "",
    ...table(["method", "path", "how", "audit", "what differs from one engine"], served.map(rowOf)),
    "",
    "## What shoal does between a client and an older engine",
    "",
    "- A create that uses a field which an engine's version does not know goes to another engine; when there is none it is refused, naming the field and both versions.",
    "- Several endpoints in one create, below engine API 1.44: the first goes with the create, the others are connected before the client gets its answer; when one cannot be connected, the container is removed and the error answered.",
    "",
    "## Not yet",
    "",
    'Documented by Docker, answered with 501 and `{"message":"… is not supported on a shoal cluster yet"}`:',
    "",
    ...table(["what", "routes"], groups(unsupported)),
    "",
  ].join("\n");
}

function rowOf({ method, path, how, mutates, note = "" }: Route): string[] {
  return [method, `\`${path}\``, how, mutates ? `\`${mutates.action}\`` : "", note];
}

function groups(routes: readonly Route[]): string[][] {
  const byNote = new Map<string, string[]>();
  for (const { method, path, note = "" } of routes) {
    byNote.set(note, [...(byNote.get(note) ?? []), `${method} \`${path}\``]);
  }
  return [...byNote].map(([what, list]) => [what, list.join(", ")]);
}

function table(headers: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [headers, headers.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}
