/** The normalization of a request: method, URL and headers from any server. */
import { describe, expect, it } from "vitest";
import { normalizeRequest } from "../../src/webhook/http.js";
import { type HandleRequest } from "../../src/webhook/index.js";
import { FORM, polluted, refusalOf, request, requestWithout, setUp } from "./support.js";

/** The request that `onFax` receives. */
async function getHandlerRequest(sent: HandleRequest) {
  const { handle, onFax } = setUp();
  expect((await handle(sent)).status).toBe(200);
  return onFax.mock.calls[0]![1];
}

describe("handle: the request of a handler", () => {
  it("passes the method to handlers in upper case", async () => {
    expect((await getHandlerRequest({ ...request(), method: "post" })).method).toBe("POST");
  });

  it("passes the query of the URL to handlers, without the parameters of the body", async () => {
    const { query } = await getHandlerRequest(request({ path: "/fax?tag=2&a=1&a=2" }));
    expect([query.get("tag"), query.getAll("a"), query.has("FaxSid")]).toEqual(["2", ["1", "2"], false]);
  });

  const pairs = Object.entries(request().headers) as [string, string][];

  it.each<[string, HandleRequest["headers"]]>([
    ["a record in upper case", Object.fromEntries(pairs.map(([name, value]) => [name.toUpperCase(), value]))],
    ["a record of lists", Object.fromEntries(pairs.map(([name, value]) => [name, [value]]))],
    ["a Headers object", new Headers(pairs)],
    ["a Map", new Map(pairs) as never],
    ["a record with undefined", { ...Object.fromEntries(pairs), cookie: undefined }],
    ["a record with null", { ...Object.fromEntries(pairs), cookie: null }],
  ])("passes headers from %s to handlers, by lower-case name", async (_, headers) => {
    const received = await getHandlerRequest({ ...request(), headers });
    expect(received.headers["content-type"]).toBe(FORM);
    expect("cookie" in received.headers).toBe(false);
  });

  it("joins repeated headers of any case in a frozen record without a prototype", async () => {
    const extra = { Cookie: ["a=1", "b=2"], "X-Many": ["1", "2"], "x-many": "3", constructor: "c", age: 7 as never };
    const received = await getHandlerRequest(request({ headers: extra }));
    const { headers } = received;
    expect(headers).toMatchObject({ cookie: "a=1; b=2", "x-many": "1, 2, 3", constructor: "c", age: "7" });
    expect(Object.getPrototypeOf(headers)).toBeNull();
    expect([Object.isFrozen(headers), Object.isFrozen(received)]).toEqual([true, true]);
  });

  it.each<[string, HandleRequest["headers"]]>([
    ["in a list", { ...request().headers, "content-type": [FORM, ""] }],
    ["in pairs", { forEach: (add) => [...pairs, ["Content-Type", ""]].forEach(([name, value]) => add(value!, name!)) }],
  ])("returns 415 for a second, empty Content-Type %s", async (_, headers) => {
    const reply = await refusalOf(setUp(), { ...request(), headers });
    expect(reply).toEqual([415, "unsupported-media-type", "unsupported-media-type"]);
  });

  it("ignores a signature header from Object.prototype", async () => {
    const sent = requestWithout("x-twilio-signature");
    await polluted({ "x-twilio-signature": new Map(pairs).get("x-twilio-signature") }, async () =>
      expect(await refusalOf(setUp(), sent)).toEqual([403, "forbidden", "missing-signature"]),
    );
  });
});

describe("handle: wrong arguments", () => {
  const SECRET = "Authorization: Bearer hunter2";

  it.each<[string, unknown]>([
    ["request", undefined],
    ["request", null],
    ["request", SECRET],
    ["method", { ...request(), method: undefined }],
    ["method", { ...request(), method: 1 }],
    ["method", { req: { raw: new Request("https://fax.example.com/fax") } }],
    ["url", { ...request(), url: undefined }],
    ["url", { ...request(), url: new URL("https://fax.example.com/fax") }],
    ["headers", { ...request(), headers: undefined }],
    ["headers", { ...request(), headers: null }],
    ["headers", { ...request(), headers: SECRET }],
    ["headers", { ...request(), headers: ["Host", "fax.example.com"] }],
    ["headers", { ...request(), headers: Promise.resolve({}) }],
  ])("rejects with a TypeError that names %s for %j", async (name, sent) => {
    const { handle, onRefused } = setUp();
    const error = await handle(sent as never).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toMatch(new RegExp(`^${name} must be `));
    expect((error as Error).message).not.toContain("hunter2");
    expect(onRefused).not.toHaveBeenCalled();
  });

  it("accepts a Request of the Fetch standard", async () => {
    const { method, headers, body } = request();
    const sent = new Request("https://fax.example.com/fax", {
      method,
      headers: new Headers(headers as never),
      body: body as string,
    });
    expect((await setUp().handle(sent)).status).toBe(200);
  });
});

describe("normalizeRequest", () => {
  it.each([
    ["/fax", "/fax"],
    ["/fax?a=/b", "/fax"],
    ["/fax#/b?c", "/fax"],
    ["/caf%C3%A9/%2f//x/", "/caf%C3%A9/%2f//x/"],
    ["//hooks//fax", "//hooks//fax"],
    ["http://fax.example.com/fax?a=1", "/fax"],
    ["HTTPS://user:pass@fax.example.com:8443/fax", "/fax"],
    ["https://fax.example.com?a=/b", "/"],
    ["?a=1", "/"],
    ["", "/"],
  ])("reads the path of %j as %j", (url, expected) => {
    expect(normalizeRequest({ method: "GET", url, headers: {} }).path).toBe(expected);
  });

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
  ])("reads the query of %s as %j, without the unsigned fragment", (url, expected) => {
    expect(String(normalizeRequest({ method: "GET", url, headers: {} }).query)).toBe(expected);
  });
});
