/** The published provider, against handlers in this process and a real server. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { FaxResponse, parseFaxCallback, receive, reject, type ReceiveAttributes, toTwiml } from "../../src/index.js";
import { createFaxProvider, type FaxProviderOptions, type ProviderFetch } from "../../src/testing/index.js";
import { faxWebhook, fetchMedia } from "../../src/webhook/index.js";
import { SIGNED } from "../peers/inputs.mjs";
import { recorded } from "../peers/recorded.js";
import { sign } from "../provider/sign.js";

const KEY = "PSK_test";
const URL_ = "https://fax.example.com/fax";
const XML = { "content-type": "text/xml" };

function webhookFor(attributes: ReceiveAttributes | "reject" = { action: "/fax" }) {
  const onFax = vi.fn(() => (attributes === "reject" ? reject() : receive(attributes)));
  const onCallback = vi.fn();
  const onRefused = vi.fn();
  const webhook = faxWebhook({ authToken: KEY, publicUrl: URL_, onFax, onCallback, onRefused, maxMediaBytes: 1 << 20 });
  return { ...webhook, onFax, onCallback, onRefused };
}

const provide = (fetch: ProviderFetch, more: Partial<FaxProviderOptions> = {}) =>
  createFaxProvider({ url: URL_, authToken: KEY, fetch, ...more });

const moved = (location: string) => new Response(null, { status: 302, headers: { location } });
const latin1 = Uint8Array.from("<Response><!--\xe9--><Reject/></Response>", (letter) => letter.charCodeAt(0));

const answer =
  (body: string, init: ResponseInit = {}) =>
  () =>
    new Response(body, { headers: XML, ...init });

const PDF = new TextEncoder().encode("%PDF-1.4 pages");

const fixture = (name: string) => readFileSync(join(import.meta.dirname, "../servers/fixtures", name));

/** Where a server stood, with this fragment. */
async function closedUrl(hash: string): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}/fax${hash}`;
}

const servers: { close(): unknown }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

describe.each(["signalwire", "twilio"] as const)("a fax by %s", (flavor) => {
  it("is accepted: the request, the verb, the callback", async () => {
    const webhook = webhookFor({ action: "/fax", pageSize: "a4" });
    const transcript = await provide(webhook.fetch, { flavor }).sendFax();
    expect(transcript).toMatchObject({
      outcome: "received",
      verb: receive({ action: "/fax", pageSize: "a4" }),
      pagesLost: false,
    });
    expect(transcript.exchanges.map(({ response }) => response?.status)).toEqual([200, 200]);
    expect(webhook.onCallback.mock.calls[0]![0]).toMatchObject({
      faxSid: transcript.faxSid,
      faxStatus: "received",
      numPages: 1,
    });
    expect(webhook.onCallback.mock.calls[0]![0].issues).toEqual([]);
    expect(transcript.faxSid).toMatch(flavor === "twilio" ? /^FX[0-9a-f]{32}$/ : /^[0-9a-f-]{36}$/);
  });

  it("is rejected, and nobody is called back", async () => {
    const webhook = webhookFor("reject");
    const { outcome, verb, exchanges } = await provide(webhook.fetch, { flavor }).sendFax();
    expect([outcome, verb, exchanges.length]).toEqual(["rejected", reject(), 1]);
  });

  it("fails on its way, and the callback says so", async () => {
    const webhook = webhookFor();
    expect((await provide(webhook.fetch, { flavor }).sendFax({ outcome: "failed" })).outcome).toBe("failed");
    expect(webhook.onCallback.mock.calls[0]![0]).toMatchObject({ faxStatus: "failed", errorCode: "34007" });
  });

  it.each(["application/pdf", "image/tiff"] as const)(
    "brings its pages once as %s with storeMedia: false",
    async (mediaType) => {
      const webhook = webhookFor({ action: "/fax", storeMedia: false, mediaType });
      expect(await provide(webhook.fetch, { flavor }).sendFax()).toMatchObject({
        outcome: "received",
        pagesLost: false,
      });
      const pages = await fetchMedia(webhook.onCallback.mock.calls[0]![0]);
      expect(pages.type).toBe(mediaType);
    },
  );

  it("is a forgery with another token", async () => {
    const webhook = webhookFor();
    const { outcome, error } = await provide(webhook.fetch, { flavor, authToken: "guessed" }).sendFax();
    expect([outcome, error?.code]).toEqual(["error", flavor === "twilio" ? 11200 : 11217]);
    expect(error?.message).toContain("403");
    expect(webhook.onFax).not.toHaveBeenCalled();
  });

  it("comes by GET, from a caller who withholds the number, with a parameter that is not known yet", async () => {
    const webhook = webhookFor({ action: "/fax", method: "GET" });
    const transcript = await provide(webhook.fetch, { flavor }).sendFax({
      method: "GET",
      from: "",
      params: { Trunk: "7" },
    });
    expect(transcript.outcome).toBe("received");
    expect(webhook.onFax.mock.calls).toMatchObject([[{ from: "", params: { Trunk: "7" } }, { method: "GET" }]]);
    expect(webhook.onCallback.mock.calls[0]![1].method).toBe("GET");
  });

  it("signs as the provider's own validator expects", async () => {
    const provider = createFaxProvider({
      authToken: SIGNED.authToken,
      url: SIGNED.url,
      flavor,
      fetch: () => new Response(),
    });
    const { incoming, callback, odd } = SIGNED[flavor];
    const { signatures } = recorded;
    for (const [request, params, signature] of [
      [provider.incoming(incoming), incoming, signatures[flavor].incoming],
      [provider.callback(callback), callback, signatures[flavor].callback],
      [provider.incoming(odd), odd, signatures[flavor].odd],
    ] as const) {
      expect(request.headers.get(`x-${flavor}-signature`)).toBe(signature);
      expect(request.url).toBe(SIGNED.url);
      expect(Object.fromEntries(new URLSearchParams(await request.text()))).toEqual(params);
    }
  });

  it("sends the parameters of the provider, with a signature that the oracle computes as well", async () => {
    const webhook = webhookFor({ action: "/fax", storeMedia: false });
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

describe("what a provider refuses", () => {
  it.each<[string, () => Response | Promise<Response>, number]>([
    ["no verb", answer("<Response/>"), 34106],
    ["a verb in the wrong case", answer("<Response><receive/></Response>"), 12200],
    ["an attribute that does not exist", answer('<Response><Receive pagesize="a4"/></Response>'), 12200],
    ["what is not XML", answer("<Response>"), 12100],
    ["another root", answer("<response/>"), 12102],
    ["another content type", answer("<Response/>", { headers: { "content-type": "text/html" } }), 12300],
    ["a document of 100 kB", answer(`<Response><!--${"x".repeat(100_000)}--></Response>`), 11750],
    ["a page of an error of 100 kB", answer("x".repeat(100_000), { status: 500 }), 11750],
    ["bytes that are not UTF-8", () => new Response(latin1, { headers: XML }), 12100],
    ["a page that is not UTF-8", () => new Response(latin1, { headers: { "content-type": "text/html" } }), 12300],
    ["404", answer("x", { status: 404 }), 11217],
    ["204", () => new Response(null, { status: 204 }), 11200],
    ["201 with a verb", answer("<Response><Reject/></Response>", { status: 201 }), 11200],
    ["a redirect to nowhere", () => new Response(null, { status: 302 }), 11200],
    ["an exception, which is the 500 of a server", () => Promise.reject(new Error("no database")), 11217],
    ["something that is not a response", () => "<Response/>" as never, 11217],
    ["an action that leads nowhere", answer('<Response><Receive action="//["/></Response>'), 12200],
  ])("%s", async (_, fetch, code) => {
    const { outcome, error, exchanges } = await provide(fetch).sendFax();
    expect([outcome, error?.code, error?.message.length]).toEqual(["error", code, expect.any(Number)]);
    expect(exchanges.at(-1)?.error?.code).toBe(code);
  });

  it.each<[string, () => Response | Promise<Response>, string]>([
    ["no verb", answer("<Response/>"), "Answer a new fax with <Receive> or <Reject>: there was no verb."],
    ["404", answer('not "found"', { status: 404 }), 'Look at the server: it answered 404 ("not \\"found\\"").'],
    ["500 with much text", answer("x".repeat(500), { status: 500 }), `answered 500 ("${"x".repeat(100)}").`],
    ["204", () => new Response(null, { status: 204 }), "Answer with status 200: it was 204."],
    ["304", () => new Response(null, { status: 304 }), "Answer with status 200: it was 304."],
    ["302", () => new Response(null, { status: 302 }), "or redirect to an http(s) URL: it was 302, to nowhere."],
    ["302 to mail", () => moved("mailto:a@b"), "or redirect to an http(s) URL: it was 302, to mailto:a@b."],
    ["302 to nonsense", () => moved("http://["), "it was 302, to http://[."],
    ["html", answer("", { headers: { "content-type": "text/html" } }), "Send TwiML as text/xml, not as text/html."],
    ["xml of a kind", answer("", { headers: { "content-type": "text/xml2" } }), "not as text/xml2."],
    ["no type", () => new Response(new Uint8Array(1)), "Send TwiML as text/xml, not as nothing."],
    [
      "other bytes",
      () => new Response(latin1, { headers: XML }),
      "Send TwiML in UTF-8: there are bytes in it that are none.",
    ],
    ["100 kB", answer("x".repeat(100_000)), "Send at most 64 kB: more came, often it is the page of an error."],
    ["a throw", () => Promise.reject(new Error("no database")), 'it answered 500 ("no database").'],
    ["a throw of text", () => Promise.reject("no"), 'it answered 500 ("something that is no error").'],
    ["no Response", () => "x" as never, 'it answered 500 ("fetch must give a Response, not \\"x\\"").'],
    ["no headers", () => ({ status: 200 }) as never, "fetch must give a Response, not an object"],
    ["a circle", () => moved("/fax"), "Redirect less: there were too many redirects."],
  ])("%s, in words that say what to do", async (_, fetch, words) => {
    const { error, exchanges } = await provide(fetch).sendFax();
    expect(error?.message).toContain(words);
    expect(exchanges.at(-1)?.error).toEqual(error);
  });

  it.each(["text/xml", "TEXT/XML", "text/xml; charset=utf-8", "text/xml ;charset=utf-8", "application/xml"])(
    "no %s",
    async (type) => {
      const fetch = answer(toTwiml(reject()), { headers: { "content-type": type } });
      expect((await provide(fetch).sendFax()).outcome).toBe("rejected");
    },
  );

  it("no document of just 64 kB", async () => {
    const [start, end] = ["<Response><Reject/><!--", "--></Response>"];
    const document = start + "x".repeat(65_536 - start.length - end.length) + end;
    expect((await provide(answer(document)).sendFax()).outcome).toBe("rejected");
    expect((await provide(answer(document.replace("--x", "--xx"))).sendFax()).error?.code).toBe(11750);
  });

  it("a handler that never answers, within timeoutMs", async () => {
    const { outcome, error } = await provide(() => new Promise(() => {}), { timeoutMs: 50 }).sendFax();
    expect([outcome, error?.code]).toEqual(["error", 11200]);
  });

  it("pages that would be lost, by our own name for it", async () => {
    const twiml = '<Response><Receive storeMedia="false"/></Response>';
    expect(await provide(answer(twiml)).sendFax()).toMatchObject({
      outcome: "error",
      pagesLost: true,
      error: { code: "pages-lost" },
    });
  });

  it("a delivery that is refused: its pages are lost", async () => {
    const verb = receive({ action: "/x", storeMedia: false });
    const fetch: ProviderFetch = ({ url }) =>
      url === URL_ ? new Response(toTwiml(verb), { headers: XML }) : new Response("full", { status: 500 });
    expect(await provide(fetch).sendFax()).toMatchObject({
      outcome: "error",
      verb,
      pagesLost: true,
      error: { code: 11217 },
    });
  });
});

describe("the provider as an HTTP client", () => {
  it.each<[string, ProviderFetch]>([
    ["a body without an end", () => new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(1000)) }))],
    ["a redirect to another scheme", () => new Response(null, { status: 302, headers: { location: "ftp://x/" } })],
    ["a throw of nothing that is text", () => Promise.reject(Object.create(null))],
  ])("comes to an end with %s", async (_, fetch) => {
    expect((await provide(fetch).sendFax()).outcome).toBe("error");
  });

  it("follows a redirected GET to the target as it stands, and keeps cookies from other hosts", async () => {
    const seen: Request[] = [];
    const fetch: ProviderFetch = (request) => {
      seen.push(request as Request);
      if (seen.length > 1) return new Response(toTwiml(reject()), { headers: XML });
      const location = request.url.replace("fax.example.com", "other.example.com");
      return new Response(null, { status: 301, headers: { location, "set-cookie": "a=1" } });
    };
    const transcript = await provide(fetch).sendFax({ method: "GET" });
    expect(transcript.outcome).toBe("rejected");
    expect(new URL(seen[1]!.url).searchParams.getAll("FaxSid")).toHaveLength(1);
    expect(transcript.exchanges[1]!.request.params).toEqual(transcript.exchanges[0]!.request.params);
    expect(seen[1]!.headers.get("cookie")).toBeNull();
  });

  it("sends cookies back within a conversation, and not into the next", async () => {
    const seen: (string | null)[] = [];
    const fetch: ProviderFetch = (request) => {
      seen.push(request.headers.get("cookie"));
      const twiml = new FaxResponse(receive({ action: "/fax" })).toString();
      return new Response(twiml, { headers: { ...XML, "set-cookie": "ticket=42; Secure; HttpOnly" } });
    };
    const provider = provide(fetch);
    await provider.sendFax();
    await provider.sendFax();
    expect(seen).toEqual([null, "ticket=42", null, "ticket=42"]);
  });

  it.each([
    [301, "GET"],
    [303, "GET"],
    [307, "POST"],
    [308, "POST"],
  ])("follows %i with %s, signed for the target", async (status, method) => {
    const webhook = faxWebhook({ authToken: KEY, publicUrl: "https://fax.example.com/moved", onFax: () => reject() });
    const fetch: ProviderFetch = (request) =>
      request.url === URL_ ? new Response(null, { status, headers: { location: "/moved" } }) : webhook.fetch(request);
    const { outcome, exchanges } = await provide(fetch).sendFax();
    expect([outcome, exchanges[1]?.request.method]).toEqual(["rejected", method]);
  });

  it("gives up redirects in a circle", async () => {
    const fetch: ProviderFetch = () => new Response(null, { status: 302, headers: { location: "/fax" } });
    expect((await provide(fetch).sendFax()).error?.code).toBe(11215);
  });

  it("gives the password of the URL only when it is asked for", async () => {
    const seen: (string | null)[] = [];
    const fetch: ProviderFetch = (request) => {
      const authorization = request.headers.get("authorization");
      seen.push(authorization);
      if (authorization) return new Response(toTwiml(reject()), { headers: XML });
      return new Response("", { status: 401, headers: { "www-authenticate": "Basic realm=fax" } });
    };
    const provider = provide(fetch, { url: "https://user:p%C3%A4ss@fax.example.com/fax" });
    expect((await provider.sendFax()).outcome).toBe("rejected");
    expect(seen).toEqual([null, `Basic ${Buffer.from("user:päss").toString("base64")}`]);
  });

  it.each([
    ["signalwire", URL_, 1, 1],
    ["twilio", URL_, 1, 2],
    ["twilio", `${URL_}#rc=3&rp=all`, 4, 4],
    ["twilio", `${URL_}#rc=3&rp=5xx`, 4, 1],
    ["twilio", `${URL_}#rc=3&rp=4xx,rt`, 1, 1],
    ["twilio", `${URL_}#rc=0&rp=all`, 1, 1],
    ["twilio", `${URL_}#rc=9`, 1, 2],
  ] as const)(
    "of %s at %s asks %i times after a 500 and %i times without a connection",
    async (flavor, url, ...times) => {
      const broken = await provide(answer("", { status: 500 }), { flavor, url }).sendFax();
      const gone = await createFaxProvider({
        url: await closedUrl(new URL(url).hash),
        authToken: KEY,
        flavor,
      }).sendFax();
      expect([broken.exchanges.length, gone.exchanges.length]).toEqual(times);
      expect(gone.error).toEqual({ code: 11205, message: expect.stringContaining("ECONNREFUSED") });
    },
  );

  it("repeats a request of Twilio's with the same token, and the next has another", async () => {
    const tokens: (string | null)[] = [];
    const fetch: ProviderFetch = ({ headers }: Request) => {
      tokens.push(headers.get("i-twilio-idempotency-token"));
      if (tokens.length === 1) return new Response("", { status: 503 });
      return new Response(toTwiml(receive({ action: "/x" })), { headers: XML });
    };
    await provide(fetch, { flavor: "twilio", url: `${URL_}#rp=5xx` }).sendFax();
    expect(tokens).toHaveLength(3);
    expect(tokens[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect([tokens[1] === tokens[0], tokens[2] === tokens[0]]).toEqual([true, false]);
  });

  it("waits as long as the URL of a Twilio number says, and repeats after it only when told to", async () => {
    const silent = () => new Promise<never>(() => {});
    for (const [fragment, times] of [
      ["#rt=100", 1],
      ["#rt=100&rc=2&rp=rt", 3],
    ] as const) {
      const { error, exchanges } = await provide(silent, { flavor: "twilio", url: URL_ + fragment }).sendFax();
      expect([error?.code, exchanges.length], fragment).toEqual([11200, times]);
    }
    const url = `${URL_}#rt=100&rc=5&rp=all&tt=150`;
    const inAll = await provide(silent, { flavor: "twilio", url }).sendFax();
    expect(inAll.error?.code).toBe(11200);
    expect(inAll.exchanges.length).toBeLessThan(3);
  });

  it("names a host that does not exist, and a certificate that is not trusted", async () => {
    const gone = await createFaxProvider({ url: "http://does-not-exist.invalid/fax", authToken: KEY }).sendFax();
    expect(gone.error?.code).toBe(11210);
    const server = createHttpsServer({ cert: fixture("throwaway-cert.pem"), key: fixture("throwaway-key.pem") }).listen(
      0,
      "127.0.0.1",
    );
    servers.push(server);
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    const untrusted = await createFaxProvider({ url: `https://127.0.0.1:${port}/`, authToken: KEY }).sendFax();
    expect(untrusted.error?.code).toBe(11220);
  });

  it("asks for an action at the same host with the password of the URL, and at another without", async () => {
    const seen: [string, string | null][] = [];
    const server =
      (action: string): ProviderFetch =>
      ({ url, headers }: Request) => {
        seen.push([new URL(url).host, headers.get("authorization")]);
        if (!headers.has("authorization")) {
          return new Response("", { status: 401, headers: { "www-authenticate": "Basic realm=fax" } });
        }
        return new Response(toTwiml(receive({ action })), { headers: XML });
      };
    const url = "https://user:pass@fax.example.com/fax";
    expect((await provide(server("/done"), { url }).sendFax()).outcome).toBe("received");
    await provide(server("https://other.example.com/"), { url }).sendFax();
    const [one, other] = ["fax.example.com", "other.example.com"];
    const basic = `Basic ${btoa("user:pass")}`;
    expect(seen).toEqual([
      ...Array(3)
        .fill([
          [one, null],
          [one, basic],
        ])
        .flat(),
      [other, null],
    ]);
  });

  it("leaves the query of the configured URL as it is written", async () => {
    const seen: string[] = [];
    const fetch: ProviderFetch = ({ url }) => {
      seen.push(url);
      return new Response(toTwiml(reject()), { headers: XML });
    };
    await provide(fetch, { url: `${URL_}?a=b%20c&d=%27` }).sendFax({ method: "GET" });
    expect(seen[0]).toMatch(/\?a=b%20c&d=%27&FaxSid=/);
  });

  it("resends a request to the letter, a delivery too", async () => {
    const webhook = webhookFor({ action: "/fax", storeMedia: false });
    const bodies: ArrayBuffer[] = [];
    const provider = provide(async (request: Request) => {
      bodies.push(await request.clone().arrayBuffer());
      return webhook.fetch(request);
    });
    const { exchanges } = await provider.sendFax();
    expect((await provider.resend(exchanges[1]!)).response?.status).toBe(200);
    expect(webhook.onCallback.mock.calls.map(([{ faxSid }]) => faxSid as string)).toEqual(
      Array(2).fill(exchanges[0]!.request.params["FaxSid"]),
    );
    expect(bodies).toHaveLength(3);
    expect(bodies[2]).toEqual(bodies[1]);
    expect(new Uint8Array(bodies[1]!)).toEqual(exchanges[1]!.request.body);
  });

  it("talks to a real server", async () => {
    const webhook = faxWebhook({ authToken: KEY, onFax: () => receive({ action: "fax" }), onCallback() {} });
    const server = createServer(webhook.node).listen(0, "127.0.0.1");
    servers.push(server);
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    const provider = createFaxProvider({ url: `http://127.0.0.1:${port}/fax`, authToken: KEY });
    expect(await provider.sendFax()).toMatchObject({ outcome: "received", pagesLost: false });
    server.close();
    expect((await provider.sendFax()).outcome).toBe("error");
  });
});

describe("one request each", () => {
  it("is what the conversation sends: a callback with its pages' address, a failed one, a delivery", async () => {
    const now = () => new Date("2026-11-24T10:00:00.5Z");
    const provider = createFaxProvider({ url: URL_, authToken: KEY, now });
    const kept = parseFaxCallback(await provider.callback({ FaxSid: "FX1" }).text());
    expect(kept).toMatchObject({
      ...{ faxSid: "FX1", faxStatus: "received", remoteStationId: "+15017122661", numPages: 1, issues: [] },
      ...{ mediaUrl: "https://files.signalwire.com/FX1.pdf", timestamp: new Date("2026-11-24T10:00:00Z") },
    });
    const failed = parseFaxCallback(await provider.callback({ FaxStatus: "failed", ErrorCode: "1" }).text());
    expect(failed).toMatchObject({ faxStatus: "failed", errorCode: "1", errorMessage: expect.any(String) });
    expect(failed).not.toHaveProperty("mediaUrl");
    expect(parseFaxCallback(await provider.callback({ FaxStatus: "busy" }).text())).not.toHaveProperty("numPages");
    const delivery = await (provider.delivery(PDF, { NumPages: "2" }) as Request).formData();
    expect(parseFaxCallback(delivery)).toMatchObject({ numPages: 2, media: { size: PDF.length }, issues: [] });
    expect(delivery.has("MediaUrl")).toBe(false);
  });
});

describe("an account", () => {
  it("is one for all faxes of a provider", async () => {
    const provider = provide(answer(toTwiml(reject())));
    const sids = [await provider.sendFax(), await provider.sendFax()].map(
      ({ exchanges }) => exchanges[0]!.request.params["AccountSid"],
    );
    expect(sids[0]).toBe(sids[1]);
    expect(new URLSearchParams(await provider.incoming().text()).get("AccountSid")).toBe(sids[0]);
  });
});

describe("the status of a callback", () => {
  it("may come as Status alone, and decides on the rest", async () => {
    const body = async (params: Record<string, string>) =>
      new URLSearchParams(
        await provide(() => new Response())
          .callback(params)
          .text(),
      );
    const failed = await body({ Status: "failed" });
    expect([failed.get("Status"), failed.has("FaxStatus"), failed.has("MediaUrl")]).toEqual(["failed", false, false]);
    expect((await body({ Status: "received" })).has("MediaUrl")).toBe(true);
  });

  it("may be any that a provider has", async () => {
    const webhook = webhookFor();
    const transcript = await provide(webhook.fetch).sendFax({ params: { FaxStatus: "no-answer" } });
    expect(transcript.outcome).toBe("failed");
    expect(webhook.onCallback.mock.calls[0]![0]).toMatchObject({ faxStatus: "no-answer", issues: [] });
    expect(webhook.onCallback.mock.calls[0]![0]).not.toHaveProperty("mediaUrl");
  });
});

describe("an answer that is odd", () => {
  it.each([
    ["an error without words", Object.assign(new Error(), { message: undefined })],
    ["an error with words that are none", Object.assign(new Error(), { message: { toString: null } })],
    ["a proxy that refuses", (({ proxy, revoke }) => (revoke(), proxy))(Proxy.revocable({}, {}))],
    ["an error with an odd code", Object.assign(new Error("x"), { code: Object.create(null) })],
  ])("is no reason to reject: %s is thrown", async (_, thrown) => {
    expect(await provide(() => Promise.reject(thrown)).sendFax()).toMatchObject({ error: { code: 11217 } });
  });

  it("may be anything with status, headers and text()", async () => {
    const response = { status: 200, headers: new Headers(XML), text: async () => toTwiml(reject()) };
    expect((await provide(async () => response).sendFax()).outcome).toBe("rejected");
  });

  it("has to be a new one each time", async () => {
    const used = new Response(toTwiml(reject()), { headers: XML });
    const provider = provide(() => used);
    await provider.sendFax();
    expect((await provider.sendFax()).error?.message).toContain("a new Response each time");
  });

  it("does not abort the request's signal when all went well, and does when it is late", async () => {
    const aborted: boolean[] = [];
    const signals: AbortSignal[] = [];
    const keep = (request: Request) => void signals.push(request.signal);
    await provide((request: Request) => (keep(request), answer(toTwiml(reject()))())).sendFax();
    const url = `${URL_}#rt=100&rc=0`;
    await provide((request: Request) => (keep(request), new Promise(() => {})), { flavor: "twilio", url }).sendFax();
    aborted.push(...signals.map((signal) => signal.aborted));
    expect(aborted).toEqual([false, true]);
  });

  it("that is late is the last, also behind a redirect", async () => {
    const fetch = vi.fn(() => {
      for (const start = performance.now(); performance.now() - start < 120;);
      return new Response(null, { status: 302, headers: { location: "/next" } });
    });
    const { error } = await provide(fetch, { flavor: "twilio", url: `${URL_}#tt=100` }).sendFax();
    expect([error?.code, fetch.mock.calls.length]).toEqual([11200, 1]);
  });

  it("breaks off: that is no failed connection, which Twilio would repeat", async () => {
    const server = createServer((req, res) => {
      if (req.url === "/body") res.writeHead(200, XML).write("<Response>");
      setTimeout(() => res.destroy(), 10);
    }).listen(0, "127.0.0.1");
    servers.push(server);
    await new Promise((resolve) => server.once("listening", resolve));
    for (const path of ["/", "/body"]) {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
      const { error, exchanges } = await createFaxProvider({ url, authToken: KEY, flavor: "twilio" }).sendFax();
      expect([error?.code, error?.message, exchanges.length]).toEqual([
        ...[11200, expect.stringContaining("broke off"), 1],
      ]);
    }
  });

  it("is judged when a request is sent once more", async () => {
    let status = 200;
    const provider = provide(() => new Response(toTwiml(reject()), { status, headers: XML }));
    const { exchanges } = await provider.sendFax();
    expect((await provider.resend(exchanges[0]!)).error).toBeUndefined();
    status = 500;
    expect((await provider.resend(exchanges[0]!)).error?.code).toBe(11217);
  });
});

describe("pages that come once", () => {
  it("are lost when a redirect makes a GET of the delivery, and the fax is an error", async () => {
    const verb = receive({ action: "/moved", storeMedia: false });
    const fetch: ProviderFetch = ({ url }) => {
      if (url === URL_) return new Response(toTwiml(verb), { headers: XML });
      if (url.endsWith("/moved")) return new Response(null, { status: 302, headers: { location: "/target" } });
      return new Response(toTwiml(), { headers: XML });
    };
    expect(await provide(fetch).sendFax()).toMatchObject({
      ...{ outcome: "error", verb, pagesLost: true, error: { code: "pages-lost" } },
    });
  });

  it.each(["a\nb", "a\rb", "a\r\nb"])("are signed as they are sent, also beside %j", async (text) => {
    const webhook = webhookFor({ action: "/fax", storeMedia: false });
    const params = { RemoteStationId: text, [`Odd${text}`]: "1" };
    expect(await provide(webhook.fetch).sendFax({ params })).toMatchObject({ outcome: "received", pagesLost: false });
  });
});

describe("cookies", () => {
  it.each([
    ["a=1", "/fax", "a=1"],
    ["a=1; Path=/done", "/done/x", "a=1"],
    ["a=1; Path=/done", "/donex", null],
    ["a=1; Path=/", "https://sub.fax.example.com/", null],
    ["a=1; Path=/; Domain=fax.example.com", "https://sub.fax.example.com/", "a=1"],
    ["a=1; Domain=other.example.com", "/fax", null],
    ["a=1; Secure", "http://fax.example.com/fax", null],
    ["a=1; Max-Age=0", "/fax", null],
    ["a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "/fax", null],
    ["a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "/fax", "a=1"],
    ["nonsense", "/fax", null],
  ])("set as %j come to %s as %j", async (cookie, action, expected) => {
    const seen: (string | null)[] = [];
    const fetch: ProviderFetch = ({ headers }: Request) => {
      seen.push(headers.get("cookie"));
      const twiml = toTwiml(seen.length === 1 ? receive({ action }) : undefined);
      return new Response(twiml, { headers: seen.length === 1 ? { ...XML, "set-cookie": cookie } : XML });
    };
    expect((await provide(fetch).sendFax()).outcome).toBe("received");
    expect(seen).toEqual([null, expected]);
  });
});

describe("what a test gets wrong", () => {
  it.each<[object | null, string]>([
    [{ From: "" }, 'sendFax has no option "From" (did you mean "from"?)'],
    [{ caller: "+1" }, 'sendFax has no option "caller"; there are: from, to'],
    [{ outcome: "fail" }, 'outcome must be "received" or "failed" (did you mean "failed"?), not "fail".'],
    [{ method: "get" }, 'method must be "GET" or "POST" (did you mean "GET"?), not "get".'],
    [{ method: "PUT" }, 'method must be "GET" or "POST", not "PUT".'],
    [{ from: 1 }, "from must be text, not 1."],
    [{ from: "+1", params: { From: "+2" } }, 'Give "From" once: it is in params as well.'],
    [{ mediaUrl: "https://x/", params: { MediaUrl: "https://y/" } }, 'Give "MediaUrl" once'],
    [{ mediaUrl: "/x" }, "mediaUrl must be an http(s) URL"],
    [{ pages: new Blob(["%PDF-"]) }, "pages must be a Uint8Array that holds a PDF or TIFF, not a Blob."],
    [{ pages: new Uint8Array(9) }, "pages must be a Uint8Array that holds a PDF or TIFF"],
    [{ outcome: "failed", params: { FaxStatus: "busy" } }, "Give outcome, or the status in params"],
    [{ params: { media: "x" } }, 'Write "Media", not "media"'],
    [{ params: null }, "params must be an object of text parameters, not null."],
    [null, "sendFax takes an object of options, not null."],
  ])("rejects sendFax(%j)", async (fax, message) => {
    const fetch = vi.fn(() => new Response());
    const sending = provide(fetch).sendFax(fax as never);
    await expect(sending).rejects.toThrow(TypeError);
    await expect(sending).rejects.toThrow(message);
    expect(fetch).not.toHaveBeenCalled();
  });

  it.each([undefined, {}, { exchanges: [] }])("rejects resend(%j)", async (exchange) => {
    const sending = provide(() => new Response()).resend(exchange as never);
    await expect(sending).rejects.toThrow(/^resend takes an exchange/);
  });

  it.each([Date.now(), new Date(NaN)])("rejects when now() gives %s", async (now) => {
    const provider = provide(() => new Response(), { now: () => now as Date });
    await expect(provider.sendFax()).rejects.toThrow(/^What now\(\) gives must be a Date/);
  });

  it("throws for a delivery of something else than pages", () => {
    expect(() => provide(() => new Response()).delivery(new Uint8Array(9))).toThrow("pages must be");
  });

  it.each<[object, string]>([
    [{ faxsid: "FX1" }, 'Write "FaxSid", not "faxsid": names are case-sensitive.'],
    [{ media_url: "x" }, 'Write "MediaUrl", not "media_url": names are case-sensitive.'],
    [{ NumPages: 2 }, '"NumPages" must be text, not 2.'],
  ])("throws for the parameters %j", async (params, message) => {
    const provider = provide(() => new Response());
    await expect(provider.sendFax({ params: params as never })).rejects.toThrow(new TypeError(message));
    for (const call of [provider.incoming, provider.callback])
      expect(() => call(params as never)).toThrow(new TypeError(message));
  });

  it.each<[object, RegExp]>([
    [{ url: URL_ }, /^authToken must be/],
    [{ url: "/fax", authToken: KEY }, /^url must be/],
    [
      { url: URL_, authToken: KEY, flavour: "twilio" },
      /^createFaxProvider has no option "flavour" \(did you mean "flavor"\?\)/,
    ],
    [{ url: URL_, authToken: KEY, flavor: "Twilio" }, /did you mean "twilio"/],
    [{ url: URL_, authToken: "  " }, /^authToken must be/],
    [{ url: URL_, authToken: KEY, timeoutMs: NaN }, /^timeoutMs must be a number of milliseconds, not NaN/],
    [{ url: URL_, authToken: KEY, timeoutMs: 0 }, /^timeoutMs must be/],
    [{ url: URL_, authToken: KEY, fetch: "webhook" }, /^fetch must be a function/],
    [{ url: URL_, authToken: KEY, now: 5 }, /^now must be a function/],
    [
      { url: new URL(URL_), authToken: KEY },
      /^url must be an http\(s\) URL of at most 2,048 characters, as text, not a/,
    ],
    [{ url: "https:/fax.example.com/fax", authToken: KEY }, /^url must be an http\(s\) URL/],
    [{ url: URL_, authToken: KEY, accountSid: 12345 }, /^accountSid must be/],
    [{ url: URL_, authToken: KEY, accountSid: "a b" }, /^accountSid must be/],
  ])("throws for the options %j", (options, message) => {
    expect(() => createFaxProvider(options as never)).toThrow(message);
  });

  it("throws for a URL of 2,049 characters", () => {
    const create = () => createFaxProvider({ url: `https://x/${"a".repeat(2039)}`, authToken: KEY });
    expect(create).toThrow(/^url must be an http\(s\) URL of at most 2,048 characters/);
  });

  it.each([
    ["with userinfo, query and fragment", "HTTPS://user:p%40ss@fax.example.com:8443/fax?a=1#rc=2&rp=all"],
    ["with an empty user", "http://:pass@127.0.0.1/"],
    ["of 2,048 characters", `https://x/${"a".repeat(2038)}`],
  ])("accepts a URL %s", (_, url) => {
    expect(() => createFaxProvider({ url, authToken: KEY })).not.toThrow();
  });
});
