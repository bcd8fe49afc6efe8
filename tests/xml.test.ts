import { describe, expect, it } from "vitest";
import { comment, document, element, illegalCharacter, isAttributeName } from "../src/xml.js";
import { isChar, reread } from "./fuzz/reread.js";

describe("illegalCharacter", () => {
  it.each([
    ["\0", "U+0000"],
    ["a\u0001b", "U+0001"],
    ["\b", "U+0008"],
    ["\v", "U+000B"],
    ["\f", "U+000C"],
    ["\u000e", "U+000E"],
    ["\u001b[31m", "U+001B"],
    ["\u001f", "U+001F"],
    ["\ud800", "U+D800"],
    ["a\ud83d", "U+D83D"],
    ["\udc00a", "U+DC00"],
    ["\udfff", "U+DFFF"],
    ["\ude00\ud83d", "U+DE00"],
    ["😀\ud83d", "U+D83D"],
    ["\ufffe", "U+FFFE"],
    ["\uffff", "U+FFFF"],
    ["fine\u0002\u0003", "U+0002"],
  ])("names the first character of %j that XML cannot carry: %s", (text, name) => {
    expect(illegalCharacter(text)).toBe(name);
  });

  it.each([
    "",
    "\t\n\r",
    " ~",
    "\x7f\x80\x85\x9f",
    "\ud7ff",
    "\ue000",
    "\ufffd",
    "\ufeff",
    "😀",
    "\u{10000}",
    "\u{1fffe}",
    "\u{10ffff}",
  ])("finds none in %j", (text) => {
    expect(illegalCharacter(text)).toBeUndefined();
  });

  it("agrees with the production Char of XML 1.0 on every UTF-16 code unit", () => {
    const wrong: number[] = [];
    for (let code = 0; code <= 0xffff; code++) {
      if ((illegalCharacter(String.fromCharCode(code)) === undefined) !== isChar(code)) wrong.push(code);
    }
    expect(wrong).toEqual([]);
  });
});

describe("isAttributeName", () => {
  it.each([
    "a",
    "A",
    "_",
    "_1",
    "fileName",
    "file-name",
    "file.name",
    "__proto__",
    "constructor",
    "é",
    "名前",
    "a·b",
    "\u{10000}",
    "mxml",
  ])("accepts %j", (name) => {
    expect(isAttributeName(name)).toBe(true);
  });

  it.each([
    ["", "it is empty"],
    ["1a", "it begins with a digit"],
    ["-a", "it begins with a hyphen"],
    [".a", "it begins with a dot"],
    ["·a", "it begins with a character that may only follow"],
    ["a b", "space"],
    ["a\n", "a newline at its end"],
    ["a\tb", "tab"],
    ["a=b", "equals sign"],
    ['a="1" b', "injection of a second attribute"],
    ["a/><Reject/><b", "injection of a verb"],
    ["a>", "the end of the tag"],
    ["a'", "quote"],
    ["a&amp;", "entity"],
    ["a:b", "a colon needs a namespace"],
    ["xmlns", "a namespace declaration"],
    ["xmlns:a", "a namespace declaration"],
    ["xml:lang", "reserved"],
    ["XMLfoo", "reserved in any case"],
    ["xMl", "reserved in any case"],
    ["a\0", "a control character"],
    ["a\ud800", "a lone surrogate"],
    ["a×", "the multiplication sign is no letter"],
    ["a;", "semicolon"],
    ["\u037e", "the Greek question mark is no letter"],
    ["\u{f0000}", "private use beyond plane 14"],
  ])("refuses %j: %s", (name) => {
    expect(isAttributeName(name)).toBe(false);
  });
});

describe("isAttributeName, on every character", () => {
  /** Namespaces in XML 1.0, production NCName: NameStartChar and NameChar of XML 1.0, section 2.3, without the colon. */
  const START = [
    [0x41, 0x5a],
    [0x5f, 0x5f],
    [0x61, 0x7a],
    [0xc0, 0xd6],
    [0xd8, 0xf6],
    [0xf8, 0x2ff],
    [0x370, 0x37d],
    [0x37f, 0x1fff],
    [0x200c, 0x200d],
    [0x2070, 0x218f],
    [0x2c00, 0x2fef],
    [0x3001, 0xd7ff],
    [0xf900, 0xfdcf],
    [0xfdf0, 0xfffd],
    [0x10000, 0xeffff],
  ] as const;
  const FOLLOWING = [...START, [0x2d, 0x2e], [0x30, 0x39], [0xb7, 0xb7], [0x300, 0x36f], [0x203f, 0x2040]] as const;
  const isIn = (ranges: readonly (readonly [number, number])[], code: number) =>
    ranges.some(([from, to]) => code >= from && code <= to);
  /** All of the first plane, and the ends of the others. */
  const codes = [
    ...Array(0x10000).keys(),
    ...Array.from({ length: 16 }, (_, i) => [0x10000 * (i + 1), 0x10000 * (i + 1) + 0xffff]).flat(),
  ];

  it.each([
    ["first", START, (char: string) => char + "a"],
    ["alone", START, (char: string) => char],
    ["second", FOLLOWING, (char: string) => "a" + char],
    ["in the middle", FOLLOWING, (char: string) => `a${char}b`],
  ] as const)(
    "agrees with the production NCName, but for what JavaScript takes for white space, when it comes %s",
    (_, ranges, name) => {
      const wrong = codes.filter((code) => isAttributeName(name(String.fromCodePoint(code))) !== isIn(ranges, code));
      expect(wrong.map((code) => code.toString(16))).toEqual(["1680", "feff"]);
    },
  );
});

describe("element", () => {
  it("escapes what would not come back from an attribute value, and nothing else", () => {
    expect(element("Receive", { action: `a&b<c"d\te\nf\rg>h'i` })).toBe(
      `<Receive action="a&amp;b&lt;c&quot;d&#x9;e&#xA;f&#xD;g>h'i"/>`,
    );
  });

  it.each([
    `"/><Reject/><Receive action="`,
    "/a</Response><Response>",
    "&amp;",
    "&#x41;",
    "&bogus;",
    "&",
    "]]>",
    "<![CDATA[x]]>",
    "<!-- x -->",
    "\t\n\r\n ",
    "  two  spaces  ",
    "é 😀 \u0085 \u2028 \u00a0",
    "$& $1 $$ $`",
    "",
  ])("writes %j so that a reader gets it back", (value) => {
    expect(reread(document(element("Receive", { action: value })))).toEqual({
      verbs: [{ name: "Receive", attributes: [["action", value]] }],
      comments: [],
    });
  });

  it("keeps the order of the attributes, group by group, and skips a group that is absent", () => {
    expect(element("Receive", { pageSize: "a4", action: "/x" }, undefined, { later: "1" })).toBe(
      '<Receive pageSize="a4" action="/x" later="1"/>',
    );
  });

  it("writes booleans as their names", () => {
    expect(element("Receive", { storeMedia: false, other: true })).toBe('<Receive storeMedia="false" other="true"/>');
  });

  it("writes a name that objects inherit like any other", () => {
    const attributes = JSON.parse('{"__proto__":"1","constructor":"2","toString":"3"}') as Record<string, string>;
    expect(reread(document(element("Receive", attributes))).verbs[0]?.attributes).toEqual([
      ["__proto__", "1"],
      ["constructor", "2"],
      ["toString", "3"],
    ]);
  });
});

describe("document", () => {
  it("writes an empty response as one empty tag", () => {
    expect(document("")).toBe('<?xml version="1.0" encoding="UTF-8"?><Response/>');
    expect(reread(document(""))).toEqual({ verbs: [], comments: [] });
  });

  it("puts the content inside Response, in one line", () => {
    expect(document(element("Reject"))).toBe('<?xml version="1.0" encoding="UTF-8"?><Response><Reject/></Response>');
  });

  it.each(["why", "", "-", "a-", "- -", "<Reject/> & \"'", ">", "->", "é\n😀"])("carries the comment %j", (text) => {
    expect(reread(document(comment(text)))).toEqual({ verbs: [], comments: [` ${text} `] });
  });
});
