import { describe, expect, it } from "vitest";
import { removeMember, setMember, stringMember } from "./json-member.ts";

const DOCKERS = `{
\t"auths": {
\t\t"https://x/v1/": { "auth": "e30=", "psFormat": "decoy" }
\t},
\t"big": 9223372036854775807
}
`;

describe("one member of a JSON text", () => {
  it("is added last, in the file's own style, and nothing else changes", () => {
    const after = setMember(DOCKERS, "psFormat", 'a "b"');
    expect(after).toBe(DOCKERS.replace("5807\n", '5807,\n\t"psFormat": "a \\"b\\""\n'));
    expect(stringMember(after, "psFormat")).toBe('a "b"');
    expect(removeMember(after, "psFormat")).toBe(DOCKERS);
  });

  it("is replaced where it is, in any letter case", () => {
    expect(setMember('{"a":"}\\"", "PSFormat" : "x","b":[1,{"c":2}]}', "psFormat", "y")).toBe(
      '{"a":"}\\"", "PSFormat" : "y","b":[1,{"c":2}]}',
    );
  });

  it.each([
    ["{}", '{\n\t"k": "v"\n}'],
    ["{ }\n", '{\n\t"k": "v"\n}\n'],
    ['{"a":1}', '{"a":1,"k":"v"}'],
    ['{\n  "a": 1\n}\n', '{\n  "a": 1,\n  "k": "v"\n}\n'],
  ])("fits into %j", (before, after) => {
    expect(setMember(before, "k", "v")).toBe(after);
  });

  it.each([
    ['{"k":"v","a":1}', '{"a":1}'],
    ['{"a":1,"k":"v","b":2}', '{"a":1,"b":2}'],
    ['{\n\t"k": "v"\n}\n', "{}\n"],
    ['{"a":1}', '{"a":1}'],
  ])("goes from %j", (before, after) => {
    expect(removeMember(before, "k")).toBe(after);
  });

  it("is not looked for in what is no JSON object", () => {
    for (const text of ["[]", "", "{", "null"]) expect(() => setMember(text, "k", "v")).toThrow();
  });
});
