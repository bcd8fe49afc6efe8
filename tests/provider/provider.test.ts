// The offline provider against small servers: each behaviour of protocol section 4, seen from the server's side.
import { createServer } from "node:http";
import type { IncomingHttpHeaders, RequestListener, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { COOKIE_LIFETIME_MS, blankPage, createProvider, readDocument, sign } from "./index.js";
import type { IncomingFax, ProviderOptions } from "./index.js";

interface Seen {
  method: string;
  url: URL;
  headers: IncomingHttpHeaders;
  body: Buffer;
  form: URLSearchParams;
}

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server that records what arrives; the handler answers with a document, or by itself. */
async function serve(
  handler: (seen: Seen, res: ServerResponse) => string | void,
): Promise<{ origin: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const origin: string = await listen((req, res) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.on("end", () => {
      const body = Buffer.concat(chunks);
      const url = new URL(req.url ?? "/", origin);
      const entry = {
        method: req.method ?? "",
        url,
        headers: req.headers,
        body,
        form: new URLSearchParams(body.toString()),
      };
      seen.push(entry);
      const document = handler(entry, res);
      if (document !== undefined) res.writeHead(200, { "content-type": "text/xml" }).end(document);
    });
  });
  return { origin, seen };
}

const TOKEN = "12345";
const FROM = "+15005550001";
const TO = "+15005550002";
const EMPTY = "<Response/>";
const RECEIVE = "<Response><Receive/></Response>";
const CALLBACK = '<Response><Receive action="/done"/></Response>';

function provider(options: Partial<ProviderOptions> = {}) {
  return createProvider({ flavor: "twilio", authToken: TOKEN, ...options });
}

function fax(webhookUrl: string, more: Partial<IncomingFax> = {}): IncomingFax {
  return { from: FROM, to: TO, webhookUrl, ...more };
}

/** Answers `first` to the incoming request and the empty document to callbacks. */
function byStatus(first: string) {
  return ({ form, url }: Seen) => (form.has("FaxStatus") || url.searchParams.has("FaxStatus") ? EMPTY : first);
}

describe("sign", () => {
  it("gives the published signature", () => {
    const params = new URLSearchParams({
      Digits: "1234",
      To: "+18005551212",
      From: "+14158675309",
      Caller: "+14158675309",
      CallSid: "CA1234567890ABCDE",
    });
    const url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    expect(sign({ authToken: "12345", url, params })).toBe("RSOYDt4T1cUTdK1PDd93/VVr8B8=");
  });

  it("counts a repeated value once as Twilio, each time as SignalWire", () => {
    const once = sign({ authToken: TOKEN, url: "https://a.example/", params: new URLSearchParams("a=1") });
    const twice = { authToken: TOKEN, url: "https://a.example/", params: new URLSearchParams("a=1&a=1") };
    expect(sign(twice)).toBe(once);
    expect(sign(twice, "signalwire")).not.toBe(once);
  });
});

describe("the incoming request", () => {
  it("posts the five parameters as Twilio, signed", async () => {
    const { origin, seen } = await serve(() => RECEIVE);
    const transcript = await provider().sendFax(fax(`${origin}/fax?tenant=7`, { extraParams: { FromCity: "" } }));
    expect(transcript).toMatchObject({ outcome: "received", verb: { name: "Receive", attributes: {} } });
    expect(transcript.errorCode).toBeUndefined();
    const [request] = seen;
    expect(seen).toHaveLength(1);
    expect(request?.method).toBe("POST");
    expect(request?.headers["content-type"]).toMatch(/^application\/x-www-form-urlencoded/);
    expect(Object.fromEntries(request?.form ?? [])).toEqual({
      FaxSid: expect.stringMatching(/^FX[0-9a-f]{32}$/),
      AccountSid: expect.stringMatching(/^AC[0-9a-f]{32}$/),
      From: FROM,
      To: TO,
      ApiVersion: "v1",
      FromCity: "",
    });
    const expected = sign({
      authToken: TOKEN,
      url: `${origin}/fax?tenant=7`,
      params: request?.form ?? new URLSearchParams(),
    });
    expect(request?.headers["x-twilio-signature"]).toBe(expected);
    expect(request?.headers["i-twilio-idempotency-token"]).toBeTruthy();
    expect(transcript.faxSid).toBe(request?.form.get("FaxSid"));
  });

  it("uses SignalWire's header and UUIDs", async () => {
    const { origin, seen } = await serve(() => RECEIVE);
    await provider({ flavor: "signalwire" }).sendFax(fax(origin));
    const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
    expect(seen[0]?.form.get("FaxSid")).toMatch(uuid);
    expect(seen[0]?.form.get("AccountSid")).toMatch(uuid);
    expect(seen[0]?.headers["x-signalwire-signature"]).toBeTruthy();
    expect(seen[0]?.headers["x-twilio-signature"]).toBeUndefined();
    expect(seen[0]?.headers["i-twilio-idempotency-token"]).toBeUndefined();
  });

  it("puts the parameters of a GET beside the URL's own query and signs the URL alone", async () => {
    const { origin, seen } = await serve(() => RECEIVE);
    await provider().sendFax(fax(`${origin}/fax?name=a%20b`, { method: "GET" }));
    const [request] = seen;
    expect(request?.method).toBe("GET");
    expect(request?.url.search).toMatch(/^\?name=a%20b&FaxSid=FX/);
    expect(request?.url.searchParams.get("From")).toBe(FROM);
    expect(request?.body).toHaveLength(0);
    expect(request?.headers["x-twilio-signature"]).toBe(sign({ authToken: TOKEN, url: request?.url.href ?? "" }));
  });

  it("sends credentials as Basic and keeps the fragment to itself", async () => {
    const { origin, seen } = await serve(() => RECEIVE);
    const signed: string[] = [];
    const signedUrl = (url: string) => (signed.push(url), "https://other.example:443/");
    const url = origin.replace("//", "//ada:p%40ss@");
    await provider({ signedUrl }).sendFax(fax(`${url}/fax#rc=2`));
    expect(signed).toEqual([`${url}/fax#rc=2`]);
    expect(seen[0]?.headers.authorization).toBe("Basic YWRhOnBAc3M=");
    const params = seen[0]?.form ?? new URLSearchParams();
    expect(seen[0]?.headers["x-twilio-signature"]).toBe(
      sign({ authToken: TOKEN, url: "https://other.example:443/", params }),
    );
  });

  it("takes a forged signer, and a handler in the same process", async () => {
    const handler: typeof fetch = async (input, init) => {
      const request = new Request(input, init);
      expect(request.headers.get("x-twilio-signature")).toBe("forged");
      expect((await request.formData()).get("To")).toBe(TO);
      return new Response("<Response><Reject/></Response>", { headers: { "content-type": "application/xml" } });
    };
    const transcript = await provider({ fetch: handler, sign: () => "forged" }).sendFax(fax("https://fax.example/in"));
    expect(transcript.outcome).toBe("rejected");
    expect(transcript.exchanges).toHaveLength(1);
  });
});

describe("refusals", () => {
  it.each([
    ["an error status", 11200, 500, "text/xml", RECEIVE],
    ["a status that is not 200", 11200, 201, "text/xml", RECEIVE],
    ["over 64 kB", 11750, 200, "text/xml", RECEIVE + " ".repeat(65_536)],
    ["a long stack trace", 11750, 500, "text/html", "x".repeat(70_000)],
    ["HTML", 12300, 200, "text/html", RECEIVE],
    ["JSON", 12300, 200, "application/json", "{}"],
    ["no content type", 12300, 200, undefined, RECEIVE],
    ["text before the declaration", 12100, 200, "text/xml", ` <?xml version="1.0"?>${RECEIVE}`],
    ["no body", 12100, 200, "text/xml", ""],
    ["bytes that are not UTF-8", 12100, 200, "text/xml", Buffer.from("<Response>\xff</Response>", "latin1")],
    ["no verb", 34106, 200, "text/xml", EMPTY],
    ["a verb in the wrong case", 12200, 200, "text/xml", "<Response><receive/></Response>"],
    [
      "an action that is no http(s) URL",
      11100,
      200,
      "text/xml",
      '<Response><Receive action="ftp://a.example/"/></Response>',
    ],
  ])("%s: %i", async (_, code, status, type, body) => {
    const { origin } = await serve((_seen, res) => {
      res.writeHead(status, type === undefined ? {} : { "content-type": type }).end(body);
    });
    const transcript = await provider().sendFax(fax(origin));
    expect(transcript).toMatchObject({ outcome: "error", errorCode: code });
    expect(transcript.exchanges).toMatchObject([{ purpose: "incoming", attempt: 1, errorCode: code }]);
  });

  it("accepts exactly 64 kB", async () => {
    const { origin } = await serve(() => RECEIVE.padEnd(65_536, "\n"));
    expect(await provider().sendFax(fax(origin))).toMatchObject({ outcome: "received" });
  });

  it("no answer in time: 11200", async () => {
    const { origin } = await serve(() => undefined);
    expect(await provider({ timeoutMs: 50 }).sendFax(fax(origin))).toMatchObject({
      outcome: "error",
      errorCode: 11200,
    });
  });

  it("a body that never ends: 11200", async () => {
    const { origin } = await serve(
      (_seen, res) => void res.writeHead(200, { "content-type": "text/xml" }).write("<Res"),
    );
    expect(await provider({ timeoutMs: 50 }).sendFax(fax(origin))).toMatchObject({
      outcome: "error",
      errorCode: 11200,
    });
  });

  it("asks the fallback URL instead, after any refusal", async () => {
    const { origin, seen } = await serve(({ url }) => (url.pathname === "/fallback" ? RECEIVE : EMPTY));
    const transcript = await provider().sendFax(fax(origin, { fallbackUrl: `${origin}/fallback` }));
    expect(transcript.outcome).toBe("received");
    expect(transcript.errorCode).toBeUndefined();
    expect(transcript.exchanges).toMatchObject([{ purpose: "incoming", errorCode: 34106 }, { purpose: "fallback" }]);
    expect(seen[1]?.form.get("FaxSid")).toBe(seen[0]?.form.get("FaxSid"));
  });
});

describe("readDocument", () => {
  it.each([
    ['<Response><Receive action="/a?b=1&amp;c=&#x9;&quot;>"/></Response>', { action: '/a?b=1&c=\t">' }],
    ['<Response><Receive action="/a\n\tb"/></Response>', { action: "/a  b" }],
    ['<?xml version="1.0" encoding="UTF-8"?>\n<!-- a - b -->\n<Response>\n  <Receive></Receive>\n</Response>\n', {}],
    [
      '<Response><!-- x --><Receive pageSize="a4" mediaType="image/tiff"/><Reject/></Response>',
      { pageSize: "a4", mediaType: "image/tiff" },
    ],
  ])("reads %s", (xml, attributes) => {
    expect(readDocument(xml)).toEqual({ name: "Receive", attributes });
  });

  it.each([
    [12100, "<Response><Receive></Response>"],
    [12100, "<Response/>junk"],
    [12100, "<Response/>junk<!-- x -->"],
    [12100, "<Response/><Response/>"],
    [12100, '<Response><Receive action="/a&b"/></Response>'],
    [12100, '<Response><Receive action="/a&nbsp;b"/></Response>'],
    [12100, '<Response><Receive action="/a&#1;b"/></Response>'],
    [12100, '<Response><Receive action="/a<b"/></Response>'],
    [12100, '<Response><Receive action="/a" action="/b"/></Response>'],
    [12100, "<Response>\u0001<Receive/></Response>"],
    [12100, "<Response><!-- a -- b --><Receive/></Response>"],
    [12102, "<response><Receive/></response>"],
    [12102, "<!DOCTYPE html><html><body>It works</body></html>"],
    [12200, "<Response><RECEIVE/></Response>"],
    [12200, "<Response><Say/></Response>"],
    [12200, "<Response><Receive/><reject/></Response>"],
    [12200, '<Response><Receive pagesize="a4"/></Response>'],
    [12200, '<Response><Receive constructor="a4"/></Response>'],
    [12200, '<Response><Receive pageSize="A4"/></Response>'],
    [12200, '<Response><Receive method="post"/></Response>'],
    [12200, '<Response><Receive action=""/></Response>'],
    [12200, '<Response><Reject reason="busy"/></Response>'],
    [12200, '<Response version="1"><Reject/></Response>'],
    [12200, "<Response><Receive>text</Receive></Response>"],
    [12200, "<Response><Receive> </Receive></Response>"],
    [12200, "<Response><Receive><Reject/></Receive></Response>"],
    [12200, "<Response>text<Receive/></Response>"],
    [12200, "<Response><![CDATA[text]]><Receive/></Response>"],
  ])("refuses with %i: %s", (code, xml) => {
    expect(() => readDocument(xml)).toThrow(expect.objectContaining({ code }));
  });
});

describe("redirects", () => {
  it.each([
    [301, "GET"],
    [302, "GET"],
    [303, "GET"],
    [307, "POST"],
    [308, "POST"],
  ])("%i arrives as %s, signed for the target", async (status, method) => {
    const { origin, seen } = await serve(({ url }, res) => {
      if (url.pathname === "/new") return RECEIVE;
      res.writeHead(status, { location: "/new?x=1" }).end();
    });
    const transcript = await provider().sendFax(fax(`${origin}/old`));
    expect(transcript.outcome).toBe("received");
    expect(transcript.exchanges[1]?.redirectedFrom).toBe(`${origin}/old`);
    const target = seen[1];
    const params = seen[0]?.form ?? new URLSearchParams();
    expect(target?.method).toBe(method);
    expect(target?.url.searchParams.get("x")).toBe("1");
    if (method === "GET") {
      expect(target?.url.searchParams.get("FaxSid")).toBe(params.get("FaxSid"));
      expect(target?.body).toHaveLength(0);
      expect(target?.headers["x-twilio-signature"]).toBe(sign({ authToken: TOKEN, url: target?.url.href ?? "" }));
    } else {
      expect(target?.url.search).toBe("?x=1");
      expect([...(target?.form ?? [])]).toEqual([...params]);
      expect(target?.headers["x-twilio-signature"]).toBe(sign({ authToken: TOKEN, url: `${origin}/new?x=1`, params }));
    }
  });

  it.each([
    [3, "received", undefined],
    [4, "error", 11215],
  ])("%i of them: %s", async (count, outcome, errorCode) => {
    const { origin, seen } = await serve(({ url }, res) => {
      const hop = Number(url.pathname.slice(1));
      if (hop === count) return RECEIVE;
      res.writeHead(307, { location: `/${hop + 1}` }).end();
    });
    const transcript = await provider().sendFax(fax(`${origin}/0`));
    expect(transcript.outcome).toBe(outcome);
    expect(transcript.errorCode).toBe(errorCode);
    expect(seen).toHaveLength(4);
  });

  it("resolves a relative action against the document's URL", async () => {
    const { origin, seen } = await serve(({ url, form }, res) => {
      if (form.has("FaxStatus")) return EMPTY;
      if (url.pathname === "/a/new") return '<Response><Receive action="done"/></Response>';
      res.writeHead(308, { location: "/a/new" }).end();
    });
    await provider().sendFax(fax(origin));
    expect(seen[2]?.url.pathname).toBe("/a/done");
  });
});

describe("cookies", () => {
  const start = Date.UTC(2022, 0, 13);

  it("come back for the same pair of numbers until four hours of inactivity", async () => {
    const { origin, seen } = await serve((_seen, res) => {
      res.setHeader("set-cookie", ["visit=1; Path=/", "side=2; Path=/elsewhere", "gone=3; Max-Age=0", "tls=4; Secure"]);
      return RECEIVE;
    });
    let time = start;
    const { sendFax } = provider({ now: () => time });
    const cookie = async (more?: Partial<IncomingFax>) => {
      await sendFax(fax(`${origin}/fax`, more));
      return seen.at(-1)?.headers.cookie;
    };
    expect(await cookie()).toBeUndefined();
    expect(await cookie()).toBe("visit=1");
    expect(await cookie({ from: "+15005550009" })).toBeUndefined();
    time += 3 * 3_600_000;
    expect(await cookie()).toBe("visit=1");
    time += 3 * 3_600_000; // six hours after the first, three after the last
    expect(await cookie()).toBe("visit=1");
    time += 4 * 3_600_000;
    expect(await cookie()).toBeUndefined();
    expect(COOKIE_LIFETIME_MS).toBe(14_400_000);
  });

  it("are kept across a redirect and sent with the callback", async () => {
    const { origin, seen } = await serve((request, res) => {
      if (request.url.pathname !== "/") return byStatus(CALLBACK)(request);
      res.writeHead(307, { location: "/next", "set-cookie": "session=abc; Path=/; HttpOnly" }).end();
    });
    await provider().sendFax(fax(origin));
    expect(seen.map(({ headers }) => headers.cookie)).toEqual([undefined, "session=abc", "session=abc"]);
  });
});

describe("the cache", () => {
  const validators = { etag: '"v1"', "last-modified": "Thu, 13 Jan 2022 21:54:46 GMT" };

  it("revalidates a GET and reads the cached document after a 304", async () => {
    const { origin, seen } = await serve(({ headers }, res) => {
      if (headers["if-none-match"] === '"v1"') res.writeHead(304, { etag: '"v1"' }).end();
      else res.writeHead(200, { ...validators, "content-type": "text/xml" }).end(RECEIVE);
    });
    const { sendFax } = provider();
    const same = fax(origin, { method: "GET", faxSid: `FX${"0".repeat(32)}` });
    const first = await sendFax(same);
    const second = await sendFax(same);
    expect(first.exchanges[0]?.fromCache).toBeUndefined();
    expect(second).toMatchObject({
      outcome: "received",
      exchanges: [{ fromCache: true, response: { status: 304, body: RECEIVE } }],
    });
    expect(seen[0]?.headers["if-none-match"]).toBeUndefined();
    expect(seen[1]?.headers["if-modified-since"]).toBe(validators["last-modified"]);
    await sendFax(fax(origin, { method: "GET" })); // another FaxSid, another URL
    expect(seen[2]?.headers["if-none-match"]).toBeUndefined();
    await sendFax(fax(first.exchanges[0]?.request.url ?? "")); // the cached URL, by POST
    expect(seen[3]?.method).toBe("POST");
    expect(seen[3]?.headers["if-none-match"]).toBeUndefined();
  });

  it.each([
    ["a POST", "POST", validators],
    ["a GET without validators", "GET", {}],
    ["a GET with no-store", "GET", { ...validators, "cache-control": "no-store" }],
  ] as const)("never keeps %s", async (_, method, headers) => {
    const { origin, seen } = await serve((_seen, res) => {
      res.writeHead(200, { ...headers, "content-type": "text/xml" }).end(RECEIVE);
    });
    const { sendFax } = provider();
    for (let i = 0; i < 2; i++) await sendFax(fax(origin, { method, faxSid: "FX1" }));
    expect(seen[1]?.headers["if-none-match"]).toBeUndefined();
    expect(seen[1]?.headers["if-modified-since"]).toBeUndefined();
  });

  it("refuses a 304 that nobody asked for", async () => {
    const { origin } = await serve((_seen, res) => void res.writeHead(304).end());
    expect(await provider().sendFax(fax(origin, { method: "GET" }))).toMatchObject({
      outcome: "error",
      errorCode: 11200,
    });
  });
});

describe("the action callback", () => {
  it("tells Twilio's parameters", async () => {
    const { origin, seen } = await serve(byStatus(CALLBACK));
    const pages = { bytes: new Uint8Array([1]), numPages: 4 };
    const transcript = await provider({ pages, mediaBaseUrl: "https://files.example/x" }).sendFax(fax(origin));
    expect(transcript.exchanges.map(({ purpose }) => purpose)).toEqual(["incoming", "action"]);
    expect(seen[1]?.url.pathname).toBe("/done");
    expect(Object.fromEntries(seen[1]?.form ?? [])).toEqual({
      ...Object.fromEntries(seen[0]?.form ?? []),
      RemoteStationId: FROM,
      FaxStatus: "received",
      NumPages: "4",
      MediaUrl: expect.stringMatching(/^https:\/\/files\.example\/x\/ME[0-9a-f]{32}\.pdf$/),
    });
  });

  it("tells SignalWire's parameters", async () => {
    const { origin, seen } = await serve(
      byStatus('<Response><Receive action="/done" mediaType="image/tiff"/></Response>'),
    );
    await provider({ flavor: "signalwire", now: () => Date.UTC(2022, 0, 13, 21, 54, 46, 7) }).sendFax(fax(origin));
    const form = seen[1]?.form;
    expect(form?.get("Timestamp")).toBe("2022-01-13T21:54:46Z");
    expect(form?.get("MediaUrl")).toBe(`https://media.example.com/fax/${form?.get("MediaSid")}.tiff`);
  });

  it("goes by GET where the document says so", async () => {
    const { origin, seen } = await serve(byStatus('<Response><Receive action="/done?x=1" method="GET"/></Response>'));
    await provider().sendFax(fax(origin));
    expect(seen[1]?.method).toBe("GET");
    expect(seen[1]?.url.searchParams.get("x")).toBe("1");
    expect(seen[1]?.url.searchParams.get("FaxStatus")).toBe("received");
  });

  it("reports a failed transmission", async () => {
    const { origin, seen } = await serve(byStatus('<Response><Receive action="/done" storeMedia="false"/></Response>'));
    const transcript = await provider().sendFax(fax(origin, { outcome: "failed" }));
    expect(transcript.outcome).toBe("failed");
    expect(transcript.mediaLost).toBeUndefined();
    const form = seen[1]?.form;
    expect(form?.get("FaxStatus")).toBe("failed");
    expect(form?.get("ErrorCode")).toMatch(/^\d+$/);
    expect(form?.get("ErrorMessage")).toBeTruthy();
    expect(form?.has("MediaUrl")).toBe(false);
    expect(form?.has("NumPages")).toBe(false);
  });

  it("only the first verb is executed", async () => {
    const { origin, seen } = await serve(() => '<Response><Reject/><Receive action="/done"/></Response>');
    expect(await provider().sendFax(fax(origin))).toMatchObject({ outcome: "rejected", verb: { name: "Reject" } });
    expect(seen).toHaveLength(1);
  });

  it("is retried after a 5xx, with the same parameters and token", async () => {
    let calls = 0;
    const { origin, seen } = await serve((request, res) => {
      if (!request.form.has("FaxStatus") || ++calls === 3) return byStatus(CALLBACK)(request);
      res.writeHead(503).end();
    });
    const transcript = await provider().sendFax(fax(origin));
    expect(transcript.outcome).toBe("received");
    expect(transcript.errorCode).toBeUndefined();
    expect(transcript.exchanges.slice(1)).toMatchObject([{ attempt: 1 }, { attempt: 2 }, { attempt: 3 }]);
    const attempts = seen.slice(1);
    expect(new Set(attempts.map(({ body }) => body.toString())).size).toBe(1);
    expect(new Set(attempts.map(({ headers }) => headers["i-twilio-idempotency-token"])).size).toBe(1);
    expect(seen[0]?.headers["i-twilio-idempotency-token"]).not.toBe(seen[1]?.headers["i-twilio-idempotency-token"]);
  });

  it("is given up after three attempts", async () => {
    const { origin, seen } = await serve((request, res) => {
      if (!request.form.has("FaxStatus")) return CALLBACK;
      if (seen.length === 2)
        res.destroy(); // no answer; then one too late; then an error
      else if (seen.length === 4) res.writeHead(500).end();
    });
    const transcript = await provider({ timeoutMs: 100 }).sendFax(fax(origin));
    expect(transcript).toMatchObject({ outcome: "received", errorCode: 11200 });
    expect(transcript.exchanges.map(({ response }) => response?.status)).toEqual([200, undefined, undefined, 500]);
  });

  it.each([
    [403, "text/plain", "no", 11200],
    [200, "text/html", "<p>ok</p>", 12300],
    [200, "text/xml", "<Response>", 12100],
    [202, "text/xml", EMPTY, undefined],
  ])("is not retried after %i %s %s", async (status, type, body, errorCode) => {
    const { origin, seen } = await serve((request, res) => {
      if (!request.form.has("FaxStatus")) return CALLBACK;
      res.writeHead(status, { "content-type": type }).end(body);
    });
    const transcript = await provider().sendFax(fax(origin));
    expect(transcript.outcome).toBe("received");
    expect(transcript.errorCode).toBe(errorCode);
    expect(seen).toHaveLength(2);
  });
});

describe('storeMedia="false"', () => {
  const UNSTORED = '<Response><Receive action="/done" storeMedia="false"/></Response>';
  /** A multipart body is no query string: what is not the first document's request is the callback. */
  const answer = ({ url }: Seen) => (url.pathname === "/done" ? EMPTY : UNSTORED);

  it("delivers the pages as the file part Media, the text fields signed", async () => {
    const { origin, seen } = await serve(answer);
    const pages = { bytes: new TextEncoder().encode("%PDF-1.4\r\n--\u0000\u00ff"), numPages: 2 };
    const transcript = await provider({ pages }).sendFax(fax(origin));
    expect(transcript.mediaLost).toBe(false);
    expect(transcript.errorCode).toBeUndefined();
    const delivery = seen[1];
    const type = delivery?.headers["content-type"] ?? "";
    expect(type).toMatch(/^multipart\/form-data; *boundary=/);
    const form = await new Response(new Uint8Array(delivery?.body ?? []), {
      headers: { "content-type": type },
    }).formData();
    const media = form.get("Media") as File;
    expect([media.name, media.type]).toEqual([`${transcript.faxSid}.pdf`, "application/pdf"]);
    expect(new Uint8Array(await media.arrayBuffer())).toEqual(pages.bytes);
    form.delete("Media");
    const text = Object.fromEntries(form) as Record<string, string>;
    expect(text).toMatchObject({ FaxSid: transcript.faxSid, FaxStatus: "received", NumPages: "2" });
    expect(text).not.toHaveProperty("MediaUrl");
    const signature = sign({ authToken: TOKEN, url: `${origin}/done`, params: new URLSearchParams(text) });
    expect(delivery?.headers["x-twilio-signature"]).toBe(signature);
  });

  it.each([
    ["without an action", '<Response><Receive storeMedia="false"/></Response>', 1],
    ["with a GET", '<Response><Receive action="/done" method="GET" storeMedia="false"/></Response>', 2],
  ])("loses the pages %s", async (_, document, requests) => {
    const { origin, seen } = await serve(({ url }) => (url.pathname === "/done" ? EMPTY : document));
    expect(await provider().sendFax(fax(origin))).toMatchObject({ outcome: "received", mediaLost: true });
    expect(seen).toHaveLength(requests);
  });

  it.each([
    [307, false],
    [303, true],
  ])("redirected by %i: lost is %s", async (status, lost) => {
    const { origin } = await serve((request, res) => {
      if (request.url.pathname === "/kept") return EMPTY;
      if (request.url.pathname !== "/done") return UNSTORED;
      res.writeHead(status, { location: "/kept" }).end();
    });
    expect(await provider().sendFax(fax(origin))).toMatchObject({ outcome: "received", mediaLost: lost });
  });

  it("loses the pages when the delivery is refused", async () => {
    const { origin } = await serve(({ url }, res) => {
      if (url.pathname !== "/done") return UNSTORED;
      res.writeHead(413).end();
    });
    expect(await provider().sendFax(fax(origin))).toMatchObject({ mediaLost: true, errorCode: 11200 });
  });
});

describe("request and resend", () => {
  it("sends one signed request and nothing more", async () => {
    const { origin, seen } = await serve((_seen, res) => void res.writeHead(302, { location: "/other" }).end());
    const { request } = provider();
    const exchange = await request({ url: origin, params: { FaxSid: "x" } });
    expect(exchange).toMatchObject({ purpose: "request", response: { status: 302 } });
    expect(seen).toHaveLength(1);
    expect(seen[0]?.form.get("FaxSid")).toBe("x");
  });

  it("lets a test forge headers and send any files", async () => {
    const { origin, seen } = await serve(() => EMPTY);
    const file = { name: "Media", filename: "a.bin", type: "application/x-any", bytes: new Uint8Array([0, 1]) };
    await provider().request({
      url: origin,
      params: { A: "b" },
      multipart: [file, file],
      headers: { "X-Twilio-Signature": "no" },
    });
    expect(seen[0]?.headers["x-twilio-signature"]).toBe("no");
    const type = seen[0]?.headers["content-type"] ?? "";
    const form = await new Response(new Uint8Array(seen[0]?.body ?? []), {
      headers: { "content-type": type },
    }).formData();
    expect(form.getAll("Media")).toHaveLength(2);
    expect(form.get("A")).toBe("b");
  });

  it("repeats a callback byte for byte", async () => {
    const { origin, seen } = await serve(byStatus(CALLBACK));
    const { sendFax, resend } = provider();
    const { exchanges } = await sendFax(fax(origin));
    const again = await resend(exchanges[1] as (typeof exchanges)[number]);
    expect(again).toMatchObject({ purpose: "action", attempt: 2, response: { status: 200 } });
    expect(seen[2]?.body).toEqual(seen[1]?.body);
    expect(seen[2]?.headers).toEqual(seen[1]?.headers);
  });
});

describe("blankPage", () => {
  it.each(["letter", "legal", "a4"] as const)("%s: the PDF's table points at its objects", (size) => {
    const pdf = Buffer.from(blankPage("application/pdf", size).bytes).toString("latin1");
    const table = Number(/startxref\n(\d+)/.exec(pdf)?.[1]);
    expect(pdf.slice(table, table + 4)).toBe("xref");
    const offsets = [...pdf.matchAll(/^(\d{10}) 00000 n /gm)].map(([, offset]) => Number(offset));
    expect(offsets.map((offset) => pdf.slice(offset, offset + 7))).toEqual(["1 0 obj", "2 0 obj", "3 0 obj"]);
  });

  it("the TIFF is little-endian and as long as its strip says", () => {
    const { bytes } = blankPage("image/tiff", "letter");
    expect([...bytes.subarray(0, 4)]).toEqual([0x49, 0x49, 42, 0]);
    expect(bytes.byteLength).toBe(8 + 2 + 11 * 12 + 4 + 8 + 216 * 16);
  });
});
