import { describe, expect, it } from "vitest";
import { parseEvent } from "./event.ts";

const TIME = '"scope":"local","time":1795735571,"timeNano":1795735571365880990';

describe("an event", () => {
  it("of Docker's stays as it came", () => {
    const text = `{"status":"destroy","id":"c1","Type":"container","Action":"destroy","Actor":{"ID":"c1","Attributes":{"name":"web"}},${TIME}}`;
    expect(parseEvent(text)).toEqual({
      type: "container",
      action: "destroy",
      actorId: "c1",
      attributes: { name: "web" },
      time: 1795735571,
      timeNano: "1795735571365880990",
      text,
    });
  });

  it("of podman's that something was removed is told as Docker tells it", () => {
    const gone = `{"status":"remove","id":"c1","Type":"container","Action":"remove","Actor":{"ID":"c1","Attributes":{"name":"web"}},${TIME}}`;
    expect(parseEvent(gone)).toMatchObject({
      action: "destroy",
      timeNano: "1795735571365880990",
      text: gone.replaceAll("remove", "destroy"),
    });
    const volume = `{"status":"remove","Type":"volume","Action":"remove","Actor":{"ID":"","Attributes":{"name":"data"}},${TIME}}`;
    expect(parseEvent(volume)).toMatchObject({
      action: "destroy",
      actorId: "data",
      text: volume.replaceAll("remove", "destroy").replace('"ID":""', '"ID":"data"'),
    });
  });

  it("without a name to tell a volume by is told as it is", () => {
    const text = `{"Type":"volume","Action":"prune","Actor":{"ID":"","Attributes":{"reclaimed":"0"}},${TIME}}`;
    expect(parseEvent(text)).toMatchObject({ action: "prune", actorId: "", text });
  });
});
