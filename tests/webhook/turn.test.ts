/** What a turn decides: a new fax or a callback, and what the user's functions answer. */
import { describe, expect, it } from "vitest";
import { FaxResponse, receive, reject, toTwiml, TWIML_CONTENT_TYPE } from "../../src/index.js";
import { CALLBACK, INCOMING, plain, request, setUp, XML } from "./support.js";

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
