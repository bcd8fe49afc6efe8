/** fetchMedia: allowed URLs, redirects, headers, statuses, bytes, connections. */
import * as http from "node:http";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type FaxMediaOptions, fetchMedia } from "../../src/webhook/media.js";
import { close, portOf } from "../servers/listen.js";
import {
  BOTH,
  PDF,
  faxAt,
  get,
  getByPlatform,
  localFetch,
  readAll,
  rejection,
  servers,
  useServers,
} from "./media-servers.js";

useServers();

/** Responds with redirects by path, and with the pages to every other path. */
const redirect =
  (targets: Record<string, string>, status = 302) =>
  (req: http.IncomingMessage, res: http.ServerResponse) =>
    targets[req.url!] === undefined
      ? res.end(PDF)
      : res.writeHead(status, { location: targets[req.url!] }).end("moved");

describe("fetchMedia, mediaUrl and hosts", () => {
  it.each([
    ["https://files.signalwire.com/1.pdf", undefined, "files.signalwire.com"],
    ["https://FILES.SIGNALWIRE.COM/1.pdf", undefined, "files.signalwire.com"],
    ["HTTPS://files.signalwire.com/1.pdf", undefined, "files.signalwire.com"],
    ["https://files.signalwire.com:443/1.pdf", undefined, "files.signalwire.com"],
    ["https://files.signalwire.com/1.pdf", ["a.example", "Files.SignalWire.Com"], "files.signalwire.com"],
    ["https://files.signalwire.com/1.pdf", ["files.signalwire.com:443"], "files.signalwire.com"],
    ["https://files.example:8443/1.pdf", ["files.example:8443"], "files.example:8443"],
    ["https://b\u00fccher.example/1.pdf", ["xn--bcher-kva.example"], "xn--bcher-kva.example"],
    ["https://xn--bcher-kva.example/1.pdf", ["B\u00dcCHER.example"], "xn--bcher-kva.example"],
    ["https://files.example./1.pdf", ["files.example."], "files.example."],
    ["https://192.0.2.1/1.pdf", ["192.0.2.1"], "192.0.2.1"],
    ["https://[2001:DB8::1]/1.pdf", ["[2001:db8::1]"], "[2001:db8::1]"],
    ["http://localhost/1.pdf", ["localhost"], "localhost"],
    ["http://localhost:8080/1.pdf", ["localhost:8080"], "localhost:8080"],
    ["http://127.255.10.11/1.pdf", ["127.255.10.11"], "127.255.10.11"],
    ["http://2130706433/1.pdf", ["127.0.0.1"], "127.0.0.1"],
    ["http://[::1]:3000/1.pdf", ["[::1]:3000"], "[::1]:3000"],
  ])("fetches %s with hosts %j", async (mediaUrl, hosts, host) => {
    await fetchMedia(faxAt(mediaUrl), { hosts, fetch: localFetch });
    expect(servers.requests).toMatchObject([{ host, path: "/1.pdf" }]);
  });

  it.each<[string, string[] | undefined, string]>([
    ["https://evil.example/", undefined, '"evil.example", which is not in hosts'],
    ["https://files.signalwire.com.evil.example/", undefined, '"files.signalwire.com.evil.example"'],
    ["https://evilfiles.signalwire.com/", undefined, "not in hosts"],
    ["https://signalwire.com/", undefined, "not in hosts"],
    ["https://files-signalwire.com/", undefined, "not in hosts"],
    ["https://files.signalwire.com@evil.example/", undefined, "user name"],
    ["https://files.signalwire.com:443@evil.example/", undefined, "user name"],
    ["https://:secret@files.signalwire.com/", undefined, "user name"],
    ["https://secret@files.signalwire.com/", undefined, "user name"],
    ["https://evil.example\\@files.signalwire.com/", undefined, '"evil.example"'],
    ["https://evil.example/@files.signalwire.com/", undefined, '"evil.example"'],
    ["https://evil.example#@files.signalwire.com/", undefined, '"evil.example"'],
    ["https://files.signalwire.com./", undefined, '"files.signalwire.com."'],
    ["https://f\u0131les.signalwire.com/", undefined, '"xn--fles-lza.signalwire.com"'],
    ["https://files.signalwire.com:8443/", undefined, '"files.signalwire.com:8443"'],
    ["https://files.example/", ["files.example:8443"], '"files.example"'],
    ["https://127.0.0.1/", undefined, '"127.0.0.1"'],
    ["https://0x7f.1/", undefined, '"127.0.0.1"'],
    ["https://[::1]/", undefined, '"[::1]"'],
    ["https://[::ffff:127.0.0.1]/", ["127.0.0.1"], "not in hosts"],
    ["http://files.signalwire.com/", undefined, "Use https"],
    ["http://localhost/", undefined, '"localhost"'],
    ["http://localhost:8080/", ["localhost"], '"localhost:8080"'],
    ["http://10.0.0.1/", ["10.0.0.1"], "Use https"],
    ["http://localhost.evil.example/", ["localhost.evil.example"], "Use https"],
    ["http://127.0.0.1.evil.example/", ["127.0.0.1.evil.example"], "Use https"],
    ["http://evil-localhost/", ["evil-localhost"], "Use https"],
    ["ftp://files.signalwire.com/", undefined, "Use https"],
    ["ftp://localhost/", ["localhost"], "Use https"],
    ["file:///etc/passwd", undefined, "has no host. Use https"],
    ["data:application/pdf,%PDF-secret", undefined, "has no host. Use https"],
    ["blob:https://me:secret@files.signalwire.com/", undefined, "has no host. Use https"],
    ["me:secret@files.signalwire.com", undefined, "has no host. Use https"],
  ])("does not fetch %s with hosts %j, as mediaUrl or as redirect", async (url, hosts, text) => {
    // Not parsed, because the parser refuses some of them.
    const refused = fetchMedia({ faxSid: "FX1", mediaUrl: url }, { hosts, fetch: localFetch });
    expect((await rejection(refused, "host-not-allowed", text)).message).toMatch(/^mediaUrl has/);
    expect(servers.requests).toEqual([]);
    const location = encodeURI(url).replace(/%5B|%5D|%25|%5C/g, decodeURI);
    servers.respond = redirect({ "/p/1.pdf?X-Signature=secret": location });
    const redirected = get({ hosts: ["files.signalwire.com", ...(hosts ?? [])] });
    const { message } = await rejection(redirected, "host-not-allowed", text);
    expect(message).toMatch(/^The Location header of files.signalwire.com has/);
    expect(servers.requests).toHaveLength(1);
  });

  it("does not show a password before an invalid host, as mediaUrl or as redirect", async () => {
    const url = "https://user:hunter2?x@host:bad/";
    servers.respond = redirect({ "/p/1.pdf?X-Signature=secret": "https://user:hunter2@host:bad/" });
    const refused = fetchMedia({ faxSid: "FX1", mediaUrl: url }, { fetch: localFetch });
    for (const failed of [refused, get()]) {
      const { message, stack, cause } = await rejection(failed, "host-not-allowed", "is not a valid URL");
      expect(message + stack + cause).not.toContain("hunter2");
    }
  });

  it.each([" ", "files.signalwire.com/1.pdf", "//files.signalwire.com/1.pdf", "https://", "https://[secret?secret"])(
    "does not fetch %j, which is not a URL",
    async (mediaUrl) => {
      const refused = fetchMedia({ faxSid: "FX1", mediaUrl }, { fetch: localFetch });
      await rejection(refused, "host-not-allowed", "mediaUrl is not a valid URL");
    },
  );

  // V8's fast path of URL.canParse is wrong in Node 20.20 and 22.23, from about the 6,000th call.
  it("parses a URL and a host that are not ASCII 30,000 times", async () => {
    const mediaUrl = "https://b\u00fccher.example/1.pdf";
    for (let calls = 0; calls < 30_000; calls++) {
      const error: unknown = await fetchMedia({ faxSid: "FX1", mediaUrl }, { hosts: ["\u00e9.example"] }).catch(
        (e) => e,
      );
      if (!String(error).includes("xn--bcher-kva.example")) throw new Error(`call ${calls}`, { cause: error });
    }
  });

  it("requests mediaUrl with its query", async () => {
    await get();
    expect(servers.requests[0]!.path).toBe("/p/1.pdf?X-Signature=secret");
  });
});

describe("fetchMedia, redirects", () => {
  it.each([301, 302, 303, 307, 308])("follows relative and absolute redirects with status %i", async (status) => {
    servers.respond = redirect({ "/1": "2?x=1", "/2?x=1": "https://a.example/3" }, status);
    await fetchMedia(faxAt("https://a.example/1"), { hosts: ["a.example"], fetch: localFetch });
    expect(servers.requests.map(({ path }) => path)).toEqual(["/1", "/2?x=1", "/3"]);
  });

  it.each<[string, string, Buffer | string]>([
    ["UTF-8", "/caf%C3%A9/%E2%82%AC.pdf?%C3%A9", "/café/€.pdf?é"],
    ["an absolute UTF-8 URL", "/%C3%A9", "https://files.signalwire.com/é"],
    ["escapes", "/caf%C3%A9%20%25.pdf", "/caf%C3%A9%20%25.pdf"],
    // Not UTF-8.
    ["Latin-1", "/caf%C3%A9.pdf", Buffer.from("/caf\xe9.pdf", "latin1")],
  ])("follows a redirect whose Location is raw %s", async (_, path, location) => {
    const header = Buffer.from(location).toString("latin1");
    servers.respond = (req, res) => (req.url === path ? res.end(PDF) : res.writeHead(302, { location: header }).end());
    await get();
    expect(servers.requests.map((each) => each.path)).toEqual(["/p/1.pdf?X-Signature=secret", path]);
  });

  it("follows a redirect whose Location the fetch option has decoded", async () => {
    const paths: string[] = [];
    const fetch = async (url: string) => {
      const status = paths.push(new URL(url).pathname) === 1 ? 302 : 200;
      return {
        status,
        headers: { get: (name: string) => (name === "location" ? "/\u0141.pdf" : null) },
        body: [PDF],
      };
    };
    await get({ fetch });
    expect(paths[1]).toBe("/%C5%81.pdf");
  });

  it.each(BOTH)("does not follow a redirect to 169.254.169.254 over %s", async (_, getPages) => {
    servers.respond = (_req, res) => res.writeHead(302, { location: "http://169.254.169.254/latest/meta-data/" }).end();
    await rejection(getPages(), "host-not-allowed", "origin http://169.254.169.254.");
    expect(servers.requests).toHaveLength(1);
  });

  it("follows redirects to redirectHosts and back, without headers", async () => {
    servers.respond = redirect({
      "/1": "https://b.example/2",
      "/2": "https://C.example:8443/3",
      "/3": "https://a.example/4",
    });
    const redirectHosts = ["B.example", "c.example:8443"];
    const headers = { authorization: "Bearer secret" };
    await fetchMedia(faxAt("https://a.example/1"), { hosts: ["a.example"], redirectHosts, fetch: localFetch, headers });
    expect(servers.requests.map(({ host, headers }) => [host, headers.authorization])).toEqual([
      ["a.example", "Bearer secret"],
      ["b.example", undefined],
      ["c.example:8443", undefined],
      ["a.example", undefined],
    ]);
  });

  it("does not fetch a mediaUrl at one of redirectHosts", async () => {
    const redirectHosts = ["b.example"];
    const failed = fetchMedia(faxAt("https://b.example/1"), { redirectHosts, fetch: localFetch });
    await rejection(failed, "host-not-allowed", '"b.example", which is not in hosts.');
    expect(servers.requests).toEqual([]);
  });

  it.each(["https://b.example:8443/", "https://c.b.example/"])("does not follow a redirect to %s", async (location) => {
    servers.respond = redirect({ "/p/1.pdf?X-Signature=secret": location });
    await rejection(get({ redirectHosts: ["b.example"] }), "host-not-allowed", "not in hosts or redirectHosts");
    expect(servers.requests).toHaveLength(1);
  });

  it.each(BOTH)("stops after three redirects over %s", async (_, getPages) => {
    servers.respond = (req, res) => res.writeHead(307, { location: req.url! }).end();
    expect((await rejection(getPages(), "http-status", "3 times")).status).toBe(307);
    expect(servers.requests).toHaveLength(4);
  });

  it.each(BOTH)("follows three redirects over %s", async (_, getPages) => {
    servers.respond = (req, res) =>
      servers.requests.length > 3 ? res.end(PDF) : res.writeHead(307, { location: req.url! }).end();
    expect((await getPages()).size).toBe(PDF.length);
  });

  it.each([
    ["302 without a Location", 302, {}],
    ["300", 300, { location: "/2" }],
    ["304", 304, { location: "/2" }],
  ])("throws http-status for %s", async (_, status, headers) => {
    servers.respond = (_req, res) => res.writeHead(status, headers).end();
    await rejection(getByPlatform(), "http-status", `status ${status}`);
    expect(servers.requests).toHaveLength(1);
  });

  it("throws host-not-allowed and cancels the response if the fetch option followed a redirect", async () => {
    const cancel = vi.fn();
    const body = new ReadableStream({ cancel });
    const fetch = async () => ({ status: 200, headers: new Headers(), body, redirected: true });
    await rejection(get({ fetch }), "host-not-allowed", 'redirect: "manual"');
    expect(cancel).toHaveBeenCalledOnce();
  });
});

describe("fetchMedia, headers", () => {
  const authorization = "Bearer secret";
  const hosts = ["a.example", "b.example", "a.example:8443", "localhost"];
  const sentAuthorization = () => servers.requests.map(({ headers }) => headers.authorization);

  it.each([
    ["a record", { Authorization: authorization }],
    ["pairs", [["authorization", authorization]] as [string, string][]],
    ["Headers", new Headers({ authorization })],
  ])("sends %s to the host of mediaUrl and its redirects", async (_, headers) => {
    servers.respond = redirect({ "/1": "/2" });
    await fetchMedia(faxAt("https://a.example/1"), { hosts, fetch: localFetch, headers });
    expect(sentAuthorization()).toEqual([authorization, authorization]);
  });

  it.each([
    ["another host", "https://b.example/2"],
    ["another port", "https://a.example:8443/2"],
  ])("does not send headers to %s, nor after a redirect back", async (_, elsewhere) => {
    servers.respond = redirect({ "/1": elsewhere, "/2": "https://a.example/3", "/3": "https://a.example/4" });
    const headers = { authorization, cookie: "secret=1", "x-api-key": "secret" };
    await fetchMedia(faxAt("https://a.example/1"), { hosts, fetch: localFetch, headers });
    expect(sentAuthorization()).toEqual([authorization, undefined, undefined, undefined]);
    expect(JSON.stringify(servers.requests.slice(1).map((each) => each.headers))).not.toContain("secret");
  });

  it("does not send headers to the same host over another scheme", async () => {
    servers.respond = redirect({ "/1": "http://localhost/2" });
    await fetchMedia(faxAt("https://localhost/1"), { hosts, fetch: localFetch, headers: { authorization } });
    expect(sentAuthorization()).toEqual([authorization, undefined]);
  });

  it("always sends accept-encoding: identity", async () => {
    servers.respond = redirect({ "/1": "https://b.example/2" });
    const headers = { "Accept-Encoding": "gzip" };
    await fetchMedia(faxAt("https://a.example/1"), { hosts, fetch: localFetch, headers });
    await getByPlatform();
    expect(servers.requests.map((each) => each.headers["accept-encoding"])).toEqual(Array(3).fill("identity"));
  });
});

describe("fetchMedia, responses", () => {
  const large = Buffer.concat([PDF, Buffer.alloc(300_000, "x")]);

  it.each([
    [401, "credentials in headers"],
    [403, "credentials in headers"],
    [404, "may be late, deleted or expired"],
    [410, "are deleted or expired"],
    [500, "Try again later"],
    [206, "Try again later"],
  ])("throws http-status for %i", async (status, fix) => {
    servers.respond = (_, res) => res.writeHead(status).end(PDF);
    const error = await rejection(get(), "http-status", `files.signalwire.com responded with status ${status}.`);
    expect(error.message).toContain(fix);
    expect(error.status).toBe(status);
  });

  it.each(BOTH)("reads many chunks up to maxBytes over %s", async (_, getPages) => {
    servers.respond = (_req, res) =>
      Readable.from([...large.subarray(0, 200)].map((byte) => Buffer.of(byte))).pipe(res);
    expect(await readAll(await getPages({ maxBytes: 200 }))).toEqual(large.subarray(0, 200));
    servers.respond = (_req, res) => void (res.write(large), res.end());
    expect((await readAll(await getPages({ maxBytes: large.length }))).equals(large)).toBe(true);
    await rejection(getPages({ maxBytes: large.length - 1 }), "too-large", "sent more");
  });

  it.each(BOTH)("throws too-large for an endless body and closes the connection, over %s", async (_, getPages) => {
    servers.respond = (_req, res) => {
      const more = () => void (res.writable && (res.write(large) ? setImmediate(more) : res.once("drain", more)));
      more();
    };
    await rejection(getPages({ maxBytes: 100_000 }), "too-large", "sent more");
    await servers.requests[0]!.closed;
  });

  it.each(BOTH)("throws too-large by Content-Length without reading, over %s", async (_, getPages) => {
    servers.respond = (_req, res) => void res.writeHead(200, { "content-length": 1001 }).flushHeaders();
    await rejection(getPages({ maxBytes: 1000 }), "too-large", "announced 1001 bytes");
    await servers.requests[0]!.closed;
  });

  it("counts the bytes of a body that is longer than its Content-Length", async () => {
    const headers = new Headers({ "content-length": "10" });
    const fetch = async () => ({ status: 200, headers, body: new Response(large).body });
    await rejection(get({ fetch, maxBytes: 1000 }), "too-large", "sent more");
  });

  it.each(BOTH)("throws network with the cause for an incomplete body over %s", async (_, getPages) => {
    servers.respond = (_req, res) =>
      void res.writeHead(200, { "content-length": 1000 }).write(PDF, () => res.destroy());
    expect((await rejection(getPages(), "network", "ended early")).cause).toBeInstanceOf(Error);
    servers.respond = (_req, res) => {
      // With "Connection: close", Node's fetch accepts the end of the connection as the end of a chunked body.
      res.shouldKeepAlive = true;
      res.write(PDF, () => res.destroy());
    };
    expect((await rejection(getPages(), "network", "ended early")).cause).toBeInstanceOf(Error);
  });

  it("throws network for an incomplete body that the fetch option does not report", async () => {
    const headers = new Headers({ "content-length": `${PDF.length + 1}` });
    const fetch = async () => ({ status: 200, headers, body: new Response(PDF).body });
    await rejection(get({ fetch }), "network", "ended early");
  });

  it("throws not-a-fax for a response without a body", async () => {
    await rejection(get({ fetch: async () => new Response(null) }), "not-a-fax", "0 bytes");
  });

  it("counts the decompressed bytes of a compressed body", async () => {
    servers.respond = (_, res) => res.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(large));
    expect((await readAll(await getByPlatform())).equals(large)).toBe(true);
    await rejection(getByPlatform({ maxBytes: 100_000 }), "too-large", "sent more");
    // Shorter than the Content-Length, which is that of the compressed bytes.
    const compressed = gzipSync(PDF.subarray(0, 9));
    const length = { "content-encoding": "gzip", "content-length": compressed.length };
    servers.respond = (_, res) => res.writeHead(200, length).end(compressed);
    expect((await getByPlatform()).size).toBe(9);
  });

  it.each([
    ["a redirect", 302, { location: "https://files.signalwire.com/2.pdf" }],
    ["a redirect to a host that is not listed", 302, { location: "https://evil.example/" }],
    ["an error", 500, {}],
  ])("closes the connection of %s with an endless body", async (_, status, headers) => {
    servers.respond = (req, res) =>
      req.url === "/2.pdf" ? res.end(PDF) : void res.writeHead(status, headers).write("…");
    await get().catch(() => undefined);
    await servers.requests[0]!.closed;
  });

  it("ignores a body that cannot be canceled", async () => {
    const fail = () => {
      throw new Error("locked");
    };
    for (const body of [{ cancel: async () => fail() }, { cancel: fail }, {}, null]) {
      await rejection(get({ fetch: async () => ({ status: 500, headers: new Headers(), body }) }), "http-status");
    }
  });

  it("throws network with the cause if there is no server or fetch throws", async () => {
    const gone = http.createServer();
    const host = `127.0.0.1:${await portOf(gone.listen(0, "127.0.0.1"))}`;
    await close(gone);
    const failed = fetchMedia(faxAt(`http://${host}/1.pdf?secret`), { hosts: [host], retries: 0 });
    expect((await rejection(failed, "network", `request to ${host} failed`)).cause).toBeInstanceOf(TypeError);
    const cause = new Error("no proxy");
    const fetch = () => {
      throw cause;
    };
    expect((await rejection(get({ fetch }), "network")).cause).toBe(cause);
  });
});

describe("fetchMedia, retries", () => {
  const NOW = Date.UTC(2026, 0, 1);
  afterEach(() => vi.useRealTimers());

  type Answer = number | Error | Response | [status: number, retryAfter: string];

  function respondWith(answer: Answer): Response {
    if (answer instanceof Error) throw answer;
    if (answer instanceof Response) return answer;
    const [status, retryAfter] = [answer].flat() as [number, string?];
    const headers = retryAfter === undefined ? {} : { "retry-after": retryAfter };
    return new Response(status === 200 ? PDF : "error", { status, headers });
  }

  /** Calls fetchMedia with a fetch that gives these answers, and 404 after them, and a clock that tests advance. */
  async function run(answers: readonly Answer[], options: FaxMediaOptions = {}) {
    vi.useFakeTimers({ now: NOW, toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
    const times: number[] = [];
    const fetch = async () => respondWith(answers[times.push(Date.now() - NOW) - 1] ?? 404);
    const ended: { pages?: Blob; error?: unknown; endedAt?: number } = {};
    fetchMedia(faxAt("https://files.signalwire.com/1.pdf"), { fetch, ...options })
      .then(
        (pages) => (ended.pages = pages),
        (error: unknown) => (ended.error = error),
      )
      .finally(() => (ended.endedAt = Date.now() - NOW));
    await vi.advanceTimersByTimeAsync(100_000);
    expect(vi.getTimerCount()).toBe(0);
    return { times, ...ended };
  }

  const broken = new Response(
    new ReadableStream({
      pull() {
        throw new Error("reset");
      },
    }),
  );

  it.each<[string, Answer]>([
    ...[404, 408, 425, 429, 500, 502, 503, 504, 599].map((status): [string, Answer] => [`status ${status}`, status]),
    ["a network error", new TypeError("fetch failed")],
    ["a response that ends early", broken],
    ["a response that is shorter than announced", new Response(PDF, { headers: { "content-length": "9999" } })],
  ])("tries again after %s", async (_, answer) => {
    const { times, pages } = await run([answer, 200]);
    expect(times).toEqual([0, 1000]);
    expect(pages?.size).toBe(PDF.length);
  });

  it.each<[string, Answer, string]>([
    ...[400, 401, 403, 405, 410, 204, 206, 304].map((status): [string, Answer, string] => [
      `status ${status}`,
      status === 204 || status === 304 ? new Response(null, { status }) : status,
      "http-status",
    ]),
    [
      "a redirect to another host",
      new Response(null, { status: 302, headers: { location: "https://a.b/" } }),
      "host-not-allowed",
    ],
    ["too many bytes", new Response(PDF, { headers: { "content-length": "99999999" } }), "too-large"],
    ["an HTML page", new Response("<html>"), "not-a-fax"],
  ])("does not try again after %s", async (_, answer, code) => {
    const { times, error } = await run([answer, 200]);
    expect(times).toEqual([0]);
    expect(error).toMatchObject({ code });
  });

  it("tries 3 more times by default, after 1, 2 and 4 seconds, and throws the last error", async () => {
    expect(await run([404, 500, 502, 503])).toMatchObject({
      times: [0, 1000, 3000, 7000],
      error: { name: "FaxMediaError", code: "http-status", status: 503 },
      endedAt: 7000,
    });
  });

  it.each([
    [0, [0]],
    [1, [0, 1000]],
    [9, [0, 1000, 3000, 7000, 15_000]],
    [Number.MAX_SAFE_INTEGER, [0, 1000, 3000, 7000, 15_000]],
  ])("tries at most %i more times within 30 seconds", async (retries, expected) => {
    const { times, error, endedAt } = await run([], { retries });
    expect(times).toEqual(expected);
    expect(error).toMatchObject({ code: "http-status", status: 404 });
    expect(endedAt).toBe(expected.at(-1));
  });

  it.each([
    [1000, [0]],
    [1001, [0, 1000]],
    [7000, [0, 1000, 3000]],
    [7001, [0, 1000, 3000, 7000]],
  ])("throws the last error at once if the next try is not within timeoutMs: %i", async (timeoutMs, expected) => {
    const { times, error, endedAt } = await run([], { timeoutMs });
    expect(times).toEqual(expected);
    expect(error).toMatchObject({ code: "http-status", status: 404 });
    expect(endedAt).toBe(expected.at(-1));
  });

  it.each<[string, number[]]>([
    ["0", [0, 0]],
    ["7", [0, 7000]],
    [new Date(NOW + 5000).toUTCString(), [0, 5000]],
    [new Date(NOW - 5000).toUTCString(), [0, 0]],
    ["31", [0]],
    ["9".repeat(400), [0]],
    [new Date(NOW + 3_600_000).toUTCString(), [0]],
    // Not valid, so it is ignored.
    ["", [0, 1000]],
    ["-1", [0, 1000]],
    ["0.5", [0, 1000]],
    ["soon", [0, 1000]],
    ["soon GMT", [0, 1000]],
  ])("waits for Retry-After within timeoutMs: %j", async (retryAfter, expected) => {
    expect((await run([[503, retryAfter], 200])).times).toEqual(expected);
  });

  it("waits for Retry-After only once", async () => {
    expect((await run([[503, "7"], 404, 200])).times).toEqual([0, 7000, 9000]);
  });

  it("throws timeout if a further try takes too long", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
    let tries = 0;
    const fetch = () =>
      tries++ === 0 ? Promise.resolve(new Response(null, { status: 404 })) : new Promise<never>(() => {});
    const failed = rejection(get({ fetch, retries: 3 }), "timeout", "30000 ms");
    await vi.advanceTimersByTimeAsync(30_000);
    await failed;
    expect(tries).toBe(2);
  });

  it("sends the headers again and follows the redirect again", async () => {
    servers.respond = (req, res) => {
      if (req.url === "/1") return res.writeHead(302, { location: "https://b.example/2" }).end();
      return res.writeHead(servers.requests.length < 4 ? 404 : 200, { "retry-after": "0" }).end(PDF);
    };
    const hosts = ["a.example", "b.example"];
    await fetchMedia(faxAt("https://a.example/1"), { hosts, fetch: localFetch, headers: { "x-key": "1" } });
    const sent = servers.requests.map(({ host, headers }) => [host, headers["x-key"]]);
    expect(sent).toEqual([
      ["a.example", "1"],
      ["b.example", undefined],
      ["a.example", "1"],
      ["b.example", undefined],
    ]);
  });

  it("closes the connection of every failed try", async () => {
    servers.respond = (_req, res) =>
      servers.requests.length > 1 ? res.end(PDF) : void res.writeHead(503, { "retry-after": "0" }).write("…");
    await getByPlatform({ retries: 1 });
    await servers.requests[0]!.closed;
  });
});
