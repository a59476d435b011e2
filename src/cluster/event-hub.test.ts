import { describe, expect, it } from "vitest";
import { EVENT_QUEUE } from "../kit/limits.ts";
import { type ClusterEvent, EventHub } from "./event-hub.ts";

const event = (n: number): ClusterEvent => ({
  type: "container",
  action: "top",
  actorId: String(n),
  attributes: {},
  timeNano: BigInt(n),
  scope: "local",
  text: "{}",
});

describe("the event hub", () => {
  it("hands every event to every reader in order", async () => {
    const hub = new EventHub();
    const readers = [hub.subscribe(), hub.subscribe()];
    expect(hub.hasReaders).toBe(true);
    const waiting = readers[0]?.next();
    for (let i = 0; i < 3; i++) hub.publish(event(i));
    expect((await waiting)?.map(({ actorId }) => actorId)).toEqual(["0", "1", "2"]);
    expect((await readers[1]?.next())?.map(({ actorId }) => actorId)).toEqual(["0", "1", "2"]);
    for (const reader of readers) hub.unsubscribe(reader);
    expect(hub.hasReaders).toBe(false);
    expect(await readers[0]?.next()).toBeUndefined();
  });

  it("cuts its readers off instead of telling them what may be over", async () => {
    let isCurrent = true;
    const hub = new EventHub(() => isCurrent);
    const reader = hub.subscribe();
    hub.publish(event(1));
    isCurrent = false;
    hub.publish(event(2));
    expect((await reader.next())?.map(({ actorId }) => actorId)).toEqual(["1"]);
    expect(await reader.next()).toBeUndefined();
    expect(hub.hasReaders).toBe(false);
  });

  it("cuts a reader off whose queue is full, and goes on with the others", async () => {
    const hub = new EventHub();
    const slow = hub.subscribe();
    for (let i = 0; i < EVENT_QUEUE; i++) hub.publish(event(i));
    expect(slow.overflowed).toBe(false);
    const other = hub.subscribe();
    hub.publish(event(EVENT_QUEUE));
    expect(slow.overflowed).toBe(true);
    expect(await slow.next()).toHaveLength(EVENT_QUEUE);
    expect(await slow.next()).toBeUndefined();
    expect(await other.next()).toHaveLength(1);
    expect(hub.hasReaders).toBe(true);
    hub.close();
    expect(await other.next()).toBeUndefined();
  });
});
