import { Readable } from "node:stream";
import { expect, it } from "vitest";
import type { EngineCall } from "./client.ts";
import { EventFeed } from "./event-feed.ts";

const line = (action: string, nano: bigint): string =>
  `${JSON.stringify({ Type: "container", Action: action, Actor: { ID: "web" } }).slice(0, -1)},"timeNano":${nano}}\n`;

it("an event that an engine remembers and publishes only now is not told twice", async () => {
  const early = line("die", 1_700_000_000_999_999_999n);
  const late = line("start", 1_700_000_001_500_000_000n);
  const asked: string[] = [];
  const client = {
    async call({ path }: EngineCall) {
      asked.push(path);
      return { status: 200, body: Readable.from([Buffer.from(path.includes("until=") ? early : early + late)]) };
    },
  };
  const feed = new EventFeed(client as never, "engine");
  feed.begin("2023-11-14T22:13:21.000Z");
  const { signal } = new AbortController();
  const stream = await feed.open(signal);
  const earlier = await feed.earlier(signal);
  expect(asked).toEqual(["/events?since=1700000001.000000000", "/events?since=0&until=1700000000.999999999"]);
  expect(earlier.map(({ action }) => action)).toEqual(["die"]);
  const told: string[] = [];
  await new Promise<void>((ended) =>
    stream.start(
      ({ action }) => told.push(action),
      () => ended(),
    ),
  );
  expect(told).toEqual(["start"]);
});
