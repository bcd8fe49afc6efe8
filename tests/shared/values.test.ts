import { describe, expect, it } from "vitest";
import { isHttpUrl, isRelativeReference, parseTimestamp, parseUrl } from "../../src/shared/values.js";

describe("isHttpUrl", () => {
  it.each([
    "http://a",
    "https://example.com/fax?x=1&y=2#z",
    "HTTPS://EXAMPLE.COM/",
    "https://user:password@example.com/",
    "https://[::1]:8080/",
    "https://例え.jp/ファックス",
    "https://1.2.3.4/",
    "https://a-b.1c.example-2.com/0/~a?b=%zz#[c]",
    "https://xn--mnchen-3ya.de/",
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
    // A last label that is a number makes the host an IPv4 address.
    "https://1.2.3.256/",
    "https://a.1",
    "https://files.example.0x1/",
    "https://xn--a/",
    `https://${"a".repeat(2048)}/`,
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

describe("parseUrl", () => {
  it.each(["https://example.com/\n", "https://example.com/a\tb", "https://example.com/\x7f", "https://example.com\r/"])(
    "refuses the control character in %j",
    (text) => {
      expect(parseUrl(text)).toBeUndefined();
    },
  );
});

describe("parseTimestamp", () => {
  it.each([
    ["Thu, 13 Jan 2022 21:54 UT", "2022-01-13T21:54:00.000Z"],
    ["Thu,13 Jan 2022 21:54:46 UTC", "2022-01-13T21:54:46.000Z"],
    // Engines read the year as 2049, and the weekday as a time zone or a month.
    ["13 Jan 0049 21:54:46 GMT", "0049-01-13T21:54:46.000Z"],
    ["Est, 13 Jan 2022 24:00:00 -0100", "2022-01-14T01:00:00.000Z"],
    ["Feb, 13 Jan 2022 21:54:46 GMT", "2022-01-13T21:54:46.000Z"],
  ])("reads %j", (text, time) => {
    expect(parseTimestamp(text)?.toISOString()).toBe(time);
  });

  it.each([
    "Thu, 13 Jan 2022 21:54:60 +0000",
    "Thu, 13 Jan 2022 21:54:46 +9999",
    "Thu, 13 Jan 2022 21:54:46 +00:00",
    "Thu, 13 JAN 2022 21:54:46 +0000",
    "Thu, 31 Apr 2022 21:54:46 +0000",
    "Thu, 00 Jan 2022 21:54:46 +0000",
    "Thu, 13 Jan 22 21:54:46 +0000",
    "2022-01-13T21:54:46",
    "2022-01-13",
    "2022-01-13T21:5446",
    "2022-01-13T21:54:4646",
  ])("refuses %j", (text) => {
    expect(parseTimestamp(text)).toBeUndefined();
  });
});
