/** The rules and examples of RFC 6265. */
import { describe, expect, it } from "vitest";
import { type Cookie, getCookieHeader, storeCookies } from "../../src/testing/cookies.js";

/** The header for a request, after these responses. */
function sent(url: string, ...responses: [url: string, ...headers: string[]][]): string | undefined {
  const cookies: Cookie[] = [];
  for (const [from, ...headers] of responses) storeCookies(cookies, from, headers);
  return getCookieHeader(cookies, url)["cookie"];
}

const HERE = "https://fax.example.com/a/b";

describe("cookies", () => {
  it("sends the longer path first, then the older cookie (section 5.4)", () => {
    expect(sent("https://fax.example.com/a/b/c", [HERE, "x=1; Path=/", "y=2; Path=/a/b", "z=3; Path=/"])).toBe(
      "y=2; x=1; z=3",
    );
  });

  it.each([
    ["the last value", ["a=1", "a=2"], "a=2"],
    ["a new value in the position of the old one", ["a=1", "b=2", "a=3"], "a=3; b=2"],
    ["no cookie with Max-Age=0", ["a=1", "a=; Max-Age=0"], undefined],
    ["no cookie with a negative Max-Age", ["a=1", "a=2; Max-Age=-5"], undefined],
    ["no cookie that expired in the past", ["a=1", "a=2; Expires=Wed, 09 Jun 2021 10:18:14 GMT"], undefined],
    ["a cookie that expires in the future", ["a=1; expires=Fri, 01 Jan 2100 00:00:00 GMT"], "a=1"],
    ["a cookie with an invalid Expires", ["a=1; Expires=soon"], "a=1"],
    ["a cookie whose Expires has no month", ["a=1; Expires=15 2017 21:01:22"], "a=1"],
    ["a cookie whose Expires has no time", ["a=1; Expires=15 Apr 2017"], "a=1"],
    ["no cookie with text after Expires", ["a=1; Expires=Sat, 15-Apr-17 21:01:22 GMT BLAH"], undefined],
    ["no cookie that expired in 1994", ["a=1; Expires=Sun Nov  6 08:49:37 1994"], undefined],
    ["no cookie that expired in 94", ["a=1; Expires=06-NOVEMBER-94 08:49:37"], undefined],
    ["a cookie that expires in 69, which is 2069", ["a=1; Expires=06-Nov-69 08:49:37"], "a=1"],
    ["a cookie with a Max-Age that is not decimal", ["a=1; Max-Age=0x0"], "a=1"],
    ["no cookie that expired, with an invalid Max-Age", ["a=1; Max-Age=abc; Expires=06 Nov 2020 08:49:37"], undefined],
    ["a cookie whose Max-Age overrides its Expires", ["a=1; Max-Age=9; Expires=Wed, 09 Jun 2021 10:18:14 GMT"], "a=1"],
    ["a value with an equals sign", ["a=b=c"], "a=b=c"],
    ["name and value without the space around them", [" a = 1 ; Path = / "], "a=1"],
    ["no cookie without a name", ["=1", " =1"], undefined],
    ["no cookie without an equals sign", ["a", "a; Path=/"], undefined],
    ["no attribute as a cookie", ["a=1; HttpOnly; SameSite=Lax"], "a=1"],
    ["two cookies of the same name and different paths", ["a=1; Path=/", "a=2; Path=/a"], "a=2; a=1"],
  ])("sends %s", (_, headers, expected) => {
    expect(sent("https://fax.example.com/a/x", [HERE, ...headers])).toBe(expected);
  });

  it.each([
    ["https://fax.example.com/a", "x=1; Path=a", "x=1"],
    ["https://fax.example.com/c", "x=1; Path=/c", "x=1"],
    ["https://fax.example.com/", "x=1; Path=a", undefined],
    ["https://fax.example.com/ab", "x=1", undefined],
    ["https://fax.example.com/a/", "x=1", "x=1"],
    ["https://fax.example.com/a", "x=1", "x=1"],
    ["https://fax.example.com/any", "x=1; Path=/", "x=1"],
    ["https://other.example.com/a", "x=1", undefined],
    ["https://sub.fax.example.com/a", "x=1", undefined],
    ["https://sub.fax.example.com/a", "x=1; Domain=.FAX.example.com", undefined],
    ["https://fax.example.com/a", "x=1; Domain=.FAX.example.com", "x=1"],
    ["https://fax.example.com/a", "x=1; Domain=example.com", "x=1"],
    ["https://fax.example.com/a", "x=1; Domain=ax.example.com", undefined],
    ["https://fax.example.com/a", "x=1; Domain=sub.fax.example.com", undefined],
    ["https://fax.example.com/a", "x=1; Domain=other.example.com", undefined],
    ["https://fax.example.com/a", "x=1; domain=foo.example.org; domain=", undefined],
    ["https://fax.example.com/a", "x=1; domain=foo.example.org; domain=example.com", "x=1"],
    ["https://fax.example.com/a", "x=1; Domain=", "x=1"],
    ["http://fax.example.com/a", "x=1; Secure", undefined],
    ["https://fax.example.com/a", "x=1; secure", "x=1"],
    ["http://fax.example.com/a", "x=1", "x=1"],
  ])("the Cookie header for %s after Set-Cookie %j is %s", (url, header, expected) => {
    expect(sent(url, [HERE, header])).toBe(expected);
  });

  it.each([
    ["http://127.0.0.1/a", "x=1; Domain=127.0.0.1", "x=1"],
    ["http://127.0.0.1/a", "x=1; Domain=0.0.1", undefined],
    ["http://[::1]/a", "x=1; Domain=::1", "x=1"],
    ["http://[::1]/a", "x=1; Domain=[::1]", "x=1"],
  ])("sends to %s, after Set-Cookie %j from the same address: %s", (url, header, expected) => {
    expect(sent(url, [url, header])).toBe(expected);
  });

  it("of one host cannot be deleted or replaced by another host", () => {
    const headers = ["x=2; Domain=fax.example.com", "x=; Domain=fax.example.com; Max-Age=0", "x=; Max-Age=0"];
    expect(sent(HERE, [HERE, "x=1; Path=/"], ["https://example.com/a/b", ...headers])).toBe("x=1");
    expect(sent("http://10.0.0.1/", ["http://127.0.0.1/", "x=1; Domain=0.0.1"])).toBeUndefined();
  });

  it("are stored from the first 50 Set-Cookie headers of a response", () => {
    const headers = Array.from({ length: 60 }, (_, i) => `c${i}=1`);
    expect(sent(HERE, [HERE, ...headers])!.split("; ")).toHaveLength(50);
  });

  it("sends a cookie set at the root to every path, and replaces it by one with Path=/", () => {
    expect(sent("https://fax.example.com/any", ["https://fax.example.com/fax", "x=1"])).toBe("x=1");
    expect(sent("https://fax.example.com/any", ["https://fax.example.com/fax", "x=1", "x=2; Path=/"])).toBe("x=2");
  });
});
