/** The replies: results of onFax and onCallback, headers, ETags, HEAD. */
import { describe, expect, it } from "vitest";
import {
  FaxResponse,
  parseTwiml,
  type Receive,
  receive,
  reject,
  toTwiml,
  TWIML_CONTENT_TYPE,
  type Verb,
} from "../../src/index.js";
import type { FaxWebhookOptions, HandleRequest } from "../../src/webhook/index.js";
import { CALLBACK, DELIVERIES, INCOMING, ORIGIN, polluted, request, setUp, TYPE, XML } from "./support.js";

/** The reply to a new fax for a result of `onFax`. */
const answer = (result: unknown, options = {}) => setUp({ ...options, onFax: () => result as never }).handle(request());

const LOST = { action: "/fax", storeMedia: false } as const;

describe("handle: the result of onFax", () => {
  const commented = new FaxResponse().comment("hi").reject();
  it.each<[string, unknown, string]>([
    ["a verb", reject(), toTwiml(reject())],
    ["a promise", Promise.resolve(reject()), toTwiml(reject())],
    ["a FaxResponse", commented, commented.toString()],
    ["{ twiml: verb }", { twiml: reject() }, toTwiml(reject())],
    ["{ twiml: FaxResponse, headers }", { twiml: new FaxResponse(reject()), headers: {} }, toTwiml(reject())],
    ["a plain object", { verb: "Receive", attributes: { action: "/x" } }, toTwiml(receive({ action: "/x" }))],
  ])("accepts %s from onFax", async (_, result, twiml) => {
    expect(await answer(result)).toMatchObject({ status: 200, body: twiml });
  });

  const foreign = { comment() {}, toString: () => "<Response/>" };
  it.each<[string, unknown, RegExp]>([
    ["undefined", undefined, /undefined\./],
    ["null", null, /null\./],
    ["an empty FaxResponse", new FaxResponse(), /a FaxResponse without a verb\./],
    ["a FaxResponse with only a comment", new FaxResponse().comment("no verb"), /a FaxResponse without a verb\./],
    ["{}", {}, /an object\./],
    ["{ headers }", { headers: { "set-cookie": "a=1" } }, /an object\./],
    ["{ twiml: empty FaxResponse }", { twiml: new FaxResponse() }, /a FaxResponse without a verb\./],
    ["{ twiml: undefined }", { twiml: undefined }, /an object\./],
    ["{ twiml: string }", { twiml: "<Response/>" }, /a string\./],
    ["a document", "<Response><Reject/></Response>", /a string\. Convert XML to a verb with parseTwiml\(xml\)/],
    ["true", true, /true\./],
    ["the function receive", receive, /a function\. Is a call missing\?/],
    ["another library's response", foreign, /parseTwiml\(String\(response\)\)/],
  ])("rejects with no-verb if onFax returns %s", async (_, result, message) => {
    const { handle, onRefused } = setUp({ onFax: () => result as never });
    await expect(handle(request())).rejects.toMatchObject({ name: "TwimlError", code: "no-verb" });
    await expect(handle(request())).rejects.toThrow(message);
    expect(onRefused).not.toHaveBeenCalled();
  });

  it.each<[string, unknown, object]>([
    ["an unknown verb", { verb: "Dial" }, { name: "TwimlError", code: "unknown-verb" }],
    ["a misspelled attribute", { verb: "Receive", attributes: { pagesize: "a4" } }, { code: "unknown-attribute" }],
    ["an unknown property", { twiml: reject(), header: {} }, { name: "TypeError" }],
    ["an empty property name", { twiml: reject(), "": 1 }, { name: "TypeError" }],
    ["storeMedia: false without maxMediaBytes", receive(LOST), { code: "pages-lost", attribute: "storeMedia" }],
    ["a FaxResponse with storeMedia: false", new FaxResponse(receive(LOST)), { code: "pages-lost", verb: "Receive" }],
  ])("rejects if onFax returns %s", async (_, result, error) => {
    await expect(answer(result)).rejects.toMatchObject(error);
  });

  it("accepts storeMedia: false from onFax with maxMediaBytes", async () => {
    expect((await answer(receive(LOST), DELIVERIES)).status).toBe(200);
  });
});

describe("handle: the result of onCallback", () => {
  it.each<[string, unknown]>([
    ["undefined", undefined],
    ["a number", 2],
    ["a verb", reject()],
    ["a FaxResponse", new FaxResponse().reject()],
    ["headers", { headers: { "x-a": "1" } }],
    ["another library's response", { toString: () => "<Response/>" }],
  ])("replies with <Response/> if onCallback returns %s", async (_, result) => {
    const reply = await setUp({ onCallback: async () => result }).handle(request({ params: CALLBACK }));
    expect(reply).toEqual({
      status: 200,
      headers: { "content-type": TWIML_CONTENT_TYPE, "cache-control": "no-store" },
      body: `${XML}<Response/>`,
    });
  });
});

describe("handle: the headers of onFax", () => {
  it("sends the headers of onFax in lower case, but keeps content-type and cache-control of a POST", async () => {
    const cookies = ["a=1", "b=2"];
    const absent = { "x-a": undefined, "x-b": null };
    const own = { "Content-Type": "text/html", "Cache-Control": "public" };
    const reply = await answer({
      twiml: reject(),
      headers: { "Set-Cookie": cookies, "X-Note": "1", ...absent, ...own },
    });
    expect(reply.headers).toEqual({
      "set-cookie": ["a=1", "b=2"],
      "x-note": "1",
      "content-type": TWIML_CONTENT_TYPE,
      "cache-control": "no-store",
    });
    expect(reply.headers["set-cookie"]).not.toBe(cookies);
  });

  it.each<[string, unknown, RegExp]>([
    ["a Headers object", new Headers({ a: "1" }), /^headers must be a plain object.* a Headers\.$/],
    ["a name with a space", { "a b": "1" }, /^headers: "a b" is not/],
    ["a name that ends in a line break", { "a\n": "1" }, /^headers: "a\\n" is not/],
    ["a Content-Length", { "Content-Length": "3" }, /^The server sets content-length/],
    ["a Transfer-Encoding", { "transfer-encoding": "chunked" }, /^The server sets transfer-encoding/],
    ["an invalid value in a list", { "x-a": ["a=1", "b=2\r\nX: 1"] }, /^The value of the header "x-a"/],
  ])("rejects with a TypeError if the headers of onFax are or have %s", async (_, headers, message) => {
    await expect(answer({ twiml: reject(), headers })).rejects.toThrow(TypeError);
    await expect(answer({ twiml: reject(), headers })).rejects.toThrow(message);
  });

  it.each(["t=1\r\n", "\r\nx: y", "a\0b", "\u0100", "\x7f"])(
    "rejects with a TypeError for the header value %j, which its message does not contain",
    async (value) => {
      const sending = answer({ twiml: reject(), headers: { "set-cookie": `secret${value}` } });
      await expect(sending).rejects.toThrow(/^The value of the header "set-cookie"(?!.*secret)/);
    },
  );

  it("sends no headers from Object.prototype", async () => {
    await polluted({ storeMedia: false, headers: { "x-evil": "1" }, "cache-control": "public" }, async () => {
      const reply = await answer({ twiml: receive({ action: "/fax" }) });
      expect([reply.status, Object.keys(reply.headers)]).toEqual([200, ["content-type", "cache-control"]]);
    });
  });
});

describe("handle: GET and HEAD", () => {
  it("replies to GET with an ETag of the document, and verifies the query", async () => {
    const { handle } = setUp();
    const sent = request({ method: "GET" });
    const reply = await handle(sent);
    expect(reply).toMatchObject({ status: 200, body: `${XML}<Response><Receive action="/fax"/></Response>` });
    expect(reply.headers).toEqual({
      "content-type": TWIML_CONTENT_TYPE,
      "cache-control": "private, no-cache",
      etag: expect.stringMatching(/^"[\w-]{43}"$/),
    });
    const other = await setUp({ onFax: () => reject() }).handle(sent);
    expect(other.headers["etag"]).not.toBe(reply.headers["etag"]);
    expect((await handle({ ...sent, url: sent.url.replace("FX1", "FX2") })).status).toBe(403);
  });

  it.each<[number, string, (etag: string) => string]>([
    [304, "the tag", (etag) => etag],
    [304, "the weak tag", (etag) => `W/${etag}`],
    [304, "a list with the tag", (etag) => `"a", W/"b" ,${etag}`],
    [304, "a list with a space before its comma", (etag) => `"a" , ${etag}`],
    [304, "a list with the weak tag and a trailing space", (etag) => `"a",W/${etag} `],
    [304, "*", () => "*"],
    [304, "* between spaces", () => " * "],
    [200, "another tag", () => '"a"'],
    [200, "an empty tag", () => '""'],
    [200, "a tag with a prefix", (etag) => `"x${etag}`],
    [200, "the tag without quotes", (etag) => etag.slice(1, -1)],
    [200, "a word before the weak tag", (etag) => `a W/${etag}`],
    [200, "two asterisks", () => "**"],
    [200, "an empty header", () => ""],
  ])("returns %d for If-None-Match with %s", async (status, _, format) => {
    const { handle } = setUp();
    for (const method of ["GET", "HEAD"]) {
      const etag = String((await handle(request({ method }))).headers["etag"]);
      const reply = await handle(request({ method, headers: { "If-None-Match": format(etag) } as never }));
      expect([reply.status, reply.headers["etag"]]).toEqual([status, etag]);
      if (status === 304) expect(reply.body).toBe("");
    }
  });

  it("keeps the headers of onFax in a 304, except for its ETag", async () => {
    const headers = { "set-cookie": "a=1", ETag: '"mine"', "Cache-Control": "private, max-age=60" };
    const { handle } = setUp({ onFax: () => ({ twiml: reject(), headers }) });
    const { etag } = (await handle(request({ method: "GET" }))).headers;
    const reply = await handle(request({ method: "GET", headers: { "if-none-match": String(etag) } }));
    expect(etag).not.toBe('"mine"');
    const kept = { "set-cookie": "a=1", "cache-control": "private, max-age=60", etag };
    expect(reply).toMatchObject({ status: 304, headers: kept });
  });

  it("replies to HEAD as to GET, but with an empty body and its Content-Length", async () => {
    const { handle } = setUp();
    const get = await handle(request({ method: "GET" }));
    const head = await handle(request({ method: "HEAD" }));
    const headers = { ...get.headers, "content-length": String(get.body.length) };
    expect(head).toEqual({ status: 200, headers, body: "" });
    expect(await handle(request({ method: "HEAD", token: "guessed" }))).toMatchObject({ status: 403, body: "" });
  });

  it("ignores If-None-Match on a POST", async () => {
    expect((await setUp().handle(request({ headers: { "if-none-match": "*" } }))).status).toBe(200);
  });
});

describe("handle: the default action", () => {
  const onFax = () => receive({ pageSize: "a4" });

  /** The document that the webhook returns for a new fax. */
  async function documentFor(sent: HandleRequest, options: Partial<FaxWebhookOptions> = {}): Promise<string> {
    const reply = await setUp({ onFax, ...options }).handle(sent);
    expect(reply.status).toBe(200);
    return reply.body;
  }
  const readAction = (twiml: string) => (parseTwiml(twiml) as Receive).attributes.action;

  it.each([
    ["/fax", "/fax"],
    ["/", "/"],
    ["/api/v1/in", "/api/v1/in"],
    ["/fax/", "/fax/"],
    ["/fax?tenant=a&line=2", "/fax?tenant=a&line=2"],
    ["/fax?a=%41+b&c&From=1", "/fax?a=%41+b&c"],
    ["/a%20b/%C3%A9?q='\"", "/a%20b/%C3%A9?q=%27%22"],
    ["//hooks//fax?a=1", "https://fax.example.com//hooks//fax?a=1"],
  ])("sends the callback of a new fax at %j to %j", async (path, action) => {
    expect(readAction(await documentFor(request({ path })))).toBe(action);
  });

  it.each([
    [`${ORIGIN}/prefix`, "/fax", `${ORIGIN}/prefix/fax`, "/prefix/fax"],
    [
      "https://user:secret@fax.example.com",
      "//a",
      "https://user:secret@fax.example.com//a",
      "https://fax.example.com//a",
    ],
    [`${ORIGIN}/in?a=1#rc=2`, "/internal", `${ORIGIN}/in#rc=2`, "/in"],
    [undefined, "/fax", "http://10.0.0.5:3000/fax", "/fax"],
  ])("uses the URL whose signature matched, with publicUrl %j", async (publicUrl, path, url, action) => {
    expect(readAction(await documentFor(request({ path, url }), { publicUrl }))).toBe(action);
  });

  it("keeps only the parameters of the user in the URL of a GET", async () => {
    const extra = { RemoteStationId: "1", ErrorCode: "11200", ErrorUrl: "https://fax.example.com/", tenant: "a b" };
    const sent = request({ method: "GET", params: { ...extra, ...INCOMING } });
    expect(readAction(await documentFor(sent))).toBe("/fax?tenant=a+b");
  });

  it.each<[string, unknown, string]>([
    ["a verb", receive({ pageSize: "a4" }), '<Receive action="/fax" pageSize="a4"/>'],
    ["a verb with an action", receive({ action: "/other" }), '<Receive action="/other"/>'],
    ["plain data", { verb: "Receive" }, '<Receive action="/fax"/>'],
    ["plain data whose action is null", { verb: "Receive", attributes: { action: null } }, '<Receive action="/fax"/>'],
    ["{ twiml }", { twiml: receive() }, '<Receive action="/fax"/>'],
    ["reject()", reject(), "<Reject/>"],
    [
      "a FaxResponse with comments",
      new FaxResponse().comment("a <Receive/> $& b").receive().comment("<Receive"),
      '<!-- a <Receive/> $& b --><Receive action="/fax"/><!-- <Receive -->',
    ],
  ])("adds the default action to %s", async (_, result, xml) => {
    expect(await documentFor(request(), { onFax: () => result as Verb })).toBe(`${XML}<Response>${xml}</Response>`);
  });

  it("adds no action without onCallback", async () => {
    expect(await documentFor(request(), { onCallback: undefined })).toBe(toTwiml(onFax()));
  });

  it("has the ETag of the document with the action", async () => {
    const { handle } = setUp({ onFax });
    const sent = request({ method: "GET" });
    const { headers, body } = await handle(sent);
    const other = await setUp({ onFax, onCallback: undefined }).handle(sent);
    expect(readAction(body)).toBe("/fax");
    expect(other.headers["etag"]).not.toBe(headers["etag"]);
    const again = await handle({ ...sent, headers: { ...sent.headers, "if-none-match": String(headers["etag"]) } });
    expect(again.status).toBe(304);
  });

  it.each([
    ["//evil.example/x", "/.//evil.example/x"],
    ["/\\evil.example/x", "/.//evil.example/x"],
    ["http://evil.example//x", "/.//x"],
    ['/fax?"/><Reject/>', "/fax?%22/%3E%3CReject/%3E"],
    ["/\ud800\u0001x", "/%EF%BF%BD%01x"],
    ["", "/"],
  ])("stays on this host for the unverified URL %j: %j", async (url, action) => {
    for (const publicUrl of [undefined, ORIGIN, () => "no URL"]) {
      for (const host of ["fax.example.com", "[", "evil.example:80"]) {
        const twiml = await documentFor(
          { ...request(), url, headers: { ...TYPE, host } },
          { authToken: false, publicUrl },
        );
        expect(readAction(twiml)).toBe(action);
      }
    }
  });
});
