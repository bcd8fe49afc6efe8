import { describe, expect, it } from "vitest";
import { readParams } from "../../src/params/received-params.js";
import { getSignedTexts, joinRecord } from "../../src/params/signed-text.js";

const textAndFile = new FormData();
textAndFile.append("Media", "x");
textAndFile.append("Media", new Blob([]));

describe("getSignedTexts", () => {
  it.each<[string, unknown, string[]]>([
    ["sorts names by UTF-16 code units", "b=2&a=1&B=3&a1=4", ["B3a1a14b2"]],
    ["returns one text for no parameters", "", [""]],
    ["returns distinct sorted values, then all values in order", "a=2&b=x&a=1&a=2", ["a1a2bx", "a2a1a2bx"]],
    ["returns one text if both interpretations agree", "a=1&a=2", ["a1a2"]],
    ["sorts a repeated name after others", "b=1&a=x&b=2", ["axb1b2"]],
    ["reads a body parser's array as a repeated name", { b: "x", a: ["2", "1"] }, ["a1a2bx", "a2a1bx"]],
    ["ignores null and undefined in an array", { a: [null, "1", undefined], b: "2" }, ["a1b2"]],
    ["writes a JSON parser's numbers and booleans as text", { n: 2, t: true }, ["n2ttrue"]],
    ["ignores files", { a: "1", Media: new Blob(["%PDF-"]) }, ["a1"]],
    ["ignores a file next to a text of the same name", textAndFile, ["Mediax"]],
    ["returns no text for a nested value", { a: "1", b: { c: "2" } }, []],
    ["returns no text for a nested value in an array", { a: ["1", { c: "2" }] }, []],
  ])("getSignedTexts %s", (_, source, texts) => {
    expect(getSignedTexts(readParams(source))).toEqual(texts);
  });
});

describe("joinRecord", () => {
  it("joinRecord joins names and values, sorted by name", () => {
    expect(joinRecord({ b: "2", a: "1" })).toBe("a1b2");
  });

  it.each([5, null, undefined, ["1"], {}])("joinRecord returns undefined if a value is not text: %j", (value) => {
    expect(joinRecord({ a: "1", b: value })).toBeUndefined();
  });
});
