/** The published provider: its conversation with a webhook, and single requests. */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, vi } from "vitest";
import { parseFaxCallback, receive, type ReceiveAttributes, reject, toTwiml } from "../../src/index.js";
import { createFaxProvider, type FaxProviderOptions, type ProviderFetch } from "../../src/testing/index.js";
import { faxWebhook, fetchMedia } from "../../src/webhook/index.js";
import { SIGNED } from "../peers/inputs.mjs";
import { recorded } from "../peers/recorded.js";
import { sign } from "../provider/sign.js";

const KEY = "PSK_test";
const URL_ = "https://fax.example.com/fax";
const XML = { "content-type": "text/xml" };

function createWebhook(attributes: ReceiveAttributes | "reject" = { action: "/fax" }) {
  const onFax = vi.fn(() => (attributes === "reject" ? reject() : receive(attributes)));
  const onCallback = vi.fn();
  const options = { publicUrl: URL_, onFax, onCallback, onRefused() {}, maxMediaBytes: 1 << 20 };
  return { ...faxWebhook({ authToken: KEY, ...options }), onFax, onCallback };
}

const provide = (fetch: ProviderFetch, more: Partial<FaxProviderOptions> = {}) =>
  createFaxProvider({ url: URL_, authToken: KEY, fetch, ...more });

const respond = (body: string) => new Response(body, { headers: XML });

describe.each(["signalwire", "twilio"] as const)("a fax from %s", (flavor) => {
  it("sends the new fax and the callback, and returns the verb", async () => {
    const webhook = createWebhook({ action: "/fax", pageSize: "a4" });
    const { faxSid, exchanges, ...rest } = await provide(webhook.fetch, { flavor }).sendFax();
    const verb = receive({ action: "/fax", pageSize: "a4" });
    expect(rest).toEqual({ outcome: "received", verb, pagesLost: false });
    expect(exchanges.map(({ response }) => response?.status)).toEqual([200, 200]);
    const callback = { faxSid, faxStatus: "received", numPages: 1, issues: [] };
    expect(webhook.onCallback.mock.calls).toMatchObject([[callback, { method: "POST" }]]);
  });

  it("sends no callback after <Reject>", async () => {
    const { outcome, verb, exchanges } = await provide(createWebhook("reject").fetch, { flavor }).sendFax();
    expect([outcome, verb, exchanges.length]).toEqual(["rejected", reject(), 1]);
  });

  it("sends a callback with the error of a failed fax", async () => {
    const webhook = createWebhook();
    expect((await provide(webhook.fetch, { flavor }).sendFax({ outcome: "failed" })).outcome).toBe("failed");
    expect(webhook.onCallback.mock.calls).toMatchObject([[{ faxStatus: "failed", errorCode: "34007" }, {}]]);
  });

  it.each(["application/pdf", "image/tiff"] as const)(
    "sends %s in the multipart callback with storeMedia: false",
    async (mediaType) => {
      const webhook = createWebhook({ action: "/fax", storeMedia: false, mediaType });
      const transcript = await provide(webhook.fetch, { flavor }).sendFax();
      expect(transcript).toMatchObject({ outcome: "received", pagesLost: false });
      expect((await fetchMedia(webhook.onCallback.mock.calls[0]![0])).type).toBe(mediaType);
    },
  );

  it("returns the provider's error for a 403 to another token", async () => {
    const webhook = createWebhook();
    const { outcome, error } = await provide(webhook.fetch, { flavor, authToken: "guessed" }).sendFax();
    expect([outcome, error?.code]).toEqual(["error", flavor === "twilio" ? 11200 : 11217]);
    expect(webhook.onFax).not.toHaveBeenCalled();
  });

  it("sends GET requests, a withheld number and unknown parameters", async () => {
    const webhook = createWebhook({ action: "/fax", method: "GET" });
    const fax = { method: "GET", from: "", params: { Trunk: "7" } } as const;
    expect((await provide(webhook.fetch, { flavor }).sendFax(fax)).outcome).toBe("received");
    const expected = [{ from: "", params: { Trunk: "7" } }, { method: "GET" }];
    expect([...webhook.onFax.mock.calls, ...webhook.onCallback.mock.calls]).toMatchObject([expected, expected]);
  });

  it("signs as the provider's own library", async () => {
    const { authToken, url } = SIGNED;
    const provider = createFaxProvider({ authToken, url, flavor, fetch: () => new Response() });
    for (const name of ["incoming", "callback", "odd"] as const) {
      const params = SIGNED[flavor][name];
      const request = name === "callback" ? provider.callback(params) : provider.incoming(params);
      expect(request.headers.get(`x-${flavor}-signature`)).toBe(recorded.signatures[flavor][name]);
      expect(request.url).toBe(url);
      expect(Object.fromEntries(new URLSearchParams(await request.text()))).toEqual(params);
    }
  });

  it("sends the parameters of the provider, with a signature that the oracle computes as well", async () => {
    const webhook = createWebhook({ action: "/fax", storeMedia: false });
    const { exchanges } = await provide(webhook.fetch, { flavor }).sendFax();
    const INCOMING = ["AccountSid", "ApiVersion", "FaxSid", "From", "To"];
    const timestamp = flavor === "signalwire" ? ["Timestamp"] : [];
    expect(exchanges.map(({ request }) => Object.keys(request.params).sort())).toEqual([
      INCOMING,
      [...INCOMING, "FaxStatus", "NumPages", "RemoteStationId", ...timestamp].sort(),
    ]);
    for (const { request } of exchanges) {
      const signature = sign(KEY, URL_, new URLSearchParams(request.params), flavor);
      expect([request.method, request.url, request.headers[`x-${flavor}-signature`]]).toEqual([
        "POST",
        URL_,
        signature,
      ]);
    }
  });
});

describe("sendFax", () => {
  it("uses the same AccountSid for all faxes of a provider", async () => {
    const provider = provide(() => respond(toTwiml(reject())));
    const { exchanges } = await provider.sendFax();
    const sid = new URLSearchParams(await provider.incoming().text()).get("AccountSid");
    expect(exchanges[0]!.request.params["AccountSid"]).toBe(sid);
    expect(exchanges[0]!.request.params["FaxSid"]).not.toBe((await provider.sendFax()).faxSid);
  });

  it("uses the given accountSid, numbers, pages, mediaUrl and time", async () => {
    const now = () => new Date("2026-11-24T10:00:00.5Z");
    const pages = new TextEncoder().encode("II*\0 pages");
    const fax = { from: "+1", to: "+2", pages, mediaUrl: "https://x.example/1" };
    const given = { AccountSid: "AC1", From: "+1", To: "+2" };
    const stored = createWebhook();
    await provide(stored.fetch, { accountSid: "AC1", now }).sendFax(fax);
    const mediaUrl = "https://x.example/1";
    const callback = { params: given, mediaUrl, timestamp: new Date("2026-11-24T10:00:00Z") };
    expect(stored.onCallback.mock.calls[0]![0]).toMatchObject(callback);
    const { exchanges } = await provide(createWebhook({ action: "/fax", storeMedia: false }).fetch).sendFax(fax);
    expect(exchanges[1]!.request.file).toEqual({ bytes: pages, type: "image/tiff" });
  });

  it("derives the outcome and the callback from a status in params", async () => {
    const webhook = createWebhook();
    const send = (params: Record<string, string>) => provide(webhook.fetch).sendFax({ params });
    expect((await send({ FaxStatus: "no-answer" })).outcome).toBe("failed");
    expect((await send({ Status: "delivered" })).outcome).toBe("received");
    const [[failed], [delivered]] = webhook.onCallback.mock.calls as [[object], [object]];
    expect(failed).toMatchObject({ faxStatus: "no-answer", issues: [] });
    expect(failed).not.toHaveProperty("mediaUrl");
    expect(delivered).toMatchObject({ faxStatus: "delivered", mediaUrl: expect.any(String), issues: [] });
  });

  it.each(["a\nb", "a\rb", "a\r\nb"])(
    "signs the line break in %j as the multipart callback contains it",
    async (text) => {
      const webhook = createWebhook({ action: "/fax", storeMedia: false });
      const params = { RemoteStationId: text, [`Name${text}`]: "1" };
      expect(await provide(webhook.fetch).sendFax({ params })).toMatchObject({ outcome: "received", pagesLost: false });
    },
  );

  it("does not request the server for an invalid argument", async () => {
    const fetch = vi.fn(() => new Response());
    const sending = provide(fetch).sendFax({ From: "" } as never);
    await expect(sending).rejects.toThrow(TypeError);
    expect(fetch).not.toHaveBeenCalled();
  });
});

describe("incoming, callback and delivery", () => {
  const provider = provide(() => new Response(), { now: () => new Date("2026-11-24T10:00:00.5Z") });
  const callback = async (params: Record<string, string>) => parseFaxCallback(await provider.callback(params).text());

  it("callback returns the request for stored pages, or for the FaxStatus in its argument", async () => {
    expect(await callback({ FaxSid: "FX1" })).toMatchObject({
      ...{ faxSid: "FX1", faxStatus: "received", remoteStationId: "+15017122661", numPages: 1, issues: [] },
      ...{ mediaUrl: "https://files.signalwire.com/FX1.pdf", timestamp: new Date("2026-11-24T10:00:00Z") },
    });
    const failed = await callback({ FaxStatus: "failed", ErrorCode: "1" });
    expect(failed).toMatchObject({ faxStatus: "failed", errorCode: "1", errorMessage: expect.any(String) });
    expect(failed).not.toHaveProperty("mediaUrl");
  });

  it("delivery returns the multipart callback with the pages", async () => {
    const pages = new TextEncoder().encode("%PDF-1.4 pages");
    const form = await (provider.delivery(pages, { NumPages: "2" }) as Request).formData();
    expect(parseFaxCallback(form)).toMatchObject({ numPages: 2, media: { size: pages.length }, issues: [] });
    expect(form.has("MediaUrl")).toBe(false);
  });
});

describe("mediaFetch", () => {
  const pages = new TextEncoder().encode("II*\0 these pages");
  const getLast = (webhook: ReturnType<typeof createWebhook>) => webhook.onCallback.mock.calls.at(-1)![0];

  it.each([
    ["signalwire", undefined],
    ["twilio", { hosts: ["media.twiliocdn.com"] }],
  ] as const)("serves the pages of a MediaUrl of %s to fetchMedia", async (flavor, options) => {
    const webhook = createWebhook();
    const provider = provide(webhook.fetch, { flavor });
    await provider.sendFax({ pages });
    const received = await fetchMedia(getLast(webhook), { ...options, fetch: provider.mediaFetch });
    expect([received.type, new Uint8Array(await received.arrayBuffer())]).toEqual(["image/tiff", pages]);
  });

  it("serves one empty page in the verb's mediaType by default, also for callback()", async () => {
    const webhook = createWebhook({ action: "/fax", mediaType: "image/tiff" });
    const provider = provide(webhook.fetch);
    await provider.sendFax();
    expect((await fetchMedia(getLast(webhook), { fetch: provider.mediaFetch })).type).toBe("image/tiff");
    const callback = parseFaxCallback(await provider.callback().text());
    expect((await fetchMedia(callback, { fetch: provider.mediaFetch })).type).toBe("application/pdf");
  });

  it("serves the pages of every fax at its own URL, in any form that fetchMedia requests", async () => {
    const provider = provide(createWebhook().fetch);
    await provider.sendFax({ mediaUrl: "HTTP://127.0.0.1:80" });
    await provider.sendFax({ pages, params: { MediaUrl: "http://127.0.0.1/2" } });
    const first = await provider.mediaFetch("http://127.0.0.1/");
    expect([first.status, first.headers.get("content-type")]).toEqual([200, "application/pdf"]);
    expect(new Uint8Array(await (await provider.mediaFetch("http://127.0.0.1/2")).arrayBuffer())).toEqual(pages);
  });

  it("responds with 404 to other URLs, and for a failed fax and a multipart callback", async () => {
    const provider = provide(createWebhook({ action: "/fax", storeMedia: false }).fetch);
    const mediaUrl = "http://127.0.0.1/1";
    await provider.sendFax({ mediaUrl });
    await provide(createWebhook().fetch).sendFax({ mediaUrl });
    await provider.sendFax({ mediaUrl, outcome: "failed" });
    await provider.sendFax({ params: { MediaUrl: "not a URL" } });
    expect((await provider.mediaFetch(mediaUrl)).status).toBe(404);
  });

  it("serves the pages over real HTTP with the example of its documentation", async () => {
    const webhook = createWebhook();
    const provider = provide(webhook.fetch);
    const files = http.createServer(async (req, res) => {
      const response = await provider.mediaFetch(`http://127.0.0.1:8127${req.url}`);
      res.writeHead(response.status).end(new Uint8Array(await response.arrayBuffer()));
    });
    await new Promise<void>((resolve) => files.listen(0, "127.0.0.1", resolve));
    const host = `127.0.0.1:${(files.address() as AddressInfo).port}`;
    await provider.sendFax({ pages, mediaUrl: "http://127.0.0.1:8127/fax.pdf" });
    const callback = { ...getLast(webhook), mediaUrl: `http://${host}/fax.pdf` };
    expect((await fetchMedia(callback, { hosts: [host] })).type).toBe("image/tiff");
    expect((await fetch(`http://${host}/other.pdf`)).status).toBe(404);
    files.close();
  });
});

describe("resend", () => {
  it("resend sends the exact bytes of a multipart callback again", async () => {
    const webhook = createWebhook({ action: "/fax", storeMedia: false });
    const bodies: Uint8Array[] = [];
    const provider = provide(async (request: Request) => {
      bodies.push(new Uint8Array(await request.clone().arrayBuffer()));
      return webhook.fetch(request);
    });
    const { faxSid, exchanges } = await provider.sendFax();
    expect((await provider.resend(exchanges[1]!)).response?.status).toBe(200);
    expect(webhook.onCallback.mock.calls).toMatchObject([
      [{ faxSid }, {}],
      [{ faxSid }, {}],
    ]);
    expect(bodies.slice(1)).toEqual([exchanges[1]!.request.body, bodies[1]]);
  });

  it("resend returns the provider's error for the new response", async () => {
    let status = 200;
    const provider = provide(() => new Response(toTwiml(reject()), { status, headers: XML }));
    const { exchanges } = await provider.sendFax();
    expect((await provider.resend(exchanges[0]!)).error).toBeUndefined();
    status = 500;
    expect((await provider.resend(exchanges[0]!)).error?.code).toBe(11217);
  });

  it("accepts an empty response to a callback, and not to a new fax", async () => {
    const webhook = createWebhook();
    const { exchanges } = await provide(webhook.fetch).sendFax();
    const provider = provide(() => new Response());
    expect((await provider.resend(exchanges[0]!)).error?.code).toBe(12300);
    expect((await provider.resend(exchanges[1]!)).error).toBeUndefined();
  });

  it.each([undefined, {}, { exchanges: [] }])("resend rejects for %j instead of an exchange", async (exchange) => {
    await expect(provide(() => new Response()).resend(exchange as never)).rejects.toThrow(/^The argument of resend/);
  });
});
