import { describe, expect, it } from "vitest";
import { isHttpUrl, isRelativeReference } from "../../src/shared/values.js";

describe("isHttpUrl", () => {
  it.each([
    "http://a",
    "https://example.com/fax?x=1&y=2#z",
    "HTTPS://EXAMPLE.COM/",
    "https://user:password@example.com/",
    "https://[::1]:8080/",
    "https://例え.jp/ファックス",
  ])("accepts %j", (text) => {
    expect(isHttpUrl(text)).toBe(true);
  });

  it.each([
    "",
    "/fax",
    "example.com",
    "//example.com/",
    "http:foo",
    "https:/typo",
    "https:///",
    "https://",
    "https://[bad",
    "https://a b/",
    "https://a:99999/",
    "https://%zz/",
    " https://example.com/",
    "ftp://example.com/",
    "javascript:alert(1)",
    "javascript://example.com/%0Aalert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "httpss://example.com/",
    "http\n://example.com/",
    "x https://example.com/",
  ])("refuses %j", (text) => {
    expect(isHttpUrl(text)).toBe(false);
  });
});

describe("isRelativeReference", () => {
  it.each([
    "/fax",
    "/",
    "/a:b",
    "fax",
    "fax/received.php?x=http://a",
    "./a:b",
    "../fax",
    ".",
    "?a=1",
    "?a:b",
    "#a",
    "//example.com/fax",
    "//[::1]/",
    "/\\a",
    "é",
    "a/b:c",
    "a?b:c",
    "a#b:c",
  ])("accepts %j", (text) => {
    expect(isRelativeReference(text)).toBe(true);
  });

  it.each([
    "http://example.com/",
    "//[bad",
    "//a b/",
    "//",
    "/\\[bad",
    "/\t/[bad",
    "mailto:a@b",
    "javascript:alert(1)",
    " javascript:alert(1)",
    "\u00a0javascript:alert(1)",
    "java\nscript:alert(1)",
    "\tjava\tscript:alert(1)",
    "JAVASCRIPT:alert(1)",
    "localhost:3000/x",
    "example.com:443/x",
    "https:/typo",
    "https:typo",
    "https://[bad",
    "http://",
    "c:\\fax",
  ])("refuses %j", (text) => {
    expect(isRelativeReference(text)).toBe(false);
  });

  it.each([
    "127.0.0.1:3000/x",
    "1:2",
    "[::1]:3000/x",
    ":",
    ":x",
    "a:",
    "C:\\x",
    "ftp://u:p@h/",
    "http:foo",
    " :/",
    "é:x",
  ])("refuses %j: a first segment has no colon (RFC 3986, section 4.2)", (text) => {
    expect(isRelativeReference(text)).toBe(false);
  });
});
