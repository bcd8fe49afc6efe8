/** fetchMedia: pages in the callback, types, names, options, time limit. */
import { afterEach, describe, expect, it, vi } from "vitest";
import type { FaxCallback, FaxMedia } from "../../src/index.js";
import { FaxMediaError, MEDIA_ERROR_CODES } from "../../src/shared/errors.js";
import type { MediaFetchInit } from "../../src/webhook/download.js";
import { type FaxMediaOptions, fetchMedia } from "../../src/webhook/media.js";
import {
  BOTH,
  MEDIA_URL,
  PDF,
  defer,
  faxAt,
  get,
  getByPlatform,
  localFetch,
  readAll,
  rejection,
  servers,
  useServers,
} from "./media-servers.js";
import { CALLBACK, polluted } from "./support.js";

useServers();
afterEach(() => vi.useRealTimers());
const useFakeTimers = () => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });

describe("fetchMedia, pages", () => {
  it.each([
    ["a PDF", "%PDF-1.7\n…", "application/pdf", "FX1.pdf"],
    ["a PDF after a byte order mark", "\xef\xbb\xbf%PDF-1.7", "application/pdf", "FX1.pdf"],
    ["a PDF after LF", "\n%PDF-1.7", "application/pdf", "FX1.pdf"],
    ["a PDF after CR LF", "\r\n%PDF-1.7", "application/pdf", "FX1.pdf"],
    ["a PDF after a tab, a form feed and a space", "\t\f %PDF-1.7", "application/pdf", "FX1.pdf"],
    ["a PDF after all of these", `\xef\xbb\xbf${"\r\n".repeat(6)}%PDF-1.7`, "application/pdf", "FX1.pdf"],
    ["a little-endian TIFF", "II*\0\x08\0\0\0", "image/tiff", "FX1.tiff"],
    ["a big-endian TIFF", "MM\0*\0\0\0\x08", "image/tiff", "FX1.tiff"],
    ["a little-endian BigTIFF", "II+\0\x08\0\0\0", "image/tiff", "FX1.tiff"],
    ["a big-endian BigTIFF", "MM\0+\0\x08\0\0", "image/tiff", "FX1.tiff"],
  ])("returns a Blob whose type and name are from the bytes: %s", async (_, text, type, name) => {
    const bytes = Buffer.from(text, "latin1");
    servers.respond = (_req, res) => res.writeHead(200, { "content-type": "text/html" }).end(bytes);
    const media = Object.assign(new Blob([bytes], { type: "text/html" }), { name: "../../etc/passwd" });
    for (const pages of [await get(), await fetchMedia({ ...faxAt(MEDIA_URL), media })]) {
      expect(pages).toBeInstanceOf(Blob);
      expect(pages).toMatchObject({ type, name, size: bytes.length });
      expect(await readAll(pages)).toEqual(bytes);
    }
  });

  it.each([
    ["HTML", "<!DOCTYPE html><title>Sign in</title>"],
    ["HTML that contains a PDF signature", "<html>%PDF-1.4"],
    ["HTML after whitespace", "\n<!-- %PDF-1.4"],
    ["a GIF that contains a PDF signature", "GIF89a%PDF-1.4"],
    ["a PDF after a letter", "x%PDF-1.4"],
    ["a PDF after a NUL", "\0%PDF-1.4"],
    ["a PDF after a vertical tab", "\v%PDF-1.4"],
    ["a PDF after 13 spaces", " ".repeat(13) + "%PDF-1.4"],
    ["a PDF after a line break and a byte order mark", "\n\ufeff%PDF-1.4"],
    ["a TIFF after a line break", "\nII*\0\x08\0\0\0"],
    ["a lower-case PDF signature", "%pdf-1.4"],
    ["an incomplete PDF signature", "%PDF 1.4"],
    ["half a TIFF signature", "II*"],
    ["a TIFF of mixed byte order", "II\0*"],
    ["no bytes", ""],
  ])("throws not-a-fax for %s", async (_, text) => {
    servers.respond = (_req, res) => res.writeHead(200, { "content-type": "application/pdf" }).end(text);
    await rejection(get(), "not-a-fax", `${Buffer.byteLength(text)} bytes`);
    await rejection(fetchMedia({ faxSid: "FX1", media: new Blob([text]) }), "not-a-fax");
  });

  it("returns the pages of the callback without a request", async () => {
    const pages = await fetchMedia({ faxSid: "a_b-9", media: new Blob([PDF]), mediaUrl: MEDIA_URL });
    expect(pages.name).toBe("a_b-9.pdf");
    expect(servers.requests).toEqual([]);
  });

  it("throws too-large if the size or the bytes of the callback's pages exceed maxBytes", async () => {
    const media = (size: number): FaxMedia => ({ type: "", size, arrayBuffer: () => new Blob([PDF]).arrayBuffer() });
    const unread = { type: "", size: PDF.length, arrayBuffer: () => Promise.reject(new Error("was read")) };
    const maxBytes = PDF.length - 1;
    await rejection(fetchMedia({ faxSid: "FX1", media: unread }, { maxBytes }), "too-large", `${PDF.length} bytes`);
    await rejection(fetchMedia({ faxSid: "FX1", media: media(1) }, { maxBytes }), "too-large", `${PDF.length} bytes`);
    const pages = await fetchMedia({ faxSid: "FX1", media: media(PDF.length) }, { maxBytes: PDF.length });
    expect(pages.size).toBe(PDF.length);
  });

  it("throws no-media for unreadable pages of the callback, and timeout for slow ones", async () => {
    const cause = new Error("the file was moved");
    const broken = { type: "", size: 1, arrayBuffer: () => Promise.reject(cause) };
    expect((await rejection(fetchMedia({ faxSid: "FX1", media: broken }), "no-media")).cause).toBe(cause);
    const slow = { type: "", size: 1, arrayBuffer: () => new Promise<ArrayBuffer>(() => {}) };
    await rejection(fetchMedia({ faxSid: "FX1", media: slow }, { timeoutMs: 5 }), "timeout");
  });

  it("fetches the pages of a callback whose media was lost in JSON", async () => {
    const stored = JSON.parse(JSON.stringify({ ...faxAt(MEDIA_URL), media: new Blob([PDF]) })) as FaxCallback;
    expect((await fetchMedia(stored, { fetch: localFetch })).size).toBe(PDF.length);
    expect(servers.requests).toHaveLength(1);
  });

  it.each([[{ faxSid: "FX1" }], [{ faxSid: "FX1", mediaUrl: "" }]])("throws no-media for %j", async (callback) => {
    await rejection(fetchMedia(callback), "no-media");
  });

  it.each([
    ["undefined", undefined, /received undefined.*onCallback\.$/],
    ["null", null, /received undefined/],
    ["a promise", Promise.resolve(), /await/],
    ["raw parameters", CALLBACK, /received undefined/],
    ["an empty SID", { faxSid: "" }, /received ""/],
    ["a path as SID", { faxSid: "../x" }, /received "..\/x"/],
    ["a SID with a line break", { faxSid: "FX1\n" }, /received "FX1\\n"/],
    ["a SID beyond ASCII", { faxSid: "FX\u0131" }, /received "FX\\u0131"/],
    ["a SID of 41 characters", { faxSid: "F".repeat(41) }, /1 to 40/],
    ["a number as SID", { faxSid: 1 }, /received 1\b/],
  ])("throws a TypeError for %s as callback", async (_, callback, message) => {
    const failed = fetchMedia(callback as unknown as FaxCallback, { fetch: localFetch });
    await expect(failed).rejects.toThrow(expect.objectContaining({ name: "TypeError" }));
    await expect(failed).rejects.toThrow(message);
    expect(servers.requests).toEqual([]);
  });

  it("returns a value that is assignable to Blob and FaxMedia, and accepts the global fetch", async () => {
    const pages: Blob & FaxMedia & { name: string } = await getByPlatform({ fetch: globalThis.fetch });
    const form = new FormData();
    form.append("file", pages, pages.name);
    expect((form.get("file") as File).name).toBe("FX1.pdf");
  });
});

describe("fetchMedia, timeoutMs", () => {
  it.each(BOTH)("throws timeout for a body that stalls and closes the connection, over %s", async (_, getPages) => {
    servers.respond = (_req, res) => void res.writeHead(200, { "content-length": 1000 }).write(PDF);
    useFakeTimers();
    // Time advances only after the response has begun, on a busy machine as well.
    const begun = defer();
    const inner: (url: string, init: MediaFetchInit) => Promise<Response> = getPages === get ? localFetch : fetch;
    const wrapped = (url: string, init: MediaFetchInit) => inner(url, init).finally(begun.resolve);
    const failed = rejection(getPages({ fetch: wrapped, timeoutMs: 200 }), "timeout", "200 ms");
    await begun.promise;
    await new Promise(setImmediate);
    vi.advanceTimersByTime(200);
    await failed;
    await servers.requests[0]!.closed;
  });

  it.each(BOTH)("throws timeout without a response and closes the connection, over %s", async (_, getPages) => {
    const requested = new Promise<void>((resolve) => (servers.respond = () => resolve()));
    useFakeTimers();
    const failed = rejection(getPages(), "timeout", "30000 ms");
    await requested;
    vi.advanceTimersByTime(30_000);
    await failed;
    await servers.requests[0]!.closed;
  });

  it("limits the time of all redirects together", async () => {
    useFakeTimers();
    const slow = async () => {
      vi.advanceTimersByTime(400);
      return new Response(null, { status: 302, headers: { location: "/" } });
    };
    await rejection(get({ fetch: slow, timeoutMs: 1000 }), "timeout");
  });

  it("does not throw before timeoutMs and clears its timer", async () => {
    useFakeTimers();
    const slow = async () => {
      vi.advanceTimersByTime(29_999);
      return new Response(PDF);
    };
    await get({ fetch: slow });
    await rejection(fetchMedia({ faxSid: "FX1" }), "no-media");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("throws timeout if the fetch option ignores the signal, and cancels a later body", async () => {
    await rejection(get({ fetch: () => new Promise<never>(() => {}), timeoutMs: 5 }), "timeout");
    const gate = defer();
    const canceled = defer();
    const body = new ReadableStream({
      pull: (to) => gate.promise.then(() => to.enqueue(PDF)),
      cancel: canceled.resolve,
    });
    await rejection(get({ fetch: async () => new Response(body), timeoutMs: 5 }), "timeout");
    gate.resolve();
    await canceled.promise;
  });
});

describe("fetchMedia, options", () => {
  it.each<[string, unknown, RegExp]>([
    ["text", "files.signalwire.com", /^The options of fetchMedia/],
    ["null", null, /^The options of fetchMedia/],
    ["an unknown name", { maxbytes: 1 }, /did you mean "maxBytes"/],
    ["a name of Object.prototype", { constructor: 1 }, /"constructor"/],
    ["hosts as text", { hosts: "files.signalwire.com" }, /^hosts must be an array/],
    ["no hosts", { hosts: [] }, /^hosts must be an array of at least one/],
    ...["https://a", "*.a.example", "a/", "a?", "a#", "a\\b", "me@a", " a", "a\t", "", "a:port", undefined].map(
      (host): [string, unknown, RegExp] => [`the host ${JSON.stringify(host)}`, { hosts: ["b", host] }, /^hosts\[1\]/],
    ),
    ["redirectHosts as text", { redirectHosts: "a.example" }, /^redirectHosts must be an array of hosts/],
    ["null as redirectHosts", { redirectHosts: null }, /^redirectHosts must be an array/],
    ["a redirect host with a wildcard", { redirectHosts: ["a.example", "*.b.example"] }, /^redirectHosts\[1\]/],
    ["headers as text", { headers: "Bearer secret" }, /^headers must be.* received a string\.$/],
    ["a header line as headers", { headers: "set-cookie: secret=1" }, /^headers must be.* received a string\.$/],
    ["null as headers", { headers: null }, /^headers must be/],
    [
      "an undefined token",
      { headers: { authorization: undefined } },
      /value of a header in headers must be a string.* undefined\.$/,
    ],
    ["a header with a line break", { headers: { authorization: "Bearer secret\nx: y" } }, /line breaks/],
    ["a header name that contains the value", { headers: { "authorization: Bearer secret": "" } }, /invalid name/],
    ["a header without a name", { headers: [["", "secret"]] }, /invalid name/],
    [
      "a list of header lines",
      { headers: ["authorization: secret"] },
      /^Each item of headers must be a pair.* a string\.$/,
    ],
    ["a number as header value", { headers: { "secret-name": 12345 } }, /received a number\.$/],
    ["a list as header value", { headers: { "secret-name": ["secret"] } }, /received an array\.$/],
    [
      "a promise as header value",
      { headers: { "secret-name": Promise.resolve() } },
      /received a Promise\. Is an await/,
    ],
    ["maxBytes 0", { maxBytes: 0 }, /^maxBytes.* 0\.$/],
    ["maxBytes 1.5", { maxBytes: 1.5 }, /^maxBytes/],
    ["maxBytes as text", { maxBytes: "1" }, /^maxBytes/],
    ["timeoutMs 0", { timeoutMs: 0 }, /^timeoutMs/],
    ["timeoutMs Infinity", { timeoutMs: Infinity }, /^timeoutMs/],
    ["a timeoutMs over the range of timers", { timeoutMs: 2 ** 31 }, /^timeoutMs.* 1 to 2147483647/],
    ["retries -1", { retries: -1 }, /^retries must be an integer of at least 0, but received -1/],
    ["retries 1.5", { retries: 1.5 }, /^retries/],
    ["retries as text", { retries: "3" }, /^retries/],
    ["null as retries", { retries: null }, /^retries/],
    ["retries Infinity", { retries: Infinity }, /^retries/],
    ["fetch as text", { fetch: "fetch" }, /^fetch must be a function/],
    ["null as fetch", { fetch: null }, /^fetch must be a function/],
  ])("throws a TypeError without secrets for %s", async (_, options, message) => {
    const failed = fetchMedia(faxAt(MEDIA_URL), options as FaxMediaOptions);
    const error = await failed.catch((reason: unknown) => reason as Error);
    expect(error).toMatchObject({ name: "TypeError", message: expect.stringMatching(message) });
    expect((error as Error).message).not.toContain("secret");
    expect((error as Error).cause).toBeUndefined();
  });

  it("uses the defaults for options that are undefined", async () => {
    const options = { hosts: undefined, headers: undefined, maxBytes: undefined, timeoutMs: undefined };
    expect((await get({ ...options, redirectHosts: undefined, retries: undefined })).size).toBe(PDF.length);
    const spy = vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response(PDF));
    const pages = await fetchMedia(faxAt(MEDIA_URL), { fetch: undefined }).finally(() => spy.mockRestore());
    expect(pages.size).toBe(PDF.length);
  });

  it("limits the pages to 32 MiB by default", async () => {
    const announce = (length: number) => async () => new Response(PDF, { headers: { "content-length": `${length}` } });
    await rejection(get({ fetch: announce(33_554_433) }), "too-large", "33554432");
    await rejection(get({ fetch: announce(33_554_432) }), "network");
  });

  it("accepts a timeoutMs of 2,147,483,647", async () => {
    expect((await get({ timeoutMs: 2 ** 31 - 1, maxBytes: PDF.length })).size).toBe(PDF.length);
  });

  it("ignores options of a polluted prototype", async () => {
    const inherited = {
      hosts: ["evil.example"],
      redirectHosts: 1,
      maxBytes: 1,
      timeoutMs: 1,
      retries: -1,
      headers: { a: "b" },
      fetch: 1,
    };
    await polluted(inherited, async () => {
      expect((await getByPlatform()).size).toBe(PDF.length);
      await rejection(fetchMedia(faxAt("https://evil.example/"), {}), "host-not-allowed");
    });
    expect(servers.requests).toMatchObject([{ path: "/1.pdf" }]);
    expect(servers.requests[0]!.headers["a"]).toBeUndefined();
  });

  it("calls fetch without this, which workerd requires", async () => {
    const calls: unknown[] = [];
    const spy = async function (this: unknown, url: string, init: MediaFetchInit) {
      calls.push([this, url, init.method, init.redirect, init.headers]);
      return new Response(PDF);
    };
    await get({ fetch: spy, headers: { "X-Key": "1" } });
    const headers = { "x-key": "1", "accept-encoding": "identity" };
    expect(calls).toEqual([[undefined, MEDIA_URL, "GET", "manual", headers]]);
  });
});

describe("FaxMediaError", () => {
  it("FaxMediaError has a name, a code of MEDIA_ERROR_CODES, and a cause only if one is passed", () => {
    const error = new FaxMediaError("network", "x.", { cause: 1 });
    expect(error).toMatchObject({ name: "FaxMediaError", code: "network", message: "x.", cause: 1 });
    expect(error).toBeInstanceOf(Error);
    expect("cause" in new FaxMediaError("network", "x.")).toBe(false);
    const codes = ["no-media", "host-not-allowed", "http-status", "too-large", "timeout", "not-a-fax", "network"];
    expect(MEDIA_ERROR_CODES).toEqual(codes);
  });
});
