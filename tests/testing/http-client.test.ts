/** The provider as an HTTP client, one rule a test: its words, its redirects, its passwords. */
import { describe, expect, it, vi } from "vitest";
import { reject, toTwiml } from "../../src/index.js";
import { createFaxProvider, type FaxProviderOptions, type ProviderFetch } from "../../src/testing/index.js";

const URL_ = "https://user:pass@fax.example.com/fax";
const XML = { "content-type": "text/xml" };
const rejected = (headers: Record<string, string> = {}) =>
  new Response(toTwiml(reject()), { headers: { ...XML, ...headers } });
const send = (fetch: ProviderFetch, more: Partial<FaxProviderOptions> = {}) =>
  createFaxProvider({ url: URL_, authToken: "t", fetch, ...more }).sendFax();
const twilio = (fragment: string) => ({ flavor: "twilio", url: URL_ + fragment }) as const;

describe("retries", () => {
  it.each([
    ["#rp=4xx", 400, 2],
    ["#rp=4xx", 499, 2],
    ["#rp=4xx", 500, 1],
    ["#rp=5xx", 500, 2],
    ["#rp=5xx", 499, 1],
    ["#rp=all", 404, 2],
    ["#rp=all", 200, 1],
    ["#rp=4xx,5xx", 302, 1],
  ])("at %s after %i: %i requests", async (fragment, status, times) => {
    const { exchanges } = await send(() => new Response("", { status, headers: XML }), twilio(fragment));
    expect(exchanges).toHaveLength(times);
  });
});

describe("redirects", () => {
  const chain = (length: number): ProviderFetch => {
    let left = length;
    return () => (left-- > 0 ? new Response(null, { status: 307, headers: { location: `/${left}` } }) : rejected());
  };

  it.each([
    ["signalwire", 3, "rejected"],
    ["signalwire", 4, "error"],
    ["twilio", 10, "rejected"],
    ["twilio", 11, "error"],
  ] as const)("by %s, %i in a row: %s", async (flavor, length, outcome) => {
    expect((await send(chain(length), { flavor })).outcome).toBe(outcome);
  });

  it.each(["http://other.example.com/", "https://other.example.com/"])("go to %s", async (location) => {
    const fetch = vi.fn<ProviderFetch>(({ url }) =>
      url === location ? rejected() : new Response(null, { status: 308, headers: { location } }),
    );
    expect((await send(fetch)).outcome).toBe("rejected");
  });

  it("are none where the status says that it is no redirect", async () => {
    const { exchanges, outcome } = await send(() => rejected({ location: "/elsewhere" }));
    expect([outcome, exchanges.length]).toEqual(["rejected", 1]);
  });
});

describe("the password of the URL", () => {
  it.each([
    [401, "Basic realm=fax", 2],
    [401, 'basic realm="fax"', 2],
    [401, "Bearer realm=a,Basic realm=b", 2],
    [401, "Bearer realm=a, Basic realm=b", 2],
    [401, "Bearer realm=basic", 1],
    [401, "Basically", 1],
    [401, undefined, 1],
    [403, "Basic realm=fax", 1],
  ])("after %i with WWW-Authenticate %s: %i requests", async (status, asks, times) => {
    const headers = { ...XML, ...(asks && { "www-authenticate": asks }) };
    const { exchanges } = await send(() => new Response("", { status, headers }));
    expect(exchanges).toHaveLength(times);
    expect(exchanges[0]!.request.headers).not.toHaveProperty("authorization");
  });

  it("may hold what cannot be decoded", async () => {
    const headers = { "www-authenticate": "Basic realm=fax" };
    const { exchanges } = await send(() => new Response("", { status: 401, headers }), {
      url: "https://%ff:p@x.example/",
    });
    expect(exchanges[1]!.request.headers["authorization"]).toBe(`Basic ${btoa("%ff:p")}`);
  });
});

describe("what the transcript has", () => {
  it("are the headers without cookies, the cookies, and the milliseconds", async () => {
    const { exchanges } = await send(() => rejected({ "Set-Cookie": "a=1", "X-Note": "n" }));
    const { response, ms } = exchanges[0]!;
    expect(response).toEqual({
      ...{ status: 200, headers: { ...XML, "x-note": "n" }, cookies: ["a=1"], body: toTwiml(reject()), isUtf8: true },
    });
    expect(Number.isInteger(ms) && ms >= 0 && ms < 60_000).toBe(true);
  });

  it("is the 500 of a server for a handler that throws, its words cut", async () => {
    const { exchanges } = await send(() => Promise.reject(new Error("x".repeat(300))));
    expect(exchanges[0]!.response).toEqual({
      ...{ status: 500, headers: {}, cookies: [], body: "x".repeat(200), isUtf8: true },
    });
  });

  it("is the innermost of the causes", async () => {
    let error = new Error("no database");
    for (let depth = 0; depth < 3; depth++) error = new Error(`outer ${depth}`, { cause: error });
    expect((await send(() => Promise.reject(error))).exchanges[0]!.response!.body).toBe("no database");
    const circle = new Error("round");
    circle.cause = circle;
    expect((await send(() => Promise.reject(circle))).exchanges[0]!.response!.body).toBe("round");
  });

  it("says how long it waited", async () => {
    const { error } = await send(() => new Promise(() => {}), twilio("#rt=100&rc=0"));
    expect(error).toEqual({ code: 11200, message: "Answer sooner: nothing came within 100 ms." });
  });

  it("says which host has no name", async () => {
    const { error } = await createFaxProvider({ url: "http://does-not-exist.invalid/", authToken: "t" }).sendFax();
    expect(error?.message).toMatch(
      /^Look at the name of the host \((ENOTFOUND|EAI_AGAIN): .*does-not-exist\.invalid\)\.$/,
    );
  });
});

describe("a byte order mark", () => {
  it.each([
    ["\ufeff", "rejected"],
    ["\ufeff\ufeff", "error"],
  ])("%j before the document: %s", async (mark, outcome) => {
    expect((await send(() => new Response(mark + toTwiml(reject()), { headers: XML }))).outcome).toBe(outcome);
  });
});
