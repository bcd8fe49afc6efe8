/** fetchMedia against real servers on 127.0.0.1: whom it asks, what it sends, what it takes, how it ends. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { FaxCallback, FaxMedia } from "../../src/index.js";
import { parseFaxCallback } from "../../src/index.js";
import { FaxMediaError, type FaxMediaErrorCode, MEDIA_ERROR_CODES } from "../../src/shared/errors.js";
import type { MediaFetchInit } from "../../src/webhook/download.js";
import { type FaxMediaOptions, fetchMedia } from "../../src/webhook/media.js";
import { close, portOf } from "../servers/listen.js";
import { CALLBACK } from "./support.js";

const fixture = (name: string) => readFileSync(join(import.meta.dirname, "../servers/fixtures", name));
const cert = fixture("throwaway-cert.pem");
const PDF = Buffer.from("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n…the pages…\n%%EOF\n", "latin1");
const URL_OF_PAGES = "https://files.signalwire.com/p/1.pdf?X-Signature=secret#page";

/** The file's servers, one for each scheme; every test says how they answer. */
let answer: (req: http.IncomingMessage, res: http.ServerResponse) => void;
let seen: { host: string; path: string; headers: http.IncomingHttpHeaders; closed: Promise<unknown> }[] = [];
const listener: http.RequestListener = (req, res) => {
  const closed = new Promise((resolve) => req.socket.once("close", resolve));
  // A connection for each request: no test meets one that another left behind.
  res.shouldKeepAlive = false;
  seen.push({ host: req.headers.host!, path: req.url!, headers: req.headers, closed });
  answer(req, res);
};
const plain = http.createServer(listener);
const tls = https.createServer({ cert, key: fixture("throwaway-key.pem") }, listener);
const ports: Record<string, number> = {};

beforeAll(async () => {
  ports["http:"] = await portOf(plain.listen(0, "127.0.0.1"));
  ports["https:"] = await portOf(tls.listen(0, "127.0.0.1"));
});
afterAll(async () => {
  await close(plain);
  await close(tls);
});
beforeEach(() => {
  seen = [];
  answer = (_, res) => res.end(PDF);
});
afterEach(() => vi.useRealTimers());

/** HTTP as ever, but every host is 127.0.0.1. */
async function mapped(href: string, { method, headers, signal }: MediaFetchInit): Promise<Response> {
  const { protocol, hostname, host, pathname, search } = new URL(href);
  const request = (protocol === "https:" ? https : http).request({
    host: "127.0.0.1",
    port: ports[protocol]!,
    path: pathname + search,
    method,
    headers: { ...headers, host },
    signal,
    agent: false,
    ca: cert,
    servername: /[a-z]/.test(hostname) ? hostname : "",
    checkServerIdentity: () => undefined,
  });
  const [message] = (await once(request.end(), "response")) as [http.IncomingMessage];
  const pairs = Object.entries(message.headers as Record<string, string>);
  return new Response(Readable.toWeb(message) as ReadableStream, { status: message.statusCode!, headers: pairs });
}

const received = (mediaUrl: string) => parseFaxCallback({ ...CALLBACK, MediaUrl: mediaUrl });
/** As it came, also where the parser would not have taken it. */
const unread = (mediaUrl: string): Pick<FaxCallback, "faxSid" | "mediaUrl"> => ({ faxSid: "FX1", mediaUrl });
const get = (options: FaxMediaOptions = {}) => fetchMedia(received(URL_OF_PAGES), { fetch: mapped, ...options });
/** Over the platform's own fetch and real sockets. */
const getPlainly = (options: FaxMediaOptions = {}) =>
  fetchMedia(received(`http://127.0.0.1:${ports["http:"]}/1.pdf`), {
    hosts: [`127.0.0.1:${ports["http:"]}`],
    ...options,
  });
const both: [string, typeof get][] = [
  ["https", get],
  ["the platform's fetch", getPlainly],
];

async function failing(promise: Promise<unknown>, code: FaxMediaErrorCode, ...words: string[]): Promise<FaxMediaError> {
  const error: unknown = await promise.then(
    () => "no error",
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: "FaxMediaError", code });
  for (const word of words) expect((error as Error).message).toContain(word);
  expect((error as Error).message).toMatch(/^[\x20-\x7e…]+\.$/);
  // Only the host of a URL: neither a path nor a query nor a fragment.
  expect((error as Error).message).not.toMatch(/secret|\?|#|[\w\]]\/./);
  return error as FaxMediaError;
}

const bytesOf = async (media: FaxMedia) => Buffer.from(await media.arrayBuffer());

describe("fetchMedia, the pages", () => {
  it.each([
    ["a PDF", "%PDF-1.7\n…", "application/pdf", "FX1.pdf"],
    ["a little-endian TIFF", "II*\0\x08\0\0\0", "image/tiff", "FX1.tiff"],
    ["a big-endian TIFF", "MM\0*\0\0\0\x08", "image/tiff", "FX1.tiff"],
    ["a little-endian BigTIFF", "II+\0\x08\0\0\0", "image/tiff", "FX1.tiff"],
    ["a big-endian BigTIFF", "MM\0+\0\x08\0\0", "image/tiff", "FX1.tiff"],
  ])("of %s are a Blob with type and name by their bytes", async (_, text, type, name) => {
    const bytes = Buffer.from(text, "latin1");
    answer = (_req, res) => res.writeHead(200, { "content-type": "text/html" }).end(bytes);
    const pages = await get();
    expect(pages).toBeInstanceOf(Blob);
    expect(pages).toMatchObject({ type, name, size: bytes.length });
    expect(await bytesOf(pages)).toEqual(bytes);
    const media = Object.assign(new Blob([bytes], { type: "text/html" }), { name: "../../etc/passwd" });
    const delivered = await fetchMedia({ ...received(URL_OF_PAGES), media });
    expect(delivered).toMatchObject({ type, name, size: bytes.length });
    expect(await bytesOf(delivered)).toEqual(bytes);
  });

  it.each([
    ["HTML", "<!DOCTYPE html><title>Sign in</title>", 'begin with "<!DOCTYPE html>'],
    ["HTML that mentions a PDF", "<html>%PDF-1.4", "begin with"],
    ["a PDF behind white space", "\n%PDF-1.4", "begin with"],
    ["a PDF's beginning in lower case", "%pdf-1.4", "begin with"],
    ["a PDF's beginning without its last sign", "%PDF 1.4", "begin with"],
    ["half a signature of TIFF", "II*", "3 bytes came"],
    ["a TIFF of mixed byte order", "II\0*", "begin with"],
    ["nothing", "", "nothing came"],
  ])("that are %s are not-a-fax", async (_, text, words) => {
    answer = (_req, res) => res.writeHead(200, { "content-type": "application/pdf" }).end(text);
    await failing(get(), "not-a-fax", words, "PDF or TIFF");
    await failing(getPlainly(), "not-a-fax", words);
    await failing(fetchMedia({ ...received(URL_OF_PAGES), media: new Blob([text]) }), "not-a-fax", words);
  });

  it("that came with the callback are taken, and nothing is fetched", async () => {
    const pages = await fetchMedia({ faxSid: "a_b-9", media: new Blob([PDF]), mediaUrl: URL_OF_PAGES });
    expect(pages.name).toBe("a_b-9.pdf");
    expect(seen).toEqual([]);
  });

  it("that came with the callback are limited as well, by what they say and by what they are", async () => {
    const media = (size: number): FaxMedia => ({ type: "", size, arrayBuffer: () => new Blob([PDF]).arrayBuffer() });
    const maxBytes = PDF.length - 1;
    const unopened = { type: "", size: PDF.length, arrayBuffer: () => Promise.reject(new Error("was read")) };
    await failing(fetchMedia({ faxSid: "FX1", media: unopened }, { maxBytes }), "too-large", "Raise maxBytes");
    await failing(fetchMedia({ faxSid: "FX1", media: media(1) }, { maxBytes }), "too-large", "Raise maxBytes");
    expect((await fetchMedia({ faxSid: "FX1", media: media(1) }, { maxBytes: PDF.length })).size).toBe(PDF.length);
  });

  it("that came with the callback and cannot be read, or never are, fail by name", async () => {
    const cause = new Error("the file was moved");
    const broken = { type: "", size: 1, arrayBuffer: () => Promise.reject(cause) };
    expect((await failing(fetchMedia({ faxSid: "FX1", media: broken }), "no-media")).cause).toBe(cause);
    const slow = { type: "", size: 1, arrayBuffer: () => new Promise<ArrayBuffer>(() => {}) };
    await failing(fetchMedia({ faxSid: "FX1", media: slow }, { timeoutMs: 5 }), "timeout");
  });

  it("are fetched when the callback was stored as JSON, and its media is only an empty object", async () => {
    const stored = JSON.parse(JSON.stringify({ ...received(URL_OF_PAGES), media: new Blob([PDF]) })) as FaxCallback;
    expect((await fetchMedia(stored, { fetch: mapped })).size).toBe(PDF.length);
    expect(seen).toHaveLength(1);
  });

  it.each([[{ faxSid: "FX1" }], [{ faxSid: "FX1", mediaUrl: "" }]])("of %j are no-media", async (callback) => {
    await failing(fetchMedia(callback), "no-media", "faxStatus");
  });

  it.each([
    ["nothing", undefined, "undefined"],
    ["null", null, "undefined"],
    ["a promise", Promise.resolve(), "undefined"],
    ["the raw parameters", CALLBACK, "undefined"],
    ["an empty SID", { faxSid: "" }, '""'],
    ["a path as SID", { faxSid: "../x" }, '"../x"'],
    ["a SID with a line break", { faxSid: "FX1\n" }, '"FX1\\n"'],
    ["a SID with a letter of another script", { faxSid: "FX\u0131" }, '"FX\\u0131"'],
    ["41 characters", { faxSid: "F".repeat(41) }, "1 to 40"],
    ["a number", { faxSid: 1 }, "not 1"],
  ])("of %s are a TypeError that says what to pass", async (_, callback, words) => {
    const given = callback as unknown as FaxCallback;
    const error = await fetchMedia(given, { fetch: mapped }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toMatch(/^Pass fetchMedia what parseFaxCallback returned/);
    expect((error as Error).message).toContain(words);
    expect(seen).toEqual([]);
  });

  it("fit where a Blob and a FaxMedia do, and the platform's fetch fits as option", async () => {
    const pages: Blob & FaxMedia & { name: string } = await getPlainly({ fetch: globalThis.fetch });
    const form = new FormData();
    form.append("file", pages, pages.name);
    expect((form.get("file") as File).name).toBe("FX1.pdf");
  });
});

describe("fetchMedia, the URL", () => {
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
    ["http://127.255.0.1/1.pdf", ["127.255.0.1"], "127.255.0.1"],
    ["http://2130706433/1.pdf", ["127.0.0.1"], "127.0.0.1"],
    ["http://[::1]:3000/1.pdf", ["[::1]:3000"], "[::1]:3000"],
  ])("%s is fetched with hosts %j", async (mediaUrl, hosts, host) => {
    await fetchMedia(received(mediaUrl), { hosts, fetch: mapped });
    expect(seen).toMatchObject([{ host, path: "/1.pdf" }]);
  });

  const REFUSED: [string, string[] | undefined, string][] = [
    ["https://evil.example/", undefined, 'Add "evil.example" to hosts'],
    ["https://files.signalwire.com.evil.example/", undefined, '"files.signalwire.com.evil.example"'],
    ["https://evilfiles.signalwire.com/", undefined, "not listed"],
    ["https://signalwire.com/", undefined, "not listed"],
    ["https://files-signalwire.com/", undefined, "not listed"],
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
    ["https://[::ffff:127.0.0.1]/", ["127.0.0.1"], "not listed"],
    ["http://files.signalwire.com/", undefined, "Only https"],
    ["http://localhost/", undefined, '"localhost"'],
    ["http://localhost:8080/", ["localhost"], '"localhost:8080"'],
    ["http://10.0.0.1/", ["10.0.0.1"], "Only https"],
    ["http://localhost.evil.example/", ["localhost.evil.example"], "Only https"],
    ["http://127.0.0.1.evil.example/", ["127.0.0.1.evil.example"], "Only https"],
    ["http://evil-localhost/", ["evil-localhost"], "Only https"],
    ["ftp://files.signalwire.com/", undefined, "Only https"],
    ["ftp://localhost/", ["localhost"], "Only https"],
    ["file:///etc/passwd", undefined, "file://."],
    ["data:application/pdf,%PDF-secret", undefined, "data://."],
    ["blob:https://me:secret@files.signalwire.com/", undefined, "blob://."],
  ];
  it.each(REFUSED)("%s with hosts %j is refused, as mediaUrl and in a redirect", async (url, hosts, words) => {
    const code = "host-not-allowed";
    await failing(fetchMedia(unread(url), { hosts, fetch: mapped }), code, "mediaUrl is", words);
    expect(seen).toEqual([]);
    answer = (_, res) => res.writeHead(302, { location: encodeURI(url).replace(/%5B|%5D|%25|%5C/g, decodeURI) }).end();
    const redirected = get({ hosts: ["files.signalwire.com", ...(hosts ?? [])] });
    await failing(redirected, code, "the redirect from files.signalwire.com is");
    expect(seen).toHaveLength(1);
  });

  it.each(["", "files.signalwire.com/1.pdf", "//files.signalwire.com/1.pdf", "https://", "https://[secret?secret"])(
    "%j, which is not a URL, is refused",
    async (url) => {
      const refused = fetchMedia(unread(url || " "), { fetch: mapped });
      const error: unknown = await refused.catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "host-not-allowed", message: expect.stringContaining("is not a URL") });
      expect((error as Error).message).not.toMatch(/secret|\.pdf/);
    },
  );

  it("is fetched with its query", async () => {
    await get();
    expect(seen[0]!.path).toBe("/p/1.pdf?X-Signature=secret");
  });
});

describe("fetchMedia, redirects", () => {
  const go = (status: number, to: Record<string, string>) => (req: http.IncomingMessage, res: http.ServerResponse) =>
    to[req.headers.host! + req.url!] === undefined
      ? res.end(PDF)
      : res.writeHead(status, { location: to[req.headers.host! + req.url!] }).end("moved");

  it.each([301, 302, 303, 307, 308])("are followed with status %i, relative ones too", async (status) => {
    answer = go(status, { "a.example/1": "2?x=1", "a.example/2?x=1": "https://a.example/3" });
    await fetchMedia(received("https://a.example/1"), { hosts: ["a.example"], fetch: mapped });
    expect(seen.map(({ path }) => path)).toEqual(["/1", "/2?x=1", "/3"]);
  });

  it("are followed over the platform's fetch", async () => {
    answer = (req, res) => (req.url === "/2" ? res.end(PDF) : res.writeHead(302, { location: "/2" }).end());
    expect((await getPlainly()).size).toBe(PDF.length);
  });

  it("to 169.254.169.254 are not followed", async () => {
    answer = (_, res) => res.writeHead(302, { location: "http://169.254.169.254/latest/meta-data/" }).end();
    await failing(get(), "host-not-allowed", "is http://169.254.169.254.");
    await failing(getPlainly(), "host-not-allowed", "is http://169.254.169.254.");
    answer = (_, res) => res.writeHead(302, { location: "https://169.254.169.254/latest/meta-data/" }).end();
    await failing(get(), "host-not-allowed", 'Add "169.254.169.254" to hosts only if you trust it');
    expect(seen).toHaveLength(3);
  });

  it.each(both)("in a circle end after three, over %s", async (_, fetched) => {
    answer = (req, res) => res.writeHead(307, { location: req.url! }).end();
    await failing(fetched(), "http-status", "3 redirects");
    expect(seen).toHaveLength(4);
  });

  it("are followed three times", async () => {
    answer = (req, res) => (seen.length > 3 ? res.end(PDF) : res.writeHead(307, { location: req.url! }).end());
    expect((await get()).size).toBe(PDF.length);
  });

  it.each([
    ["302 without a Location", 302],
    ["300", 300],
    ["304", 304],
  ])("that are none, %s, are http-status", async (_, status) => {
    answer = (_req, res) => res.writeHead(status, status === 302 ? {} : { location: "/2" }).end();
    await failing(getPlainly(), "http-status", `status ${status}`);
    expect(seen).toHaveLength(1);
  });

  it("that the fetch option has followed by itself are refused, and the answer is closed", async () => {
    const cancel = vi.fn();
    const body = new ReadableStream({ cancel });
    const fetch = async () => ({ status: 200, headers: new Headers(), body, redirected: true });
    await failing(get({ fetch }), "host-not-allowed", 'redirect: "manual"');
    expect(cancel).toHaveBeenCalledOnce();
  });
});

describe("fetchMedia, headers", () => {
  const authorization = "Bearer secret";
  const hosts = ["a.example", "b.example", "a.example:8443", "localhost"];
  const authorized = () => seen.map(({ headers }) => headers.authorization);

  it.each([
    ["a record", { Authorization: authorization }],
    ["pairs", [["authorization", authorization]] as [string, string][]],
    ["Headers", new Headers({ authorization })],
  ])("as %s are sent, and kept on the same host", async (_, headers) => {
    answer = (req, res) => (req.url === "/2" ? res.end(PDF) : res.writeHead(302, { location: "/2" }).end());
    await fetchMedia(received("https://a.example/1"), { hosts, fetch: mapped, headers });
    expect(authorized()).toEqual([authorization, authorization]);
  });

  it.each([
    ["another host", "https://b.example/2"],
    ["another port", "https://a.example:8443/2"],
  ])("are not sent to %s, nor back to the first one, nor is anything else of them", async (_, elsewhere) => {
    const route: Record<string, string> = { "/1": elsewhere, "/2": "https://a.example/3", "/3": "https://a.example/4" };
    answer = ({ url }, res) => (url === "/4" ? res.end(PDF) : res.writeHead(302, { location: route[url!] }).end());
    const headers = { authorization, cookie: "secret=1", "x-api-key": "secret" };
    await fetchMedia(received("https://a.example/1"), { hosts, fetch: mapped, headers });
    expect(authorized()).toEqual([authorization, undefined, undefined, undefined]);
    expect(JSON.stringify(seen.slice(1).map((each) => each.headers))).not.toContain("secret");
  });

  it("are not sent to the same host by another scheme", async () => {
    answer = ({ url }, res) =>
      url === "/2" ? res.end(PDF) : res.writeHead(302, { location: "http://localhost/2" }).end();
    await fetchMedia(received("https://localhost/1"), { hosts, fetch: mapped, headers: { authorization } });
    expect(authorized()).toEqual([authorization, undefined]);
  });

  it("ask for pages without compression, always", async () => {
    answer = (req, res) =>
      req.url === "/2" ? res.end(PDF) : res.writeHead(302, { location: "https://b.example/2" }).end();
    const headers = { "Accept-Encoding": "gzip" };
    await fetchMedia(received("https://a.example/1"), { hosts, fetch: mapped, headers });
    answer = (_, res) => res.end(PDF);
    await getPlainly();
    expect(seen.map((each) => each.headers["accept-encoding"])).toEqual(["identity", "identity", "identity"]);
  });
});

describe("fetchMedia, the status", () => {
  it.each([
    [401, 'Give headers (authorization: "Basic …" or "Bearer …", with the project\'s credentials)'],
    [403, 'Give headers (authorization: "Basic …" or "Bearer …", with the project\'s credentials)'],
    [404, "deleted or expired"],
    [410, "deleted or expired"],
    [500, "Try again later"],
    [503, "Try again later"],
    [206, "status 206"],
  ])("%i is http-status, with advice", async (status, words) => {
    answer = (_, res) => res.writeHead(status).end(PDF);
    await failing(get(), "http-status", words, `files.signalwire.com answered with status ${status}.`);
    await failing(getPlainly(), "http-status", words);
  });
});

describe("fetchMedia, the bytes", () => {
  const large = Buffer.concat([PDF, Buffer.alloc(300_000, "x")]);

  it.each(both)("come whole in many parts, up to maxBytes, over %s", async (_, fetched) => {
    answer = (_req, res) => Readable.from([...large.subarray(0, 200)].map((byte) => Buffer.of(byte))).pipe(res);
    expect(await bytesOf(await fetched({ maxBytes: 200 }))).toEqual(large.subarray(0, 200));
    answer = (_req, res) => void (res.write(large), res.end());
    expect((await bytesOf(await fetched({ maxBytes: large.length }))).equals(large)).toBe(true);
    await failing(fetched({ maxBytes: large.length - 1 }), "too-large", "Raise maxBytes (300", "sends more");
  });

  it.each(both)("that never end are too-large, and the connection is closed, over %s", async (_, fetched) => {
    answer = (_req, res) => {
      const more = () => void (res.writable && (res.write(large) ? setImmediate(more) : res.once("drain", more)));
      more();
    };
    await failing(fetched({ maxBytes: 100_000 }), "too-large", "sends more");
    await seen[0]!.closed;
  });

  it.each(both)("that are announced as too many are not waited for, over %s", async (_, fetched) => {
    answer = (_req, res) => void res.writeHead(200, { "content-length": 1001 }).flushHeaders();
    await failing(fetched({ maxBytes: 1000 }), "too-large", "announces 1001");
    await seen[0]!.closed;
  });

  it("that are announced as few and come as many are counted", async () => {
    const headers = new Headers({ "content-length": "10" });
    const fetch = async () => ({ status: 200, headers, body: new Response(large).body });
    await failing(get({ fetch, maxBytes: 1000 }), "too-large", "sends more");
    // Over HTTP, what is too much belongs to no answer: it is not in the pages.
    answer = (_req, res) => {
      res.socket!.write(`HTTP/1.1 200 OK\r\nContent-Length: ${PDF.length}\r\nConnection: close\r\n\r\n`);
      res.socket!.end(large);
    };
    const pages = await getPlainly({ maxBytes: 1000 }).catch((error: unknown) => error as FaxMediaError);
    if (pages instanceof FaxMediaError) expect(pages.code).toBe("network");
    else expect(pages.size).toBe(PDF.length);
  });

  it.each(both)("that are cut short are network, with the cause, over %s", async (_, fetched) => {
    answer = (_req, res) => void res.writeHead(200, { "content-length": 1000 }).write(PDF, () => res.destroy());
    expect((await failing(fetched(), "network", "broke off")).cause).toBeInstanceOf(Error);
    answer = (_req, res) => {
      // With "Connection: close", Node's fetch takes the end of the connection for the end of a chunked body.
      res.shouldKeepAlive = true;
      res.write(PDF, () => res.destroy());
    };
    expect((await failing(fetched(), "network", "broke off")).cause).toBeInstanceOf(Error);
  });

  it("that are cut short are network also where the fetch option does not notice", async () => {
    const headers = new Headers({ "content-length": `${PDF.length + 1}` });
    await failing(get({ fetch: async () => ({ status: 200, headers, body: new Response(PDF).body }) }), "network");
  });

  it("that no body brings are not-a-fax", async () => {
    await failing(get({ fetch: async () => new Response(null) }), "not-a-fax", "nothing came");
  });

  it("that came compressed all the same are counted when they are out", async () => {
    answer = (_, res) => res.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(large));
    expect((await bytesOf(await getPlainly())).equals(large)).toBe(true);
    await failing(getPlainly({ maxBytes: 100_000 }), "too-large", "sends more");
    // Shorter than the announced length, which is that of the compressed ones.
    const compressed = gzipSync(PDF.subarray(0, 9));
    const length = { "content-encoding": "gzip", "content-length": compressed.length };
    answer = (_, res) => res.writeHead(200, length).end(compressed);
    expect((await getPlainly()).size).toBe(9);
  });
});

describe("fetchMedia, the end", () => {
  it.each(both)("comes by timeoutMs when the body stalls, and closes the connection, over %s", async (_, fetched) => {
    answer = (_req, res) => void res.writeHead(200, { "content-length": 1000 }).write(PDF);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    // The time goes on when the answer has begun, whatever the load.
    let begin = () => {};
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const inner: (url: string, init: MediaFetchInit) => Promise<Response> = fetched === get ? mapped : globalThis.fetch;
    const fetch = (url: string, init: MediaFetchInit) => inner(url, init).finally(begin);
    const failed = failing(fetched({ fetch, timeoutMs: 200 }), "timeout", "raise timeoutMs", "200 ms");
    await begun;
    await new Promise(setImmediate);
    vi.advanceTimersByTime(200);
    await failed;
    await seen[0]!.closed;
  });

  it.each(both)("comes by timeoutMs when no answer comes, and closes the connection, over %s", async (_, fetched) => {
    const asked = new Promise<void>((resolve) => (answer = () => resolve()));
    // The time goes on when the request is there, whatever the load.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const failed = failing(fetched(), "timeout", "30000 ms");
    await asked;
    vi.advanceTimersByTime(30_000);
    await failed;
    await seen[0]!.closed;
  });

  it("comes by timeoutMs for all steps together", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const fetch = async () => {
      vi.advanceTimersByTime(400);
      return new Response(null, { status: 302, headers: { location: "/" } });
    };
    await failing(get({ fetch, timeoutMs: 1000 }), "timeout");
  });

  it("is not before timeoutMs, and leaves no timer", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const fetch = async () => {
      vi.advanceTimersByTime(29_999);
      return new Response(PDF);
    };
    await get({ fetch });
    await failing(fetchMedia({ faxSid: "FX1" }), "no-media");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("comes also when the fetch option does not heed the signal; what comes then is closed", async () => {
    await failing(get({ fetch: () => new Promise<never>(() => {}), timeoutMs: 5 }), "timeout");
    let open = () => {};
    let cancel = () => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const cancelled = new Promise<void>((resolve) => (cancel = resolve));
    const pull = vi.fn(async (controller: ReadableStreamDefaultController<Uint8Array>) => {
      await gate;
      if (pull.mock.calls.length === 1) controller.enqueue(PDF);
      else await new Promise(() => {});
    });
    const body = new ReadableStream({ pull, cancel: () => cancel() }, { highWaterMark: 0 });
    await failing(get({ fetch: async () => new Response(body), timeoutMs: 5 }), "timeout");
    open();
    await cancelled;
  });

  it.each([
    ["a redirect", 302, { location: "https://files.signalwire.com/2.pdf" }],
    ["a redirect to elsewhere", 302, { location: "https://evil.example/" }],
    ["an error", 500, {}],
  ])("leaves no connection of %s that goes on sending", async (_, status, headers) => {
    answer = (req, res) => (req.url === "/2.pdf" ? res.end(PDF) : void res.writeHead(status, headers).write("…"));
    await get().catch(() => undefined);
    await seen[0]!.closed;
  });

  it("is not disturbed by a body that cannot be cancelled", async () => {
    const cancel = () => Promise.reject(new Error("locked"));
    const bodies: unknown[] = [{ cancel }, { cancel: () => assertNever() }, {}, null];
    for (const body of bodies) {
      await failing(get({ fetch: async () => ({ status: 500, headers: new Headers(), body }) }), "http-status");
    }
  });

  it("is network, with the cause, where no server is", async () => {
    const gone = http.createServer();
    const port = await portOf(gone.listen(0, "127.0.0.1"));
    await close(gone);
    const callback = received(`http://127.0.0.1:${port}/1.pdf?secret`);
    const error = await failing(
      fetchMedia(callback, { hosts: [`127.0.0.1:${port}`] }),
      "network",
      `: 127.0.0.1:${port} could`,
    );
    expect(error.cause).toBeInstanceOf(TypeError);
    const thrown = new Error("no proxy");
    const fetch = () => {
      throw thrown;
    };
    expect((await failing(get({ fetch }), "network")).cause).toBe(thrown);
  });
});

function assertNever(): Promise<void> {
  throw new Error("cancelled at the wrong time");
}

describe("fetchMedia, options", () => {
  it.each<[string, unknown, string]>([
    ["no object", "files.signalwire.com", "fetchMedia takes an object of options"],
    ["null", null, "fetchMedia takes an object of options"],
    ["an unknown name", { maxbytes: 1 }, 'has no option "maxbytes" (did you mean "maxBytes"?)'],
    ["a near name", { timeout: 1 }, 'did you mean "timeoutMs"?'],
    ["a name of Object.prototype", { constructor: 1 }, 'has no option "constructor"'],
    ["one host as text", { hosts: "files.signalwire.com" }, "hosts must be an array"],
    ["no host", { hosts: [] }, "hosts must be an array with a host in it, not an array"],
    ["a URL as host", { hosts: ["https://files.signalwire.com"] }, "without scheme"],
    ["a wildcard", { hosts: ["*.signalwire.com"] }, "wildcard"],
    ["a path", { hosts: ["files.signalwire.com/"] }, "without scheme, path"],
    ["a query", { hosts: ["a.example?"] }, "without scheme"],
    ["a fragment", { hosts: ["a.example#"] }, "without scheme"],
    ["a backslash", { hosts: ["a.example\\b"] }, "without scheme"],
    ["a user", { hosts: ["me@a.example"] }, "without scheme"],
    ["white space", { hosts: [" a.example"] }, "without scheme"],
    ["an empty host", { hosts: [""] }, "without scheme"],
    ["an impossible host", { hosts: ["a.example:port"] }, "without scheme"],
    ["undefined as host", { hosts: [undefined] }, "without scheme"],
    ["text as headers", { headers: "authorization: x" }, "headers must be an object"],
    ["null as headers", { headers: null }, "headers must be an object"],
    ["a token that is not set", { headers: { authorization: undefined } }, 'headers["authorization"] must be text'],
    ["a header with a line break", { headers: { authorization: "Bearer secret\nx: y" } }, "line breaks"],
    ["a name that is none", { headers: { "a b": "secret" } }, 'headers["a b"] is not a header'],
    ["no byte", { maxBytes: 0 }, "maxBytes must be a number of bytes, not 0"],
    ["half a byte", { maxBytes: 1.5 }, "maxBytes"],
    ["bytes as text", { maxBytes: "1" }, 'maxBytes must be a number of bytes, not "1"'],
    ["no time", { timeoutMs: 0 }, "timeoutMs"],
    ["all time", { timeoutMs: Infinity }, "timeoutMs"],
    ["more than a timer can wait", { timeoutMs: 2 ** 31 }, "at most 2147483647"],
    ["no function", { fetch: "fetch" }, "fetch must be a function"],
    ["null as function", { fetch: null }, "fetch must be a function"],
  ])("with %s are a TypeError", async (_, options, words) => {
    const error = await fetchMedia(received(URL_OF_PAGES), options as FaxMediaOptions).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toContain(words);
    expect((error as Error).message).not.toContain("secret");
    expect((error as Error).cause).toBeUndefined();
  });

  it("that are undefined have their defaults", async () => {
    const options = { hosts: undefined, headers: undefined, maxBytes: undefined, timeoutMs: undefined };
    expect((await get(options)).size).toBe(PDF.length);
    const fetch = vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response(PDF));
    try {
      expect((await fetchMedia(received(URL_OF_PAGES), { fetch: undefined })).size).toBe(PDF.length);
    } finally {
      fetch.mockRestore();
    }
  });

  it("have 32 MiB as maxBytes", async () => {
    const announcing = (length: number) => async () =>
      new Response(PDF, { headers: { "content-length": `${length}` } });
    await failing(get({ fetch: announcing(33_554_433) }), "too-large", "33554432");
    await failing(get({ fetch: announcing(33_554_432) }), "network");
  });

  it("are read as own properties", async () => {
    const polluted = { hosts: ["evil.example"], maxBytes: 1, timeoutMs: 1, headers: { a: "b" }, fetch: 1 };
    const prototype = Object.prototype as Record<string, unknown>;
    for (const [name, value] of Object.entries(polluted)) {
      Object.defineProperty(prototype, name, { value, configurable: true, enumerable: false, writable: true });
    }
    const size = getPlainly().then((pages) => pages.size);
    const refused = fetchMedia(unread("https://evil.example/"), {}).catch((error: unknown) => error);
    const results = await Promise.all([size.catch((error: unknown) => error), refused]).finally(() => {
      for (const name of Object.keys(polluted)) delete prototype[name];
    });
    expect(results[0]).toBe(PDF.length);
    expect(results[1]).toMatchObject({ code: "host-not-allowed" });
    expect(seen).toMatchObject([{ path: "/1.pdf" }]);
    expect(seen[0]!.headers["a"]).toBeUndefined();
  });

  it("give fetch no this, which in workerd may be none but the global", async () => {
    const calls: unknown[] = [];
    const fetch = async function (this: unknown, url: string, init: MediaFetchInit) {
      calls.push([this, url, init.method, init.redirect, init.headers]);
      return new Response(PDF);
    };
    await get({ fetch, headers: { "X-Key": "1" } });
    const headers = { "x-key": "1", "accept-encoding": "identity" };
    expect(calls).toEqual([[undefined, URL_OF_PAGES, "GET", "manual", headers]]);
  });
});

describe("FaxMediaError", () => {
  it("has its name, a code of the list, and a cause only when it was given one", () => {
    const error = new FaxMediaError("network", "x.", { cause: 1 });
    expect(error).toMatchObject({ name: "FaxMediaError", code: "network", message: "x.", cause: 1 });
    expect(error).toBeInstanceOf(Error);
    expect("cause" in new FaxMediaError("network", "x.")).toBe(false);
    expect(MEDIA_ERROR_CODES).toEqual([
      "no-media",
      "host-not-allowed",
      "http-status",
      "too-large",
      "timeout",
      "not-a-fax",
      "network",
    ]);
  });
});
