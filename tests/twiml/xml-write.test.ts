import { describe, expect, it } from "vitest";
import { ATTRIBUTE_NAME, formatAttribute, formatDocument, illegalCharacter } from "../../src/twiml/xml-write.js";
import { isChar, reread } from "../fuzz/reread.js";

const CHARACTERS = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code));

describe("illegalCharacter", () => {
  it.each([
    ["\0", "U+0000"],
    ["a\u0001b", "U+0001"],
    ["\u001b[31m", "U+001B"],
    ["\udc00a", "U+DC00"],
    ["\ude00\ud83d", "U+DE00"],
    ["😀\ud83d", "U+D83D"],
    ["é\n\uffff", "U+FFFF"],
    ["fine\u0002\u0003", "U+0002"],
  ])("illegalCharacter returns the first character of %j that XML does not allow: %s", (text, name) => {
    expect(illegalCharacter(text)).toBe(name);
  });

  it.each(["", "\t\n\r ~", "😀\u{10000}\u{1fffe}\u{10ffff}"])("illegalCharacter returns undefined for %j", (text) => {
    expect(illegalCharacter(text)).toBeUndefined();
  });

  it("illegalCharacter agrees with production Char of XML 1.0 for every UTF-16 code unit", () => {
    const isLegal = (character: string) => illegalCharacter(character) === undefined;
    expect(CHARACTERS.filter((character, code) => isLegal(character) !== isChar(code))).toEqual([]);
  });
});

describe("ATTRIBUTE_NAME", () => {
  it.each(["_1", "fileName", "file-name", "file.name", "__proto__", "constructor", "mxml"])(
    "ATTRIBUTE_NAME accepts %j",
    (name) => {
      expect(name).toMatch(ATTRIBUTE_NAME);
    },
  );

  it.each([
    ["", "empty"],
    ["a\n", "a newline at the end"],
    ['a="1" b', "an injected attribute"],
    ["a/><Reject/><b", "an injected verb"],
    ["a&amp;", "an entity"],
    ["xmlns", "a namespace declaration"],
    ["xml:lang", "reserved"],
    ["XMLfoo", "reserved in any case"],
    ["a\ud800", "a lone surrogate"],
    ["\u{10000}", "not ASCII"],
    ["\u212a", "the Kelvin sign, which folds to k"],
  ])("ATTRIBUTE_NAME rejects %j: %s", (name) => {
    expect(name).not.toMatch(ATTRIBUTE_NAME);
  });

  it.each([
    ["first", /^[A-Za-z_]$/, (character: string) => character + "a"],
    ["only", /^[A-Za-z_]$/, (character: string) => character],
    ["last", /^[A-Za-z0-9._-]$/, (character: string) => "a" + character],
    ["middle", /^[A-Za-z0-9._-]$/, (character: string) => `a${character}b`],
  ])("ATTRIBUTE_NAME accepts only ASCII letters, digits, dot, hyphen and _ as the %s character", (_, allowed, name) => {
    expect(CHARACTERS.filter((each) => ATTRIBUTE_NAME.test(name(each)) !== allowed.test(each))).toEqual([]);
  });
});

describe("formatAttribute", () => {
  it("formatAttribute escapes only the characters that a parser would change", () => {
    expect(formatAttribute("action", `a&b<c"d\te\nf\rg>h'i`)).toBe(
      ` action="a&amp;b&lt;c&quot;d&#x9;e&#xA;f&#xD;g>h'i"`,
    );
  });

  it.each([
    `"/><Reject/><Receive action="`,
    "/a</Response><Response>",
    "&amp;&#x41;&bogus;&",
    "]]><![CDATA[x]]><!-- x -->",
    "\t\n\r\n ",
    "  two  spaces  ",
    "é\x7f\x80\x85\x9f\u00a0\u2028",
    "\ud7ff\ue000\ufeff\ufffd",
    "😀\u{10000}\u{1ffff}\u{10ffff}",
    "$& $1 $$ $`",
    "",
  ])("formatAttribute writes %j so that a parser returns it", (value) => {
    expect(reread(formatDocument(`<Receive${formatAttribute("action", value)}/>`))).toEqual({
      verbs: [{ name: "Receive", attributes: [["action", value]] }],
      comments: [],
    });
  });
});

describe("formatDocument", () => {
  it("formatDocument writes the declaration and the content inside of Response", () => {
    expect(formatDocument("")).toBe('<?xml version="1.0" encoding="UTF-8"?><Response/>');
    expect(formatDocument("<Reject/><!-- a -->")).toBe(
      '<?xml version="1.0" encoding="UTF-8"?><Response><Reject/><!-- a --></Response>',
    );
  });
});
