import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { fromGoFlags, leadingFlags } from "./go-flags.ts";
import { manageFlags } from "./manage/flags.ts";

const manage = (...args: string[]): string[] => fromGoFlags(manageFlags(), args);

describe("Go's flags", () => {
  it("take single-dash long forms, apart and with =", () => {
    expect(manage("-strategy", "spread", "-heartbeat=5s", "nodes://a")).toEqual([
      ...["--strategy", "spread", "--heartbeat=5s", "nodes://a"],
    ]);
    expect(manage("-addr", "1.2.3.4:1")).toEqual(["--addr", "1.2.3.4:1"]);
  });

  it("resolve switches with a value", () => {
    expect(manage("-tls=true", "--tlsverify=false", "--cors=1")).toEqual(["--tls", "--cors"]);
  });

  it("never look at values, nor past --", () => {
    expect(manage("-f", "-strategy", "--", "-strategy")).toEqual(["-f", "-strategy", "--", "-strategy"]);
    expect(manage("--filter", "-tls=false")).toEqual(["--filter", "-tls=false"]);
  });

  it("leave short flags and clusters alone", () => {
    expect(manage("-H", "unix:///x", "-fhealth", "-H=tcp://a:1")).toEqual([
      "-H",
      "unix:///x",
      "-fhealth",
      "-Htcp://a:1",
    ]);
    const ps = new Command("ps").option("-a, --all").option("-n, --last <n>").option("-q, --quiet");
    expect(fromGoFlags(ps, ["-aqn", "-all", "-all"])).toEqual(["-aqn", "-all", "--all"]);
  });

  it("follow subcommands, and stop where another program's arguments begin", () => {
    const root = new Command("machine").enablePositionalOptions();
    root.command("ls").option("--format <f>");
    root.command("ssh").option("--format <f>").passThroughOptions().argument("[args...]");
    expect(fromGoFlags(root, ["ls", "-format", "json"])).toEqual(["ls", "--format", "json"]);
    expect(fromGoFlags(root, ["ssh", "n1", "ps", "-format"])).toEqual(["ssh", "n1", "ps", "-format"]);
  });

  it("separate the flags before a command's name from the rest", () => {
    const program = new Command("shoal").option("-l, --log-level <level>").option("--debug");
    expect(leadingFlags(program, ["-debug", "-l", "ps", "manage", "-debug"])).toEqual({
      flags: ["--debug", "-l", "ps"],
      rest: ["manage", "-debug"],
    });
  });
});
