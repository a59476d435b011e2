/**
 * K6, bad input on every route of the table: the status and the words of one engine, and nothing done anywhere. Both sides
 * are sent the same bytes; what may differ is listed with its reason.
 */
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Route } from "../../../src/api/route.ts";
import { ROUTES } from "../../../src/api/table.ts";
import { normalizerFor } from "../support/case.ts";
import { pooled, until } from "../support/exec.ts";
import { emptyFleet, fleet } from "../support/fleet.ts";
import { call, get } from "../support/http.ts";
import { type Manager, startManager } from "../support/manager.ts";

const EXISTING = "hard-existing";
const MISSING = "hard-missing";
const AT_ONCE = 4;
const ANSWERED_MS = 60_000;

/** What goes in place of a sensible body. */
const BODIES: Readonly<Record<string, string>> = {
  "no JSON": "{nope",
  "JSON cut off": '{"Image":"busybox"',
  "two values": "{} {}",
  "an array": "[]",
  "a string": '"x"',
  "a number": "7",
  null: "null",
  "numbers for strings": '{"Image":1,"Cmd":2,"Env":3,"Labels":4}',
  "a list for a map": '{"Image":"busybox","Labels":["a=b"]}',
  "strings for numbers": '{"Memory":"x","NanoCpus":"y","CpuShares":"z","HostConfig":{"Memory":"x"}}',
  "more than int64": '{"Memory":9223372036854775808,"HostConfig":{"Memory":9223372036854775808}}',
  "less than int64": '{"Memory":-9223372036854775809,"HostConfig":{"NanoCpus":-9223372036854775809}}',
  "a fraction": '{"CpuShares":1.5,"HostConfig":{"CpuShares":1.5}}',
  "an exponent": '{"Memory":1e99,"HostConfig":{"MemoryReservation":1e99}}',
  "too little memory": '{"Memory":1,"Image":"busybox","HostConfig":{"Memory":1}}',
};

/** Only for create: what is wrong with it shows when it is made. */
const CREATES: Readonly<Record<string, readonly [query: string, body: string]>> = {
  "10 MB of environment": ["", `{"Image":"${MISSING}","Env":["A=${"x".repeat(10_000_000)}"]}`],
  "keys in another case": ["", `{"IMAGE":"${MISSING}","hostconfig":{"MEMORY":67108864}}`],
  "a bad name": ["?name=_x", '{"Image":"busybox"}'],
  "a name of one letter": ["?name=x", '{"Image":"busybox"}'],
  "a name with a space": ["?name=a%20b", '{"Image":"busybox"}'],
  "no image and no command": ["", "{}"],
  "a bad image": ["", '{"Image":"Not A Reference"}'],
  "a bad port": ["", '{"Image":"busybox","HostConfig":{"PortBindings":{"80/tcp":[{"HostPort":"70000"}]}}}'],
  "a bad restart policy": ["", '{"Image":"busybox","HostConfig":{"RestartPolicy":{"Name":"sometimes"}}}'],
};

/** In place of names, percent-encoded as they are sent. */
const NAMES: readonly string[] = [MISSING, "-", "a%20b", "%C3%BC", "x".repeat(300), "a%2Fb", "%25", "_x"];

const QUERIES: readonly string[] = [
  "filters={nope",
  "filters=[]",
  'filters={"nope":["x"]}',
  'filters={"label":1}',
  "limit=x",
  "signal=NOPE",
  "condition=sometimes",
  "h=x&w=y",
  "h=99999999999999999999&w=1",
  "stdout=1&since=yesterday",
  "stdout=1&tail=-x",
  "t=soon",
];

/** Differences that are meant, each with its reason; of what is told of one, `got instead of wanted` with the request. */
const DIFFERENT: readonly (readonly [told: RegExp, why: string])[] = [
  [
    /filters=.*"400: (?:failed to prune build cache: )?invalid filter" instead of "[45]00: .*(?:cannot unmarshal|invalid character)/,
    "engines since 23 say «invalid filter» to what they cannot read as filters, and with status 400",
  ],
  [
    /^GET \/events.*"400: invalid filter 'nope'" instead of "200: "/,
    "engines before 23 ignore unknown filters of events",
  ],
  [
    /^POST \/build\/prune.*"400: invalid filter 'nope'" instead of "400: failed to prune build cache: invalid filter 'nope'"/,
    "the same without the part that says it was a prune",
  ],
  [
    / with two values: "400: unexpected content after JSON" instead of/,
    "engines before 23 read the first of two JSON values and ignore the rest",
  ],
  [/^\w+ \/exec\/a%2Fb\//, "no exec has a slash in its ID: such a path is no route"],
  [/^POST \/auth with null: "502: .*" instead of "0: "/, "engines break the connection off at it: that becomes a 502"],
  [
    /^POST \/exec\/hard-\w+\/start with .*: "404: No such exec instance: .*" instead of "400: /,
    "the body belongs to the exec's node, which has to be found first",
  ],
  [
    /^\w+ \/plugins\/.*"400: plugin .*: every node has plugins of its own: name the node as in NODE\//,
    "plugins are each node's own: which one is meant has to be said first",
  ],
  [
    /^\w+ \/images\/.*: "400: (.*)" instead of "400: no such image: .*: \1"$/,
    "engines before 23 say in front of it which image they looked for",
  ],
];

/** They run what is there, or hang until it ends; what is wrong with them is seen on what is missing. */
const ACTS = /\/(?:start|restart|wait|attach|attach\/ws)$|^\/commit$|prune$/;
const READS_JSON = /^\/containers\/(?:create|\{name\}\/(?:update|exec))$|^\/exec\/\{id\}\/start$|^\/auth$/;

interface Input {
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly body?: string | undefined;
}

function inputs(): Input[] {
  const all: Input[] = [];
  for (const route of ROUTES.routes) {
    const { method, path } = route;
    // Where everything is refused alike, whatever comes with it is not looked at.
    if (route.how === "unsupported" || route.how === "no swarm" || path.startsWith("/shoal")) continue;
    const named = /\{\w+\}/.test(path);
    const target = fill(route, ACTS.test(path) || method === "DELETE" ? MISSING : EXISTING);
    const add = (what: string, at: string, body?: string): void => void all.push({ what, method, path: at, body });
    if (READS_JSON.test(path)) for (const [what, body] of Object.entries(BODIES)) add(what, target, body);
    if (named) for (const name of NAMES) add(`the name ${name.slice(0, 20)}`, fill(route, name), bodyFor(route));
    for (const query of QUERIES) {
      // Other queries would prune in earnest, or stream for ever.
      const reads = method === "GET" || method === "HEAD";
      if ((path.endsWith("prune") || path === "/events") && !query.startsWith("filters=")) continue;
      if (!reads && !named && !path.endsWith("prune")) continue;
      add(query, `${target}?${encodeURI(query)}`, bodyFor(route));
    }
  }
  for (const [what, [query, body]] of Object.entries(CREATES)) {
    all.push({ what, method: "POST", path: `/containers/create${query}`, body });
  }
  return all;
}

const fill = ({ path }: Route, name: string): string => path.replace(/\{\w+\}/g, name);
const bodyFor = ({ path }: Route): string | undefined => (READS_JSON.test(path) ? "{}" : undefined);

/** An engine measures its disk once at a time, and refuses whoever asks meanwhile. */
async function atRest(ask: () => Promise<string>): Promise<string> {
  return until("nobody else asks for disk usage", 60_000, async () => {
    const answer = await ask();
    return answer.includes("a disk usage operation is already running") ? undefined : answer;
  });
}

/** `status: message` of one raw exchange, over when an error is whole or anything else begins. */
function send(host: string, { method, path, body = "" }: Input, side: "reference" | "subject"): Promise<string> {
  const { hostname, port } = new URL(host);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) });
    let text = "";
    let ended = false;
    const finish = (): void => {
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
      if (!ended && (!text.includes("\r\n\r\n") || status >= 400)) return;
      socket.destroy();
      const raw = status < 400 ? "" : text.slice(text.indexOf("\r\n\r\n")).trim();
      // Engines say it raw where a stream was to begin.
      const message = raw.startsWith("{") ? (JSON.parse(raw) as { message: string }).message : raw;
      resolve(`${status}: ${normalizerFor(side).text(message)}`);
    };
    const end = (): void => {
      ended = true;
      finish();
    };
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("utf8");
      finish();
    });
    socket.on("error", reject).on("end", end).on("close", end);
    socket.setTimeout(ANSWERED_MS, () => socket.destroy(new Error(`no answer to ${method} ${path}`)));
    const type = body === "" ? "" : "Content-Type: application/json\r\n";
    const head = `${method} /v1.41${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${type}`;
    socket.write(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  });
}

/** All that bad input could have made, changed or taken away. */
async function state(host: string): Promise<unknown> {
  const containers = await get<{ Id: string; Names: string[]; State: string }[]>(host, "/containers/json?all=1");
  const images = await get<{ Id: string; RepoTags: string[] | null }[]>(host, "/images/json?all=1");
  const { Volumes } = await get<{ Volumes: { Name: string }[] | null }>(host, "/volumes");
  return {
    containers: containers.map(({ Id, Names, State }) => [Id, Names, State]),
    images: images.map(({ Id, RepoTags }) => `${Id} ${RepoTags?.toSorted()}`).toSorted(),
    volumes: Volumes?.map(({ Name }) => Name).toSorted(),
  };
}

const { subject } = fleet();

// Nothing here depends on the IDs: the run in which only they differ has no need of it.
describe.runIf(subject === "shoal")("bad input", () => {
  let manager: Manager;
  beforeAll(async () => {
    await emptyFleet();
    manager = await startManager();
    for (const host of [fleet().reference.host, manager.host]) {
      const made = await call(host, `/containers/create?name=${EXISTING}`, {
        method: "POST",
        body: { Image: "busybox" },
      });
      expect(made.status).toBe(201);
    }
  });
  afterAll(async () => {
    await manager?.stop();
    await emptyFleet();
  });

  it("is answered as by one engine on every route, and nothing is done", { timeout: 300_000 }, async () => {
    const hosts = [fleet().reference, ...fleet().nodes].map(({ host }) => host);
    const before = await Promise.all(hosts.map(state));
    const differences: string[] = [];
    const judge = async (input: Input): Promise<void> => {
      const [wanted, got] = await Promise.all([
        atRest(() => send(fleet().reference.host, input, "reference")),
        atRest(() => send(manager.host, input, "subject")),
      ]);
      if (got === wanted) return;
      const told = `${input.method} ${input.path.slice(0, 120)} with ${input.what}: "${got}" instead of "${wanted}"`;
      if (!DIFFERENT.some(([what]) => what.test(told))) differences.push(told);
    };
    await pooled(
      AT_ONCE,
      inputs().map((input) => () => judge(input)),
    );
    expect(differences.toSorted()).toEqual([]);
    expect(await Promise.all(hosts.map(state))).toEqual(before);
  });
});
