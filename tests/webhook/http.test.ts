/** The parts of a request, in every form that servers give them. */
import { describe, expect, it } from "vitest";
import { normalizeRequest } from "../../src/webhook/http.js";
import { type HandleRequest } from "../../src/webhook/index.js";
import { FORM, polluted, refusalOf, request, requestWithout, setUp } from "./support.js";

describe("handle: method and URL", () => {
  it("takes the method in any case", async () => {
    const { handle, onFax } = setUp();
    expect((await handle({ ...request(), method: "post" })).status).toBe(200);
    expect(onFax.mock.calls[0]?.[1]?.method).toBe("POST");
  });

  it("gives the query of the request's own URL", async () => {
    const { handle, onFax } = setUp();
    await handle(request({ path: "/fax?line=2&a=1&a=2" }));
    const { query } = onFax.mock.calls[0]![1];
    expect([query.get("line"), query.getAll("a"), query.has("FaxSid")]).toEqual(["2", ["1", "2"], false]);
  });
});

describe("handle: headers", () => {
  const pairs = Object.entries(request().headers) as [string, string][];

  it.each<[string, HandleRequest["headers"]]>([
    ["a record in upper case", Object.fromEntries(pairs.map(([name, value]) => [name.toUpperCase(), value]))],
    ["a record of lists", Object.fromEntries(pairs.map(([name, value]) => [name, [value]]))],
    ["a Headers object", new Headers(pairs)],
    ["a Map", new Map(pairs) as never],
    ["undefined values", { ...Object.fromEntries(pairs), cookie: undefined }],
  ])("takes %s", async (_, headers) => {
    const { handle, onFax } = setUp();
    expect((await handle({ ...request(), headers })).status).toBe(200);
    const seen = onFax.mock.calls[0]![1];
    expect(seen.headers["content-type"]).toBe(FORM);
    expect("cookie" in seen.headers).toBe(false);
  });

  it("joins what is repeated, whatever the case, without a prototype, and frozen", async () => {
    const { handle, onFax } = setUp();
    const extra = { Cookie: ["a=1", "b=2"], "X-Many": ["1", "2"], "x-many": "3", __proto__: "p", constructor: "c" };
    await handle(request({ headers: Object.assign(Object.create(null), extra) }));
    const { headers } = onFax.mock.calls[0]![1];
    expect(headers).toMatchObject({ cookie: "a=1; b=2", "x-many": "1, 2, 3", constructor: "c" });
    expect([
      Object.getPrototypeOf(headers),
      Object.isFrozen(headers),
      Object.isFrozen(onFax.mock.calls[0]![1]),
    ]).toEqual([null, true, true]);
    expect(headers["toString"]).toBeUndefined();
  });

  it.each<[string, HandleRequest["headers"]]>([
    ["a list", { ...request().headers, "content-type": [FORM, ""] }],
    [
      "pairs",
      { forEach: (add) => [...pairs, ["Content-Type", ""] as const].forEach(([name, value]) => add(value, name)) },
    ],
  ])("refuses a second Content-Type that is empty with 415: %s", async (_, headers) => {
    const reply = await refusalOf(setUp(), { ...request(), headers });
    expect(reply).toEqual([415, "unsupported-media-type", "unsupported-media-type"]);
  });

  it("does not take a header from Object.prototype for the signature", async () => {
    const sent = requestWithout("x-twilio-signature");
    const { "x-twilio-signature": signature } = request().headers as Record<string, string>;
    await polluted({ "x-twilio-signature": signature }, async () =>
      expect(await refusalOf(setUp(), sent)).toEqual([403, "forbidden", "missing-signature"]),
    );
  });
});

describe("the query of a request", () => {
  it.each([
    ["/fax", ""],
    ["/fax?a=1", "a=1"],
    ["?a=1", "a=1"],
    ["/fax?a=1#b?c=2", "a=1"],
    ["/fax?#x", ""],
    ["/fax#?a=1", ""],
    ["#?a=1", ""],
    ["/fax#x", ""],
    ["https://a.example/fax?a=1&b=2#c", "a=1&b=2"],
  ])("of %s is %j: what stands behind a # is signed by nobody", (url, expected) => {
    const { query } = normalizeRequest({ method: "GET", url, headers: {} });
    expect(String(query)).toBe(expected);
  });
});
