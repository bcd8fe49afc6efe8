/** The provider's errors for a server's responses. tests/messages.snap.md has their messages. */
import { describe, expect, it } from "vitest";
import { receive, reject, toTwiml } from "../../src/index.js";
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
  ])("%s: %j", async (_, fetch, code) => {
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
  ])("after the byte order marks %j is %s", async (mark, outcome) => {
    expect((await send(respond(mark + toTwiml(reject())))).outcome).toBe(outcome);
  });
});

describe("the pages", () => {
  const verb = receive({ action: "/callback", storeMedia: false });
  /** A server whose responses after the first are those of `fetch`. */
  const handleCallback = (fetch: ProviderFetch): ProviderFetch => {
    return (request) => (request.url === URL_ ? new Response(toTwiml(verb), { headers: XML }) : fetch(request));
  };

  it("are lost if storeMedia is false without an action", async () => {
    const fetch = respond('<Response><Receive storeMedia="false"/></Response>');
    const expected = { outcome: "error", pagesLost: true, error: { code: "pages-lost" } };
    expect(await send(fetch)).toMatchObject(expected);
    const provider = createFaxProvider({ url: URL_, authToken: "PSK_test", fetch });
    expect(await provider.sendFax({ outcome: "failed" })).toMatchObject({ ...expected, pagesLost: false });
  });

  it.each([300, 500])("are lost if the multipart callback gets status %i", async (status) => {
    const transcript = await send(handleCallback(respond("full", { status })));
    const code = status === 500 ? 11217 : 11200;
    expect(transcript).toMatchObject({ outcome: "error", verb, pagesLost: true, error: { code } });
  });

  it("are lost if a redirect changes the multipart callback to a GET", async () => {
    const redirect = new Response(null, { status: 302, headers: { location: "/target" } });
    const fetch: ProviderFetch = ({ url }) =>
      url.endsWith("/callback") ? redirect : new Response(toTwiml(), { headers: XML });
    const expected = { outcome: "error", verb, pagesLost: true, error: { code: "pages-lost" } };
    expect(await send(handleCallback(fetch))).toMatchObject(expected);
  });

  it("are not lost if the server fails after the provider stored them", async () => {
    const stored = toTwiml(receive({ action: "/callback" }));
    const fetch: ProviderFetch = ({ url }) =>
      url === URL_ ? new Response(stored, { headers: XML }) : new Response("", { status: 500 });
    expect(await send(fetch)).toMatchObject({ outcome: "error", pagesLost: false, error: { code: 11217 } });
  });
});

describe("action", () => {
  it.each([
    ["/done", ["Basic", "/done"]],
    ["https://other.example.com/done", ["none", "/done"]],
  ])("%s on the configured host gets the configured password, and another host does not", async (action, expected) => {
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
