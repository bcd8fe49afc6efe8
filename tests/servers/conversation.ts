/** One conversation, the same for every server: what a provider does, and what must come of it. */
import { beforeEach, expect, it, vi } from "vitest";
import { receive } from "../../src/index.js";
import type { ReceiveAttributes } from "../../src/index.js";
import { blankPage, createProvider, sign, SIGNATURE_HEADER } from "../provider/index.js";
import type { Exchange, Flavor, ProviderOptions, Transcript } from "../provider/index.js";
import { TOKEN, Watch } from "./examples.js";

/** Where a webhook is, seen from the provider. */
export interface Site {
  readonly url: string;
  readonly watch: Watch;
}

export const FROM = "+15017122661";
export const BLOCKED = "+15005550006";
export const TO = "+15558675310";
const ACCOUNT = "AC0123456789abcdef0123456789abcdef";
const XML = '<?xml version="1.0" encoding="UTF-8"?>';

/** The five parameters of an incoming fax. */
export const INCOMING = {
  FaxSid: "FX0123456789abcdef0123456789abcdef",
  AccountSid: ACCOUNT,
  From: FROM,
  To: TO,
  ApiVersion: "v1",
};

export function provider(options: Partial<ProviderOptions> & { flavor?: Flavor } = {}) {
  return createProvider({ flavor: "twilio", authToken: TOKEN, accountSid: ACCOUNT, ...options });
}

/** Purpose and status of every request, in order. */
export function course({ exchanges }: Transcript): string[] {
  return exchanges.map(({ purpose, response }) => `${purpose} ${response?.status}`);
}

/** Status and body of an answer, for one `toEqual`. */
export function answered({ response }: Exchange): [status: number | undefined, body: string | undefined] {
  return [response?.status, response?.body];
}

/**
 * @param site the server, once it is up
 * @param options what the provider needs to reach it
 * @param platform what stands before the handler: it has made text of the body, or taken the query apart
 */
export function conversation(
  site: () => Site,
  options: Partial<ProviderOptions> = {},
  platform: { readonly givesText?: boolean; readonly splitsQuery?: boolean } = {},
): void {
  let url: string;
  let watch: Watch;
  beforeEach(() => {
    ({ url, watch } = site());
    Object.assign(watch, new Watch());
    for (const method of ["log", "warn", "error"] as const) vi.spyOn(console, method).mockImplementation(() => {});
    return () => vi.restoreAllMocks();
  });

  const fax = (more: object = {}) => ({ from: FROM, to: TO, webhookUrl: url, ...more });

  it.each(["twilio", "signalwire"] as const)("receives a fax from %s and is told of its pages", async (flavor) => {
    const transcript = await provider({ ...options, flavor }).sendFax(fax());
    expect(transcript.errorCode).toBeUndefined();
    expect(transcript.outcome).toBe("received");
    expect(course(transcript)).toEqual(["incoming 200", "action 200"]);
    const [incoming, action] = transcript.exchanges;
    expect(incoming?.response?.headers.get("content-type")).toBe("text/xml; charset=utf-8");
    expect(incoming?.response?.headers.get("cache-control")).toBe("no-store");
    expect(incoming?.response?.body).toMatch(/<Response><Receive action="(fax|https:[^"]*\/fax)"/);
    expect(action?.request.url).toBe(url);
    expect(action?.response?.body).toBe(`${XML}<Response/>`);
    expect(watch.faxes).toMatchObject([
      { faxSid: transcript.faxSid, accountSid: ACCOUNT, from: FROM, to: TO, apiVersion: "v1" },
    ]);
    const [callback] = watch.callbacks;
    expect(callback).toMatchObject({
      faxSid: transcript.faxSid,
      faxStatus: "received",
      numPages: 1,
      remoteStationId: FROM,
    });
    expect(callback?.mediaUrl).toBe(action?.request.params.get("MediaUrl"));
    expect(callback?.timestamp instanceof Date).toBe(flavor === "signalwire");
    expect(watch.refusals).toEqual([]);
    // The example's own function ran: this provider's pages are at no host that it lists.
    const notSaved = [`NOT SAVED: ${transcript.faxSid}`, expect.objectContaining({ code: "host-not-allowed" })];
    await vi.waitFor(() => expect(console.error).toHaveBeenCalledWith(...notSaved));
  });

  it("is told that a fax failed", async () => {
    const transcript = await provider(options).sendFax(fax({ outcome: "failed" }));
    expect([transcript.outcome, transcript.errorCode]).toEqual(["failed", undefined]);
    expect(watch.callbacks).toMatchObject([
      { faxStatus: "failed", errorCode: "34004", errorMessage: "Error during fax transmission" },
    ]);
  });

  it("rejects a fax", async () => {
    const transcript = await provider(options).sendFax(fax({ from: BLOCKED }));
    expect(transcript.outcome).toBe("rejected");
    expect(course(transcript)).toEqual(["incoming 200"]);
    expect(transcript.exchanges[0]?.response?.body).toBe(`${XML}<Response><Reject/></Response>`);
    expect(watch.callbacks).toEqual([]);
  });

  it("gives every parameter on as it came, whatever is in it", async () => {
    const extraParams = {
      From: "Zoë & <Søn> 100% +a=b;c 'q' \"d\" 📠",
      "New.Parameter[0]": "a\r\n\tb",
      empty: "",
      __proto__x: "p",
      "": "no name",
    };
    const transcript = await provider(options).sendFax(fax({ extraParams }));
    expect(course(transcript)).toEqual(["incoming 200", "action 200"]);
    expect(watch.faxes[0]?.from).toBe(extraParams.From);
    expect(watch.faxes[0]?.params).toMatchObject(extraParams);
    expect(watch.callbacks[0]?.params).toMatchObject(extraParams);
  });

  it("answers GET with an ETag, 304 when asked again, and HEAD without a body", async () => {
    const once = provider(options);
    const first = await once.sendFax(fax({ method: "GET", faxSid: INCOMING.FaxSid }));
    const again = await once.sendFax(fax({ method: "GET", faxSid: INCOMING.FaxSid }));
    expect([course(first), course(again)]).toEqual([
      ["incoming 200", "action 200"],
      ["incoming 304", "action 200"],
    ]);
    expect(again.exchanges[0]?.fromCache).toBe(true);
    expect(again.verb).toEqual(first.verb);
    const { headers } = first.exchanges[0]!.response!;
    expect(headers.get("etag")).toMatch(/^"[\w-]+"$/);
    expect(headers.get("cache-control")).toBe("private, no-cache");
    const head = await once.request({ url: first.exchanges[0]!.request.url, method: "HEAD" as "GET" });
    expect(answered(head)).toEqual([200, ""]);
    expect(head.response?.headers.get("etag")).toBe(headers.get("etag"));
    expect(head.response?.headers.get("content-type")).toBe("text/xml; charset=utf-8");
  });

  it("keeps its query, and verifies it, also where the provider signs it in another spelling", async () => {
    // A query that is put together again has one spelling for a space.
    const space = platform.splitsQuery ? "%20" : "+";
    const webhookUrl = `${url}?tenant=O'Neil%20%26${space}Co&x=%C3%A9`;
    for (const spelling of [
      ["?", "?"],
      ["%27", "'"],
      ["+", "%20"],
    ] as const) {
      watch.requests = [];
      const signedUrl = (signed: string) => signed.replaceAll(spelling[0], spelling[1]);
      const transcript = await provider({ ...options, signedUrl }).sendFax(fax({ webhookUrl }));
      expect(course(transcript)).toEqual(["incoming 200", "action 200"]);
      expect(watch.requests[0]?.url).toMatch(/\/fax\?tenant=O(%27|')Neil(%20|\+)%26\+Co&x=%C3%A9$/);
    }
  });

  it.each([
    ["another token", { authToken: "guessed" }, "signature-mismatch"],
    [
      "a signature of another URL",
      { signedUrl: (signed: string) => signed.replace("/fax", "/fix") },
      "signature-mismatch",
    ],
    ["a signature of no form", { sign: () => "x" }, "signature-mismatch"],
    ["an empty signature", { sign: () => "" }, "missing-signature"],
  ])("refuses a forgery: %s", async (_, forged, reason) => {
    for (const method of ["POST", "GET"] as const) {
      const transcript = await provider({ ...options, ...forged }).sendFax(fax({ method }));
      expect(transcript.errorCode).toBe(11200);
      expect(answered(transcript.exchanges[0]!)).toEqual([403, "forbidden"]);
      expect(transcript.exchanges[0]?.response?.headers.get("cache-control")).toBe("no-store");
    }
    expect(watch.refusals.map((refusal) => refusal.reason)).toEqual([reason, reason]);
    if (reason === "signature-mismatch") expect(watch.refusals[0]?.urls).toContain(url);
    expect([watch.faxes, watch.callbacks]).toEqual([[], []]);
  });

  it("refuses a request that was changed after it was signed", async () => {
    const once = provider(options);
    const { exchanges } = await once.sendFax(fax());
    const [incoming] = exchanges;
    const body = new TextEncoder().encode(
      new TextDecoder().decode(incoming?.request.body).replace("%2B1501", "%2B1900"),
    );
    const changed = await once.resend({ ...incoming!, request: { ...incoming!.request, body } });
    expect(answered(changed)).toEqual([403, "forbidden"]);
    expect(watch.faxes).toHaveLength(1);
  });

  it("refuses a malformed request with 400, and says in the log what is wrong with it", async () => {
    const { To: _, ...rest } = INCOMING;
    const exchange = await provider(options).request({ url, params: { ...rest, FaxSid: "../etc/passwd", to: TO } });
    expect(answered(exchange)).toEqual([400, "invalid-parameters"]);
    expect(exchange.response?.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    const { issues } = watch.refusals[0]?.error as { issues: { parameter: string; code: string }[] };
    expect(issues.map(({ parameter, code }) => [parameter, code])).toEqual([
      ["FaxSid", "invalid"],
      ["To", "missing"],
    ]);
    expect(watch.faxes).toEqual([]);
  });

  it("refuses a POST without a body", async () => {
    const exchange = await provider(options).request({ url, params: {} });
    expect(answered(exchange)).toEqual([400, "missing-body"]);
  });

  it.each([
    ["application/pdf", {}],
    ["image/tiff", { extraParams: { Note: "Grüße\r\nzwei" } }],
  ] as const)("takes the pages of a multipart delivery: %s", async (mediaType, more) => {
    const attributes: ReceiveAttributes = { action: "fax", storeMedia: false, mediaType };
    for (const flavor of ["twilio", "signalwire"] as const) {
      Object.assign(watch, new Watch(), { answer: { twiml: receive(attributes) } });
      const pages = { ...blankPage(mediaType, "letter") };
      pages.bytes = Uint8Array.from({ length: 200_000 }, (_, i) =>
        i < pages.bytes.length ? pages.bytes[i]! : (i * 31) & 255,
      );
      const transcript = await provider({ ...options, flavor, pages }).sendFax(fax(more));
      expect(transcript.errorCode).toBeUndefined();
      expect(transcript.mediaLost).toBe(false);
      const [callback] = watch.callbacks;
      expect(callback).toMatchObject({
        faxSid: transcript.faxSid,
        faxStatus: "received",
        params: "extraParams" in more ? more.extraParams : {},
      });
      expect(callback?.media).toMatchObject({ type: mediaType, size: pages.bytes.length });
      expect(callback?.media?.name).toMatch(mediaType === "image/tiff" ? /\.tiff?$/ : /\.pdf$/);
      expect(Buffer.compare(watch.media[0]!, pages.bytes)).toBe(0);
    }
  });

  it("refuses a forged delivery, and one that is not the multipart it says", async () => {
    const file = { name: "Media", filename: "a.pdf", type: "application/pdf", bytes: new Uint8Array(1000) };
    const params = { ...INCOMING, FaxStatus: "received" };
    const forged = await provider({ ...options, authToken: "guessed" }).request({ url, params, multipart: [file] });
    expect(answered(forged)).toEqual([403, "forbidden"]);
    const broken = await provider(options).request({
      url,
      params,
      headers: { "content-type": "multipart/form-data; boundary=x" },
    });
    expect(answered(broken)).toEqual([400, "unreadable-body"]);
    expect(watch.callbacks).toEqual([]);
  });

  it("refuses a form over the limit with 413", async () => {
    const exchange = await provider(options).request({ url, params: { ...INCOMING, Padding: "x".repeat(70_000) } });
    expect(answered(exchange)).toEqual([413, "too-large"]);
  });

  it("refuses other methods with 405 and Allow", async () => {
    for (const method of ["PUT", "DELETE"]) {
      const { response } = await provider(options).request({ url, method: method as "GET", params: INCOMING });
      expect([response?.status, response?.headers.get("allow")]).toEqual([405, "GET, HEAD, POST"]);
    }
  });

  it("refuses other types with 415, and a compressed body that the platform has not read", async () => {
    const once = provider(options);
    const text = await once.request({ url, params: INCOMING, headers: { "content-type": "text/plain" } });
    expect(text.response?.status).toBe(415);
    expect(watch.faxes).toEqual([]);
    const gzip = await once.request({ url, params: INCOMING, headers: { "content-encoding": "gzip" } });
    expect(gzip.response?.status).toBe(platform.givesText ? 200 : 415);
  });

  it("sets cookies that come back with the callback", async () => {
    const cookies = ["ticket=42; Path=/; HttpOnly", "note=a%20b; Path=/"];
    watch.answer = { twiml: receive({ action: "fax" }), headers: { "Set-Cookie": cookies, "X-Note": "1" } };
    const { exchanges } = await provider(options).sendFax(fax());
    expect(exchanges[0]?.response?.headers.getSetCookie()).toEqual(cookies);
    expect(exchanges[0]?.response?.headers.get("x-note")).toBe("1");
    expect(watch.requests.at(-1)?.headers["cookie"]).toBe("ticket=42; note=a%20b");
  });

  it("fails with 5xx and without TwiML when a callback throws, and knows the retry by its identifiers", async () => {
    watch.failures = 1;
    const transcript = await provider(options).sendFax(fax());
    expect(transcript.errorCode).toBeUndefined();
    const [, failed, retried] = transcript.exchanges;
    expect(failed?.response?.status).toBeGreaterThanOrEqual(500);
    expect(failed?.response?.body).not.toContain("<Response");
    expect([retried?.attempt, retried?.response?.status]).toEqual([2, 200]);
    expect(watch.callbacks.map((callback) => callback.faxSid)).toEqual([transcript.faxSid, transcript.faxSid]);
    const tokens = watch.requests.slice(-2).map((request) => request.headers["i-twilio-idempotency-token"]);
    expect(tokens[0]).toMatch(/^[\w-]{36}$/);
    expect(tokens[1]).toBe(tokens[0]);
    expect(watch.requests[0]?.headers["i-twilio-idempotency-token"]).not.toBe(tokens[0]);
  });

  it("answers a signature in either header, whichever the flavor", async () => {
    const params = new URLSearchParams(INCOMING);
    const signature = sign({ authToken: TOKEN, url, params });
    for (const [right, wrong] of [
      ["twilio", "signalwire"],
      ["signalwire", "twilio"],
    ] as const) {
      const headers = {
        [SIGNATURE_HEADER[wrong]]: "AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        [SIGNATURE_HEADER[right]]: signature,
      };
      const exchange = await provider({ ...options, flavor: right }).request({ url, params, headers });
      expect(exchange.response?.status).toBe(200);
    }
  });
}
