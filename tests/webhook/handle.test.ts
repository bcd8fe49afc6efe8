/** The steps of a request: new fax or callback, the order of the steps, errors of handlers. */
import { describe, expect, it, vi } from "vitest";
import { receive, TWIML_CONTENT_TYPE } from "../../src/index.js";
import { signRequest } from "../../src/webhook/index.js";
import { CALLBACK, DELIVERIES, INCOMING, ORIGIN, TEXT, TOKEN, XML } from "./support.js";
import { multipart, plain, request, setUp, thrower } from "./support.js";

const EMPTY = `${XML}<Response/>`;

describe("handle: a new fax", () => {
  it("calls onFax with the parameters and the request, and replies with TwiML", async () => {
    const { handle, onFax, onCallback, onRefused } = setUp();
    const reply = await handle(request({ params: { ...INCOMING, New: "x" } }));
    expect(reply).toEqual({
      status: 200,
      headers: { "content-type": TWIML_CONTENT_TYPE, "cache-control": "no-store" },
      body: `${XML}<Response><Receive action="/fax"/></Response>`,
    });
    const fax = { faxSid: "FX1", from: "+15017122661", params: { New: "x" } };
    expect(onFax.mock.calls).toMatchObject([[fax, { method: "POST", url: "/fax" }]]);
    expect([onCallback.mock.calls, onRefused.mock.calls]).toEqual([[], []]);
  });

  it("accepts a GET with a repeated name in its configured query", async () => {
    const { handle, onFax } = setUp();
    const url = `/fax?tag=a&tag=b&${TEXT}`;
    const signature = signRequest({ authToken: TOKEN, url: ORIGIN + url });
    expect((await handle({ method: "GET", url, headers: { "x-twilio-signature": signature } })).status).toBe(200);
    expect(onFax.mock.calls[0]![0]).toMatchObject({ params: { tag: "a" }, issues: [{ code: "repeated" }] });
  });

  it("reads the parameters of a POST from its body, even if its URL has a FaxSid", async () => {
    const { handle, onFax, onCallback } = setUp();
    const query = "FaxSid=FXevil&AccountSid=AC1&From=evil&To=x&FaxStatus=received";
    expect((await handle(request({ path: `/fax?${query}` }))).status).toBe(200);
    expect(onCallback).not.toHaveBeenCalled();
    expect(onFax.mock.calls[0]![0]).toMatchObject({ faxSid: "FX1", from: INCOMING.From });
  });

  it("returns 404 for a new fax without onFax, after it has verified the signature", async () => {
    const { handle, refusals } = setUp({ onFax: undefined });
    expect(plain(await handle(request()))).toEqual([404, "no-handler"]);
    expect(plain(await handle(request({ token: "guessed" })))).toEqual([403, "forbidden"]);
    expect((await handle(request({ params: CALLBACK }))).status).toBe(200);
    expect(refusals.map(({ reason }) => reason)).toEqual(["no-handler", "signature-mismatch"]);
  });
});

describe("handle: a callback", () => {
  it.each(["POST", "GET"])("calls onCallback for a callback by %s, and replies with <Response/>", async (method) => {
    const { handle, onFax, onCallback } = setUp();
    expect(await handle(request({ method, params: CALLBACK }))).toMatchObject({ status: 200, body: EMPTY });
    expect(onFax).not.toHaveBeenCalled();
    const callback = { faxStatus: "received", numPages: 2, mediaUrl: CALLBACK.MediaUrl };
    expect(onCallback.mock.calls).toMatchObject([[callback, { method }]]);
  });

  it("returns 200 for a callback without onCallback, and 400 for an invalid one", async () => {
    const { handle, onFax } = setUp({ onCallback: undefined });
    expect(await handle(request({ params: CALLBACK }))).toMatchObject({ status: 200, body: EMPTY });
    const invalid = request({ params: { ...CALLBACK, FaxSid: "a b" } });
    expect(plain(await handle(invalid))).toEqual([400, "invalid-parameters"]);
    expect(onFax).not.toHaveBeenCalled();
  });

  const { MediaUrl } = CALLBACK;
  it.each<[string, Record<string, string>]>([
    ["FaxStatus=queued", { FaxStatus: "queued" }],
    ["FaxStatus=failed", { FaxStatus: "failed" }],
    ["an unknown FaxStatus", { FaxStatus: "something-new" }],
    ["Status, as about half of the public programs read it", { Status: "received", NumPages: "2", MediaUrl }],
    ["a timestamp of another format", { ...CALLBACK, Timestamp: "Thu, 13 Jan 2022 21:54:46 +0000" }],
    ["an invalid NumPages", { ...CALLBACK, NumPages: "unknown" }],
    ["a relative MediaUrl", { ...CALLBACK, MediaUrl: "/relative.pdf" }],
    ["an invalid MediaSid", { ...CALLBACK, MediaSid: "a:b" }],
    ["a data URL as OriginalMediaUrl", { ...CALLBACK, OriginalMediaUrl: "data:application/pdf,x" }],
    ["an empty AccountSid", { ...CALLBACK, AccountSid: "" }],
  ])("calls onCallback for %s", async (_, params) => {
    const { handle, onCallback } = setUp();
    expect((await handle(request({ params: { ...INCOMING, ...params } }))).status).toBe(200);
    expect(onCallback.mock.calls).toMatchObject([[{ faxStatus: params["FaxStatus"] ?? params["Status"] }, {}]]);
  });

  const NAMES = ["FaxStatus", "Status", "MediaUrl", "MediaSid", "OriginalMediaUrl", "NumPages", "ErrorCode"];
  it.each([...NAMES, "ErrorMessage", "Media"])("does not call onFax for a request with %s", async (name) => {
    const { handle, onFax } = setUp();
    await handle(request({ params: { ...INCOMING, [name]: "1" } }));
    await handle(request({ params: { ...INCOMING, [name]: "" } }));
    expect(onFax).not.toHaveBeenCalled();
  });

  it("returns 400 for an empty FaxStatus", async () => {
    const { handle, onCallback } = setUp();
    expect(plain(await handle(request({ params: { ...INCOMING, FaxStatus: "" } })))).toEqual([
      400,
      "invalid-parameters",
    ]);
    expect(onCallback).not.toHaveBeenCalled();
  });

  it.each([
    ["400 if middleware removed the pages", {}, 400],
    ["200 for a failed fax, which has no pages", { FaxStatus: "failed" }, 200],
    ["200 for pages that are stored at a URL", { MediaUrl }, 200],
  ])("a parsed multipart callback without a file gets %s", async (_, change, status) => {
    const { handle, onCallback } = setUp(DELIVERIES);
    const params = { ...INCOMING, FaxStatus: "received", ...change };
    const reply = await handle(request({ params, headers: multipart("b"), body: params }));
    expect([reply.status, onCallback.mock.calls.length]).toEqual([status, status === 200 ? 1 : 0]);
  });
});

describe("handle: the order of the steps", () => {
  it("calls no handler before it has verified the signature", async () => {
    const order: string[] = [];
    const { handle } = setUp({
      authToken: async () => (order.push("token"), TOKEN),
      publicUrl: () => (order.push("url"), ORIGIN),
      onFax: () => (order.push("fax"), receive()),
      onCallback: () => void order.push("callback"),
      onRefused: () => void order.push("refused"),
    });
    const sent = [{}, { params: CALLBACK }, { token: "guessed" }, { token: "guessed", params: CALLBACK }];
    for (const each of sent) await handle(request(each));
    expect(order.join(" ")).toBe("token url fax token url callback token url refused token url refused");
  });
});

describe("handle: errors of handlers", () => {
  const error = new Error("no database");
  const rejecting = () => Promise.reject(error);

  it.each([
    ["onFax throws", { onFax: thrower(error) }, {}],
    ["onFax rejects with", { onFax: rejecting }, {}],
    ["onCallback throws", { onCallback: thrower(error) }, { params: CALLBACK }],
    ["onCallback rejects with", { onCallback: rejecting }, { params: CALLBACK }],
  ])("rejects with the error that %s", async (_, options, sent) => {
    const { handle, refusals } = setUp(options);
    await expect(handle(request(sent))).rejects.toBe(error);
    expect(refusals).toEqual([]);
  });

  it.each([
    ["throws", thrower(error), "error"],
    ["rejects", rejecting, "error"],
    ["is not set and console.warn throws", undefined, "warn"],
  ] as const)("refuses a request if onRefused %s, and logs the error", async (_, onRefused, level) => {
    const log = vi.spyOn(console, level).mockReturnValueOnce().mockImplementation(thrower(error));
    const { handle } = setUp({ onRefused });
    // The console throws for the second request.
    for (const token of ["guessed", "PSK_guessed"]) {
      expect(plain(await handle(request({ token, headers: { forwarded: token } })))).toEqual([403, "forbidden"]);
    }
    if (level === "error") expect(log.mock.calls).toEqual([[error], [error]]);
    vi.restoreAllMocks();
  });
});
