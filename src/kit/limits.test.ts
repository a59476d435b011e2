/** docs/limits.md from the files of limits and their comments, so that no number is told that is not so. `npm run docs` writes it. */
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import * as limits from "./limits.ts";
import * as replicaLimits from "./replica-limits.ts";
import * as storeLimits from "./store-limits.ts";

const read = (name: string): string => readFileSync(resolve(import.meta.dirname, name), "utf8");

const FILES = [
  { source: read("limits.ts"), values: limits },
  { source: read("replica-limits.ts"), values: replicaLimits },
  { source: read("store-limits.ts"), values: storeLimits },
];
const page = resolve(import.meta.dirname, "../../docs/limits.md");

const INTRO = `# Limits

<!-- Made from src/kit/limits.ts, replica-limits.ts and store-limits.ts by \`npm run docs\`: change them there. -->

Everything that waits has a deadline, and everything that queues a bound. What a client meets of them:

- **Too much at once** is refused with 503, \`Retry-After: 1\` and a sentence; the log has one line for a burst. Changes, reads and streams that may stay open for hours are counted apart, so that a flood of one starves no other; \`_ping\` is always answered.
- **Request bodies** that are JSON are held in memory: each and all together have a bound. Uploads (\`docker cp\`) pass through with back-pressure and have none. A body where none belongs is thrown away as it comes.
- **Slow clients**: headers and JSON bodies have a deadline each (408). What is left of a body after its answer is thrown away for a moment, then the connection is closed.
- **Pipelined requests** are answered one after the other, as by dockerd.
- **Clients that stop reading** (logs, attach, stats, export) hold their engine's stream back, and no more than the sockets' buffers is in memory. They are kept, as by dockerd, while their machine answers the kernel's probes. Clients that stop in the middle of an upload while the engine waits for more are answered with 408 after a while. A reader of \`/events\` is cut off when too many wait for it.
- **Engines that answer pings but not a call**: an answer that is no stream has a deadline, and then a sentence with the node's name.

`;

/** Every constant with its comment, in the file's order. */
function rows(source: string): { name: string; says: string }[] {
  return [...source.matchAll(/\/\*\* (.+?) \*\/\nexport const (\w+)/g)].map(([, says = "", name = ""]) => ({
    name,
    says,
  }));
}

function shown(name: string, value: unknown): string {
  if (typeof value === "object" && value !== null) {
    return Object.entries(value)
      .map(([key, inner]) => `${key} ${shown(key === "bytes" ? "_BYTES" : key === "factor" ? "" : name, inner)}`)
      .join(", ");
  }
  const number = Number(value);
  if (name.endsWith("_BYTES")) return number % (1 << 20) === 0 ? `${number / (1 << 20)} MiB` : `${number / 1024} KiB`;
  if (!/(?:_MS|_RECONNECT)$/.test(name)) return number.toLocaleString("en-US");
  return number < 1_000 ? `${number} ms` : number < 120_000 ? `${number / 1_000} s` : `${number / 60_000} min`;
}

function describeLimits(): string {
  const table = FILES.flatMap(({ source, values }) =>
    rows(source).map(({ name, says }) => {
      const value: unknown = (values as Record<string, unknown>)[name];
      return `| ${says.replaceAll("|", "\\|")} | ${shown(name, value)} | \`${name}\` |`;
    }),
  );
  return `${INTRO}| what | how much | name |\n| --- | --- | --- |\n${table.join("\n")}\n`;
}

describe("limits", () => {
  it.each(FILES)("each say in a comment what they bound", ({ source, values }) => {
    const names = rows(source).map(({ name }) => name);
    expect(names).toEqual([...source.matchAll(/export const (\w+)/g)].map(([, name]) => name));
    expect(Object.keys(values).sort()).toEqual(names.sort());
  });

  it("are told on the page as they are", () => {
    const text = describeLimits();
    if (process.env.SHOAL_WRITE_DOCS === "1") writeFileSync(page, text);
    // A line that is still missing there is no lie; `npm run docs` brings it.
    const known = new Set(text.split("\n"));
    expect(
      readFileSync(page, "utf8")
        .split("\n")
        .filter((line) => !known.has(line)),
    ).toEqual([]);
  });
});
