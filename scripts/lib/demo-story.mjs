// The story the demo tells: every command is the stock docker CLI's, printed before it runs, and its outcome is checked.
import { dockerEnv, remember, remembered, shoal } from "./demo-cluster.mjs";
import { attempt } from "./run.mjs";
import { bad, bold, heading, ok, remark, say } from "./say.mjs";

const NO_ROOM = "no resources available to schedule container";
const COMMAND_MS = 120_000;

/** Tells it on the cluster at `address`; resolves with the number of things that were not as expected. */
export async function tellStory(address, nodes) {
  const story = new Story(address);
  await story.clear();
  await discovery(story, nodes);
  await firstContainer(story);
  await resources(story);
  await ports(story);
  await constraints(story);
  return story.wrong;
}

class Story {
  wrong = 0;
  #env;
  #made = [];

  constructor(address) {
    this.#env = dockerEnv(address);
  }

  /** Prints and runs one command line; words with blanks are shown quoted. */
  async type(...argv) {
    const shown = argv.map((word) => (/[\s"{}*]/.test(word) ? `'${word}'` : word)).join(" ");
    say(`\n${bold(`$ ${shown}`)}`);
    const real = argv[0] === "bin/shoal" ? [shoal, ...argv.slice(1)] : argv;
    const result = await attempt(real, { env: this.#env, deadlineMs: COMMAND_MS });
    say((result.stdout + result.stderr).trimEnd());
    return result;
  }

  /** `docker run -d …`: remembers what it made; resolves with the node it is on, or undefined when it was refused. */
  start(...words) {
    return this.startWith(["docker", "run", "-d"], ...words);
  }

  /** The same by another command, such as `shoal run`. */
  async startWith(command, ...words) {
    const result = await this.type(...command, ...words);
    const id = result.stdout.trim();
    if (result.code !== 0) return undefined;
    this.#made.push(id);
    remember(this.#made);
    return this.nodeOf(id);
  }

  async nodeOf(id) {
    const format = '{{.ID}} {{.Label "shoal.NODE"}}';
    const argv = ["docker", "ps", "-a", "--no-trunc", "--format", format];
    const { stdout } = await attempt(argv, { env: this.#env, deadlineMs: COMMAND_MS });
    return stdout
      .split("\n")
      .map((line) => line.split(" "))
      .find(([one]) => one === id)?.[1];
  }

  /** The listing with its NODE column, on the reader's own terminal so that it fits. */
  async list() {
    say(`\n${bold("$ bin/shoal ps")}`);
    await attempt([shoal, "ps"], { env: this.#env, deadlineMs: COMMAND_MS, show: true });
  }

  check(fits, text) {
    if (fits) ok(text);
    else {
      bad(text);
      this.wrong++;
    }
  }

  async refused(why, ...words) {
    const result = await this.type("docker", "run", "-d", ...words);
    if (result.code === 0) this.#made.push(result.stdout.trim());
    this.check(result.code !== 0 && result.stderr.includes(NO_ROOM), `refused: ${why}`);
  }

  /** Removes what an earlier telling made; anything else on the cluster stays. */
  async clear() {
    if (remembered().length === 0) return;
    remark("removing the containers of the demo's last run");
    await this.#remove();
  }

  /** Each chapter begins on empty nodes, so that it can be read by itself. */
  async turnThePage() {
    remark("the containers so far are removed, so that the next listing is short");
    await this.#remove();
  }

  async #remove() {
    await attempt(["docker", "rm", "-f", ...remembered()], { env: this.#env, deadlineMs: COMMAND_MS });
    this.#made = [];
    remember([]);
  }
}

async function discovery(story, nodes) {
  heading("Three engines behind one address");
  const url = `nodes://${nodes.join(",")}`;
  await story.type("bin/shoal", "list", url);
  await story.type("bin/shoal", "node", "ls");
}

async function firstContainer(story) {
  heading("A first container");
  remark(
    "redis and nginx are stand-ins: one BusyBox image made on this machine, tagged so inside the demo's engines only",
  );
  const node = await story.start("-P", "--name", "redis", "redis");
  story.check(node !== undefined, `redis runs on ${node}`);
  await story.list();
  const port = await story.type("docker", "port", "redis");
  story.check(/^6379\/tcp -> \d+\.\d+\.\d+\.\d+:\d+$/m.test(port.stdout), "its port shows its node's address");
  await story.type("docker", "inspect", "--format", "{{json .NetworkSettings.Ports}}", "redis");
  const logs = await story.type("docker", "logs", "redis");
  story.check(logs.stdout.includes("Ready to accept"), "its log is readable from here");
}

async function resources(story) {
  heading("Memory is a resource: three nodes of 2 GB");
  await story.turnThePage();
  await story.refused("no node has 10 GB", "-P", "-m", "10g", "redis");
  const placed = [];
  for (let times = 0; times < 3; times++) placed.push(await story.start("-P", "-m", "1g", "redis"));
  await story.list();
  const [first, second, third] = placed;
  const packed = first !== undefined && first === second && third !== undefined && third !== first;
  story.check(packed, `two of 1 GB fill ${first}, the third goes to ${third}`);
}

async function ports(story) {
  heading("Ports are a resource: 80 is free once on each node");
  await story.turnThePage();
  const placed = [];
  for (let times = 0; times < 3; times++) placed.push(await story.start("-p", "80:80", "nginx"));
  story.check(new Set(placed.filter(Boolean)).size === 3, `one on each of ${placed.join(", ")}`);
  await story.refused("port 80 is taken on all three", "-p", "80:80", "nginx");
  await story.list();
}

async function constraints(story) {
  heading("Constraints: node-1 was made with storage=ssd, the others with storage=disk");
  await story.turnThePage();
  const db = await story.start("-P", "-e", "constraint:storage==ssd", "--name", "db", "redis");
  story.check(db === "node-1", `db is on ${db}, the one with storage=ssd`);
  const shoalRun = ["bin/shoal", "run", "-d"];
  const front = await story.startWith(shoalRun, "-P", "--constraint", "storage=disk", "--name", "frontend", "nginx");
  story.check(front === "node-2" || front === "node-3", `frontend is on ${front}, one with storage=disk`);
  await story.list();
}
