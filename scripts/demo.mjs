// `npm run demo`: from a fresh Debian machine to three real Docker Engines behind one address, and the stock docker CLI on
// them. `npm run demo -- --down` removes all of it. Plain JavaScript that runs before anything is installed.
const NEEDED = [20, 19];
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  process.stderr.write(
    `The demo needs Node ${NEEDED.join(".")} or later, and this is ${process.versions.node}. The README says how to get it.\n`,
  );
  process.exit(1);
}

const { bad, bold, elapsed, heading, Stop, say } = await import("./lib/say.mjs");
const { prepare } = await import("./lib/install.mjs");
const { down, logFile, startMachines, startManager, stateDirectory } = await import("./lib/demo-cluster.mjs");
const { tellStory } = await import("./lib/demo-story.mjs");

const USAGE =
  "Usage: npm run demo            three engines, a manager, and a story told on them\n       npm run demo -- --down  removes all of it";

function requireRoot() {
  if (process.platform !== "linux") throw new Stop("The demo makes engines out of Linux namespaces: it needs Linux.");
  if (process.getuid() === 0) return;
  throw new Stop('The demo needs root (namespaces, mounts): sudo env "PATH=$PATH" npm run demo');
}

async function up() {
  heading("What is needed");
  await prepare();
  heading("Three machines of 1 CPU and 2 GB");
  const nodes = await startMachines();
  heading("A manager over them");
  const address = await startManager(nodes);
  say(`$ export DOCKER_HOST=${address}`);
  const wrong = await tellStory(address, nodes);
  heading("The cluster is up");
  say(`
  ${bold(`export DOCKER_HOST=${address}`)}

Try next:
  docker run -d -P -m 512m --name mine redis     # placed where it fits
  bin/shoal ps                                   # with a NODE column
  bin/shoal why mine                             # why it is where it is
  docker exec -it mine sh                        # a shell in it, wherever it is
  export SHOAL_MACHINE_STORAGE_PATH=${stateDirectory}/machines
  bin/shoal machine kill node-1                  # a host dies; then: machine start node-1

The manager's log: ${logFile}
Remove all of it:  npm run demo -- --down`);
  if (wrong > 0) {
    bad(`${wrong} thing${wrong > 1 ? "s" : ""} above`);
    process.exitCode = 1;
  }
}

async function main(args) {
  const [flag, ...more] = args;
  if (more.length > 0 || (flag !== undefined && flag !== "--down" && flag !== "--help")) throw new Stop(USAGE);
  if (flag === "--help") {
    say(USAGE);
    return;
  }
  requireRoot();
  await (flag === "--down" ? down() : up());
  say(`\nDone in ${elapsed()}.`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`\n${error instanceof Stop ? error.message : error.stack}\n`);
  process.exitCode = 1;
}
