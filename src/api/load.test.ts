import { describe, expect, it } from "vitest";
import { DockerError } from "../docker/errors.ts";
import { type Clock, systemClock } from "../kit/clock.ts";
import { type Logger, silentLog } from "../kit/log.ts";
import { AT_ONCE, kindOf, Load, STREAMS } from "./load.ts";
import { ROUTES } from "./table.ts";

/** A clock whose timers fire when told to. */
function manual(): { clock: Clock; fire(): void } {
  let timers: (() => void)[] = [];
  const clock: Clock = {
    ...systemClock,
    after: (_ms, fn) => {
      timers.push(fn);
      return { cancel: () => {} };
    },
  };
  return {
    clock,
    fire: () => {
      const due = timers;
      timers = [];
      for (const fn of due) fn();
    },
  };
}

describe("load", () => {
  it("knows only streams that are routes", () => {
    const routes = new Set(ROUTES.routes.map(({ method, path }) => `${method} ${path}`));
    expect([...STREAMS].filter((stream) => !routes.has(stream))).toEqual([]);
  });

  it("counts changes, reads and streams apart, and pings never", () => {
    const kind = (method: string, path: string) => {
      const match = ROUTES.match(method, path);
      return match && kindOf(match.route);
    };
    expect(kind("GET", "/_ping")).toBeUndefined();
    expect(kind("HEAD", "/_ping")).toBeUndefined();
    expect(kind("GET", "/containers/json")).toBe("reads");
    expect(kind("POST", "/containers/create")).toBe("changes");
    expect(kind("POST", "/containers/a/attach")).toBe("streams");
    expect(kind("GET", "/containers/a/logs")).toBe("streams");
    expect(kind("POST", "/containers/a/wait")).toBe("streams");
    expect(kind("GET", "/events")).toBe("streams");
  });

  it("leaves room for 300 `docker run -i` with their attach and wait, and for much more", () => {
    expect(AT_ONCE.streams).toBeGreaterThanOrEqual(10 * 2 * 300);
    expect(AT_ONCE.changes).toBeGreaterThanOrEqual(3 * 300);
    expect(AT_ONCE.reads).toBeGreaterThanOrEqual(3 * 300);
  });

  it("refuses beyond the bound of a kind, that kind alone, with one line in the log for a burst", async () => {
    const lines: string[] = [];
    const say = (message: string): void => void lines.push(message);
    const log: Logger = { ...silentLog, warn: say, info: say, with: () => log };
    const { clock, fire } = manual();
    const load = new Load(clock, log, { changes: 2, reads: 1, streams: 1 });
    const ends: (() => void)[] = [];
    const hold = () => new Promise<string>((resolve) => ends.push(() => resolve("done")));
    const changes = [load.run("changes", hold), load.run("changes", hold)];
    for (let i = 0; i < 5; i++) {
      const error: unknown = await load.run("changes", hold).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(DockerError);
      expect(error).toMatchObject({ status: 503, retryAfter: 1 });
    }
    expect(await load.run("reads", async () => "read")).toBe("read");
    expect(await load.run(undefined, async () => "pong")).toBe("pong");
    expect(lines).toEqual(["too many changes at once: more are refused"]);
    fire();
    fire();
    expect(lines).toEqual(["too many changes at once: more are refused", "changes are taken again"]);
    for (const end of ends) end();
    expect(await Promise.all(changes)).toEqual(["done", "done"]);
    await load.run("changes", () => Promise.reject(new Error("failed"))).catch(() => {});
    expect(await load.run("changes", async () => "again")).toBe("again");
  });
});
