/** The provider as an HTTP client: redirects, retries, passwords, time limits, failed connections. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { receive, reject, toTwiml } from "../../src/index.js";
import { createFaxProvider, type FaxProviderOptions, type ProviderFetch } from "../../src/testing/index.js";
import { faxWebhook } from "../../src/webhook/index.js";

const URL_ = "https://user:pass@fax.example.com/fax";
const XML = { "content-type": "text/xml" };
const BASIC = { "www-authenticate": "Basic realm=fax" };
const respond = (verb = toTwiml(reject()), headers: Record<string, string> = {}) =>
  new Response(verb, { headers: { ...XML, ...headers } });
const redirect = (status: number, location: string, headers = {}) =>
  new Response(null, { status, headers: { location, ...headers } });
const provide = (fetch: ProviderFetch | undefined, more: Partial<FaxProviderOptions> = {}) =>
  createFaxProvider({ url: URL_, authToken: "t", fetch, ...more });
const send = (...args: Parameters<typeof provide>) => provide(...args).sendFax();
const twilio = (fragment: string) => ({ flavor: "twilio", url: URL_ + fragment }) as const;
const never = () => new Promise<never>(() => {});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("retries", () => {
  it.each([
    ["#rp=4xx", 400, 2],
    ["#rp=4xx", 499, 2],
    ["#rp=4xx", 500, 1],
    ["#rp=5xx", 500, 2],
    ["#rp=5xx", 499, 1],
    ["#rp=all", 404, 2],
    ["#rp=all", 200, 1],
    ["#rp=4xx,5xx", 302, 1],
    ["#rc=3&rp=5xx", 500, 4],
    ["#rc=0&rp=all", 500, 1],
    ["", 500, 1],
  ])("Twilio with %s after status %i sends %i requests", async (fragment, status, count) => {
    const { exchanges } = await send(() => new Response("", { status, headers: XML }), twilio(fragment));
    expect(exchanges).toHaveLength(count);
  });

  it.each([
    ["signalwire", "#rc=3&rp=all", 1],
    ["twilio", "", 2],
    ["twilio", "#rc=3&rp=all", 4],
    ["twilio", "#rc=3&rp=4xx,rt", 1],
  ] as const)("%s with %j without a connection sends %i requests", async (flavor, fragment, count) => {
    const cause = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("fetch failed", { cause })));
    const { error, exchanges } = await send(undefined, { flavor, url: URL_ + fragment });
    expect([error?.code, exchanges.length]).toEqual([11205, count]);
  });

  it("sends a retry with the same idempotency token, and the next request with another", async () => {
    const tokens: (string | null)[] = [];
    const fetch: ProviderFetch = ({ headers }: Request) => {
      tokens.push(headers.get("i-twilio-idempotency-token"));
      return tokens.length === 1 ? new Response("", { status: 503 }) : respond(toTwiml(receive({ action: "/x" })));
    };
    await send(fetch, twilio("#rp=5xx"));
    expect(tokens).toEqual([expect.stringMatching(/^[\da-f-]{36}$/), tokens[0], expect.any(String)]);
    expect(tokens[2]).not.toBe(tokens[0]);
  });
});

describe("time limits", () => {
  it.each([
    ["#rt=100", 1],
    ["#rt=100&rc=2&rp=rt", 3],
  ])("Twilio with %s after a timeout sends %i requests", async (fragment, count) => {
    const { error, exchanges } = await send(never, twilio(fragment));
    expect([error?.code, exchanges.length]).toEqual([11200, count]);
    expect(exchanges.every(({ ms }) => Number.isInteger(ms) && ms >= 99)).toBe(true);
  });

  it("SignalWire with #rt=100 after a timeout sends one request", async () => {
    const { error, exchanges } = await send(never, { url: `${URL_}#rt=100` });
    expect([error?.message, exchanges.length]).toEqual([expect.stringContaining("within 100 ms"), 1]);
  });

  it("SignalWire with #tt=100 does not follow redirects after 100 ms", async () => {
    const fetch = async () => (await new Promise((resolve) => setTimeout(resolve, 60)), redirect(307, "/fax"));
    expect((await send(fetch, { url: `${URL_}#tt=100` })).error?.code).toBe(11200);
  });

  it("ends retries after the total time of #tt", async () => {
    const { error, exchanges } = await send(never, twilio("#rt=100&rc=5&rp=all&tt=150"));
    expect([error?.code, exchanges.length < 5]).toEqual([11200, true]);
  });

  it("ends within timeoutMs, even with fake timers", async () => {
    vi.useFakeTimers();
    const { outcome, error } = await send(never, { timeoutMs: 50 });
    expect([outcome, error?.code]).toEqual(["error", 11200]);
  });

  it("does not follow a redirect that arrives after the deadline", async () => {
    const fetch = vi.fn(() => {
      for (const start = performance.now(); performance.now() - start < 120;);
      return redirect(302, "/next");
    });
    const { error } = await send(fetch, twilio("#tt=100"));
    expect([error?.code, fetch.mock.calls.length]).toEqual([11200, 1]);
  });

  it("ends within timeoutMs for a server that sets 4,000 cookies in each of many responses", async () => {
    const headers = new Headers({ location: "/fax" });
    for (let i = 0; i < 4000; i++) headers.append("set-cookie", `cookie${i}=1`);
    const start = performance.now();
    const { exchanges } = await send(() => new Response(null, { status: 307, headers }), { timeoutMs: 1000 });
    expect(performance.now() - start).toBeLessThan(5000);
    expect(exchanges.at(-1)!.request.headers["cookie"]!.split("; ")).toHaveLength(50);
  });

  it("aborts the request's signal only after a timeout", async () => {
    const signals: AbortSignal[] = [];
    await send((request: Request) => (signals.push(request.signal), respond()));
    await send((request: Request) => (signals.push(request.signal), never()), twilio("#rt=100&rc=0"));
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, true]);
  });

  it("stops reading an endless body", async () => {
    const pull = (controller: ReadableStreamDefaultController) => controller.enqueue(new Uint8Array(1000));
    expect((await send(() => new Response(new ReadableStream({ pull })))).error?.code).toBe(11750);
  });
});

describe("redirects", () => {
  it.each([
    ["signalwire", 3, "rejected"],
    ["signalwire", 4, "error"],
    ["twilio", 10, "rejected"],
    ["twilio", 11, "error"],
  ] as const)("a fax from %s with %i redirects has the outcome %s", async (flavor, length, outcome) => {
    let left = length;
    const getTarget = () => `${left % 2 === 0 ? "http" : "https"}://other.example.com/${left}`;
    const transcript = await send(() => (left-- > 0 ? redirect(307, getTarget()) : respond()), { flavor });
    expect([transcript.outcome, transcript.error?.code]).toEqual([outcome, outcome === "error" ? 11215 : undefined]);
  });

  it.each([
    [301, "GET"],
    [302, "GET"],
    [303, "GET"],
    [307, "POST"],
    [308, "POST"],
  ])("follows a redirect with status %i by a %s request that is signed for the target", async (status, method) => {
    const options = { authToken: "t", publicUrl: "https://fax.example.com/moved", onFax: () => reject() };
    const webhook = faxWebhook({ ...options, onRefused() {} });
    const fetch: ProviderFetch = (request) =>
      request.url.endsWith("/fax") ? redirect(status, "/moved") : webhook.fetch(request);
    const { outcome, exchanges } = await send(fetch);
    expect([outcome, exchanges[1]?.request.method]).toEqual(["rejected", method]);
    expect("content-type" in exchanges[1]!.request.headers).toBe(method === "POST");
  });

  it.each([
    [200, "/elsewhere"],
    [302, "ftp://x/"],
    [302, "http://["],
    [304, "/elsewhere"],
  ])("does not follow a response with status %i and the Location %s", async (status, location) => {
    const fetch = () => new Response(null, { status, headers: { ...XML, location } });
    expect((await send(fetch)).exchanges).toHaveLength(1);
  });

  it("follows the redirect of a GET to the exact target, without the cookies of another host", async () => {
    const fetch: ProviderFetch = ({ url }) => {
      const location = url.replace("fax.example.com", "other.example.com");
      return url === location ? respond() : redirect(301, location, { "set-cookie": "a=1" });
    };
    const url = "https://fax.example.com/fax?a=b%20c&d=%27";
    const { exchanges } = await provide(fetch, { url }).sendFax({ method: "GET" });
    const [first, second] = exchanges.map(({ request }) => request);
    expect(first!.url).toMatch(/\?a=b%20c&d=%27&FaxSid=/);
    expect(second!.url).toBe(first!.url.replace("fax.", "other."));
    expect(second!.params).toMatchObject(first!.params);
    expect(second!.headers).not.toHaveProperty("cookie");
  });
});

describe("the password of the URL", () => {
  it.each([
    [401, "Basic realm=fax", 2],
    [401, 'basic realm="fax"', 2],
    [401, "Bearer realm=a,Basic realm=b", 2],
    [401, "Bearer realm=a, Basic realm=b", 2],
    [401, "Bearer realm=basic", 1],
    [401, "Basically", 1],
    [401, undefined, 1],
    [403, "Basic realm=fax", 1],
    [401, "Basic realm=fax", 1, "https://fax.example.com/"],
  ])("status %i and WWW-Authenticate %s lead to %i requests", async (status, challenge, count, url = URL_) => {
    const headers = { ...XML, ...(challenge && { "www-authenticate": challenge }) };
    const { exchanges } = await send(() => new Response("", { status, headers }), { url });
    expect(exchanges).toHaveLength(count);
    expect(exchanges[0]!.request.headers).not.toHaveProperty("authorization");
  });

  it.each([
    ["user:p%C3%A4ss", "user:p\xc3\xa4ss"],
    ["%ff:p", "%ff:p"],
    ["user", "user:"],
  ])("sends the credentials %s as Base64 of UTF-8", async (userinfo, credentials) => {
    const url = `https://${userinfo}@x.example/`;
    const { exchanges } = await send(() => new Response("", { status: 401, headers: BASIC }), { url });
    expect(exchanges[1]!.request.headers["authorization"]).toBe(`Basic ${btoa(credentials)}`);
  });
});

describe("an exchange", () => {
  it("the response of an exchange has the headers without cookies, the cookies and the body", async () => {
    const { exchanges } = await send(() => respond("<Response/>", { "Set-Cookie": "a=1", "X-Note": "n" }));
    const headers = { ...XML, "x-note": "n" };
    const response = { status: 200, headers, cookies: ["a=1"], body: "<Response/>", isUtf8: true };
    expect(exchanges[0]!.response).toEqual(response);
  });

  it("has the milliseconds from the start of the conversation to the request and to the response", async () => {
    const fetch = async () => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      return respond(toTwiml(receive({ action: "/x" })));
    };
    const [first, second] = (await send(fetch)).exchanges;
    expect(first!.startMs).toBeLessThan(second!.startMs);
    expect(first!.ms).toBeGreaterThanOrEqual(29);
    expect(second!.startMs).toBeGreaterThanOrEqual(first!.startMs + first!.ms);
  });

  it("the request of an exchange has only the cookies of the same conversation", async () => {
    const headers = { "set-cookie": "ticket=42; Secure; HttpOnly" };
    const provider = provide(() => respond(toTwiml(receive({ action: "/fax" })), headers));
    const transcripts = [await provider.sendFax(), await provider.sendFax()];
    const cookies = transcripts.flatMap(({ exchanges }) => exchanges.map(({ request }) => request.headers["cookie"]));
    expect(cookies).toEqual([undefined, "ticket=42", undefined, "ticket=42"]);
  });

  it("accepts any object with status, headers and text() as a response", async () => {
    const response = { status: 200, headers: new Headers(XML), text: async () => toTwiml(reject()) };
    expect((await send(async () => response)).outcome).toBe("rejected");
    const text = async () => "x".repeat(65_537);
    expect((await send(async () => ({ ...response, text }))).error?.code).toBe(11750);
  });
});

describe("a handler that throws", () => {
  const nest = (depth: number, error: Error): Error =>
    depth === 0 ? error : nest(depth - 1, new Error(`outer ${depth}`, { cause: error }));
  const circular: Error = new Error("circular");
  circular.cause = circular;
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();

  it.each<[string, unknown, string]>([
    ["a message of 300 characters", new Error("x".repeat(300)), "x".repeat(200)],
    ["a nested cause", nest(3, new Error("no database")), "no database"],
    ["a circular cause", circular, "circular"],
    ["text", "no database", "the thrown value is not an Error"],
    ["an object without a prototype", Object.create(null), "the thrown value is not an Error"],
    ["a revoked proxy", proxy, "the thrown value is not an Error"],
    ["an error without a message", Object.assign(new Error(), { message: undefined }), "undefined"],
    [
      "a message that cannot become text",
      Object.assign(new Error(), { message: { toString: null } }),
      "the thrown value is not an Error",
    ],
    ["a code that is not a string", Object.assign(new Error("x"), { code: Object.create(null) }), "x"],
  ])("records status 500 for a handler that throws %s", async (_, thrown, body) => {
    const { exchanges } = await send(() => Promise.reject(thrown));
    expect(exchanges[0]!.response).toEqual({ status: 500, headers: {}, cookies: [], body, isUtf8: true });
  });
});

describe("connectTo", () => {
  const servers: Server[] = [];
  afterEach(() => servers.splice(0).forEach((server) => server.close()));

  const handlers = { onFax: () => receive({ action: "done?step=2" }), onCallback() {}, onRefused() {} };
  const webhook = faxWebhook({ authToken: "t", publicUrl: "https://fax.example.com", ...handlers });

  async function listen(listener: RequestListener): Promise<string> {
    const server = createServer(listener).listen(0, "127.0.0.1");
    servers.push(server);
    await once(server, "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it("sends requests that are signed for the origin of url to a server with that publicUrl", async () => {
    const url = "https://fax.example.com/in/fax?key=1";
    const { outcome, exchanges } = await send(undefined, { url, connectTo: await listen(webhook.node) });
    const urls = [url, "https://fax.example.com/in/done?step=2"];
    expect([outcome, exchanges.map(({ request }) => request.url)]).toEqual(["received", urls]);
  });

  it("does not change requests to other origins", async () => {
    const connectTo = await listen((_, res) => res.writeHead(500).end());
    const other = await listen((_, res) => res.writeHead(200, XML).end(toTwiml(reject())));
    const { outcome } = await send(undefined, { connectTo, fallbackUrl: `${other}/fax` });
    expect(outcome).toBe("rejected");
  });

  it("returns 11205 if no server is running there", async () => {
    expect((await send(undefined, { connectTo: "http://127.0.0.1:2" })).error?.code).toBe(11205);
  });
});

describe("real HTTP", () => {
  const servers: Server[] = [];
  afterEach(() => servers.splice(0).forEach((server) => server.close()));

  async function listen(server: Server, scheme = "http"): Promise<string> {
    servers.push(server.listen(0, "127.0.0.1"));
    await once(server, "listening");
    return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/fax`;
  }

  it("sends HTTP requests without the option fetch", async () => {
    const options = { onFax: () => receive({ action: "fax" }), onCallback() {}, onRefused() {} };
    const server = createServer(faxWebhook({ authToken: "t", ...options }).node);
    expect((await send(undefined, { url: await listen(server) })).outcome).toBe("received");
  });

  it("returns 11210 for an unknown host", async () => {
    const { error } = await send(undefined, { url: "http://does-not-exist.invalid/" });
    expect(error?.code).toBe(11210);
    expect(error?.message).toMatch(/(ENOTFOUND|EAI_AGAIN).*does-not-exist\.invalid/);
  });

  it("returns 11220 for an untrusted certificate", async () => {
    const read = (name: string) => readFileSync(join(import.meta.dirname, "../servers/fixtures", name));
    const options = { cert: read("throwaway-cert.pem"), key: read("throwaway-key.pem") };
    const { error } = await send(undefined, { url: await listen(createHttpsServer(options), "https") });
    expect(error?.code).toBe(11220);
  });

  it.each(["the head", "the body"])("returns 11200 without a retry if the server closes in %s", async (part) => {
    const server = createServer((_, res) => {
      if (part === "the body") res.writeHead(200, XML).write("<Response>");
      setTimeout(() => res.destroy(), 10);
    });
    const { error, exchanges } = await send(undefined, { flavor: "twilio", url: await listen(server) });
    expect([error?.code, exchanges.length]).toEqual([11200, 1]);
    expect(error?.message).toContain("closed the connection");
  });
});
