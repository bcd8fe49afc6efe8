import { describe, expect, it } from "vitest";
import { receive, reject } from "../../src/index.js";
import { faxWebhook, type FaxWebhookOptions, type Refusal, signRequest } from "../../src/webhook/index.js";

const TOKEN = "12345";
const URL_ = "https://fax.example.com/fax";
const INCOMING = { FaxSid: "FX1", AccountSid: "AC1", From: "+15017122661", To: "+15558675310", ApiVersion: "v1" };

function setUp(options: Partial<FaxWebhookOptions> = {}) {
  const refusals: Refusal[] = [];
  const onRefused = (refusal: Refusal) => void refusals.push(refusal);
  return {
    ...faxWebhook({
      authToken: TOKEN,
      onFax: () => receive({ action: "/fax" }),
      onRefused,
      ...options,
    } as FaxWebhookOptions),
    refusals,
  };
}

function post(init: RequestInit = {}, headers: Record<string, string> = {}): Request {
  const body = new URLSearchParams(INCOMING);
  const signature = signRequest({ authToken: TOKEN, url: URL_, params: body });
  return new Request(URL_, { method: "POST", body, ...init, headers: { "x-twilio-signature": signature, ...headers } });
}

function get(headers: Record<string, string> = {}, method = "GET"): Request {
  const url = `${URL_}?${new URLSearchParams(INCOMING)}`;
  return new Request(url, {
    method,
    headers: { "x-signalwire-signature": signRequest({ authToken: TOKEN, url }), ...headers },
  });
}

describe("fetch", () => {
  it("answers a Request with a Response", async () => {
    const response = await setUp().fetch(post());
    expect(response).toBeInstanceOf(Response);
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toEqual({
      "content-type": "text/xml; charset=utf-8",
      "cache-control": "no-store",
    });
    expect(await response.text()).toContain('<Receive action="/fax"/>');
  });

  it("works when it is passed on alone", async () => {
    const { fetch } = setUp();
    expect((await fetch(get())).status).toBe(200);
  });

  it("sends several cookies as several headers", async () => {
    const cookies = ["a=1; Path=/", "b=2; Expires=Thu, 01 Jan 2032 00:00:00 GMT"];
    const response = await setUp({ onFax: () => ({ twiml: reject(), headers: { "Set-Cookie": cookies } }) }).fetch(
      post(),
    );
    expect(response.headers.getSetCookie()).toEqual(cookies);
  });

  it("answers 304 with a null body, and HEAD without one", async () => {
    const { fetch } = setUp();
    const etag = (await fetch(get())).headers.get("etag")!;
    const cached = await fetch(get({ "if-none-match": etag }));
    expect([cached.status, cached.body, cached.headers.get("etag")]).toEqual([304, null, etag]);
    const head = await fetch(get({}, "HEAD"));
    expect([head.status, head.body, head.headers.get("etag")]).toEqual([200, null, etag]);
  });

  it("says missing-body when the body was read before, and when there is none", async () => {
    const { fetch, refusals } = setUp();
    const read = post();
    await read.text();
    const empty = [read, post({ body: null }, { "content-type": "application/x-www-form-urlencoded" })];
    for (const request of empty) {
      const response = await fetch(request);
      expect([response.status, await response.text()]).toEqual([400, "missing-body"]);
    }
    expect(refusals).toHaveLength(2);
  });

  it("stops an endless body at the limit, and tells its source so", async () => {
    let cancelled = false;
    let pulled = 0;
    const body = new ReadableStream({
      pull: (controller) => void controller.enqueue(new Uint8Array((pulled++, 10_000))),
      cancel: () => void (cancelled = true),
    });
    const init = { body, duplex: "half" } as RequestInit;
    const response = await setUp().fetch(post(init, { "content-type": "application/x-www-form-urlencoded" }));
    expect([response.status, await response.text()]).toEqual([413, "too-large"]);
    expect(cancelled).toBe(true);
    expect(pulled).toBeLessThan(12);
  });

  it("says unreadable-body when the stream breaks", async () => {
    const body = new ReadableStream({ pull: (controller) => controller.error(new Error("reset")) });
    const response = await setUp().fetch(
      post({ body, duplex: "half" } as RequestInit, { "content-type": "application/x-www-form-urlencoded" }),
    );
    expect([response.status, await response.text()]).toEqual([400, "unreadable-body"]);
  });

  it("takes a multipart delivery", async () => {
    let size: number | undefined;
    const params = { ...INCOMING, FaxStatus: "received" };
    const form = new FormData();
    for (const [name, value] of Object.entries(params)) form.append(name, value);
    form.append("Media", new Blob([new Uint8Array(5000)]), "a.tiff");
    const signature = signRequest({ authToken: TOKEN, url: URL_, params });
    const request = new Request(URL_, { method: "POST", body: form, headers: { "x-twilio-signature": signature } });
    const response = await setUp({ maxMediaBytes: 5000, onCallback: ({ media }) => void (size = media?.size) }).fetch(
      request,
    );
    expect([response.status, size]).toEqual([200, 5000]);
  });

  it("rejects with what onFax throws", async () => {
    const error = new Error("no database");
    await expect(setUp({ onFax: () => Promise.reject(error) }).fetch(post())).rejects.toBe(error);
  });

  it("verifies the URL of the request with both schemes, or publicUrl", async () => {
    const inside = new Request("http://10.0.0.5:3000/fax", post());
    expect((await setUp().fetch(inside.clone())).status).toBe(403);
    expect((await setUp({ publicUrl: "https://fax.example.com" }).fetch(inside)).status).toBe(200);
    expect((await setUp().fetch(new Request("http://fax.example.com/fax", post()))).status).toBe(200);
  });

  it("refuses a compressed body", async () => {
    expect((await setUp().fetch(post({}, { "content-encoding": "gzip" }))).status).toBe(415);
  });
});
