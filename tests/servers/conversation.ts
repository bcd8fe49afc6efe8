/** One conversation for every server: the requests of a provider and of attackers, and the expected result of each. */
import { beforeEach, expect, it, vi } from "vitest";
import { receive } from "../../src/index.js";
import { createFaxProvider, type FaxProviderOptions, type FaxTranscript } from "../../src/testing/index.js";
import { readDocument } from "../provider/document.js";
import { sign, SIGNATURE_HEADER } from "../provider/sign.js";
import { TOKEN, Watch } from "./examples.js";

/** A webhook, seen from the provider. */
export interface Site {
  /** The URL configured at the provider. */
  readonly url: string;
  readonly watch: Watch;
  /** Sends a request for `url` to the server. Default: the global `fetch`. */
  readonly send?: ((request: Request) => Promise<Response>) | undefined;
}

const FROM = "+15017122661";
const BLOCKED = "+15005550006";
const TO = "+15558675310";
const ACCOUNT = "AC0123456789abcdef0123456789abcdef";
const XML = '<?xml version="1.0" encoding="UTF-8"?>';
const MEDIA_URL = "https://media.example.com/fax.pdf";
const FORM_TYPE = "application/x-www-form-urlencoded";

/** The five parameters of a new fax. */
export const INCOMING = {
  FaxSid: "FX0123456789abcdef0123456789abcdef",
  AccountSid: ACCOUNT,
  From: FROM,
  To: TO,
  ApiVersion: "v1",
};
const RECEIVED = { ...INCOMING, FaxStatus: "received" };

export const provide = (url: string, options: Partial<FaxProviderOptions> = {}) =>
  createFaxProvider({ url, authToken: TOKEN, flavor: "twilio", accountSid: ACCOUNT, ...options });

export interface RequestParts {
  readonly method?: string;
  readonly params?: Record<string, string>;
  readonly pages?: Uint8Array<ArrayBuffer>;
  readonly authToken?: string;
  /** The URL that is signed, if it is not the URL that is requested. */
  readonly signedUrl?: (url: string) => string;
  readonly headers?: Record<string, string>;
}

/** A request that the oracle signs, not this library. `headers` replace its own, the signature included. */
export function signedRequest(url: string, parts: RequestParts = {}): Request {
  const { method = "POST", params = INCOMING, pages, authToken = TOKEN, signedUrl = String, headers } = parts;
  const form = new URLSearchParams(params);
  const isGet = method === "GET" || method === "HEAD";
  const target = new URL(url);
  if (isGet) target.search = [target.search.slice(1), form].filter(String).join("&");
  const signature = sign(authToken, signedUrl(target.href), isGet ? undefined : form);
  let body: URLSearchParams | FormData = form;
  if (pages) {
    body = new FormData();
    for (const [name, value] of form) body.append(name, value);
    body.append("Media", new Blob([pages], { type: "application/pdf" }), "a.pdf");
  }
  const all = { [SIGNATURE_HEADER.twilio]: signature, ...headers };
  return new Request(target, { method, headers: all, ...(!isGet && { body }) });
}

export const statuses = ({ exchanges }: FaxTranscript) => exchanges.map(({ response }) => response?.status);

/** Status and body, for one `toEqual`. */
export async function answer(response: Response | Promise<Response>): Promise<[status: number, body: string]> {
  const { status } = await response;
  return [status, await (await response).text()];
}

/** 200,000 bytes that start like a file of this type. */
function pagesOf(type: "application/pdf" | "image/tiff"): Uint8Array<ArrayBuffer> {
  const pages = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 31) & 255);
  pages.set(type === "application/pdf" ? Buffer.from("%PDF-1.4\r\n--") : [0x49, 0x49, 42, 0]);
  return pages;
}

/** The differences between platforms. */
interface Platform {
  /** Bodies are converted to text before the handler. */
  readonly givesText?: boolean;
  /** The query is parsed before the handler. */
  readonly splitsQuery?: boolean;
  /** Compressed bodies are decompressed before the handler. */
  readonly decompresses?: boolean;
  /** Only one header of a name can be sent. */
  readonly sendsOneCookie?: boolean;
}

/**
 * @param site the server; called once it runs
 * @param platform what the platform does before the handler: it converts bodies to text, or parses the query
 */
export function conversation(site: () => Site, platform: Platform = {}): void {
  let url: string;
  let watch: Watch;
  let send: (request: Request) => Promise<Response>;
  beforeEach(() => {
    ({ url, watch, send = fetch } = site());
    Object.assign(watch, new Watch());
    for (const method of ["log", "warn", "error"] as const) vi.spyOn(console, method).mockImplementation(() => {});
    return () => vi.restoreAllMocks();
  });

  const FAX = { from: FROM, to: TO, mediaUrl: MEDIA_URL };
  const provider = (options: Partial<FaxProviderOptions> = {}) => provide(url, { fetch: send, ...options });
  const request = (parts?: RequestParts) => send(signedRequest(url, parts));

  it.each(["twilio", "signalwire"] as const)("receives a fax from %s and its callback", async (flavor) => {
    const transcript = await provider({ flavor }).sendFax(FAX);
    expect([transcript.error, transcript.outcome, statuses(transcript)]).toEqual([undefined, "received", [200, 200]]);
    for (const { request } of transcript.exchanges) {
      const signature = sign(TOKEN, url, new URLSearchParams(request.params), flavor);
      expect([request.url, request.headers[SIGNATURE_HEADER[flavor]]]).toEqual([url, signature]);
    }
    const [incoming, callback] = transcript.exchanges;
    const headers = { "content-type": "text/xml; charset=utf-8", "cache-control": "no-store" };
    expect(incoming!.response!.headers).toMatchObject(headers);
    const action = expect.stringMatching(/(^|\/)fax$/);
    expect(readDocument(incoming!.response!.body)).toEqual({ name: "Receive", attributes: { action } });
    expect(callback!.response!.body).toBe(`${XML}<Response/>`);
    const { faxSid } = transcript;
    expect(watch.faxes).toMatchObject([{ faxSid, accountSid: ACCOUNT, from: FROM, to: TO, apiVersion: "v1" }]);
    const result = { faxSid, faxStatus: "received", numPages: 1, remoteStationId: FROM, mediaUrl: MEDIA_URL };
    expect(watch.callbacks).toMatchObject([result]);
    expect(watch.callbacks[0]!.timestamp instanceof Date).toBe(flavor === "signalwire");
    expect(watch.refusals).toEqual([]);
    // The example's own handler ran.
    await vi.waitFor(() => expect(console.log).toHaveBeenCalledWith(`saved faxes/${faxSid}.pdf`));
  });

  it("receives the callback of a failed fax", async () => {
    const { outcome, error, exchanges } = await provider().sendFax({ from: FROM, outcome: "failed" });
    expect([outcome, error]).toEqual(["failed", undefined]);
    const { ErrorCode: errorCode, ErrorMessage: errorMessage } = exchanges[1]!.request.params;
    expect(watch.callbacks).toMatchObject([{ faxStatus: "failed", errorCode, errorMessage }]);
  });

  it("replies with <Reject> to a blocked number, and gets no callback", async () => {
    const { outcome, exchanges } = await provider().sendFax({ from: BLOCKED });
    expect([outcome, exchanges.length]).toEqual(["rejected", 1]);
    expect(exchanges[0]!.response!.body).toBe(`${XML}<Response><Reject/></Response>`);
    expect(watch.callbacks).toEqual([]);
  });

  it("passes every parameter to the handlers unchanged", async () => {
    const params = {
      From: "Zoë & <Søn> 100% +a=b;c 'q' \"d\" 📠",
      "New.Parameter[0]": "a\r\n\tb",
      empty: "",
      __proto__x: "p",
      "": "no name",
    };
    expect(statuses(await provider().sendFax({ mediaUrl: MEDIA_URL, params }))).toEqual([200, 200]);
    expect(watch.faxes[0]!.from).toBe(params.From);
    expect(watch.faxes[0]!.params).toMatchObject(params);
    expect(watch.callbacks[0]!.params).toMatchObject(params);
  });

  it("replies to GET with an ETag, to a revalidation with 304, and to HEAD without a body", async () => {
    expect(statuses(await provider().sendFax({ ...FAX, method: "GET" }))).toEqual([200, 200]);
    const first = await request({ method: "GET" });
    const etag = first.headers.get("etag")!;
    expect(etag).toMatch(/^"[\w-]+"$/);
    expect(first.headers.get("cache-control")).toBe("private, no-cache");
    expect(readDocument(await first.text())?.name).toBe("Receive");
    const again = await request({ method: "GET", headers: { "if-none-match": etag } });
    expect([...(await answer(again)), again.headers.get("etag")]).toEqual([304, "", etag]);
    const changed = await request({ method: "GET", headers: { "if-none-match": '"other"' } });
    expect(changed.status).toBe(200);
    const head = await request({ method: "HEAD" });
    expect([...(await answer(head)), head.headers.get("etag")]).toEqual([200, "", etag]);
    expect(head.headers.get("content-type")).toBe("text/xml; charset=utf-8");
  });

  it.each([
    ["as it is requested", "?", "?"],
    ["with a literal '", "%27", "'"],
    ["with %20 for +", "+", "%20"],
  ])("accepts a URL with a query, signed %s", async (_, requested, signed) => {
    // A parsed and rebuilt query has one encoding for a space.
    const space = platform.splitsQuery ? "%20" : "+";
    const withQuery = `${url}?tenant=O'Neil%20%26${space}Co&x=%C3%A9`;
    const signedUrl = (whole: string) => whole.replaceAll(requested, signed);
    expect((await send(signedRequest(withQuery, { signedUrl }))).status).toBe(200);
    expect(watch.requests[0]!.url).toMatch(/\/fax\?tenant=O(%27|')Neil(%20|\+)%26\+Co&x=%C3%A9$/);
    expect(statuses(await provide(withQuery, { fetch: send }).sendFax(FAX))).toEqual([200, 200]);
  });

  it.each<[string, RequestParts, string]>([
    ["another token", { authToken: "guessed" }, "signature-mismatch"],
    ["another URL", { signedUrl: (whole) => whole.replace("/fax", "/fix") }, "signature-mismatch"],
    ["text that is not Base64", { headers: { "x-twilio-signature": "x" } }, "signature-mismatch"],
    ["an empty text", { headers: { "x-twilio-signature": "" } }, "missing-signature"],
  ])("returns 403 for a forged signature: %s", async (_, forged, reason) => {
    for (const method of ["POST", "GET"]) {
      const response = await request({ ...forged, method });
      expect([...(await answer(response)), response.headers.get("cache-control")]).toEqual([
        403,
        "forbidden",
        "no-store",
      ]);
    }
    expect(watch.refusals.map((refusal) => refusal.reason)).toEqual([reason, reason]);
    if (reason === "signature-mismatch") expect(watch.refusals[0]!.urls).toContain(url);
    expect([watch.faxes, watch.callbacks]).toEqual([[], []]);
  });

  it("accepts a repeated callback and returns 403 for a changed one", async () => {
    const { sendFax, resend } = provider();
    const callback = (await sendFax(FAX)).exchanges[1]!;
    expect((await resend(callback)).response!.status).toBe(200);
    expect(watch.callbacks).toHaveLength(2);
    const body = Buffer.from(String(Buffer.from(callback.request.body!)).replace("%2B1501", "%2B1900"));
    const { response } = await resend({ ...callback, request: { ...callback.request, body } });
    expect([response!.status, response!.body]).toEqual([403, "forbidden"]);
    expect(watch.callbacks).toHaveLength(2);
  });

  it("returns 400 for invalid parameters and passes their issues to onRefused", async () => {
    const { To: _, ...rest } = INCOMING;
    const response = await request({ params: { ...rest, FaxSid: "../etc/passwd", to: TO } });
    expect(await answer(response)).toEqual([400, "invalid-parameters"]);
    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    const { issues } = watch.refusals[0]!.error as { issues: { parameter: string; code: string }[] };
    expect(issues.map(({ parameter, code }) => `${parameter} ${code}`)).toEqual(["FaxSid invalid", "To missing"]);
    expect(watch.faxes).toEqual([]);
  });

  it.each<[number, string, string, RequestParts]>([
    [400, "missing-body", "a POST without a body", { params: {} }],
    [
      400,
      "unreadable-body",
      "a form that claims to be multipart",
      {
        params: RECEIVED,
        headers: { "content-type": "multipart/form-data; boundary=x" },
      },
    ],
    [
      403,
      "forbidden",
      "a forged multipart callback",
      {
        params: RECEIVED,
        pages: new Uint8Array(1000),
        authToken: "guessed",
      },
    ],
    [405, "method-not-allowed", "PUT", { method: "PUT" }],
    [405, "method-not-allowed", "DELETE", { method: "DELETE" }],
    [413, "too-large", "a form over maxFormBytes", { params: { ...INCOMING, Padding: "x".repeat(70_000) } }],
    [415, "unsupported-media-type", "another content type", { headers: { "content-type": "text/plain" } }],
  ])("returns %i %s for %s", async (status, reason, _, parts) => {
    const response = await request(parts);
    const allow = response.headers.get("allow");
    const [received, body] = await answer(response);
    expect(received).toBe(status);
    // Next.js answers 405 without calling the handler.
    if (status === 405) expect(allow).toBe("GET, HEAD, POST");
    else expect(body).toBe(reason);
    expect([watch.faxes, watch.callbacks]).toEqual([[], []]);
  });

  it("returns 415 for a compressed body, unless the platform has read it", async () => {
    const response = await request({ headers: { "content-type": FORM_TYPE, "content-encoding": "gzip" } });
    // The body is not compressed, so a platform that decompresses it fails.
    expect(response.status).toBe(platform.givesText ? 200 : platform.decompresses ? 400 : 415);
  });

  it.each([
    ["application/pdf", /^fax\.pdf$/, {}],
    ["image/tiff", /^fax\.tiff$/, { Note: "Grüße\r\nzwei" }],
  ] as const)("receives the pages of a multipart callback: %s", async (mediaType, name, params) => {
    for (const flavor of ["twilio", "signalwire"] as const) {
      const twiml = receive({ action: "fax", storeMedia: false, mediaType });
      Object.assign(watch, new Watch(), { answer: { twiml } });
      const pages = pagesOf(mediaType);
      const { error, pagesLost, faxSid } = await provider({ flavor }).sendFax({ pages, params });
      expect([error, pagesLost]).toEqual([undefined, false]);
      const media = { type: mediaType, size: pages.length, name: expect.stringMatching(name) };
      expect(watch.callbacks).toMatchObject([{ faxSid, faxStatus: "received", params, media }]);
      expect(Buffer.compare(watch.media[0]!, pages)).toBe(0);
    }
  });

  it("sets cookies, which the provider returns with the callback", async () => {
    const cookies = ["ticket=42; Path=/; HttpOnly", "note=a%20b; Path=/"].slice(0, platform.sendsOneCookie ? 1 : 2);
    watch.answer = { twiml: receive({ action: "fax" }), headers: { "Set-Cookie": cookies, "X-Note": "1" } };
    const { exchanges } = await provider().sendFax(FAX);
    expect(exchanges[0]!.response).toMatchObject({ cookies, headers: { "x-note": "1" } });
    const expected = platform.sendsOneCookie ? "ticket=42" : "ticket=42; note=a%20b";
    expect(watch.requests.at(-1)!.headers["cookie"]).toBe(expected);
  });

  it("returns 5xx without TwiML if onCallback throws, and passes the same identifiers with the retry", async () => {
    watch.failures = 1;
    watch.answer = { twiml: receive({ action: "fax#rp=5xx" }) };
    const { error, faxSid, exchanges } = await provider().sendFax(FAX);
    expect([error, exchanges.length, exchanges[2]?.response?.status]).toEqual([undefined, 3, 200]);
    expect(exchanges[1]!.response!.status).toBeGreaterThanOrEqual(500);
    expect(exchanges[1]!.response!.body).not.toContain("<Response");
    expect(watch.callbacks.map((callback) => callback.faxSid)).toEqual([faxSid, faxSid]);
    const [first, failed, retried] = watch.requests.map(({ headers }) => headers["i-twilio-idempotency-token"]);
    expect(failed).toMatch(/^[\w-]{36}$/);
    expect(retried).toBe(failed);
    expect(first).not.toBe(failed);
  });

  it.each(["twilio", "signalwire"] as const)(
    "accepts a signature in the header of %s besides a wrong one in the other",
    async (right) => {
      const wrong = right === "twilio" ? "signalwire" : "twilio";
      const headers = {
        [SIGNATURE_HEADER[wrong]]: "AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        [SIGNATURE_HEADER[right]]: sign(TOKEN, url, new URLSearchParams(INCOMING)),
      };
      expect((await request({ headers })).status).toBe(200);
    },
  );
}
