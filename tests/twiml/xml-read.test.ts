import { describe, expect, it } from "vitest";
import { locationAt, normalizeText, parseXml } from "../../src/twiml/xml-read.js";

describe("normalizeText", () => {
  it.each([
    ["\uFEFF<a/>", "<a/>"],
    ["\uFEFF\uFEFF<a/>", "\uFEFF<a/>"],
    ["a\r\nb\rc\nd\r\r\ne", "a\nb\nc\nd\n\ne"],
  ])("normalizeText converts %j to %j", (xml, text) => {
    expect(normalizeText(xml)).toBe(text);
  });
});

describe("locationAt", () => {
  it.each([
    ["", 0, 1, 1],
    ["ab", 2, 1, 3],
    ["a\nb", 2, 2, 1],
    ["a\n\nbc", 4, 3, 2],
    ["😀x", 2, 1, 2],
  ])("locationAt counts lines and characters from 1: %j at %d is %d:%d", (text, at, line, column) => {
    expect(locationAt(text, at)).toEqual({ line, column });
  });
});

describe("parseXml", () => {
  it("parseXml returns elements and text with their positions, without comments and white space", () => {
    expect(parseXml(`<?a b?><r>\n<x y="1&amp;2"/> <!-- c -->t&lt;</r>`)).toEqual({
      at: 7,
      name: "r",
      attributes: new Map(),
      content: [
        { at: 11, name: "x", attributes: new Map([["y", { at: 14, value: "1&2" }]]), content: [] },
        { at: 38, text: "t&lt;" },
      ],
    });
  });

  it("parseXml reads 100,000 nested elements", () => {
    expect(parseXml("<a>".repeat(1e5) + "</a>".repeat(1e5))).toMatchObject({ at: 0, name: "a" });
  });
});
