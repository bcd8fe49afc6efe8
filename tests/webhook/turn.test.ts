import { describe, expect, it, vi } from "vitest";
import { FaxResponse, type FaxRequestError, receive, reject, toTwiml, TWIML_CONTENT_TYPE } from "../../src/index.js";
import {
  faxWebhook,
  type FaxWebhookOptions,
  type HandleRequest,
  type Refusal,
  signRequest,
  type WebhookReply,
  type WebhookRequest,
} from "../../src/webhook/index.js";

const TOKEN = "12345";
const ORIGIN = "https://fax.example.com";
const FORM = "application/x-www-form-urlencoded";
const XML = '<?xml version="1.0" encoding="UTF-8"?>';
const INCOMING = { FaxSid: "FX1", AccountSid: "AC1", From: "+15017122661", To: "+15558675310", ApiVersion: "v1" };
const CALLBACK = { ...INCOMING, FaxStatus: "received", NumPages: "2", MediaUrl: "https://files.example.com/1.pdf" };

/** A webhook whose functions are watched; `onFax` receives. */
function setUp(options: Partial<FaxWebhookOptions> = {}) {
  const refusals: Refusal[] = [];
  const onFax = vi.fn(options.onFax ?? (() => receive({ action: "/fax" })));
  const onCallback = vi.fn(options.onCallback ?? (() => undefined));
  const onRefused = vi.fn((refusal: Refusal, _request: WebhookRequest) => void refusals.push(refusal));
  const webhook = faxWebhook({ authToken: TOKEN, publicUrl: ORIGIN, onCallback, onRefused, ...options, onFax });
  return { ...webhook, onFax, onCallback, onRefused, refusals };
}

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly url?: string;
  readonly token?: string;
  readonly params?: Record<string, string>;
  readonly header?: string;
  readonly headers?: HandleRequest["headers"];
  readonly body?: unknown;
}

/** A request as a provider sends it to `ORIGIN`, signed; what is given replaces a part of it. */
function request({
  method = "POST",
  path = "/fax",
  url,
  token = TOKEN,
  params = INCOMING,
  header = "x-twilio-signature",
  headers,
  body,
}: Sent = {}): HandleRequest {
  const form = new URLSearchParams(params);
  const target = method === "POST" ? path : `${path}?${form}`;
  const signature = signRequest({
    authToken: token,
    url: url ?? ORIGIN + target,
    params: method === "POST" ? form : undefined,
  });
  const type = method === "POST" ? { "content-type": FORM } : {};
  return {
    method,
    url: target,
    headers: { host: "10.0.0.5:3000", ...type, [header]: signature, ...headers },
    ...(method === "POST" && { body: body ?? form.toString() }),
  };
}

async function* stream(...chunks: unknown[]): AsyncGenerator<any> {
  yield* chunks;
}

const bytes = (text: string) => new TextEncoder().encode(text);
const plain = (reply: WebhookReply) => [reply.status, reply.body];

describe("faxWebhook: options that cannot work throw a TypeError", () => {
  const onFax = () => receive();
  it.each<[string, unknown, RegExp]>([
    ["authToken: undefined", { onFax }, /authToken/],
    ["authToken: null", { onFax, authToken: null }, /authToken/],
    ['authToken: ""', { onFax, authToken: "" }, /environment variable/],
    ['authToken: " "', { onFax, authToken: " " }, /authToken/],
    ["authToken: []", { onFax, authToken: [] }, /authToken/],
    ['authToken: ["a", ""]', { onFax, authToken: ["a", ""] }, /authToken/],
    ["authToken: [undefined]", { onFax, authToken: [undefined] }, /authToken/],
    ["authToken: true", { onFax, authToken: true }, /authToken/],
    ["authToken: 12345", { onFax, authToken: 12345 }, /authToken/],
    ["no onFax", { authToken: TOKEN }, /onFax must be a function/],
    ["onFax: a verb", { authToken: TOKEN, onFax: receive() }, /onFax must be a function/],
    ["onCallback: null", { authToken: TOKEN, onFax, onCallback: null }, /onCallback/],
    ["onRefused: text", { authToken: TOKEN, onFax, onRefused: "log" }, /onRefused/],
    ["maxFormBytes: 0", { authToken: TOKEN, onFax, maxFormBytes: 0 }, /maxFormBytes/],
    ["maxFormBytes: NaN", { authToken: TOKEN, onFax, maxFormBytes: NaN }, /maxFormBytes/],
    ['maxMediaBytes: "10"', { authToken: TOKEN, onFax, maxMediaBytes: "10" }, /maxMediaBytes/],
    ["maxMediaBytes: Infinity", { authToken: TOKEN, onFax, maxMediaBytes: Infinity }, /maxMediaBytes/],
    ['publicUrl: ""', { authToken: TOKEN, onFax, publicUrl: "" }, /publicUrl/],
    ['publicUrl: "fax.example.com"', { authToken: TOKEN, onFax, publicUrl: "fax.example.com" }, /publicUrl/],
    ['publicUrl: "ftp://…"', { authToken: TOKEN, onFax, publicUrl: "ftp://fax.example.com" }, /publicUrl/],
    ["publicUrl with a query", { authToken: TOKEN, onFax, publicUrl: `${ORIGIN}?a=1` }, /publicUrl/],
    ["publicUrl: null", { authToken: TOKEN, onFax, publicUrl: null }, /publicUrl/],
  ])("%s", (_, options, message) => {
    expect(() => faxWebhook(options as FaxWebhookOptions)).toThrow(TypeError);
    expect(() => faxWebhook(options as FaxWebhookOptions)).toThrow(message);
  });

  it("never shows a token or a password in the message", () => {
    expect(() => faxWebhook({ authToken: ["top-secret", ""], onFax })).toThrow(
      expect.not.stringContaining("top-secret"),
    );
    expect(() => faxWebhook({ authToken: TOKEN, onFax, publicUrl: "ftp://u:hunter2@example.com" })).toThrow(
      /^(?!.*hunter2)/s,
    );
  });
});

describe("handle: an incoming fax", () => {
  it("calls onFax with the parameters and the request, and answers TwiML", async () => {
    const { handle, onFax, onCallback, onRefused } = setUp();
    const reply = await handle(request({ params: { ...INCOMING, New: "x" } }));
    expect(reply).toEqual({
      status: 200,
      headers: { "content-type": TWIML_CONTENT_TYPE, "cache-control": "no-store" },
      body: `${XML}<Response><Receive action="/fax"/></Response>`,
    });
    expect(onFax.mock.calls).toMatchObject([
      [
        { faxSid: "FX1", from: "+15017122661", params: { New: "x" } },
        { method: "POST", url: "/fax" },
      ],
    ]);
    expect([onCallback.mock.calls, onRefused.mock.calls]).toEqual([[], []]);
  });

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

  it("rejects with the very error that onFax throws, and so for a rejected promise", async () => {
    const error = new Error("no database");
    const thrown = setUp({
      onFax: () => {
        throw error;
      },
    });
    await expect(thrown.handle(request())).rejects.toBe(error);
    await expect(setUp({ onFax: () => Promise.reject(error) }).handle(request())).rejects.toBe(error);
    expect(thrown.refusals).toEqual([]);
  });

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
});

describe("handle: a callback", () => {
  it("goes to onCallback at the same URL, and is answered with <Response/>", async () => {
    const { handle, onFax, onCallback } = setUp();
    expect(await handle(request({ params: CALLBACK }))).toMatchObject({ status: 200, body: `${XML}<Response/>` });
    expect(onFax).not.toHaveBeenCalled();
    expect(onCallback.mock.calls).toMatchObject([
      [{ faxStatus: "received", numPages: 2, mediaUrl: CALLBACK.MediaUrl }, { url: "/fax" }],
    ]);
  });

  it("is answered without an onCallback, and its parameters are checked all the same", async () => {
    const { handle, onFax } = setUp({ onCallback: undefined });
    expect(await handle(request({ params: CALLBACK }))).toMatchObject({ status: 200, body: `${XML}<Response/>` });
    expect(plain(await handle(request({ params: { ...CALLBACK, NumPages: "two" } })))).toEqual([
      400,
      "invalid-parameters",
    ]);
    expect(onFax).not.toHaveBeenCalled();
  });

  it.each(["queued", "failed", "something-new"])("is known by FaxStatus=%s", async (FaxStatus) => {
    const { handle, onCallback } = setUp();
    await handle(request({ params: { ...INCOMING, FaxStatus } }));
    expect(onCallback).toHaveBeenCalledOnce();
  });

  it("is known by an empty FaxStatus too, which is an issue and no new fax", async () => {
    const { handle, onFax, onCallback } = setUp();
    expect(plain(await handle(request({ params: { ...INCOMING, FaxStatus: "" } })))).toEqual([
      400,
      "invalid-parameters",
    ]);
    expect([onFax.mock.calls, onCallback.mock.calls]).toEqual([[], []]);
  });

  it.each<[string, unknown, string, object]>([
    ["nothing", undefined, "<Response/>", {}],
    ["null", null, "<Response/>", {}],
    ["an empty FaxResponse", new FaxResponse(), "<Response/>", {}],
    ["a comment", new FaxResponse().comment("ok"), "<Response><!-- ok --></Response>", {}],
    ["headers", { headers: { "Set-Cookie": "a=; Max-Age=0" } }, "<Response/>", { "set-cookie": "a=; Max-Age=0" }],
    ["a verb", reject(), "<Response><Reject/></Response>", {}],
    [
      "{ twiml, headers }",
      { twiml: reject(), headers: { "X-A": "1" } },
      "<Response><Reject/></Response>",
      { "x-a": "1" },
    ],
  ])("may answer %s", async (_, answer, document, headers) => {
    const reply = await setUp({ onCallback: async () => answer as never }).handle(request({ params: CALLBACK }));
    expect([reply.status, reply.body]).toEqual([200, XML + document]);
    expect(reply.headers).toEqual({ "content-type": TWIML_CONTENT_TYPE, "cache-control": "no-store", ...headers });
  });

  it("rejects with what onCallback throws", async () => {
    const error = new Error("disk full");
    await expect(setUp({ onCallback: () => Promise.reject(error) }).handle(request({ params: CALLBACK }))).rejects.toBe(
      error,
    );
  });
});

describe("handle: GET and HEAD", () => {
  it("answers GET with an ETag of the document, and verifies the query", async () => {
    const { handle } = setUp();
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
    expect(plain(await handle({ ...changed, url: changed.url.replace("FX1", "FX2") }))).toEqual([
      403,
      "signature-mismatch",
    ]);
  });

  it.each<[string, (etag: string) => string, number]>([
    ["the tag", (etag) => etag, 304],
    ["the weak tag", (etag) => `W/${etag}`, 304],
    ["a list", (etag) => `"a", W/"b" ,${etag}`, 304],
    ["*", () => "*", 304],
    ["another tag", () => '"a"', 200],
    ["the tag without quotes", (etag) => etag.slice(1, -1), 200],
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

  it("takes a callback by GET", async () => {
    const { handle, onCallback } = setUp();
    expect((await handle(request({ method: "GET", params: CALLBACK }))).status).toBe(200);
    expect(onCallback).toHaveBeenCalledOnce();
  });

  it("decides on the body of a POST, not on its query", async () => {
    const { handle, onFax, onCallback } = setUp();
    const path = "/fax?FaxStatus=received&From=evil";
    expect((await handle(request({ path }))).status).toBe(200);
    expect(onCallback).not.toHaveBeenCalled();
    expect(onFax.mock.calls[0]?.[0]?.from).toBe(INCOMING.From);
  });

  it("takes the method in any case", async () => {
    const { handle, onFax } = setUp();
    expect((await handle({ ...request(), method: "post" })).status).toBe(200);
    expect(onFax.mock.calls[0]?.[1]?.method).toBe("POST");
  });
});

describe("handle: refusals", () => {
  const deliver = (type: string, body: unknown): HandleRequest => ({
    ...request(),
    headers: { ...request().headers, "content-type": type },
    body,
  });
  const { headers } = request();
  const without = (name: string) => Object.fromEntries(Object.entries(headers).filter(([each]) => each !== name));
  const table: [string, HandleRequest, number, Refusal["reason"]][] = [
    ...["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", ""].map(
      (method): [string, HandleRequest, number, Refusal["reason"]] => [
        `method "${method}"`,
        { ...request(), method },
        405,
        "method-not-allowed",
      ],
    ),
    ["no signature", { ...request(), headers: without("x-twilio-signature") }, 403, "missing-signature"],
    ["an empty signature", request({ headers: { "x-twilio-signature": "" } }), 403, "missing-signature"],
    ["another token", request({ token: "guessed" }), 403, "signature-mismatch"],
    [
      "a signature twice",
      request({
        headers: {
          "x-twilio-signature": ["AAAAAAAAAAAAAAAAAAAAAAAAAAA=", String(headers["x-twilio-signature" as never])],
        },
      }),
      403,
      "signature-mismatch",
    ],
    ["another path", { ...request(), url: "/fix" }, 403, "signature-mismatch"],
    [
      "another body",
      request({ body: new URLSearchParams({ ...INCOMING, From: "+1900" }).toString() }),
      403,
      "signature-mismatch",
    ],
    ["an added parameter", request({ body: `${new URLSearchParams(INCOMING)}&x=1` }), 403, "signature-mismatch"],
    [
      "a dropped parameter",
      request({ body: `${new URLSearchParams(INCOMING)}`.replace(/&ApiVersion=v1/, "") }),
      403,
      "signature-mismatch",
    ],
    ["a nested parameter", request({ body: { ...INCOMING, a: { b: "1" } } }), 403, "signature-mismatch"],
    ["no body", { ...request(), body: undefined }, 400, "missing-body"],
    ["body: null", { ...request(), body: null }, 400, "missing-body"],
    ["an empty body", request({ body: "" }), 400, "missing-body"],
    ["an empty buffer", request({ body: new Uint8Array() }), 400, "missing-body"],
    ["an empty stream", request({ body: stream() }), 400, "missing-body"],
    ["an empty object", request({ body: {} }), 400, "missing-body"],
    ["separators alone", request({ body: "&&" }), 400, "missing-body"],
    ["a number as body", request({ body: 5 }), 400, "missing-body"],
    ["malformed multipart", deliver("multipart/form-data; boundary=x", bytes("--y\r\n")), 400, "unreadable-body"],
    ["multipart without a boundary", deliver("multipart/form-data", bytes("--x--")), 400, "unreadable-body"],
    [
      "multipart cut short",
      deliver("multipart/form-data; boundary=x", bytes('--x\r\ncontent-disposition: form-data; name="a"\r\n\r\nb')),
      400,
      "unreadable-body",
    ],
    ["a missing parameter", request({ params: { FaxSid: "FX1" } }), 400, "invalid-parameters"],
    ["a SID that is a path", request({ params: { ...INCOMING, FaxSid: "../x" } }), 400, "invalid-parameters"],
    ["a form over the limit, as text", request({ params: { ...INCOMING, x: "x".repeat(65_536) } }), 413, "too-large"],
    ["a form over the limit, as bytes", request({ body: new Uint8Array(65_537) }), 413, "too-large"],
    [
      "a form over the limit, as a stream",
      request({ body: stream(new Uint8Array(65_536), new Uint8Array(1)) }),
      413,
      "too-large",
    ],
    [
      "a stream announced over the limit",
      request({ headers: { "content-length": "65537" }, body: stream(bytes("a=b")) }),
      413,
      "too-large",
    ],
    ["json", deliver("application/json", "{}"), 415, "unsupported-media-type"],
    ["text/plain", deliver("text/plain", "a=b"), 415, "unsupported-media-type"],
    ["a type that begins like ours", deliver(`${FORM}x`, "a=b"), 415, "unsupported-media-type"],
    ["no content type", { ...request(), headers: without("content-type") }, 415, "unsupported-media-type"],
    [
      "a compressed stream",
      request({ headers: { "content-encoding": "gzip" }, body: stream(bytes("a=b")) }),
      415,
      "unsupported-media-type",
    ],
    [
      "compressed bytes",
      request({ headers: { "content-encoding": "br" }, body: bytes("a=b") }),
      415,
      "unsupported-media-type",
    ],
  ];

  it.each(table)("%s: %#", async (_, sent, status, reason) => {
    const { handle, onFax, onCallback, onRefused } = setUp();
    const reply = await handle(sent);
    const allow = status === 405 ? { allow: "GET, HEAD, POST" } : {};
    expect(reply).toEqual({
      status,
      headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store", ...allow },
      body: reason,
    });
    expect(onRefused).toHaveBeenCalledOnce();
    const [refusal, seen] = onRefused.mock.calls[0]!;
    expect(refusal).toMatchObject({ status, reason, message: expect.stringMatching(/^.{20,}\.$/) });
    expect(seen.url).toBe(sent.url);
    expect(JSON.stringify(refusal)).not.toContain(TOKEN);
    expect("urls" in refusal).toBe(reason === "signature-mismatch");
    expect("error" in refusal).toBe(reason === "invalid-parameters" || reason === "unreadable-body");
    expect([onFax.mock.calls, onCallback.mock.calls]).toEqual([[], []]);
  });

  it("answers alike without onRefused, and rejects with what it throws", async () => {
    expect(plain(await setUp({ onRefused: undefined }).handle(request({ token: "guessed" })))).toEqual([
      403,
      "signature-mismatch",
    ]);
    const error = new Error("no log");
    await expect(setUp({ onRefused: () => Promise.reject(error) }).handle(request({ token: "guessed" }))).rejects.toBe(
      error,
    );
  });

  it("tells every issue of the parameters to onRefused alone", async () => {
    const { handle, refusals } = setUp();
    const reply = await handle(request({ params: { faxsid: "FX1", AccountSid: "../", From: "", To: "" } }));
    expect(reply.body).toBe("invalid-parameters");
    const { name, issues } = refusals[0]?.error as FaxRequestError;
    expect(name).toBe("FaxRequestError");
    expect(issues.map(({ parameter, code }) => `${parameter} ${code}`)).toEqual([
      "FaxSid missing",
      "AccountSid invalid",
      "To empty",
      "ApiVersion missing",
    ]);
  });

  it("takes a body that is exactly at the limit", async () => {
    const size = new URLSearchParams({ ...INCOMING, x: "" }).toString().length;
    const params = { ...INCOMING, x: "x".repeat(1000 - size) };
    expect((await setUp({ maxFormBytes: 1000 }).handle(request({ params }))).status).toBe(200);
    expect((await setUp({ maxFormBytes: 999 }).handle(request({ params }))).status).toBe(413);
  });

  it("says unreadable-body, with the cause, when the stream fails", async () => {
    const { handle, refusals } = setUp();
    const error = new Error("aborted");
    async function* broken() {
      yield bytes("FaxSid=");
      throw error;
    }
    expect(plain(await handle(request({ body: broken() })))).toEqual([400, "unreadable-body"]);
    expect(refusals[0]?.error).toBe(error);
  });

  it("reads no further than the limit, and nothing of an unsigned or unsupported body", async () => {
    let read = 0;
    async function* endless() {
      for (;;) {
        read++;
        yield new Uint8Array(1000);
      }
    }
    const { handle } = setUp({ maxFormBytes: 10_000 });
    expect((await handle(request({ body: endless() }))).status).toBe(413);
    expect(read).toBe(11);
    read = 0;
    await handle({ ...request({ body: endless() }), headers: without("x-twilio-signature") });
    await handle(request({ body: endless(), headers: { "content-type": "text/plain" } }));
    await handle(request({ body: endless(), headers: { "content-encoding": "gzip" } }));
    await handle(request({ body: endless(), headers: { "content-length": "10001" } }));
    expect(read).toBe(0);
  });
});

describe("handle: the URL that is verified", () => {
  it.each<[string, string, string, string]>([
    // publicUrl, request.url, what the provider signed
    ["an origin", ORIGIN, "/fax", `${ORIGIN}/fax`],
    ["an origin with a slash", `${ORIGIN}/`, "/fax", `${ORIGIN}/fax`],
    ["a prefix", `${ORIGIN}/hooks`, "/fax", `${ORIGIN}/hooks/fax`],
    ["a prefix with slashes", `${ORIGIN}/hooks//`, "/fax", `${ORIGIN}/hooks/fax`],
    ["a port", `${ORIGIN}:8443`, "/fax", `${ORIGIN}:8443/fax`],
    ["a default port that is signed", ORIGIN, "/fax", `${ORIGIN}:443/fax`],
    ["a default port that is not signed", `${ORIGIN}:443`, "/fax", `${ORIGIN}/fax`],
    ["credentials", "https://user:secret@fax.example.com", "/fax", "https://user:secret@fax.example.com/fax"],
    ["credentials that are not signed", "https://user:secret@fax.example.com", "/fax", `${ORIGIN}/fax`],
    ["a fragment", `${ORIGIN}#rc=2&ot=100`, "/fax", `${ORIGIN}/fax#rc=2&ot=100`],
    ["a fragment that is not signed", `${ORIGIN}#rc=2`, "/fax", `${ORIGIN}/fax`],
    ["a prefix and a fragment", `${ORIGIN}/hooks/#rc=2`, "/fax", `${ORIGIN}/hooks/fax#rc=2`],
    ["a query", ORIGIN, "/fax?a=b%20c", `${ORIGIN}/fax?a=b+c`],
    ["an absolute request URL", `${ORIGIN}/hooks`, "http://10.0.0.5/fax?a=1", `${ORIGIN}/hooks/fax?a=1`],
    ["http", "http://fax.example.com", "/fax", "http://fax.example.com/fax"],
  ])("publicUrl with %s", async (_, publicUrl, path, url) => {
    expect((await setUp({ publicUrl }).handle({ ...request({ path, url }), url: path })).status).toBe(200);
    expect((await setUp({ publicUrl: () => publicUrl }).handle({ ...request({ path, url }), url: path })).status).toBe(
      200,
    );
  });

  it("publicUrl as a function gets the request; what it throws is yours", async () => {
    const publicUrl = vi.fn(({ headers }: WebhookRequest) => `https://${headers["x-original-host"]}`);
    const sent = request({ headers: { "X-Original-Host": "fax.example.com" } as never });
    expect((await setUp({ publicUrl }).handle(sent)).status).toBe(200);
    expect(publicUrl.mock.calls).toMatchObject([[{ method: "POST", url: "/fax" }]]);
    const error = new Error("no host");
    await expect(
      setUp({
        publicUrl: () => {
          throw error;
        },
      }).handle(request()),
    ).rejects.toBe(error);
  });

  it.each(["https", "http"])("without publicUrl, the Host header with %s", async (scheme) => {
    const sent = request({ url: `${scheme}://10.0.0.5:3000/fax` });
    expect((await setUp({ publicUrl: undefined }).handle(sent)).status).toBe(200);
  });

  it("without publicUrl, the host of an absolute URL rather than the header, and :authority of HTTP/2", async () => {
    const { handle } = setUp({ publicUrl: undefined });
    expect((await handle({ ...request(), url: `${ORIGIN}/fax` })).status).toBe(200);
    expect((await handle({ ...request(), url: "http://fax.example.com/fax" })).status).toBe(200);
    const { host: _, ...headers } = request().headers as Record<string, string>;
    expect((await handle({ ...request(), headers: { ...headers, ":authority": "fax.example.com" } })).status).toBe(200);
  });

  it("with publicUrl, the Host header changes nothing", async () => {
    const sent = request({ url: "https://other.example.com/fax", headers: { host: "other.example.com" } });
    expect(plain(await setUp().handle(sent))).toEqual([403, "signature-mismatch"]);
  });

  it.each([
    "fax.example.com/other?x=", // would move the path into the query
    "fax.example.com/fax#",
    "user@fax.example.com",
    "fax.example.com?",
    "fax.example.com\\",
    "fax.example.com fax",
    "fax.example.com, other.example.com",
    "",
  ])("a Host header that is no host is tried with no URL: %j", async (host) => {
    const { handle, refusals } = setUp({ publicUrl: undefined });
    for (const url of [`https://${host}/fax`, `http://${host}/fax`, `${ORIGIN}/fax`, `${ORIGIN}/other?x=/fax`]) {
      expect(plain(await handle(request({ url, headers: { host } })))).toEqual([403, "signature-mismatch"]);
    }
    expect(refusals[0]?.urls).toEqual([]);
  });

  it("a missing Host header is a mismatch that tried no URL", async () => {
    const { handle, refusals } = setUp({ publicUrl: undefined });
    const { host: _, ...headers } = request().headers as Record<string, string>;
    expect((await handle({ ...request(), headers })).status).toBe(403);
    expect(refusals[0]?.urls).toEqual([]);
  });

  it("X-Forwarded-* and Forwarded are not believed", async () => {
    const headers = {
      "x-forwarded-host": "fax.example.com",
      "x-forwarded-proto": "https",
      "x-forwarded-prefix": "/",
      "x-original-url": "/fax",
      forwarded: "host=fax.example.com;proto=https",
    };
    expect(plain(await setUp({ publicUrl: undefined }).handle(request({ headers })))).toEqual([
      403,
      "signature-mismatch",
    ]);
  });

  it("onRefused is told every URL that was tried, once each, without passwords", async () => {
    const { handle, refusals } = setUp({ publicUrl: "https://user:hunter2@fax.example.com/hooks#rc=2" });
    await handle(request({ path: "/fax?q=it's%20it", token: "guessed" }));
    const urls = refusals[0]?.urls ?? [];
    expect(urls[0]).toBe("https://***@fax.example.com/hooks/fax?q=it's%20it#rc=2");
    expect(urls).toContain("https://fax.example.com:443/hooks/fax?q=it%27s+it");
    expect(new Set(urls).size).toBe(urls.length);
    expect(JSON.stringify(refusals)).not.toContain("hunter2");
    const plainHost = setUp({ publicUrl: undefined });
    await plainHost.handle(request({ token: "guessed" }));
    expect(plainHost.refusals[0]?.urls).toEqual([
      "https://10.0.0.5:3000/fax",
      "https://10.0.0.5/fax",
      "http://10.0.0.5:3000/fax",
    ]);
  });
});

describe("handle: tokens", () => {
  it.each(["x-twilio-signature", "x-signalwire-signature", "X-Twilio-Signature", "X-SIGNALWIRE-SIGNATURE"])(
    "reads %s",
    async (header) => {
      expect((await setUp().handle(request({ header }))).status).toBe(200);
    },
  );

  it("takes either header when the other is wrong", async () => {
    const wrong = { "x-signalwire-signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" };
    expect((await setUp().handle(request({ headers: wrong }))).status).toBe(200);
  });

  it("takes any of several tokens", async () => {
    const { handle } = setUp({ authToken: ["next", TOKEN] });
    expect((await handle(request())).status).toBe(200);
    expect((await handle(request({ token: "next" }))).status).toBe(200);
    expect((await handle(request({ token: "last" }))).status).toBe(403);
  });

  it.each<[string, FaxWebhookOptions["authToken"]]>([
    ["text", (sid) => (sid === "AC1" ? TOKEN : undefined)],
    ["several", () => ["next", TOKEN]],
    ["a promise", async (sid) => (sid === "AC1" ? TOKEN : null)],
  ])("asks a function for the token of the AccountSid: %s", async (_, authToken) => {
    const { handle } = setUp({ authToken });
    for (const method of ["POST", "GET"]) expect((await handle(request({ method }))).status).toBe(200);
    expect(plain(await handle(request({ token: "guessed" })))).toEqual([403, "signature-mismatch"]);
  });

  it.each<[string, unknown]>([
    ["undefined", undefined],
    ["null", null],
    ["empty text", ""],
    ["an empty list", []],
    ["a promise of undefined", Promise.resolve(undefined)],
  ])("refuses with no-token when the function returns %s", async (_, found) => {
    const { handle, onFax } = setUp({ authToken: () => found as never });
    expect(plain(await handle(request()))).toEqual([403, "no-token"]);
    expect(onFax).not.toHaveBeenCalled();
  });

  it.each<[string, unknown]>([
    ["a list with an empty token", [TOKEN, ""]],
    ["white space", " "],
    ["true", true],
    ["false", false],
    ["a number", 12345],
    ["an object", {}],
  ])("lets nothing in when the function returns %s", async (_, found) => {
    const { handle, onFax } = setUp({ authToken: (() => found) as never });
    const outcome = await handle(request({ token: TOKEN })).then(
      (reply) => reply.status,
      (error: unknown) => error,
    );
    if (typeof outcome === "number") expect(outcome).toBe(403);
    else expect(outcome).toBeInstanceOf(TypeError);
    expect(onFax).not.toHaveBeenCalled();
  });

  it.each(["../../etc", "", "x".repeat(65), "AC1\n"])("does not ask the function for %j", async (AccountSid) => {
    const authToken = vi.fn(() => TOKEN);
    expect(plain(await setUp({ authToken }).handle(request({ params: { ...INCOMING, AccountSid } })))).toEqual([
      403,
      "no-token",
    ]);
    expect(authToken).not.toHaveBeenCalled();
  });

  it("asks with the first of two AccountSids, which then cost the request", async () => {
    const authToken = vi.fn(() => TOKEN);
    const body = `${new URLSearchParams(INCOMING)}&AccountSid=AC2`;
    const signature = signRequest({ authToken: TOKEN, url: `${ORIGIN}/fax`, params: body });
    const reply = await setUp({ authToken }).handle(request({ body, headers: { "x-twilio-signature": signature } }));
    expect(plain(reply)).toEqual([400, "invalid-parameters"]);
    expect(authToken.mock.calls).toEqual([["AC1"]]);
  });

  it("rejects with what the function throws", async () => {
    const error = new Error("no vault");
    await expect(setUp({ authToken: () => Promise.reject(error) }).handle(request())).rejects.toBe(error);
    await expect(
      setUp({
        authToken: () => {
          throw error;
        },
      }).handle(request()),
    ).rejects.toBe(error);
  });

  it("verifies nothing with authToken: false, and checks all the rest", async () => {
    const { handle } = setUp({ authToken: false });
    const { "x-twilio-signature": _, ...headers } = request().headers as Record<string, string>;
    expect((await handle({ ...request(), headers })).status).toBe(200);
    expect((await handle(request({ token: "guessed" }))).status).toBe(200);
    expect(plain(await handle(request({ params: { FaxSid: "FX1" } })))).toEqual([400, "invalid-parameters"]);
    expect(plain(await handle({ ...request(), method: "PUT" }))).toEqual([405, "method-not-allowed"]);
  });

  it("never lets an inherited authToken: false through prototype pollution of the options", () => {
    expect(() => faxWebhook({ onFax: () => receive() } as never)).toThrow(TypeError);
  });

  it("calls nothing before the signature is verified", async () => {
    const order: string[] = [];
    const { handle } = setUp({
      authToken: async () => (order.push("token"), TOKEN),
      publicUrl: () => (order.push("url"), ORIGIN),
      onFax: () => (order.push("fax"), receive()),
      onCallback: () => void order.push("callback"),
      onRefused: () => void order.push("refused"),
    });
    await handle(request());
    await handle(request({ params: CALLBACK }));
    await handle(request({ token: "guessed" }));
    await handle(request({ token: "guessed", params: CALLBACK }));
    const verified = ["token", "url"];
    expect(order).toEqual([
      ...verified,
      "fax",
      ...verified,
      "callback",
      ...verified,
      "refused",
      ...verified,
      "refused",
    ]);
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

  it("does not take a header from Object.prototype for the signature", async () => {
    const { "x-twilio-signature": _, ...headers } = request().headers as Record<string, string>;
    expect(plain(await setUp().handle({ ...request(), headers }))).toEqual([403, "missing-signature"]);
  });
});

describe("handle: bodies", () => {
  const form = new URLSearchParams({ ...INCOMING, From: "Zoë +1" });
  const text = form.toString();
  const record = Object.fromEntries(form);
  const data = new FormData();
  for (const [name, value] of form) data.append(name, value);
  const half = Math.floor(text.length / 2);

  it.each<[string, () => unknown]>([
    ["text", () => text],
    ["bytes", () => bytes(text)],
    ["a Buffer", () => Buffer.from(text)],
    ["a stream of bytes", () => stream(bytes(text.slice(0, half)), bytes(text.slice(half)))],
    ["a stream of text", () => stream(text.slice(0, half), text.slice(half))],
    ["a stream with empty chunks", () => stream(new Uint8Array(), bytes(text), new Uint8Array())],
    ["a web stream", () => new Response(text).body],
    ["URLSearchParams", () => form],
    ["FormData", () => data],
    ["a Map", () => new Map(form)],
    ["an object", () => record],
    ["an object without a prototype", () => Object.assign(Object.create(null), record)],
    ["an object with undefined", () => ({ ...record, Extra: undefined })],
    ["UTF-8 cut within a character", () => stream(...[...Buffer.from(text)].map((byte) => Uint8Array.of(byte)))],
  ])("reads %s", async (_, body) => {
    const { handle, onFax } = setUp();
    expect((await handle(request({ params: record, body: body() }))).status).toBe(200);
    expect(onFax.mock.calls[0]?.[0]).toMatchObject({ faxSid: "FX1", from: "Zoë +1" });
  });

  it("takes a content type in upper case and with parameters", async () => {
    const headers = {
      "content-type": "Application/X-WWW-Form-URLencoded ; charset=UTF-8",
      "content-encoding": "Identity",
    };
    expect((await setUp().handle(request({ headers, body: bytes(`${new URLSearchParams(INCOMING)}`) }))).status).toBe(
      200,
    );
  });

  it("takes a parsed body for what it is, although the request was compressed", async () => {
    expect((await setUp().handle(request({ headers: { "content-encoding": "gzip" }, body: INCOMING }))).status).toBe(
      200,
    );
  });

  it("refuses a repeated parameter by its issue, once its signature is verified", async () => {
    const { handle, refusals } = setUp();
    const body = `${new URLSearchParams(INCOMING)}&From=other`;
    const signature = signRequest({ authToken: TOKEN, url: `${ORIGIN}/fax`, params: body });
    expect(plain(await handle(request({ body, headers: { "x-twilio-signature": signature } })))).toEqual([
      400,
      "invalid-parameters",
    ]);
    expect((refusals[0]?.error as FaxRequestError).issues).toMatchObject([{ parameter: "From", code: "repeated" }]);
  });
});

describe("handle: multipart deliveries", () => {
  const DELIVERY = { ...INCOMING, FaxStatus: "received", NumPages: "1" };
  const PAGES = Uint8Array.from({ length: 1000 }, (_, i) => i & 255);

  /** A delivery, signed over its text fields; `edit` works on the form before it is sent. */
  async function delivery(
    edit: (form: FormData) => void = () => {},
    params: Record<string, string> = DELIVERY,
  ): Promise<HandleRequest> {
    const form = new FormData();
    for (const [name, value] of Object.entries(params)) form.append(name, value);
    form.append("Media", new Blob([PAGES], { type: "application/pdf" }), "../../fax.pdf");
    edit(form);
    const sent = new Response(form);
    const type = sent.headers.get("content-type")!;
    return {
      ...request({ params }),
      headers: { ...request({ params }).headers, "content-type": type },
      body: new Uint8Array(await sent.arrayBuffer()),
    };
  }

  it("gives the file as media, byte for byte", async () => {
    const { handle, onCallback } = setUp();
    expect((await handle(await delivery())).status).toBe(200);
    const { media, params } = onCallback.mock.calls[0]![0];
    expect(media).toMatchObject({ type: "application/pdf", size: 1000 });
    expect(new Uint8Array(await media!.arrayBuffer())).toEqual(PAGES);
    expect(params).toEqual(Object.assign(Object.create(null), DELIVERY));
  });

  it("takes it as a stream and as FormData", async () => {
    const { handle, onCallback } = setUp();
    const sent = await delivery();
    expect(
      (await handle({ ...sent, body: stream(...Array.from(sent.body as Uint8Array, (byte) => Uint8Array.of(byte))) }))
        .status,
    ).toBe(200);
    const form = await new Response(sent.body as Uint8Array<ArrayBuffer>, {
      headers: { "content-type": (sent.headers as Record<string, string>)["content-type"]! },
    }).formData();
    expect((await handle({ ...sent, body: form })).status).toBe(200);
    expect(onCallback.mock.calls.map(([callback]) => callback.media?.size)).toEqual([1000, 1000]);
  });

  it("refuses changed text fields", async () => {
    expect(plain(await setUp().handle(await delivery((form) => form.set("From", "+1900"))))).toEqual([
      403,
      "signature-mismatch",
    ]);
    expect(plain(await setUp().handle(await delivery((form) => form.append("x", "1"))))).toEqual([
      403,
      "signature-mismatch",
    ]);
  });

  it("takes pages without a FaxStatus for no new fax", async () => {
    const { handle, onFax, refusals } = setUp();
    expect(plain(await handle(await delivery(undefined, INCOMING)))).toEqual([400, "invalid-parameters"]);
    expect(onFax).not.toHaveBeenCalled();
    expect((refusals[0]?.error as FaxRequestError).issues).toMatchObject([{ parameter: "FaxStatus", code: "missing" }]);
  });

  it("has an issue with pages that came as text, for want of a filename", async () => {
    const { handle, refusals } = setUp();
    const params = { ...DELIVERY, Media: "%PDF-1.4" };
    const sent = await delivery((form) => form.set("Media", params.Media), params);
    expect(plain(await handle(sent))).toEqual([400, "invalid-parameters"]);
    expect((refusals[0]?.error as FaxRequestError).issues).toMatchObject([
      { parameter: "Media", code: "invalid", message: expect.stringContaining("filename") },
    ]);
  });

  it("has an issue with two files of pages, and none with a file of another name", async () => {
    const twice = await delivery((form) => form.append("Media", new Blob(["x"]), "b.pdf"));
    expect(plain(await setUp().handle(twice))).toEqual([400, "invalid-parameters"]);
    const other = await delivery((form) => form.append("Logo", new Blob(["x"]), "b.png"));
    expect((await setUp().handle(other)).status).toBe(200);
  });

  it("limits the pages by maxMediaBytes, and the rest by maxFormBytes beside it", async () => {
    expect((await setUp({ maxMediaBytes: 1000 }).handle(await delivery())).status).toBe(200);
    expect(plain(await setUp({ maxMediaBytes: 999 }).handle(await delivery()))).toEqual([413, "too-large"]);
    expect(plain(await setUp({ maxMediaBytes: 1000, maxFormBytes: 100 }).handle(await delivery()))).toEqual([
      413,
      "too-large",
    ]);
    const sent = await delivery();
    const headers = { ...sent.headers, "content-length": "2000" };
    expect(
      (await setUp({ maxMediaBytes: 1000, maxFormBytes: 999 }).handle({ ...sent, headers, body: stream(sent.body) }))
        .status,
    ).toBe(413);
  });

  it("refuses one with files alone by its signature", async () => {
    const form = new FormData();
    form.append("Media", new Blob([PAGES]), "a.pdf");
    const { body, headers } = { body: new Response(form), headers: request().headers };
    const type = body.headers.get("content-type")!;
    const sent = {
      ...request(),
      headers: { ...headers, "content-type": type },
      body: new Uint8Array(await body.arrayBuffer()),
    };
    expect(plain(await setUp().handle(sent))).toEqual([403, "signature-mismatch"]);
  });
});

describe("handle: the boundary of a delivery", () => {
  const fields = { FaxSid: "FX1", AccountSid: "AC1", From: "", To: "+2", ApiVersion: "v1", FaxStatus: "received" };
  const send = (contentType: string, boundary: string, end = `--${boundary}--\r\n`) => {
    const webhook = faxWebhook({ authToken: false, onFax: () => reject() });
    const parts = Object.entries(fields).map(
      ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
    );
    return webhook.handle({
      method: "POST",
      url: "/fax",
      headers: { "content-type": contentType },
      body: Buffer.from(parts.join("") + end),
    });
  };

  it.each([
    ["multipart/form-data; boundary=b", "b"],
    ['multipart/form-data; boundary="a,b"', "a,b"],
    ['Multipart/Form-Data; charset=utf-8; Boundary="a;b"', "a;b"],
    ["multipart/form-data; xboundary=z; boundary=b", "b"],
  ])("reads %s", async (contentType, boundary) => {
    expect((await send(contentType, boundary)).status).toBe(200);
  });

  it.each([
    ["cut short before the closing boundary", "multipart/form-data; boundary=b", "b", ""],
    ["without a boundary in its type", "multipart/form-data", "b", "--b--\r\n"],
  ])("refuses a delivery %s", async (_, contentType, boundary, end) => {
    expect(await send(contentType, boundary, end)).toMatchObject({ status: 400, body: "unreadable-body" });
  });
});
