/**
 * The ways in which a node is lost and comes back, and what is measured of each, with its goal. Must not know how a round is
 * played.
 */
import type { Hosts } from "./hosts.ts";

export interface Measure {
  readonly name: "noticed" | "elsewhere" | "back";
  /** For people. */
  readonly what: string;
  /** Seconds; absent: none is set. */
  readonly goal?: number;
  /** What every round checks beside it; a round in which it does not hold fails. */
  readonly checked: string;
}

export interface LossCase {
  readonly name: string;
  readonly title: string;
  /** Whether what may move goes on elsewhere. */
  readonly moves: boolean;
  /** Whether what stays on the node runs all the time. */
  readonly keepsRunning: boolean;
  readonly measures: readonly Measure[];
  lose(hosts: Hosts, node: string): Promise<void>;
  /** Resolves when the node can be spoken to. */
  giveBack(hosts: Hosts, node: string): Promise<unknown>;
}

const NOTICED = "`docker info` no longer calls it healthy, whatever runs elsewhere was not restarted";
const ELSEWHERE =
  "same ID and name; the other engines have one running copy; what may not move is `Host Down`, not moved";
const BACK =
  "one running copy, where it was before the return; the old one at rest as `NAME.kept-…`; so still 3 s later; what may not move is on its node under its name";

const noticed = (goal?: number): Measure => ({
  name: "noticed",
  what: "noticed",
  ...(goal !== undefined && { goal }),
  checked: NOTICED,
});
const elsewhere = (goal: number): Measure => ({ name: "elsewhere", what: "runs elsewhere", goal, checked: ELSEWHERE });
const back = (from: string): Measure => ({ name: "back", what: `one copy, from ${from}`, goal: 10, checked: BACK });

export const CASES: readonly LossCase[] = [
  {
    name: "power-off",
    title: "power off",
    moves: true,
    keepsRunning: false,
    measures: [noticed(10), elsewhere(15), back("the engine's first answer")],
    lose: (hosts, node) => hosts.machines.kill(node),
    giveBack: (hosts, node) => hosts.machines.start(node),
  },
  {
    name: "cut-link",
    title: "link cut",
    moves: true,
    keepsRunning: true,
    measures: [noticed(10), elsewhere(15), back("the mended link")],
    lose: (hosts, node) => hosts.machines.setLink(node, false),
    giveBack: (hosts, node) => hosts.machines.setLink(node, true),
  },
  {
    name: "engine-killed",
    title: "dockerd killed, live-restore",
    moves: false,
    keepsRunning: true,
    measures: [
      noticed(),
      {
        name: "back",
        what: "back by itself, from the engine's first answer",
        checked: "for 40 s without an engine nothing moved, nor after; no container was restarted or renamed",
      },
    ],
    lose: (hosts, node) => hosts.machines.stopEngine(node),
    giveBack: (hosts, node) => hosts.machines.startEngine(node),
  },
  {
    name: "engine-hung",
    title: "dockerd stopped (SIGSTOP)",
    moves: true,
    keepsRunning: true,
    measures: [noticed(), elsewhere(30), back("SIGCONT")],
    lose: (hosts, node) => hosts.signal(node, "SIGSTOP"),
    giveBack: (hosts, node) => hosts.signal(node, "SIGCONT"),
  },
];
