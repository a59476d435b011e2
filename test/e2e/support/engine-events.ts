/** What an engine says of itself while a test runs: its event stream, read from a moment on and kept. */
import { request } from "node:http";
import type { EngineAddress } from "./fleet.ts";

export interface EngineEvent {
  readonly node: string;
  readonly type: string;
  /** Without what an exec's carries after its colon. */
  readonly action: string;
  readonly id: string;
  readonly name: string;
}

export interface EventRecord {
  /** All so far, in the order of arrival. */
  readonly events: readonly EngineEvent[];
  stop(): void;
}

/** Resolves when the stream is open. An engine remembers only its last 256 events, so they are read as they happen. */
export function recordEvents({ name: node, host }: EngineAddress): Promise<EventRecord> {
  const { hostname, port } = new URL(host);
  const events: EngineEvent[] = [];
  return new Promise((resolve, reject) => {
    const sent = request({ host: hostname, port, path: "/events" }, (answer) => {
      let rest = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) if (line.trim() !== "") events.push(read(node, line));
      });
      answer.on("error", () => {});
      resolve({ events, stop: () => void sent.destroy() });
    });
    sent.on("error", reject).end();
  });
}

function read(node: string, line: string): EngineEvent {
  const { Type, Action, Actor } = JSON.parse(line) as {
    Type: string;
    Action: string;
    Actor: { ID: string; Attributes?: Record<string, string> };
  };
  const [action = ""] = Action.split(":", 1);
  return { node, type: Type, action, id: Actor.ID, name: Actor.Attributes?.name ?? "" };
}
