/** The provider's errors for a server's responses. tests/messages.snap.md has their messages. */
import { describe, expect, it } from "vitest";
import { receive, reject, toTwiml, type Verb } from "../../src/index.js";
import { createFaxProvider, type FaxProviderOptions, type ProviderFetch } from "../../src/testing/index.js";

const URL_ = "https://fax.example.com/fax";
const XML = { "content-type": "text/xml" };
const HTML = { "content-type": "text/html" };
const send = (fetch: ProviderFetch, more: Partial<FaxProviderOptions> = {}) =>
  createFaxProvider({ url: URL_, authToken: "PSK_test", fetch, ...more }).sendFax();

const respond =
  (body: string | Uint8Array<ArrayBuffer> | null, init: ResponseInit = {}): ProviderFetch =>
  () =>
    new Response(body, { headers: XML, ...init });

const respondWith = (verb: Verb) => new Response(toTwiml(verb), { headers: XML });

const LATIN1 = Uint8Array.from("<Response><!--\xe9--><Reject/></Response>", (letter) => letter.charCodeAt(0));

describe("the error of the first response", () => {
  it.each<[string, ProviderFetch, number]>([
    ["a verb in the wrong case", respond("<Response><receive/></Response>"), 12200],
    ["an unknown attribute", respond('<Response><Receive pagesize="a4"/></Response>'), 12200],
    ["an action that is not a URL", respond('<Response><Receive action="//["/></Response>'), 12200],
    ["another root element", respond("<response/>"), 12102],
    ["text/xml2", respond("<Response/>", { headers: { "content-type": "text/xml2" } }), 12300],
    ["a document of 100 kB", respond(`<Response><!--${"x".repeat(100_000)}--></Response>`), 11750],
    ["status 500 and a body of 100 kB", respond("x".repeat(100_000), { status: 500 }), 11750],
    ["an empty body", respond(null), 12100],
    ["HTML that is not UTF-8", respond(LATIN1, { headers: HTML }), 12300],
    ["status 400", respond("x", { status: 400 }), 11217],
    ["status 201 with a verb", respond("<Response><Reject/></Response>", { status: 201 }), 11200],
    ["an exception of the handler", () => Promise.reject(new Error("no database")), 11217],
    ["an object without headers", () => ({ status: 200 }) as never, 11217],
  ])("sendFax returns error $2 for %s", async (_, fetch, code) => {
    const { outcome, error, exchanges } = await send(fetch);
    expect([outcome, error?.code, exchanges.at(-1)?.error]).toEqual(["error", code, error]);
  });

  it.each(["text/xml", "TEXT/XML", "text/xml; charset=utf-8", "text/xml ;charset=utf-8", "application/xml"])(
    "accepts the Content-Type %s",
    async (type) => {
      const fetch = respond(toTwiml(reject()), { headers: { "content-type": type } });
      expect((await send(fetch)).outcome).toBe("rejected");
    },
  );

  it("accepts a document of 65,536 bytes and no more", async () => {
    const [start, end] = ["<Response><Reject/><!--", "--></Response>"];
    const document = start + "x".repeat(65_536 - start.length - end.length) + end;
    expect((await send(respond(document))).outcome).toBe("rejected");
    expect((await send(respond(document.replace("--x", "--xx")))).error?.code).toBe(11750);
  });

  it.each([
    ["\ufeff", "rejected"],
    ["\ufeff\ufeff", "error"],
  ])("a document after the byte order marks %j has the outcome %s", async (mark, outcome) => {
    expect((await send(respond(mark + toTwiml(reject())))).outcome).toBe(outcome);
  });
});

describe("the pages", () => {
  const verb = receive({ action: "/callback", storeMedia: false });
  /** A server whose responses after the first are those of `fetch`. */
  const handleCallback = (fetch: ProviderFetch): ProviderFetch => {
    return (request) => (request.url === URL_ ? new Response(toTwiml(verb), { headers: XML }) : fetch(request));
  };

  it("pagesLost is true for storeMedia: false without an action, unless the fax failed", async () => {
    const fetch = respond('<Response><Receive storeMedia="false"/></Response>');
    const expected = { outcome: "error", pagesLost: true, error: { code: "pages-lost" } };
    expect(await send(fetch)).toMatchObject(expected);
    const provider = createFaxProvider({ url: URL_, authToken: "PSK_test", fetch });
    expect(await provider.sendFax({ outcome: "failed" })).toMatchObject({ ...expected, pagesLost: false });
  });

  it.each([300, 500])("pagesLost is true if the multipart callback gets status %i", async (status) => {
    const transcript = await send(handleCallback(respond("full", { status })));
    const code = status === 500 ? 11217 : 11200;
    expect(transcript).toMatchObject({ outcome: "error", verb, pagesLost: true, error: { code } });
  });

  it("pagesLost is true if a redirect changes the multipart callback to a GET", async () => {
    const redirect = new Response(null, { status: 302, headers: { location: "/target" } });
    const fetch: ProviderFetch = ({ url }) =>
      url.endsWith("/callback") ? redirect : new Response(toTwiml(), { headers: XML });
    const expected = { outcome: "error", verb, pagesLost: true, error: { code: "pages-lost" } };
    expect(await send(handleCallback(fetch))).toMatchObject(expected);
  });

  it("pagesLost is false if the server fails after the provider stored the pages", async () => {
    const stored = toTwiml(receive({ action: "/callback" }));
    const fetch: ProviderFetch = ({ url }) =>
      url === URL_ ? new Response(stored, { headers: XML }) : new Response("", { status: 500 });
    expect(await send(fetch)).toMatchObject({ outcome: "error", pagesLost: false, error: { code: 11217 } });
  });
});

describe("the fallback URL", () => {
  const FALLBACK = "https://user:pass@backup.example.com/fallback#rt=1000";
  const options = { url: "https://user:pass@fax.example.com/fax?a=1#rt=2000", fallbackUrl: FALLBACK };
  const fail = () => new Response("", { status: 503 });
  /** Fails on fax.example.com. `backup` responds on the fallback host. */
  const sendToBackup = (backup: ProviderFetch, flavor: "signalwire" | "twilio" = "signalwire") =>
    send((request) => (new URL(request.url).host === "fax.example.com" ? fail() : backup(request)), {
      ...options,
      flavor,
    });

  it.each([
    ["signalwire", "11217"],
    ["twilio", "11200"],
  ] as const)("gets the five parameters, ErrorCode and ErrorUrl from %s", async (flavor, ErrorCode) => {
    const { outcome, error, exchanges } = await sendToBackup(respond(toTwiml(reject())), flavor);
    expect([outcome, error]).toEqual(["rejected", undefined]);
    const [failed, { request }] = exchanges as [(typeof exchanges)[0], (typeof exchanges)[0]];
    expect(failed.error?.code).toBe(Number(ErrorCode));
    expect(request.url).toBe("https://backup.example.com/fallback");
    const ErrorUrl = "https://fax.example.com/fax?a=1";
    expect(request.params).toEqual({ ...failed.request.params, ErrorCode, ErrorUrl });
  });

  it.each<[string, ProviderFetch]>([
    ["a response without a verb", respond(toTwiml())],
    ["a response that is not TwiML", respond("OK")],
    ["a handler that throws", () => Promise.reject(new Error("no database"))],
  ])("is requested after %s", async (_, fetch) => {
    const { exchanges } = await send(fetch, options);
    expect(exchanges.map(({ request }) => new URL(request.url).host)).toEqual([
      "fax.example.com",
      "backup.example.com",
    ]);
  });

  it("returns the error of the fallback URL if both fail", async () => {
    const { outcome, error, exchanges } = await sendToBackup(respond("<Response>"));
    expect([outcome, error?.code, exchanges[0]!.error?.code]).toEqual(["error", 12100, 11217]);
  });

  it("is the base URL of a relative action, and its password is sent there", async () => {
    const { outcome, exchanges } = await sendToBackup(({ url, headers }: Request) => {
      if (!headers.has("authorization")) {
        return new Response("", { status: 401, headers: { "www-authenticate": "Basic realm=x" } });
      }
      return url.endsWith("/fallback") ? respondWith(receive({ action: "done" })) : new Response();
    });
    const last = exchanges.at(-1)!.request;
    expect([outcome, last.url]).toEqual(["received", "https://backup.example.com/done"]);
    expect(last.headers["authorization"]).toBe(`Basic ${btoa("user:pass")}`);
  });

  it.each(["received", "failed"] as const)("gets a callback whose URL failed, with its status: %s", async (outcome) => {
    const fetch: ProviderFetch = ({ url }) => {
      if (url === URL_) return respondWith(receive({ action: "/callback" }));
      return url.endsWith("/callback") ? fail() : new Response();
    };
    const provider = createFaxProvider({ url: URL_, fallbackUrl: FALLBACK, authToken: "PSK_test", fetch });
    const transcript = await provider.sendFax({ outcome });
    expect(transcript).toMatchObject({ outcome, pagesLost: false });
    expect(transcript.exchanges.at(-1)!.request.params).toMatchObject({
      FaxStatus: outcome,
      ErrorCode: outcome === "failed" ? "34007" : "11217",
      ErrorUrl: "https://fax.example.com/callback",
    });
  });

  it("gets the pages of a multipart callback whose URL failed", async () => {
    const fetch: ProviderFetch = ({ url }) => {
      if (url === URL_) return respondWith(receive({ action: "/callback", storeMedia: false }));
      return url.endsWith("/callback") ? fail() : new Response();
    };
    const { outcome, pagesLost, exchanges } = await send(fetch, { fallbackUrl: FALLBACK });
    expect([outcome, pagesLost, exchanges.at(-1)!.request.file?.type]).toEqual(["received", false, "application/pdf"]);
  });

  it.each([
    ["pages-lost", toTwiml(receive({ action: "/x" })).replace('action="/x"', 'storeMedia="false"')],
    ["second-verb", "<Response><Reject/><Reject/></Response>"],
  ])("is not requested for %s, which a provider does not report", async (code, body) => {
    const { error, exchanges } = await send(respond(body), { fallbackUrl: FALLBACK });
    expect([error?.code, exchanges.length]).toEqual([code, 1]);
  });
});

describe("the response to a callback", () => {
  const sendCallback = (response: () => Response) =>
    send(({ url }) => (url === URL_ ? respondWith(receive({ action: "/callback" })) : response()));

  it.each<[string, ConstructorParameters<typeof Response>]>([
    ["an empty 200", [null]],
    ["OK", ["OK", { headers: { "content-type": "text/plain" } }]],
    ["HTML", ["<!DOCTYPE html><p>Thanks<br>", { headers: HTML }]],
    ["JSON", ['{"ok":true}', { headers: { "content-type": "application/json" } }]],
    ["status 201", ["created", { status: 201 }]],
    ["status 204", [null, { status: 204 }]],
    ["<Response/>", ["<Response/>", { headers: XML }]],
    ["bytes that are not UTF-8", [Uint8Array.of(0xe9)]],
    ["a document that is not well-formed", ["<Response>", { headers: XML }]],
  ])("may be %s", async (_, init) => {
    const { outcome, error } = await sendCallback(() => new Response(...init));
    expect([outcome, error]).toEqual(["received", undefined]);
  });

  it.each([
    ["<Receive> as for a new fax", toTwiml(receive({ action: "/fax" }))],
    ["<Reject>", toTwiml(reject())],
    ["a verb in the wrong case", "<Response><receive/></Response>"],
    ["two verbs", "<Response><Reject/><Reject/></Response>"],
  ])("is the error verb-in-callback for %s", async (_, body) => {
    const transcript = await sendCallback(() => new Response(body, { headers: XML }));
    expect(transcript).toMatchObject({ outcome: "error", error: { code: "verb-in-callback" }, pagesLost: false });
    expect(transcript.verb).toEqual(receive({ action: "/callback" }));
  });

  it.each([
    [304, 11200],
    [404, 11217],
    [500, 11217],
  ])("is an error for status %i", async (status, code) => {
    const { outcome, error } = await sendCallback(() => new Response(null, { status }));
    expect([outcome, error?.code]).toEqual(["error", code]);
  });
});

describe("the message for an HTML error page", () => {
  it.each([
    ["<html><head><style>p{}</style></head><BODY class=x>\n<p>Cannot&nbsp;POST /fax</p>", "Cannot POST /fax"],
    ["<body><script>run()</script><style>p{}</style>no database", "no database"],
    ["<pre>Error: no database<br> &nbsp; at save</pre>", "Error: no database at save"],
  ])("has the text of %j", async (html, text) => {
    const { error } = await send(respond(html, { status: 500, headers: HTML }));
    expect(error?.message).toContain(`status 500 (${JSON.stringify(text)})`);
  });

  it.each(["<script ", "<body", "<"])("is found quickly in 64 kB of %j", async (text) => {
    const start = performance.now();
    await send(respond(text.repeat(65_536 / text.length), { status: 500, headers: HTML }));
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

describe("action", () => {
  it.each([
    ["/done", ["Basic", "/done"]],
    ["https://other.example.com/done", ["none", "/done"]],
  ])("sends the password with the callback to %s only if it is on the configured host", async (action, expected) => {
    const seen: string[][] = [];
    const fetch: ProviderFetch = ({ url, headers }: Request) => {
      const authorization = headers.get("authorization");
      seen.push([authorization?.slice(0, 5) ?? "none", new URL(url).pathname]);
      if (authorization) return new Response(toTwiml(receive({ action })), { headers: XML });
      return new Response("", { status: 401, headers: { "www-authenticate": "Basic realm=fax" } });
    };
    await send(fetch, { url: "https://user:pass@fax.example.com/fax" });
    expect(seen.at(-1)).toEqual(expected);
  });
});
