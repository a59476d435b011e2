/** What a manager holds: its heap after a garbage collection, asked over Node's inspector, and its open descriptors. */
import { readdirSync } from "node:fs";
import { WebSocket } from "undici";
import type { Manager } from "./manager.ts";

/** In the environment of the manager that is to be measured. */
export const MEASURED = { NODE_OPTIONS: "--inspect=127.0.0.1:0" };

export const MiB = 2 ** 20;
const ANSWER_MS = 60_000;

/** Compiled code is no leak: it grows for long, as ever more functions turn out to be worth it. */
const OBJECTS = `(() => {
  const { code_and_metadata_size, bytecode_and_metadata_size } = process.getBuiltinModule("v8").getHeapCodeStatistics();
  return process.memoryUsage().heapUsed - code_and_metadata_size - bytecode_and_metadata_size;
})()`;

/** Bytes of JavaScript objects that are in use once all garbage is gone. */
export async function heapOf(manager: Manager): Promise<number> {
  const [url] = /ws:\/\/127\.0\.0\.1:\d+\/[\w-]+/.exec(manager.log()) ?? [];
  if (url === undefined) throw new Error("the manager was started without MEASURED");
  const socket = new WebSocket(url);
  try {
    await new Promise((done, fail) => {
      socket.addEventListener("open", done);
      socket.addEventListener("error", () => fail(new Error(`no connection to ${url}`)));
    });
    await ask(socket, 1, "HeapProfiler.collectGarbage", {});
    const answer = await ask(socket, 2, "Runtime.evaluate", { expression: OBJECTS });
    return Number((answer as { result: { value: number } }).result.value);
  } finally {
    socket.close();
  }
}

function ask(socket: WebSocket, id: number, method: string, params: Record<string, unknown>): Promise<unknown> {
  return new Promise((done, fail) => {
    const timer = setTimeout(() => fail(new Error(`the inspector did not answer ${method}`)), ANSWER_MS);
    socket.addEventListener("message", ({ data }) => {
      const answer = JSON.parse(String(data)) as { id?: number; result?: unknown };
      if (answer.id !== id) return;
      clearTimeout(timer);
      done(answer.result);
    });
    socket.send(JSON.stringify({ id, method, params }));
  });
}

/** Open files and sockets. */
export const descriptorsOf = ({ pid }: Manager): number => readdirSync(`/proc/${pid}/fd`).length;
