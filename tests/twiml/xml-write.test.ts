import { describe, expect, it } from "vitest";
import {
  formatAttribute,
  formatComment,
  formatDocument,
  formatElement,
  illegalCharacter,
  isAttributeName,
} from "../../src/twiml/xml-write.js";
import { isChar, reread } from "../fuzz/reread.js";

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
  it.each(["a", "A", "_", "_1", "fileName", "file-name", "file.name", "__proto__", "constructor", "mxml"])(
    "accepts %j",
    (name) => {
      expect(isAttributeName(name)).toBe(true);
    },
  );

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
    ["é", "not ASCII"],
    ["名前", "not ASCII"],
    ["a·b", "not ASCII"],
    ["\u{10000}", "not ASCII"],
    ["a×", "not ASCII"],
    ["a;", "semicolon"],
    ["\u212a", "the Kelvin sign, which folds to k"],
  ])("refuses %j: %s", (name) => {
    expect(isAttributeName(name)).toBe(false);
  });
});

describe("isAttributeName, on every character", () => {
  it.each([
    ["first", /^[A-Za-z_]$/, (char: string) => char + "a"],
    ["alone", /^[A-Za-z_]$/, (char: string) => char],
    ["second", /^[A-Za-z0-9._-]$/, (char: string) => "a" + char],
    ["in the middle", /^[A-Za-z0-9._-]$/, (char: string) => `a${char}b`],
  ])("takes the ASCII letters, digits, dot, hyphen and underscore alone when it comes %s", (_, allowed, name) => {
    const chars = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code));
    expect(chars.filter((char) => isAttributeName(name(char)) !== allowed.test(char))).toEqual([]);
  });
});

describe("formatElement", () => {
  it("escapes what would not come back from an attribute value, and nothing else", () => {
    expect(formatElement("Receive", formatAttribute("action", `a&b<c"d\te\nf\rg>h'i`))).toBe(
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
    expect(reread(formatDocument(formatElement("Receive", formatAttribute("action", value))))).toEqual({
      verbs: [{ name: "Receive", attributes: [["action", value]] }],
      comments: [],
    });
  });

  it("writes the attributes after the name, in the order given", () => {
    const attributes =
      formatAttribute("pageSize", "a4") + formatAttribute("__proto__", "1") + formatAttribute("action", "/x");
    expect(formatElement("Receive", attributes)).toBe('<Receive pageSize="a4" __proto__="1" action="/x"/>');
    expect(formatElement("Reject", "")).toBe("<Reject/>");
  });
});

describe("formatDocument", () => {
  it("writes an empty response as one empty tag", () => {
    expect(formatDocument("")).toBe('<?xml version="1.0" encoding="UTF-8"?><Response/>');
    expect(reread(formatDocument(""))).toEqual({ verbs: [], comments: [] });
  });

  it("puts the content inside Response, in one line", () => {
    expect(formatDocument(formatElement("Reject", ""))).toBe(
      '<?xml version="1.0" encoding="UTF-8"?><Response><Reject/></Response>',
    );
  });

  it.each(["why", "", "-", "a-", "- -", "<Reject/> & \"'", ">", "->", "é\n😀"])("carries the comment %j", (text) => {
    expect(reread(formatDocument(formatComment(text)))).toEqual({ verbs: [], comments: [` ${text} `] });
  });
});
