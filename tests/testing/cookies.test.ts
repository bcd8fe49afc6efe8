/** RFC 6265, by its own examples and rules. */
import { describe, expect, it } from "vitest";
import { type Cookie, getCookieHeader, keepCookies } from "../../src/testing/cookies.js";

/** The header for a request, after these answers. */
function sent(url: string, ...answers: [url: string, ...headers: string[]][]): string | undefined {
  const cookies: Cookie[] = [];
  for (const [from, ...headers] of answers) keepCookies(cookies, from, headers);
  return getCookieHeader(cookies, url)["cookie"];
}

const HERE = "https://fax.example.com/a/b";

describe("cookies", () => {
  it("come back in the order of section 5.4: the longer path first, then the older one", () => {
    expect(sent("https://fax.example.com/a/b/c", [HERE, "x=1; Path=/", "y=2; Path=/a/b", "z=3; Path=/"])).toBe(
      "y=2; x=1; z=3",
    );
  });

  it.each([
    ["the last value", ["a=1", "a=2"], "a=2"],
    ["nothing of one that has ended", ["a=1", "a=; Max-Age=0"], undefined],
    ["nothing of one that has ended long ago", ["a=1", "a=2; Max-Age=-5"], undefined],
    ["nothing of one whose date has passed", ["a=1", "a=2; Expires=Wed, 09 Jun 2021 10:18:14 GMT"], undefined],
    ["one whose date is to come", ["a=1; expires=Fri, 01 Jan 2100 00:00:00 GMT"], "a=1"],
    ["one whose date cannot be read", ["a=1; Expires=soon"], "a=1"],
    ["one that Max-Age keeps, whatever its date", ["a=1; Max-Age=9; Expires=Wed, 09 Jun 2021 10:18:14 GMT"], "a=1"],
    ["a value with an equals sign", ["a=b=c"], "a=b=c"],
    ["name and value without the space around them", [" a = 1 ; Path = / "], "a=1"],
    ["no cookie without a name", ["=1"], undefined],
    ["no cookie without an equals sign", ["a"], undefined],
    ["no attribute as a cookie", ["a=1; HttpOnly; SameSite=Lax"], "a=1"],
    ["two of other paths apart", ["a=1; Path=/", "a=2; Path=/a"], "a=2; a=1"],
  ])("are %s", (_, headers, expected) => {
    expect(sent("https://fax.example.com/a/x", [HERE, ...headers])).toBe(expected);
  });

  it.each([
    ["https://fax.example.com/a", "x=1; Path=a", "x=1"],
    ["https://fax.example.com/", "x=1; Path=a", undefined],
    ["https://fax.example.com/ab", "x=1", undefined],
    ["https://fax.example.com/a/", "x=1", "x=1"],
    ["https://fax.example.com/a", "x=1", "x=1"],
    ["https://fax.example.com/any", "x=1; Path=/", "x=1"],
    ["https://other.example.com/a", "x=1", undefined],
    ["https://sub.fax.example.com/a", "x=1", undefined],
    ["https://sub.fax.example.com/a", "x=1; Domain=.FAX.example.com", "x=1"],
    ["https://sub.fax.example.com/a", "x=1; Domain=example.com", "x=1"],
    ["https://evilfax.example.com/a", "x=1; Domain=fax.example.com", undefined],
    ["https://fax.example.com/a", "x=1; Domain=sub.fax.example.com", undefined],
    ["https://fax.example.com/a", "x=1; Domain=other.example.com", undefined],
    ["http://fax.example.com/a", "x=1; Secure", undefined],
    ["https://fax.example.com/a", "x=1; secure", "x=1"],
    ["http://fax.example.com/a", "x=1", "x=1"],
  ])("go to %s when %j says so: %s", (url, header, expected) => {
    expect(sent(url, [HERE, header])).toBe(expected);
  });

  it("of a page at the root go everywhere", () => {
    expect(sent("https://fax.example.com/any", ["https://fax.example.com/fax", "x=1"])).toBe("x=1");
  });
});
