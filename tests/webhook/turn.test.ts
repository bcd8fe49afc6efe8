/** What a turn decides: a new fax or a callback, and what the user's functions answer. */
import { faxWebhook, type Refusal, signRequest } from "../../src/webhook/index.js";
import { describe, expect, it } from "vitest";
import { FaxResponse, receive, reject, toTwiml, TWIML_CONTENT_TYPE } from "../../src/index.js";
import { CALLBACK, DELIVERIES, INCOMING, ORIGIN, TOKEN, XML, plain, request, setUp } from "./support.js";

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
    expect(plain(await handle(request({ params: { ...CALLBACK, FaxSid: "a b" } })))).toEqual([
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

  it("rejects with what onCallback throws", async () => {
    const error = new Error("disk full");
    await expect(setUp({ onCallback: () => Promise.reject(error) }).handle(request({ params: CALLBACK }))).rejects.toBe(
      error,
    );
  });
});

describe("handle: a callback and never a new fax", () => {
  const NAMES = ["FaxStatus", "Status", "MediaUrl", "MediaSid", "OriginalMediaUrl", "NumPages", "ErrorCode"];
  it.each([...NAMES, "ErrorMessage", "Media"])("is known by %s alone", async (name) => {
    const { handle, onFax } = setUp();
    await handle(request({ params: { ...INCOMING, [name]: "1" } }));
    await handle(request({ params: { ...INCOMING, [name]: "" } }));
    expect(onFax).not.toHaveBeenCalled();
  });

  it("reaches onCallback with Status, as half of the programs in the wild have it", async () => {
    const { handle, onFax, onCallback } = setUp();
    const params = { ...INCOMING, Status: "received", NumPages: "2", MediaUrl: "https://files.example.com/1.pdf" };
    expect(await handle(request({ params }))).toMatchObject({ status: 200, body: `${XML}<Response/>` });
    expect(onCallback).toHaveBeenCalledOnce();
    expect(onCallback.mock.calls[0]![0]).toMatchObject({ faxStatus: "received", mediaUrl: params.MediaUrl });
    expect(onFax).not.toHaveBeenCalled();
  });

  it.each([
    { Timestamp: "Thu, 13 Jan 2022 21:54:46 +0000" },
    { NumPages: "unknown" },
    { MediaUrl: "/relative.pdf" },
    { MediaSid: "a:b" },
    { OriginalMediaUrl: "data:application/pdf,x" },
    { AccountSid: "" },
  ])("reaches onCallback with one odd value: %j", async (odd) => {
    const { handle, onCallback } = setUp();
    expect((await handle(request({ params: { ...CALLBACK, ...odd } as Record<string, string> }))).status).toBe(200);
    expect(onCallback).toHaveBeenCalledOnce();
  });

  it("is refused where a body parser in front has taken its pages away", async () => {
    const { handle, onCallback, refusals } = setUp(DELIVERIES);
    const params = { ...INCOMING, FaxStatus: "received" };
    const headers = { "content-type": "multipart/form-data; boundary=b" };
    expect(plain(await handle(request({ params, headers, body: params })))).toEqual([400, "unreadable-body"]);
    expect(refusals[0]?.message).toContain("Mount the webhook before the body parser");
    expect(onCallback).not.toHaveBeenCalled();
    const failed = { ...params, FaxStatus: "failed" };
    expect((await handle(request({ params: failed, headers, body: failed }))).status).toBe(200);
    const stored = { ...params, MediaUrl: "https://files.example.com/1.pdf" };
    expect((await handle(request({ params: stored, headers, body: stored }))).status).toBe(200);
  });
});

describe("handle: what is not given", () => {
  it("refuses a new fax with 404 without onFax, after its signature is verified", async () => {
    const refusals: Refusal[] = [];
    const onRefused = (refusal: Refusal) => void refusals.push(refusal);
    const webhook = faxWebhook({ authToken: TOKEN, publicUrl: ORIGIN, onCallback: () => {}, onRefused });
    expect(plain(await webhook.handle(request()))).toEqual([404, "no-handler"]);
    expect(plain(await webhook.handle(request({ token: "guessed" })))).toEqual([403, "forbidden"]);
    expect((await webhook.handle(request({ params: CALLBACK }))).status).toBe(200);
    expect(refusals.map(({ reason }) => reason)).toEqual(["no-handler", "signature-mismatch"]);
  });

  it("rejects with pages-lost when onFax asks for pages that nobody would take", async () => {
    const onFax = () => receive({ action: "/fax", storeMedia: false });
    await expect(setUp({ onFax }).handle(request())).rejects.toMatchObject({ code: "pages-lost" });
    const asResponse = () => new FaxResponse(receive({ action: "/fax", storeMedia: false }));
    await expect(setUp({ onFax: asResponse }).handle(request())).rejects.toMatchObject({ code: "pages-lost" });
    expect((await setUp({ ...DELIVERIES, onFax }).handle(request())).status).toBe(200);
  });

  it("passes a GET whose own query has a repeated name", async () => {
    const { handle, onFax } = setUp();
    const url = `/fax?tag=a&tag=b&${new URLSearchParams(INCOMING)}`;
    const signature = signRequest({ authToken: TOKEN, url: ORIGIN + url });
    const headers = { "x-twilio-signature": signature };
    expect((await handle({ method: "GET", url, headers })).status).toBe(200);
    expect(onFax.mock.calls[0]![0]).toMatchObject({ params: { tag: "a" }, issues: [{ code: "repeated" }] });
  });

  it("gives the query of the request's own URL", async () => {
    const { handle, onFax } = setUp();
    await handle(request({ path: "/fax?line=2&a=1&a=2" }));
    const { query } = onFax.mock.calls[0]![1];
    expect([query.get("line"), query.getAll("a"), query.has("FaxSid")]).toEqual(["2", ["1", "2"], false]);
  });
});
