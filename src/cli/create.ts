/** `shoal create`: a new cluster at a hub, whose token is printed, as classic Swarm prints it. */
import { Command } from "commander";
import { hubOf } from "../discovery/hub/address.ts";
import { HubClient } from "../discovery/hub/client.ts";
import { readHubTls } from "../discovery/options.ts";
import { discoveryOptionsOf } from "./discovery-opt.ts";
import { CliError } from "./fail.ts";
import { hubAccess } from "./hub-access.ts";
import type { Io } from "./io.ts";
import { repeat } from "./repeat.ts";

interface CreateFlags {
  readonly hub?: string;
  readonly discoveryOpt?: readonly string[];
}

export function createCommand(io: Io): Command {
  return new Command("create")
    .alias("c")
    .usage("[OPTIONS] [NAME]")
    .description(
      "Create a cluster at a hub and print its token; with NAME, its URL. SHOAL_HUB_TOKEN is a user's or the admin's token, which a hub asks for unless it is --anonymous.",
    )
    .argument("[name]", "the cluster is at https://hub/u/USER/NAME then")
    .option("--hub <url>", "https://host[:port] (env SWARM_DISCOVERY_URL)")
    .option("--discovery-opt <key=value>", "kv.cacertfile, kv.certfile, kv.keyfile (repeat)", repeat)
    .action((name: string | undefined, flags: CreateFlags) => create(io, name, flags));
}

async function create(io: Io, name: string | undefined, flags: CreateFlags): Promise<void> {
  const address = hubOf(hubAccess(flags.hub, io.env));
  const client = new HubClient(address, io.clock, readHubTls(discoveryOptionsOf(flags.discoveryOpt)));
  try {
    const body = name === undefined ? undefined : JSON.stringify({ name });
    const { text } = await client.call({ method: "POST", path: "/v1/clusters", body });
    if (name === undefined) {
      io.out(`${text}\n`);
      return;
    }
    const { path, token } = JSON.parse(text) as { path?: unknown; token?: unknown };
    if (typeof path !== "string" || typeof token !== "string") throw new CliError("the hub's answer is no cluster");
    const scheme = address.tls ? "https" : "http";
    io.out(`${scheme}://${token}@${address.host.replace(address.tls ? /:443$/ : /:80$/, "")}${address.path}${path}\n`);
  } finally {
    await client.close();
  }
}
