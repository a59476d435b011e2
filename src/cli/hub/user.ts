/** `shoal hub user`: accounts of a running hub, which the admin's token (SHOAL_HUB_TOKEN) opens. */
import { Command } from "commander";
import { hubOf } from "../../discovery/hub/address.ts";
import { HubClient, type HubRequest } from "../../discovery/hub/client.ts";
import { readHubTls } from "../../discovery/options.ts";
import { discoveryOptionsOf } from "../discovery-opt.ts";
import { hubAccess } from "../hub-access.ts";
import type { Io } from "../io.ts";
import { repeat } from "../repeat.ts";

interface UserFlags {
  readonly hub?: string;
  readonly discoveryOpt?: readonly string[];
}

export function userCommand(io: Io): Command {
  const user = new Command("user")
    .usage("COMMAND")
    .description("Accounts of a running hub; SHOAL_HUB_TOKEN is the admin's token.")
    .enablePositionalOptions();
  const sub = (name: string, usage: string, description: string): Command =>
    user
      .command(name)
      .usage(usage)
      .description(description)
      .option("--hub <url>", "https://host[:port] (env SWARM_DISCOVERY_URL)")
      .option("--discovery-opt <key=value>", "kv.cacertfile, kv.certfile, kv.keyfile (repeat)", repeat);
  sub("add", "[OPTIONS] NAME", "Make an account and print its token, which is not shown again")
    .argument("<name>")
    .action(async (name: string, flags: UserFlags) => {
      const text = await ask(io, flags, { method: "POST", path: "/v1/users", body: JSON.stringify({ name }) });
      io.out(`${(JSON.parse(text) as { token: string }).token}\n`);
    });
  sub("rm", "[OPTIONS] NAME", "Remove an account; its clusters stay")
    .argument("<name>")
    .action(async (name: string, flags: UserFlags) => {
      await ask(io, flags, { method: "DELETE", path: `/v1/users/${encodeURIComponent(name)}` });
    });
  sub("ls", "[OPTIONS]", "List the accounts").action(async (flags: UserFlags) => {
    const names = JSON.parse(await ask(io, flags, { path: "/v1/users" })) as string[];
    io.out(names.map((name) => `${name}\n`).join(""));
  });
  return user;
}

async function ask(io: Io, flags: UserFlags, request: HubRequest): Promise<string> {
  const address = hubOf(hubAccess(flags.hub, io.env));
  const client = new HubClient(address, io.clock, readHubTls(discoveryOptionsOf(flags.discoveryOpt)));
  try {
    return (await client.call(request)).text;
  } finally {
    await client.close();
  }
}
