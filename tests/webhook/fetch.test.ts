/** The web standard's requests and responses. */
import { describe, expect, it } from "vitest";
import { reject } from "../../src/index.js";
import { signRequest } from "../../src/webhook/index.js";
import { BY_HOST, DELIVERIES, INCOMING, ORIGIN, PAGES, TEXT, TOKEN, TYPE, deliveryForm, setUp } from "./support.js";

const FAX_URL = `${ORIGIN}/fax`;
function sendPost(init: RequestInit = {}, headers: Record<string, string> = {}): Request {
  const body = new URLSearchParams(INCOMING);
  const signature = signRequest({ authToken: TOKEN, url: FAX_URL, params: body });
  const signed = { "x-twilio-signature": signature, ...headers };
  return new Request(FAX_URL, { method: "POST", body, ...init, headers: signed });
}

function sendGet(headers: Record<string, string> = {}, method = "GET"): Request {
  const url = `${FAX_URL}?${TEXT}`;
  const signed = { "x-signalwire-signature": signRequest({ authToken: TOKEN, url }), ...headers };
  return new Request(url, { method, headers: signed });
}

describe("fetch", () => {
  it("answers a Request with a Response", async () => {
    const response = await setUp(BY_HOST).fetch(sendPost());
    expect(response).toBeInstanceOf(Response);
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toEqual({
      "content-type": "text/xml; charset=utf-8",
      "cache-control": "no-store",
    });
    expect(await response.text()).toContain('<Receive action="/fax"/>');
  });

  it("works when it is passed on alone", async () => {
    const { fetch } = setUp(BY_HOST);
    expect((await fetch(sendGet())).status).toBe(200);
  });

  it("verifies the Host header's URL as well as its own, which is at localhost in Next.js", async () => {
    const { fetch } = setUp(BY_HOST);
    const behind = (host: string, request: Request) => {
      const { pathname, search } = new URL(request.url);
      const headers = new Headers(request.headers);
      headers.set("host", host);
      return new Request(`http://localhost:3000${pathname}${search}`, { headers });
    };
    expect((await fetch(behind("fax.example.com", sendGet()))).status).toBe(200);
    expect((await fetch(behind("other.example.com", sendGet()))).status).toBe(403);
  });

  it("sends several cookies as several headers", async () => {
    const cookies = ["a=1; Path=/", "b=2; Expires=Thu, 01 Jan 2032 00:00:00 GMT"];
    const response = await setUp({
      ...BY_HOST,
      onFax: () => ({ twiml: reject(), headers: { "Set-Cookie": cookies } }),
    }).fetch(sendPost());
    expect(response.headers.getSetCookie()).toEqual(cookies);
  });

  it("answers 304 with a null body, and HEAD without one", async () => {
    const { fetch } = setUp(BY_HOST);
    const etag = (await fetch(sendGet())).headers.get("etag")!;
    const cached = await fetch(sendGet({ "if-none-match": etag }));
    expect([cached.status, cached.body, cached.headers.get("etag")]).toEqual([304, null, etag]);
    const head = await fetch(sendGet({}, "HEAD"));
    expect([head.status, head.body, head.headers.get("etag")]).toEqual([200, null, etag]);
  });

  it("says missing-body when the body was read before, and when there is none", async () => {
    const { fetch, refusals } = setUp(BY_HOST);
    const read = sendPost();
    await read.text();
    const empty = [read, sendPost({ body: null }, TYPE)];
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
    const response = await setUp(BY_HOST).fetch(sendPost(init, TYPE));
    expect([response.status, await response.text()]).toEqual([413, "too-large"]);
    expect(cancelled).toBe(true);
    expect(pulled).toBeLessThan(12);
  });

  it("says unreadable-body when the stream breaks", async () => {
    const body = new ReadableStream({ pull: (controller) => controller.error(new Error("reset")) });
    const response = await setUp(BY_HOST).fetch(sendPost({ body, duplex: "half" } as RequestInit, TYPE));
    expect([response.status, await response.text()]).toEqual([400, "unreadable-body"]);
  });

  it("takes a multipart delivery", async () => {
    const params = { ...INCOMING, FaxStatus: "received" };
    const { fetch, onCallback } = setUp({ ...BY_HOST, ...DELIVERIES, maxMediaBytes: PAGES.length });
    const headers = { "x-twilio-signature": signRequest({ authToken: TOKEN, url: FAX_URL, params }) };
    const response = await fetch(new Request(FAX_URL, { method: "POST", body: deliveryForm(params), headers }));
    expect([response.status, onCallback.mock.calls[0]?.[0].media?.size]).toEqual([200, PAGES.length]);
  });

  it("rejects with what onFax throws", async () => {
    const error = new Error("no database");
    await expect(setUp({ ...BY_HOST, onFax: () => Promise.reject(error) }).fetch(sendPost())).rejects.toBe(error);
  });

  it("verifies the URL of the request with both schemes, or publicUrl", async () => {
    const inside = new Request("http://10.0.0.5:3000/fax", sendPost());
    expect((await setUp(BY_HOST).fetch(inside.clone())).status).toBe(403);
    expect((await setUp({ publicUrl: ORIGIN }).fetch(inside)).status).toBe(200);
    expect((await setUp(BY_HOST).fetch(new Request("http://fax.example.com/fax", sendPost()))).status).toBe(200);
  });

  it("refuses a compressed body", async () => {
    expect((await setUp(BY_HOST).fetch(sendPost({}, { "content-encoding": "gzip" }))).status).toBe(415);
  });
});
