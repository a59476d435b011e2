/** docs/api.md from the route table, so that the page cannot say anything else than the code does. */
import { API_VERSION, MIN_API_VERSION } from "../docker/version.ts";
import type { How, Route } from "./route.ts";

const HOW: Readonly<Record<Exclude<How, "no swarm" | "unsupported">, string>> = {
  cached: "answered by the manager from what it knows",
  proxied: "asked of the one node concerned; bodies pass byte for byte, IDs, names and error texts are translated",
  scheduled: "placed on a node first",
  "fanned out": "done on every node concerned, the answers made one",
  aggregated: "merged from what all nodes said",
};

export function describeApi(routes: readonly Route[]): string {
  const served = routes.filter(({ how }) => how in HOW);
  const noSwarm = routes.filter(({ how }) => how === "no swarm");
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
    "A route with an action under **audit** changes something; [its line](audit.md) calls it so.",
    "",
    ...table(["method", "path", "how", "audit", "foreign", "what differs from one engine"], served.map(rowOf)),
    "",
    "## What was not made through shoal",
    "",
    "Foreign is a container that no create through shoal made. It is listed, readable and counted like every other one. What changes it or its processes (`protected` above) is answered with 409 and the remedy: address it as `node/name`, or start the manager with `--foreign manage`, the default while discovery has never listed a second node. An ID or a bare name never touches it. exec counts as a change because a command can do anything in there, resize because it sends a signal (SIGWINCH stops httpd). Creates may read it: `--volumes-from`, `--link`, `--network container:`, `commit`. Its name is taken: 409, as on one engine. With `--node-names` every list shows `node/name`, so what is copied from a list is addressed with its node.",
    "",
    "Images carry no mark, nor do volumes that a container's create makes on the way. An image is ours on the nodes where a pull, load, import or commit through shoal brought it and it was not there before; a volume is ours when a create through shoal made it; both are noted in the store, and what is not known to be ours is foreign. A volume or network that was made by itself has a label on its engine that says so, which no answer shows. A foreign volume is read and mounted like every other one; `volume rm` of it is a 409 unless it is addressed as `node/name`. `rmi` of a foreign image is a 409 (`--foreign manage` lifts it; there is no `node/image`), except that a tag given through shoal may be taken away again while the image keeps another one. tag, commit and import do not take a name away from a foreign image; a pull or load that brings another image does, as everywhere. No prune touches anything foreign: what is ours is removed piece by piece, never by an engine's own prune. `rm -v` removes volumes without a name as Docker does.",
    "",
    "## Images",
    "",
    "The list has one row an image, whatever nodes have it (`shoal images` names them). A tag means one image in the cluster: the one that it was last pulled, loaded, imported, committed or given to through shoal, noted in the store. A node that has another one under the tag counts as not having it: the list does not show that tag there, inspect, save and push pass over it, and a create that is placed there is a 404, after which clients pull. `shoal images --conflicts` shows such tags. While no image came through shoal, a tag is whatever each node has. `rmi` of a tag takes it from every image that bears it and is ours.",
    "",
    "Of nodes that the strategy finds equal, those that have the image come first; it never outweighs room.",
    "",
    "## Nodes that do not answer",
    "",
    "Their containers are listed with `-a` as `Host Down` and found by name, ID and prefix, also by a manager that has started since; what asks or changes them is a 503 that names the node, not a 404. Their names, ports and reservations stay taken. Calls and streams under way end when the node is found silent (within ten seconds, by default): a 502 with the reason, or what the table says. An engine that only restarts closes its own connections, and containers that live on are asked for again.",
    "",
    "`rm -f` of such a container frees its name, ID, ports and reservation at once: 204 with a `Warning` header. When the node returns with it, it is kept aside there: never listed or found again, renamed to `NAME.removed-ID`, its restart policy `no`, stopped. Nothing removes it but the operator on that engine; its volumes stay, too.",
    "",
    "An engine that answers at a new address (the same ID, and the same network `bridge` or most of the same containers) has moved, and its containers keep their IDs. The same ID with other containers is a clone, a node of its own. When another engine answers at an address, the containers of the one before are no longer listed, and `docker info` says so.",
    "",
    "## Several managers",
    "",
    "A manager that does not lead answers GET of `/containers/json`, `/images/json`, `/networks` and `/volumes`, and of one of these, from its own cache, after it took in what the leader has changed; it passes all else on, and what it does not find. While no leader answers, GETs wait up to 8 s for the next one; after that, and while the store is away, they are answered from what the manager knows, with a `Warning` header. See [several managers](replicas.md).",
    "",
    "## What shoal does between a client and an older engine",
    "",
    "- A create that uses a field which an engine's version does not know goes to another engine; when there is none it is refused, naming the field, the version that it needs and each node's (an older engine would ignore it without a word). What is newer than the version that the client itself speaks is dropped by every engine, and asks for none.",
    "- Several endpoints in one create, below engine API 1.44: the first goes with the create, the others are connected before the client gets its answer; when one cannot be connected, the container is removed and the error answered.",
    "",
    "## Swarm mode",
    "",
    `\`docker info\` says that it is \`inactive\`, whatever the engines below are in, and these are refused as by an engine that is in no swarm (503, "This node is not a swarm manager. Use …"), so that clients take their usual way:`,
    "",
    ...table(["what", "routes"], groups(noSwarm)),
    "",
    "## Not yet",
    "",
    'Documented by Docker, answered with 501 and `{"message":"… is not supported on a shoal cluster yet"}`:',
    "",
    ...table(["what", "routes"], groups(unsupported)),
    "",
  ].join("\n");
}

function rowOf({ method, path, how, mutates, protects, note = "" }: Route): string[] {
  const { action, instead } = mutates || {};
  const audit = [action, instead?.action].flatMap((name) => (name === undefined ? [] : [`\`${name}\``])).join(", ");
  return [method, `\`${path}\``, how, audit, protects === undefined ? "" : "protected", note];
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
