/** The adapter for the Fetch standard: requests and responses. */
import { setImmediate } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { reject } from "../../src/index.js";
import { signRequest } from "../../src/webhook/index.js";
import { BY_HOST, CALLBACK, DELIVERIES, INCOMING, ORIGIN, PAGES, TEXT, TOKEN, TYPE } from "./support.js";
import { deliveryForm, setUp } from "./support.js";

const FAX_URL = `${ORIGIN}/fax`;

function createPost(init: RequestInit = {}, headers: Record<string, string> = {}): Request {
  const body = new URLSearchParams(INCOMING);
  const signature = signRequest({ authToken: TOKEN, url: FAX_URL, params: body });
  const signed = { "x-twilio-signature": signature, ...headers };
  return new Request(FAX_URL, { method: "POST", body, duplex: "half", ...init, headers: signed } as RequestInit);
}

function createGet(headers: Record<string, string> = {}, method = "GET"): Request {
  const url = `${FAX_URL}?${TEXT}`;
  const signature = signRequest({ authToken: TOKEN, url });
  return new Request(url, { method, headers: { "x-signalwire-signature": signature, ...headers } });
}

describe("fetch", () => {
  it("fetch returns a Response, also when it is detached from the webhook", async () => {
    const { fetch } = setUp(BY_HOST);
    const response = await fetch(createPost());
    expect(response).toBeInstanceOf(Response);
    expect(response.status).toBe(200);
    const headers = { "content-type": "text/xml; charset=utf-8", "cache-control": "no-store" };
    expect(Object.fromEntries(response.headers)).toEqual(headers);
    expect(await response.text()).toContain('<Receive action="/fax"/>');
  });

  it.each([
    [200, "the Host header if the URL has localhost, as in Next.js", "http://localhost:3000", "fax.example.com"],
    [403, "another Host header", "http://localhost:3000", "other.example.com"],
    [403, "an internal URL", "http://10.0.0.5:3000", undefined],
    [200, "the URL with another scheme", "http://fax.example.com", undefined],
  ])("fetch returns %d for %s", async (status, _, origin, host) => {
    const sent = createGet(host === undefined ? {} : { host });
    const received = new Request(sent.url.replace(ORIGIN, origin), { headers: sent.headers });
    expect((await setUp(BY_HOST).fetch(received)).status).toBe(status);
    expect((await setUp().fetch(received)).status).toBe(200);
  });

  it("fetch sends several cookies as several headers", async () => {
    const cookies = ["a=1; Path=/", "b=2; Expires=Thu, 01 Jan 2032 00:00:00 GMT"];
    const { fetch } = setUp({ onFax: () => ({ twiml: reject(), headers: { "Set-Cookie": cookies } }) });
    expect((await fetch(createPost())).headers.getSetCookie()).toEqual(cookies);
  });

  it("fetch returns 304 and the reply to HEAD with a null body", async () => {
    const { fetch } = setUp();
    const etag = (await fetch(createGet())).headers.get("etag")!;
    const cached = await fetch(createGet({ "if-none-match": etag }));
    expect([cached.status, cached.body, cached.headers.get("etag")]).toEqual([304, null, etag]);
    const head = await fetch(createGet({}, "HEAD"));
    expect([head.status, head.body, head.headers.get("etag")]).toEqual([200, null, etag]);
  });

  const broken = new ReadableStream({ pull: (controller) => controller.error(new Error("reset")) });
  const read = createPost();
  it.each([
    ["400 missing-body", "a body that was already read", read],
    ["400 missing-body", "a missing body", createPost({ body: null }, TYPE)],
    ["400 unreadable-body", "a stream that fails", createPost({ body: broken }, TYPE)],
    ["415 unsupported-media-type", "a compressed body", createPost({}, { "content-encoding": "gzip" })],
  ])("fetch returns %s for %s", async (expected, _, sent) => {
    if (!read.bodyUsed) await read.text();
    const response = await setUp().fetch(sent);
    expect(`${response.status} ${await response.text()}`).toBe(expected);
  });

  it("fetch stops at the limit of an endless body, and cancels the stream", async () => {
    let cancelled = false;
    let pulled = 0;
    const body = new ReadableStream({
      pull: (controller) => void controller.enqueue(new Uint8Array((pulled++, 10_000))),
      cancel: () => void (cancelled = true),
    });
    expect((await setUp().fetch(createPost({ body }, TYPE))).status).toBe(413);
    expect([cancelled, pulled < 12]).toEqual([true, true]);
  });

  it("fetch accepts a multipart callback", async () => {
    const params = { ...INCOMING, FaxStatus: "received" };
    const { fetch, onCallback } = setUp({ ...DELIVERIES, maxMediaBytes: PAGES.length });
    const headers = { "x-twilio-signature": signRequest({ authToken: TOKEN, url: FAX_URL, params }) };
    const response = await fetch(new Request(FAX_URL, { method: "POST", body: deliveryForm(params), headers }));
    expect([response.status, onCallback.mock.calls[0]?.[0].media?.size]).toEqual([200, PAGES.length]);
  });

  it("fetch passes the path of the URL to handlers, and the URL", async () => {
    const { fetch, onFax } = setUp({ authToken: false });
    await fetch(
      new Request("https://fax.example.com/a/caf%C3%A9?b=1#c", { method: "POST", body: new URLSearchParams(INCOMING) }),
    );
    const [, request] = onFax.mock.calls[0]!;
    expect([request.path, request.url]).toEqual(["/a/caf%C3%A9", "https://fax.example.com/a/caf%C3%A9?b=1#c"]);
  });

  it("fetch completes onCallback and returns its Response if the request is aborted meanwhile", async () => {
    const controller = new AbortController();
    const finished = vi.fn();
    const onCallback = async () => {
      controller.abort();
      await setImmediate();
      finished();
    };
    const { fetch } = setUp({ authToken: false, onCallback });
    const body = new URLSearchParams(CALLBACK);
    const response = await fetch(new Request(FAX_URL, { method: "POST", body, signal: controller.signal }));
    expect([response.status, finished.mock.calls.length]).toEqual([200, 1]);
  });

  it.each<[string, unknown]>([
    ["undefined", undefined],
    ["the context of Hono", { req: { raw: createPost() }, env: {} }],
    ["the request of Hono", { raw: createPost(), url: FAX_URL, method: "POST", header: () => "" }],
    ["the request of Express", { method: "POST", url: "/fax", headers: {}, body: INCOMING }],
    ["a URL with personal data", `${FAX_URL}?${TEXT}`],
  ])("fetch rejects with a TypeError that says what to pass for %s", async (_, sent) => {
    const error = await setUp()
      .fetch(sent as never)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toMatch(
      /^request must be a Request \(Hono: c\.req\.raw; .*(undefined|an? \w+)\.$/,
    );
  });

  it("fetch rejects with the error of onFax", async () => {
    const error = new Error("no database");
    await expect(setUp({ onFax: () => Promise.reject(error) }).fetch(createPost())).rejects.toBe(error);
  });
});
