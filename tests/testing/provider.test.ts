/** The published provider, against handlers in this process and a real server. */
import { createServer } from "node:http";
import { afterEach, describe, expect, it, vi } from "vitest";
import { FaxResponse, receive, reject, type ReceiveAttributes, toTwiml } from "../../src/index.js";
import { createFaxProvider, type FaxProviderOptions, type ProviderFetch } from "../../src/testing/index.js";
import { faxWebhook, fetchMedia } from "../../src/webhook/index.js";
import { SIGNED } from "../peers/inputs.mjs";
import { recorded } from "../peers/recorded.js";
import { createProvider } from "../provider/index.js";

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

const answer =
  (body: string, init: ResponseInit = {}) =>
  () =>
    new Response(body, { headers: XML, ...init });

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

  it("makes the same requests as the suite's own provider", async () => {
    const recorder = (seen: object[]) => async (request: Request) => {
      const form = await request.clone().formData();
      const signature = request.headers.has(`x-${flavor}-signature`);
      seen.push({ method: request.method, url: request.url, signature, names: [...form.keys()].sort() });
      return webhookFor({ action: "/fax", storeMedia: false }).fetch(request);
    };
    const [ours, theirs]: [object[], object[]] = [[], []];
    await provide(recorder(ours) as ProviderFetch, { flavor }).sendFax();
    const fetch = recorder(theirs) as unknown as typeof globalThis.fetch;
    const other = createProvider({ flavor, authToken: KEY, fetch: (input, init) => fetch(new Request(input, init)) });
    const fax = { from: "+15017122661", to: "+15558675310", webhookUrl: URL_ };
    expect((await other.sendFax(fax)).outcome).toBe("received");
    expect(ours).toHaveLength(2);
    expect(ours).toEqual(theirs);
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
    ["404", answer("x", { status: 404 }), 11217],
    ["an exception", () => Promise.reject(new Error("no database")), 11205],
    ["something that is not a response", () => "<Response/>" as never, 11205],
  ])("%s", async (_, fetch, code) => {
    const { outcome, error, exchanges } = await provide(fetch).sendFax();
    expect([outcome, error?.code, error?.message.length]).toEqual(["error", code, expect.any(Number)]);
    expect(exchanges.at(-1)?.error?.code).toBe(code);
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
    expect((await provide(fetch).sendFax({ method: "GET" })).outcome).toBe("rejected");
    expect(new URL(seen[1]!.url).searchParams.getAll("FaxSid")).toHaveLength(1);
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
    const provider = provide(fetch, { url: "https://user:p%40ss@fax.example.com/fax" });
    expect((await provider.sendFax()).outcome).toBe("rejected");
    expect(seen).toEqual([null, `Basic ${btoa("user:p@ss")}`]);
  });

  it.each([
    ["signalwire", URL_, 1, 1],
    ["twilio", URL_, 1, 2],
    ["twilio", `${URL_}#rc=3&rp=all`, 4, 4],
  ] as const)(
    "of %s at %s asks %i times after a 500 and %i times without a connection",
    async (flavor, url, status, dead) => {
      const broken = vi.fn(() => new Response("", { status: 500 }));
      await provide(broken, { flavor, url }).sendFax();
      const gone = vi.fn(() => Promise.reject(new Error("refused")));
      await provide(gone, { flavor, url }).sendFax();
      expect([broken.mock.calls.length, gone.mock.calls.length]).toEqual([status, dead]);
    },
  );

  it("resends a request to the letter", async () => {
    const webhook = webhookFor();
    const provider = provide(webhook.fetch);
    const { exchanges } = await provider.sendFax();
    expect((await provider.resend(exchanges[1]!)).response?.status).toBe(200);
    expect(webhook.onCallback.mock.calls.map(([{ faxSid }]) => faxSid as string)).toEqual(
      Array(2).fill(exchanges[0]!.request.params["FaxSid"]),
    );
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

describe("what a test gets wrong", () => {
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
    [{ url: URL_, authToken: KEY, flavour: "twilio" }, /no option "flavour" \(did you mean "flavor"\?\)/],
    [{ url: URL_, authToken: KEY, flavor: "Twilio" }, /did you mean "twilio"/],
  ])("throws for the options %j", (options, message) => {
    expect(() => createFaxProvider(options as never)).toThrow(message);
  });
});
