/** What onFax and onCallback may answer, and what is sent: documents, headers, ETags, HEAD. */
import { describe, expect, it } from "vitest";
import { FaxResponse, receive, reject, toTwiml, TWIML_CONTENT_TYPE } from "../../src/index.js";
import { BODY, CALLBACK, DELIVERIES, XML, open, polluted, post, refusalOf, request, setUp } from "./support.js";

describe("handle: what onFax answers", () => {
  it.each<[string, () => unknown, string]>([
    ["a verb", () => reject(), toTwiml(reject())],
    ["a promise", async () => reject(), toTwiml(reject())],
    [
      "a FaxResponse",
      () => new FaxResponse().comment("hi").reject(),
      new FaxResponse().comment("hi").reject().toString(),
    ],
    ["{ twiml: verb }", () => ({ twiml: reject() }), toTwiml(reject())],
    ["{ twiml: FaxResponse, headers }", () => ({ twiml: new FaxResponse(reject()), headers: {} }), toTwiml(reject())],
    [
      "a verb as plain data",
      () => ({ verb: "Receive", attributes: { action: "/x" } }),
      toTwiml(receive({ action: "/x" })),
    ],
  ])("answers with %s", async (_, onFax, twiml) => {
    expect(await setUp({ onFax: onFax as never }).handle(request())).toMatchObject({ status: 200, body: twiml });
  });

  it.each<[string, unknown]>([
    ["undefined", undefined],
    ["null", null],
    ["an empty FaxResponse", new FaxResponse()],
    ["a FaxResponse with a comment alone", new FaxResponse().comment("no verb")],
    ["{}", {}],
    ["{ headers }", { headers: { "set-cookie": "a=1" } }],
    ["{ twiml: empty FaxResponse }", { twiml: new FaxResponse() }],
    ["{ twiml: undefined }", { twiml: undefined }],
  ])("rejects with TwimlError no-verb when onFax returns %s", async (_, answer) => {
    const { handle, onRefused } = setUp({ onFax: () => answer as never });
    await expect(handle(request())).rejects.toMatchObject({
      name: "TwimlError",
      code: "no-verb",
      message: expect.stringContaining("34106"),
    });
    expect(onRefused).not.toHaveBeenCalled();
  });

  it.each<[string, unknown]>([
    ["a document as text", "<Response><Reject/></Response>"],
    ["true", true],
    ["a verb that does not exist", { verb: "Dial" }],
    ["a verb with a wrong attribute", { verb: "Receive", attributes: { pagesize: "a4" } }],
    ["{ twiml: text }", { twiml: "<Response/>" }],
  ])("rejects with a TwimlError when onFax returns %s", async (_, answer) => {
    await expect(setUp({ onFax: () => answer as never }).handle(request())).rejects.toMatchObject({
      name: "TwimlError",
    });
  });

  it.each<[string, unknown, RegExp]>([
    [
      "a Headers object",
      { twiml: reject(), headers: new Headers({ a: "1" }) },
      /^headers must be a plain object.*a Headers/,
    ],
    ["a header whose name has a space", { twiml: reject(), headers: { "a b": "1" } }, /cannot be the name of a header/],
    ["receive, not called", receive, /not a function: is a call missing\?$/],
    [
      "a response of another library",
      { comment() {}, toString: () => "<Response/>" },
      /parseTwiml\(String\(response\)\)/,
    ],
    ["text", "<Response/>", /not "<Response\/>"\.$/],
  ])("says what is wrong with %s", async (_, answer, message) => {
    await expect(setUp({ onFax: (() => answer) as never }).handle(request())).rejects.toThrow(message);
  });

  it("rejects with pages-lost when onFax asks for pages that nobody would take", async () => {
    const onFax = () => receive({ action: "/fax", storeMedia: false });
    await expect(setUp({ onFax }).handle(request())).rejects.toMatchObject({ code: "pages-lost" });
    const asResponse = () => new FaxResponse(receive({ action: "/fax", storeMedia: false }));
    await expect(setUp({ onFax: asResponse }).handle(request())).rejects.toMatchObject({ code: "pages-lost" });
    expect((await setUp({ ...DELIVERIES, onFax }).handle(request())).status).toBe(200);
  });
});

describe("handle: what onCallback returns", () => {
  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["the length of a list", [1].push(2)],
    ["a verb", reject()],
    ["a response", new FaxResponse().reject()],
    ["headers", { headers: { "x-a": "1" } }],
    ["another library's object", { toString: () => "<Response/>" }],
  ])("is answered with <Response/> whatever onCallback returns: %s", async (_, answer) => {
    const reply = await setUp({ onCallback: async () => answer }).handle(request({ params: CALLBACK }));
    expect(reply).toEqual({
      status: 200,
      headers: { "content-type": TWIML_CONTENT_TYPE, "cache-control": "no-store" },
      body: `${XML}<Response/>`,
    });
  });
});

describe("handle: headers of an answer", () => {
  it("adds the headers of the answer in lower case, and does not let them replace its own", async () => {
    const headers = {
      "Set-Cookie": ["a=1", "b=2"],
      "X-Note": "1",
      "Content-Type": "text/html",
      "Cache-Control": "public",
    };
    const reply = await setUp({ onFax: () => ({ twiml: reject(), headers }) }).handle(request());
    expect(reply.headers).toEqual({
      "set-cookie": ["a=1", "b=2"],
      "x-note": "1",
      "content-type": TWIML_CONTENT_TYPE,
      "cache-control": "no-store",
    });
    expect(reply.headers["set-cookie"]).not.toBe(headers["Set-Cookie"]);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ["a line end", { "x-a": "b\nc" }, /^The header "x-a" holds/],
    ["a length of its own", { "Content-Length": "3" }, /^content-length is set by the server, not by the answer\.$/],
    [
      "a transfer coding",
      { "transfer-encoding": "chunked" },
      /^transfer-encoding is set by the server, not by the answer\.$/,
    ],
  ])("rejects when onFax answers with a header of %s", async (_, headers, message) => {
    const webhook = open({ onFax: () => ({ twiml: reject(), headers }) });
    await expect(webhook.handle(post(BODY))).rejects.toThrow(TypeError);
    await expect(webhook.handle(post(BODY))).rejects.toThrow(message);
  });

  it.each(["t=1\r\n", "\r\nx: y", "a\0b", "\u0100", "\x7f"])(
    "refuses the header value %j, and does not show it",
    async (value) => {
      const answer = () => ({ twiml: reject(), headers: { "set-cookie": `secret${value}` } });
      const error = await setUp({ onFax: answer })
        .handle(request())
        .catch((thrown: unknown) => thrown as Error);
      expect(error).toBeInstanceOf(TypeError);
      expect((error as Error).message).toMatch(/^The header "set-cookie" holds/);
      expect((error as Error).message).not.toContain("secret");
    },
  );

  it("changes nothing by polluting the prototype of answers", async () => {
    await polluted({ storeMedia: false, headers: { "x-evil": "1" }, "cache-control": "public" }, async () => {
      const { handle } = setUp({ onFax: () => ({ twiml: receive({ action: "/fax" }) }) });
      const reply = await handle(request());
      expect([reply.status, Object.keys(reply.headers)]).toEqual([200, ["content-type", "cache-control"]]);
    });
  });
});

describe("handle: GET and HEAD", () => {
  it("answers GET with an ETag of the document, and verifies the query", async () => {
    const webhook = setUp();
    const { handle } = webhook;
    const reply = await handle(request({ method: "GET" }));
    expect(reply).toMatchObject({ status: 200, body: `${XML}<Response><Receive action="/fax"/></Response>` });
    expect(reply.headers).toEqual({
      "content-type": TWIML_CONTENT_TYPE,
      "cache-control": "private, no-cache",
      etag: expect.stringMatching(/^"[\w-]{43}"$/),
    });
    const other = await setUp({ onFax: () => reject() }).handle(request({ method: "GET" }));
    expect(other.headers["etag"]).not.toBe(reply.headers["etag"]);
    const changed = request({ method: "GET" });
    expect(await refusalOf(webhook, { ...changed, url: changed.url.replace("FX1", "FX2") })).toEqual([
      403,
      "forbidden",
      "signature-mismatch",
    ]);
  });

  it.each<[string, (etag: string) => string, number]>([
    ["the tag", (etag) => etag, 304],
    ["the weak tag", (etag) => `W/${etag}`, 304],
    ["a list with the tag", (etag) => `"a", W/"b" ,${etag}`, 304],
    ["a list with spaces before its comma", (etag) => `"a" , ${etag}`, 304],
    ["a list with the weak tag and a space at its end", (etag) => `"a",W/${etag} `, 304],
    ["*", () => "*", 304],
    ["* between spaces", () => " * ", 304],
    ["another tag", () => '"a"', 200],
    ["an empty tag", () => '""', 200],
    ["a tag that ends like ours", (etag) => `"x${etag}`, 200],
    ["the tag without quotes", (etag) => etag.slice(1, -1), 200],
    ["a word before the weak tag", (etag) => `a W/${etag}`, 200],
    ["two asterisks", () => "**", 200],
    ["nothing", () => "", 200],
  ])("compares If-None-Match with %s", async (_, header, status) => {
    const { handle } = setUp();
    for (const method of ["GET", "HEAD"]) {
      const etag = String((await handle(request({ method }))).headers["etag"]);
      const reply = await handle(request({ method, headers: { "If-None-Match": header(etag) } as never }));
      expect(reply.status).toBe(status);
      expect(reply.headers["etag"]).toBe(etag);
      if (status === 304) expect(reply.body).toBe("");
    }
  });

  it("keeps the headers of the answer on 304, and its own etag", async () => {
    const { handle } = setUp({
      onFax: () => ({
        twiml: reject(),
        headers: { "set-cookie": "a=1", ETag: '"mine"', "Cache-Control": "private, max-age=60" },
      }),
    });
    const { etag } = (await handle(request({ method: "GET" }))).headers;
    const reply = await handle(request({ method: "GET", headers: { "if-none-match": String(etag) } }));
    expect(etag).not.toBe('"mine"');
    expect(reply).toMatchObject({
      status: 304,
      headers: { "set-cookie": "a=1", "cache-control": "private, max-age=60", etag },
    });
  });

  it("answers HEAD as GET without the body", async () => {
    const { handle } = setUp();
    const get = await handle(request({ method: "GET" }));
    const head = await handle(request({ method: "HEAD" }));
    expect(head).toEqual({
      status: 200,
      headers: { ...get.headers, "content-length": String(get.body.length) },
      body: "",
    });
    expect(await handle(request({ method: "HEAD", token: "guessed" }))).toMatchObject({ status: 403, body: "" });
  });

  it("ignores If-None-Match on a POST", async () => {
    expect((await setUp().handle(request({ headers: { "if-none-match": "*" } }))).status).toBe(200);
  });
});

describe("what an answer may hold", () => {
  const answer = (parts: object) => setUp({ onFax: () => parts as never }).handle(request());

  it("is twiml and headers, and nothing else", async () => {
    await expect(answer({ twiml: reject(), header: {} })).rejects.toThrow(
      new TypeError('An answer has "twiml" and "headers", not "header".'),
    );
    await expect(answer({ headers: {} })).rejects.toThrow("onFax must return receive() or reject()");
  });

  it("leaves out headers that are undefined or null", async () => {
    const { headers } = await answer({ twiml: reject(), headers: { "x-a": undefined, "x-b": null, "x-c": "1" } });
    expect(headers).toMatchObject({ "x-c": "1" });
    expect(Object.keys(headers).filter((name) => name.startsWith("x-"))).toEqual(["x-c"]);
  });

  it("refuses a list of which one value cannot be sent, without showing it", async () => {
    const sending = answer({ twiml: reject(), headers: { "set-cookie": ["a=1", "b=secret\r\nX: 1"] } });
    await expect(sending).rejects.toThrow(/^The header "set-cookie" holds a line end/);
    await expect(sending).rejects.not.toThrow("secret");
  });

  it("asks for maxMediaBytes where pages would be refused", async () => {
    const lost = { action: "/x", storeMedia: false } as const;
    await expect(answer(receive(lost))).rejects.toMatchObject({
      ...{ code: "pages-lost", verb: "Receive", attribute: "storeMedia" },
      message: expect.stringContaining("set maxMediaBytes to take the pages that storeMedia: false brings"),
    });
  });
});
