import { describe, expect, it } from "vitest";
import { parseFaxCallback, parseTwiml, receive } from "../../src/index.js";
import { createFaxProvider } from "../../src/testing/index.js";
import { faxWebhook } from "../../src/webhook/index.js";
import { isHttpUrl, isRelativeReference, isSid, parseTimestamp, parseUrl } from "../../src/shared/values.js";

describe("isSid", () => {
  it.each(["a", "FX-1_z", "0".repeat(40)])("isSid accepts %j", (sid) => {
    expect(isSid(sid)).toBe(true);
  });

  it.each(["", "0".repeat(41), "../a", "a.b", "é", "a\n", 5])("isSid rejects %j", (sid) => {
    expect(isSid(sid)).toBe(false);
  });
});

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
    "https://example.com/".padEnd(2048, "a"),
  ])("isHttpUrl accepts %j", (text) => {
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
    "https://example.com/".padEnd(2049, "a"),
    "https://example.com:80/".padEnd(2049, "a"),
  ])("isHttpUrl rejects %j", (text) => {
    expect(isHttpUrl(text)).toBe(false);
  });
});

describe("isRelativeReference", () => {
  it.each([
    "/fax",
    "/",
    "/a:b",
    "fax/received.php?x=http://a",
    "./a:b",
    "../fax",
    ".",
    "?a:b",
    "#a",
    "//example.com/fax",
    "//[::1]/",
    "/\\a",
    "é",
    "a/b:c",
    "a?b:c",
    "a#b:c",
  ])("isRelativeReference accepts %j", (text) => {
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
    "https://[bad",
    "127.0.0.1:3000/x",
    "[::1]:3000/x",
    ":x",
    "a:",
    "C:\\x",
    " :/",
    "é:x",
  ])("isRelativeReference rejects %j", (text) => {
    expect(isRelativeReference(text)).toBe(false);
  });
});

describe("parseUrl", () => {
  const controls = [...Array.from({ length: 0x20 }, (_, code) => code), 0x7f];
  it.each(controls)("parseUrl returns undefined for a URL with the control character %i", (code) => {
    expect(parseUrl(`https://example.com/a${String.fromCharCode(code)}b`)).toBeUndefined();
  });

  it("parseUrl returns any other http(s) URL", () => {
    for (const url of ["https://example.com/ ~", "https://example.com/\x80é"]) expect(parseUrl(url)).toBe(url);
    expect(parseUrl("/fax")).toBeUndefined();
  });
});

describe("parseTimestamp", () => {
  it.each([
    ["Thu, 13 Jan 2022 21:54 UT", "2022-01-13T21:54:00.000Z"],
    ["Thu,13 Jan 2022 21:54:46 UTC", "2022-01-13T21:54:46.000Z"],
    // Engines read the year as 2049, and the weekday as a time zone or a month.
    ["13 Jan 0049 21:54:46 GMT", "0049-01-13T21:54:46.000Z"],
    ["Est, 13 Jan 2022 24:00:00 -0100", "2022-01-14T01:00:00.000Z"],
    ["Feb, 13 Jan 2022 21:54:46 GMT", "2022-01-13T21:54:46.000Z"],
  ])("parseTimestamp reads %j", (text, time) => {
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
  ])("parseTimestamp returns undefined for %j", (text) => {
    expect(parseTimestamp(text)).toBeUndefined();
  });
});

describe("URLs with characters that are not ASCII", () => {
  // Flat text of one byte per character: in Node 20 and 22, URL.canParse then fails after about 6,000 calls.
  const latin1 = (text: string) => Buffer.from(text, "latin1").toString("latin1");
  const url = latin1("https://bücher.example/x");
  const callback = { FaxSid: "FX1", FaxStatus: "received", MediaUrl: url };

  it.each<[string, () => unknown]>([
    ["receive with an absolute action", () => receive({ action: url }).attributes.action],
    ["receive with a relative action", () => receive({ action: latin1("é/x") }).attributes.action],
    ["parseTwiml", () => parseTwiml(`<Response><Receive action="${url}"/></Response>`)],
    ["parseFaxCallback", () => parseFaxCallback(callback).mediaUrl],
    ["faxWebhook", () => faxWebhook({ authToken: "12345", publicUrl: url, onCallback: () => {} }) && true],
    ["createFaxProvider", () => createFaxProvider({ authToken: "12345", url }) && true],
  ])("%s returns the same after 30,000 calls", (_, call) => {
    const first = call();
    for (let i = 0; i < 30_000; i++) call();
    expect(call()).toEqual(first);
    expect(first).toBeDefined();
  });
});
