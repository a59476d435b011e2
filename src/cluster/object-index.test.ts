import { beforeEach, describe, expect, it } from "vitest";
import { type NodeObject, ObjectIndex } from "./object-index.ts";

let index: ObjectIndex<NodeObject>;
beforeEach(() => {
  index = new ObjectIndex();
});

const object = (engineKey: string, name: string, key = engineKey, text = "{}"): NodeObject => ({
  engineKey,
  key,
  name,
  driver: "bridge",
  labels: {},
  hint: undefined,
  row: text,
  text,
});
const namesOn = (node: string): string[] => [...index.on(node)].map(({ name }) => name).sort();

describe("objects of nodes", () => {
  it("are found by node, key, name and the beginning of a key, until their list no longer has them", () => {
    index.set("n1", [object("aa11", "web"), object("aa22", "db")], 1);
    index.set("n2", [object("bb11", "web")], 1);
    expect(namesOn("n1")).toEqual(["db", "web"]);
    expect([...index.named("web")].map(({ key }) => key).sort()).toEqual(["aa11", "bb11"]);
    expect(index.withPrefix("aa", 3)).toHaveLength(2);
    expect(index.byKey("bb11")?.on.get("n2")?.name).toBe("web");
    index.set("n1", [object("aa22", "db")], 2);
    expect([...index.named("web")].map(({ key }) => key)).toEqual(["bb11"]);
    expect(index.byKey("aa11")).toBeUndefined();
    expect(index.withPrefix("aa11", 3)).toEqual([]);
  });

  it("are one where several nodes have the same key", () => {
    index.set("n1", [object("aa", "bridge", "cluster")], 1);
    index.set("n2", [object("bb", "bridge", "cluster")], 1);
    expect([...index.named("bridge")]).toHaveLength(1);
    expect([...(index.byKey("cluster")?.on.keys() ?? [])]).toEqual(["n1", "n2"]);
    index.dropNode("n1");
    expect([...(index.byKey("cluster")?.on.keys() ?? [])]).toEqual(["n2"]);
    index.dropNode("n2");
    expect([...index.all()]).toEqual([]);
  });

  it("are not brought back, nor lost, by a list that was begun before the news", () => {
    index.set("n1", [object("aa", "web")], 1);
    index.remove("n1", "aa", 5);
    index.add("n1", object("bb", "db"), 6);
    index.set("n1", [object("aa", "web")], 4);
    expect(namesOn("n1")).toEqual(["db"]);
    index.set("n1", [object("bb", "db")], 7);
    expect(namesOn("n1")).toEqual(["db"]);
    index.set("n1", [], 8);
    expect(namesOn("n1")).toEqual([]);
  });

  it("made again under their name are the newer ones", () => {
    index.set("n1", [object("vol", "vol", "n1/vol", "old")], 1);
    index.remove("n1", "vol", 5);
    index.add("n1", object("vol", "vol", "n1/vol", "new"), 6);
    index.set("n1", [object("vol", "vol", "n1/vol", "old")], 4);
    expect(index.get("n1", "vol")?.text).toBe("new");
    index.set("n1", [object("vol", "vol", "n1/vol", "listed")], 7);
    expect(index.get("n1", "vol")?.text).toBe("listed");
  });

  it("take their new key with them", () => {
    index.set("n1", [object("aa", "web")], 1);
    index.set("n1", [object("aa", "web", "cluster")], 2);
    expect(index.byKey("aa")).toBeUndefined();
    expect([...index.named("web")].map(({ key }) => key)).toEqual(["cluster"]);
  });

  it("hold the name that one under way will have", () => {
    expect(index.isTaken("web")).toBe(false);
    index.hold("web");
    expect(index.isTaken("web")).toBe(true);
    index.add("n1", object("aa", "web"), 1);
    index.release("web");
    expect(index.isTaken("web")).toBe(true);
    index.remove("n1", "aa", 2);
    expect(index.isTaken("web")).toBe(false);
  });
});
