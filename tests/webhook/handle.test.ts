/** The order of the steps, request or callback, and what throws. */
import { describe, expect, it } from "vitest";
import { receive, TWIML_CONTENT_TYPE } from "../../src/index.js";
import { faxWebhook, signRequest, type Refusal } from "../../src/webhook/index.js";
import {
  CALLBACK,
  DELIVERIES,
  INCOMING,
  ORIGIN,
  TEXT,
  TOKEN,
  XML,
  multipart,
  plain,
  request,
  setUp,
  thrower,
} from "./support.js";

describe("handle: a new fax", () => {
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

  it("passes a GET whose own query has a repeated name", async () => {
    const { handle, onFax } = setUp();
    const url = `/fax?tag=a&tag=b&${TEXT}`;
    const signature = signRequest({ authToken: TOKEN, url: ORIGIN + url });
    const headers = { "x-twilio-signature": signature };
    expect((await handle({ method: "GET", url, headers })).status).toBe(200);
    expect(onFax.mock.calls[0]![0]).toMatchObject({ params: { tag: "a" }, issues: [{ code: "repeated" }] });
  });

  it("decides on the body of a POST, not on its query", async () => {
    const { handle, onFax, onCallback } = setUp();
    const path = "/fax?FaxStatus=received&From=evil";
    expect((await handle(request({ path }))).status).toBe(200);
    expect(onCallback).not.toHaveBeenCalled();
    expect(onFax.mock.calls[0]?.[0]?.from).toBe(INCOMING.From);
  });

  it("refuses a new fax with 404 without onFax, after its signature is verified", async () => {
    const refusals: Refusal[] = [];
    const onRefused = (refusal: Refusal) => void refusals.push(refusal);
    const webhook = faxWebhook({ authToken: TOKEN, publicUrl: ORIGIN, onCallback: () => {}, onRefused });
    expect(plain(await webhook.handle(request()))).toEqual([404, "no-handler"]);
    expect(plain(await webhook.handle(request({ token: "guessed" })))).toEqual([403, "forbidden"]);
    expect((await webhook.handle(request({ params: CALLBACK }))).status).toBe(200);
    expect(refusals.map(({ reason }) => reason)).toEqual(["no-handler", "signature-mismatch"]);
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

  it("takes a callback by GET", async () => {
    const { handle, onCallback } = setUp();
    expect((await handle(request({ method: "GET", params: CALLBACK }))).status).toBe(200);
    expect(onCallback).toHaveBeenCalledOnce();
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

  const NAMES = ["FaxStatus", "Status", "MediaUrl", "MediaSid", "OriginalMediaUrl", "NumPages", "ErrorCode"];
  it.each([...NAMES, "ErrorMessage", "Media"])("is known by %s alone", async (name) => {
    const { handle, onFax } = setUp();
    await handle(request({ params: { ...INCOMING, [name]: "1" } }));
    await handle(request({ params: { ...INCOMING, [name]: "" } }));
    expect(onFax).not.toHaveBeenCalled();
  });

  it("is known by an empty FaxStatus too, which is an issue and no new fax", async () => {
    const { handle, onFax, onCallback } = setUp();
    expect(plain(await handle(request({ params: { ...INCOMING, FaxStatus: "" } })))).toEqual([
      400,
      "invalid-parameters",
    ]);
    expect([onFax.mock.calls, onCallback.mock.calls]).toEqual([[], []]);
  });

  it("reaches onCallback with Status, as half of the programs in the wild have it", async () => {
    const { handle, onFax, onCallback } = setUp();
    const params = { ...INCOMING, Status: "received", NumPages: "2", MediaUrl: CALLBACK.MediaUrl };
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
    const headers = multipart("b");
    expect(plain(await handle(request({ params, headers, body: params })))).toEqual([400, "unreadable-body"]);
    expect(refusals[0]?.message).toContain("Mount the webhook before the body parser");
    expect(onCallback).not.toHaveBeenCalled();
    const failed = { ...params, FaxStatus: "failed" };
    expect((await handle(request({ params: failed, headers, body: failed }))).status).toBe(200);
    const stored = { ...params, MediaUrl: CALLBACK.MediaUrl };
    expect((await handle(request({ params: stored, headers, body: stored }))).status).toBe(200);
  });
});

describe("handle: the order of the steps", () => {
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

describe("handle: what throws", () => {
  it("rejects with the very error that onFax throws, and so for a rejected promise", async () => {
    const error = new Error("no database");
    const thrown = setUp({ onFax: thrower(error) });
    await expect(thrown.handle(request())).rejects.toBe(error);
    await expect(setUp({ onFax: () => Promise.reject(error) }).handle(request())).rejects.toBe(error);
    expect(thrown.refusals).toEqual([]);
  });

  it("rejects with what onCallback throws", async () => {
    const error = new Error("disk full");
    await expect(setUp({ onCallback: () => Promise.reject(error) }).handle(request({ params: CALLBACK }))).rejects.toBe(
      error,
    );
  });
});
