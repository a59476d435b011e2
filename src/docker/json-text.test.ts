import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DockerError } from "./errors.ts";
import { assertNoVariants, decodeJson, elements, fields, goGet, rawAt, splice } from "./json-text.ts";

const message = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof DockerError && error.status === 400) return error.message;
    throw error;
  }
  throw new Error("nothing was thrown");
};

/** Any JSON text, with white space, escapes and brackets inside strings. */
const jsonText = fc
  .tuple(fc.jsonValue({ stringUnit: "binary" }), fc.constantFrom(undefined, 1, "\t", " \r\n"))
  .map(([value, indent]) => JSON.stringify(value, undefined, indent));
/** What one edit made and the next emptied, and the spelling of new field names, differ without harm; a map's keys do not. */
function readAsGo(value: unknown, isMap = false): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value ?? undefined;
  const read = Object.entries(value).map(([key, member]) => {
    const name = isMap ? key : key.toLowerCase();
    return [name, readAsGo(member, !isMap && name === "labels")] as const;
  });
  const kept = read.filter(([, member]) => member !== undefined);
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}
const key = fc.oneof(
  fc.constantFrom("a", "b", "B", "\u212a", "k", "]", '}"{', "\\", "\u017fx", "é\ud83d\ude00"),
  fc.string(),
);
const object = fc.dictionary(key, fc.jsonValue({ maxDepth: 2 }));

describe("decodeJson", () => {
  it("says dockerd's words", () => {
    expect(message(() => decodeJson(" \n"))).toBe("invalid JSON: got EOF while reading request body");
    expect(message(() => decodeJson('{"a":'))).toBe("invalid JSON: unexpected EOF");
    expect(message(() => decodeJson("{} {}"))).toBe("unexpected content after JSON");
    expect(message(() => decodeJson("{x}"))).toMatch(/^invalid JSON: invalid character 'x'/);
    expect(decodeJson(' {"a":[1]} ')).toEqual({ a: [1] });
  });
});

describe("goGet", () => {
  it("folds the case of field names as Go does", () => {
    expect(goGet({ hostconfig: { "networ\u212aMode": "host" } }, "HostConfig", "NetworkMode")).toBe("host");
    expect(goGet({ Ho\u017ftConfig: 1 }, "HostConfig")).toBe(1);
  });

  it("prefers the exact spelling, else takes the last", () => {
    expect(goGet({ image: 1, Image: 2, IMAGE: 3 }, "Image")).toBe(2);
    expect(goGet({ image: 1, IMAGE: 3 }, "Image")).toBe(3);
  });

  it("compares the keys of maps exactly", () => {
    expect(goGet({ labels: { A: "1" } }, "Labels", "a")).toBeUndefined();
    expect(
      goGet(
        { NetworkingConfig: { EndpointsConfig: { labels: { ALIASES: ["x"] } } } },
        "NetworkingConfig",
        "EndpointsConfig",
        "labels",
        "Aliases",
      ),
    ).toEqual(["x"]);
  });

  it("is undefined off the path", () => {
    expect(goGet(null, "a")).toBeUndefined();
    expect(goGet({ a: [1] }, "a", "0")).toBeUndefined();
    expect(goGet({}, "constructor")).toBeUndefined();
  });
});

describe("assertNoVariants", () => {
  const paths = [["Image"], ["HostConfig", "Privileged"], ["HostConfig", "Mounts", "*", "Source"]];

  it("refuses doubled keys on the paths, in any case and spelling", () => {
    for (const text of [
      '{"Image":"a","image":"b"}',
      '{"Image":"a","Image":"b"}',
      '{"Image":"a","\\u0049mage":"b"}',
      '{"HostConfig":{},"ho\u017ftconfig":{}}',
      '{"hostConfig":{"Privileged":false,"pRIVILEGED":true}}',
      '{"HostConfig":{"Mounts":[{"Source":"a"},{"Source":"a","SOURCE":"/"}]}}',
    ]) {
      expect(message(() => assertNoVariants(text, paths))).toMatch(/^invalid JSON: .* is given 2 times/);
    }
  });

  it("leaves the rest alone", () => {
    assertNoVariants('{"Image":"a","Env":1,"env":2,"HostConfig":{"x":1,"X":2,"Mounts":null}}', paths);
    assertNoVariants('{"Labels":{"a":"1","A":"2"}}', [["Labels", "a"]]);
    assertNoVariants("[1]", paths);
  });
});

describe("splice", () => {
  it("changes nothing without edits, or with edits that remove what is not there", () => {
    fc.assert(
      fc.property(jsonText, (text) => {
        expect(splice(text, [])).toBe(text);
        if (/^\s*\{/.test(text)) expect(splice(text, [{ path: ["no such member", "x"], json: undefined }])).toBe(text);
      }),
    );
  });

  it("sets, adds and removes members as on the parsed value", () => {
    const edits = fc.uniqueArray(fc.tuple(key, fc.option(jsonText, { nil: undefined })), {
      selector: ([k]) => k,
      maxLength: 5,
    });
    fc.assert(
      fc.property(object, fc.constantFrom(undefined, 2), edits, (value, indent, wanted) => {
        const text = JSON.stringify(value, undefined, indent);
        const expected = new Map(Object.entries(JSON.parse(text) as object));
        for (const [k, json] of wanted) {
          if (json === undefined) expected.delete(k);
          else expected.set(k, JSON.parse(json));
        }
        const edited = splice(
          text,
          wanted.map(([k, json]) => ({ path: [k], json })),
          "map",
        );
        expect(new Map(Object.entries(JSON.parse(edited) as object))).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it("gives for several edits at once what they give one after another", () => {
    const path = fc.array(fc.constantFrom("a", "A", "b", "Labels", "c"), { minLength: 1, maxLength: 3 });
    const json = fc.constantFrom(undefined, "1", '{"b":{"c":1}}', "{}", "null");
    const nested = fc.constantFrom(
      '{"a":{"b":{"c":1}},"b":null,"labels":{"A":{},"a":{"b":null}}}',
      "{}",
      "null",
      ' { "A" : { } } ',
    );
    const attempt = (work: () => string): unknown => {
      try {
        return readAsGo(JSON.parse(work()));
      } catch (error) {
        if (error instanceof DockerError) return "refused";
        throw error;
      }
    };
    fc.assert(
      fc.property(nested, fc.array(fc.record({ path, json }), { maxLength: 4 }), (text, edits) => {
        const oneByOne = attempt(() => edits.reduce<string>((current, edit) => splice(current, [edit]), text));
        // What would be refused half-way may be fine when a later edit replaces it.
        if (oneByOne !== "refused") expect(attempt(() => splice(text, edits))).toEqual(oneByOne);
      }),
      { numRuns: 2000 },
    );
  });

  it("keeps every other byte: white space, big integers, odd escapes, unknown members", () => {
    const text =
      '{ "Ulimit" : 9223372036854775807 ,\n\t"\\u0049mage":"a\\/b", "New": [1.0e5, {"]":"}\\""}], "hostconfig": { } }';
    expect(
      splice(text, [
        { path: ["Image"], json: '"redis"' },
        { path: ["HostConfig", "Labels", "x"], json: "18446744073709551615" },
        { path: ["Env"], json: "[]" },
      ]),
    ).toBe(
      '{ "Ulimit" : 9223372036854775807 ,\n\t"\\u0049mage":"redis", "New": [1.0e5, {"]":"}\\""}], "hostconfig": {"Labels":{"x":18446744073709551615} },"Env":[] }',
    );
  });

  it("creates missing and null parents, and removes with the right commas", () => {
    expect(splice("{}", [{ path: ["a", "b", "c"], json: "1" }])).toBe('{"a":{"b":{"c":1}}}');
    expect(splice('{"a":null}', [{ path: ["a", "b"], json: "1" }])).toBe('{"a":{"b":1}}');
    expect(splice("null", [{ path: ["a"], json: "1" }])).toBe('{"a":1}');
    const remove = (...keys: string[]) =>
      splice(
        '{"a":1, "b":2, "c":3}',
        keys.map((k) => ({ path: [k], json: undefined })),
      );
    expect([remove("a"), remove("b"), remove("c")]).toEqual(['{"b":2, "c":3}', '{"a":1, "c":3}', '{"a":1, "b":2}']);
    expect([remove("a", "c"), remove("a", "b"), remove("b", "c")]).toEqual(['{"b":2}', '{"c":3}', '{"a":1}']);
    expect(remove("a", "b", "c")).toBe("{}");
  });

  it("adds labels in their own case and fields in any", () => {
    expect(splice('{"labels":{"A":"1"}}', [{ path: ["Labels", "a"], json: '"2"' }])).toBe(
      '{"labels":{"A":"1","a":"2"}}',
    );
    expect(splice('{"A":"1"}', [{ path: ["a"], json: '"2"' }])).toBe('{"A":"2"}');
    expect(splice('{"A":"1"}', [{ path: ["a"], json: '"2"' }], "map")).toBe('{"A":"1","a":"2"}');
  });

  it("reaches every spelling, so that all readers agree", () => {
    expect(splice('{"Image":1,"image":2}', [{ path: ["Image"], json: "3" }])).toBe('{"Image":3,"image":3}');
  });

  it("edits array elements by index", () => {
    const text = '{"Names":["/a", "/b"]}';
    expect(splice(text, [{ path: ["Names", 1], json: '"/c"' }])).toBe('{"Names":["/a", "/c"]}');
    expect(splice(text, [{ path: ["Names", 0], json: undefined }])).toBe('{"Names":["/b"]}');
    expect(splice(text, [{ path: ["Names", 2], json: "1" }])).toBe('{"Names":["/a", "/b",1]}');
    expect(splice('[{"Id":1},{"Id":2}]', [{ path: [1, "Id"], json: "3" }])).toBe('[{"Id":1},{"Id":3}]');
    expect(message(() => splice(text, [{ path: ["Names", 4], json: "1" }]))).toBe(
      "invalid JSON: Names has no element 4",
    );
  });

  it("refuses a path through the wrong kind of value", () => {
    expect(message(() => splice('{"HostConfig":"x"}', [{ path: ["HostConfig", "Binds"], json: "[]" }]))).toBe(
      "invalid JSON: cannot unmarshal string into HostConfig",
    );
    expect(message(() => splice("[]", [{ path: ["a"], json: "1" }]))).toBe(
      "invalid JSON: cannot unmarshal array into the document",
    );
  });
});

describe("fields, elements, rawAt", () => {
  it("cut a text where JSON.parse does", () => {
    fc.assert(
      fc.property(object, fc.array(fc.jsonValue()), fc.constantFrom(undefined, 3), (value, list, indent) => {
        const text = ` ${JSON.stringify(value, undefined, indent)}\n`;
        const cut = [...fields(text)].map(([k, { start, end }]) => [k, JSON.parse(text.slice(start, end))]);
        expect(new Map(cut as [string, unknown][])).toEqual(new Map(Object.entries(JSON.parse(text) as object)));
        const listText = JSON.stringify(list, undefined, indent);
        expect(elements(listText).map((element) => JSON.parse(element) as unknown)).toEqual(JSON.parse(listText));
      }),
    );
  });

  it("have nothing to cut in other values", () => {
    expect(elements("null")).toEqual([]);
    expect(elements("{}")).toEqual([]);
    expect(fields("[1]").size).toBe(0);
  });

  it("rawAt gives the text itself", () => {
    const text = ' {"a":{"B": [1, 9007199254740993 ]},"Labels":{"X":1}} ';
    expect(rawAt(text, ["A", "b", 1])).toBe("9007199254740993");
    expect(rawAt(text, [])).toBe(text.trim());
    expect(rawAt(text, ["Labels", "x"])).toBeUndefined();
    expect(rawAt(text, ["a", "c"])).toBeUndefined();
  });

  it("look at every character a bounded number of times: a deep text costs what a flat one costs", () => {
    const deep = `[${"[".repeat(100_000)}${"]".repeat(100_000)},1]`;
    expect(elements(deep).length).toBe(2);
  });
});

describe("nesting", () => {
  it("is read as deep as Go's decoder goes, and no deeper", () => {
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    expect(() => decodeJson(nested(10_000))).not.toThrow();
    expect(() => decodeJson(nested(10_001))).toThrow("invalid JSON: exceeded max depth");
    expect(() => decodeJson(`{"a":${'{"a":'.repeat(20_000)}`)).toThrow("invalid JSON: exceeded max depth");
    expect(decodeJson(JSON.stringify(["[".repeat(30_000), '\\"[']))).toHaveLength(2);
  });
});
