/** Content types: which are parsed, which are refused. */
import { describe, expect, it } from "vitest";
import { isFormType, parseContentType, parseDisposition } from "../../src/webhook/content-type.js";
import { measureMs } from "../measure.js";

describe("isFormType", () => {
  const TYPE = "application/x-www-form-urlencoded";

  it.each([
    TYPE,
    `${TYPE}; charset=utf-8`,
    `${TYPE};charset=UTF-8`,
    `${TYPE}; charset="utf-8"`,
    `${TYPE} ; charset=iso-8859-1;`,
    ` ${TYPE.toUpperCase()}\t`,
  ])("isFormType is true for %j", (header) => expect(isFormType(header)).toBe(true));

  it.each([
    undefined,
    "",
    "text/plain",
    `${TYPE}2`,
    `x${TYPE}`,
    `${TYPE}\n`,
    `${TYPE}; charset=utf-8\n`,
    `${TYPE}; charset=utf-8, text/plain`,
    `text/plain; a=${TYPE}`,
    `multipart/form-data; boundary=x, ${TYPE}`,
  ])("isFormType is false for %j", (header) => expect(isFormType(header)).toBe(false));
});

describe("parseContentType", () => {
  it.each<[string, string, Record<string, string>]>([
    ["text/plain", "text/plain", {}],
    ["Multipart/Form-Data; Boundary=aB", "multipart/form-data", { boundary: "aB" }],
    ['multipart/form-data; boundary="a;b, c"', "multipart/form-data", { boundary: "a;b, c" }],
    [
      'multipart/form-data; x="; boundary=AAA"; boundary=BBB',
      "multipart/form-data",
      { x: "; boundary=AAA", boundary: "BBB" },
    ],
    [
      'multipart/form-data; x="\\"; boundary=AAA"; boundary=BBB',
      "multipart/form-data",
      { x: '"; boundary=AAA', boundary: "BBB" },
    ],
    ["multipart/form-data ;\tboundary=b \t; charset=utf-8", "multipart/form-data", { boundary: "b", charset: "utf-8" }],
    // RFC 9110, section 5.6.4: a recipient replaces a quoted pair with the character after the backslash.
    ['multipart/form-data; boundary="X\\X"', "multipart/form-data", { boundary: "XX" }],
    ['a/b; c="\\\\\\"\\\t"', "a/b", { c: '\\"\t' }],
    ["text/plain;", "text/plain", {}],
    ["text/plain; ; ;a=1;;", "text/plain", { a: "1" }],
    [" text/plain ", "text/plain", {}],
    ['text/plain; a=""', "text/plain", { a: "" }],
    ["application/vnd.a+b; __proto__=1", "application/vnd.a+b", { ["__proto__"]: "1" }],
  ])("parseContentType parses %s", (header, type, parameters) => {
    const parsed = parseContentType(header)!;
    expect([parsed.type, [...parsed.parameters]]).toEqual([type, Object.entries(parameters)]);
  });

  it.each([
    undefined,
    "",
    "text",
    "text/",
    "/plain",
    "a/b/c",
    "text /plain",
    "text/plain, text/html",
    "text/plain x",
    "text/plain x=1",
    "multipart/form-data; boundary=x,",
    'multipart/form-data; boundary="x", text/plain',
    "multipart/form-data; boundary=a; boundary=b",
    "multipart/form-data; boundary=a; BOUNDARY=a",
    "multipart/form-data; boundary",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary =a",
    "multipart/form-data; boundary= a",
    "multipart/form-data; boundary=a b",
    "multipart/form-data; boundary=a/b",
    'multipart/form-data; boundary="a',
    'multipart/form-data; boundary="a\\"',
    'multipart/form-data; boundary="a"b',
    "multipart/form-data; =a",
    "multipart/form-data; boundary=a\r\nx: y",
    'multipart/form-data; boundary="a\0"',
    'multipart/form-data; boundary="a\x1b"',
    'multipart/form-data; boundary="a\x7f"',
    'multipart/form-data; boundary="a\\\x7f"',
    'multipart/form-data; filename="a"b"; boundary=a',
    'multipart/form-data; boundary="a"b"',
    "multipart/form-data\u00a0; boundary=a",
    "multipart/form-data; boundary=é",
  ])("parseContentType returns undefined for %j", (header) => {
    expect(parseContentType(header)).toBeUndefined();
  });
});

describe("parseDisposition", () => {
  it("takes at most three times as long for empty parameters as for a file name of the same length", async () => {
    const [empty, name] = [`form-data${";".repeat(4000)}`, `form-data; filename="${"a".repeat(4000)}"`];
    const nameMs = await measureMs(() => parseDisposition(name), 0);
    expect(await measureMs(() => parseDisposition(empty), 0)).toBeLessThan(3 * nameMs);
  });
});
