/** Bodies to parameters, within limits. */
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import type { FaxCallback, FaxRequestError } from "../../src/index.js";
import { readRequestParams, refuseIfFileWasConsumed } from "../../src/webhook/body.js";
import { type HandleRequest, signRequest } from "../../src/webhook/index.js";
import {
  BODY,
  DELIVERIES,
  INCOMING,
  ORIGIN,
  PAGES,
  TEXT,
  TOKEN,
  TYPE,
  bytes,
  deliveryForm,
  multipart,
  open,
  part,
  parts,
  plain,
  post,
  refusalOf,
  request,
  requestWithout,
  setUp,
  stream,
  unread,
} from "./support.js";

describe("handle, bodies", () => {
  const form = new URLSearchParams({ ...INCOMING, From: "Zoë +1" });
  const text = form.toString();
  const record = Object.fromEntries(form);
  const data = new FormData();
  for (const [name, value] of form) data.append(name, value);
  const half = Math.floor(text.length / 2);

  it.each<[string, () => unknown]>([
    ["text", () => text],
    ["bytes", () => bytes(text)],
    ["a Buffer", () => Buffer.from(text)],
    ["an ArrayBuffer", () => bytes(text).buffer],
    ["a DataView of a part", () => new DataView(bytes(`x${text}x`).buffer, 1, bytes(text).length)],
    ["a Uint8Array of another realm", () => runInNewContext("Uint8Array.from(bytes)", { bytes: bytes(text) })],
    ["a stream of bytes", () => stream(bytes(text.slice(0, half)), bytes(text.slice(half)))],
    ["a stream of text", () => stream(text.slice(0, half), text.slice(half))],
    ["a stream with empty chunks", () => stream(new Uint8Array(), bytes(text), new Uint8Array())],
    ["a web stream", () => new Response(text).body],
    ["a promise of text", () => Promise.resolve(text)],
    ["a promise of bytes", () => Promise.resolve(bytes(text))],
    ["a promise of FormData", () => Promise.resolve(data)],
    ["URLSearchParams", () => form],
    ["FormData", () => data],
    ["an object", () => record],
    ["an object with undefined", () => ({ ...record, Extra: undefined })],
    ["UTF-8 split within a character", () => stream(...[...Buffer.from(text)].map((byte) => Uint8Array.of(byte)))],
  ])("reads a body that is %s", async (_, body) => {
    const { handle, onFax } = setUp();
    expect((await handle(request({ params: record, body: body() }))).status).toBe(200);
    expect(onFax.mock.calls[0]?.[0]).toMatchObject({ faxSid: "FX1", from: "Zoë +1" });
  });

  it.each<[string, HandleRequest]>([
    ["a content type in any case", post(BODY, { "content-type": "Application/X-WWW-Form-URLencoded ; charset=UTF-8" })],
    ["a content encoding in any case", post(bytes(BODY), { "content-encoding": "Identity" })],
    ["an object, although the request was compressed", post(INCOMING, { "content-encoding": "gzip" })],
    ["U+FFFD in a form", post(`${BODY}&x=\ufffd`)],
    ["a query over maxFormBytes", { method: "GET", url: `/fax?${TEXT}`, headers: {} }],
  ])("handle accepts %s", async (_, sent) => {
    expect((await open({ maxFormBytes: sent.method === "GET" ? 50 : undefined }).handle(sent)).status).toBe(200);
  });

  it.each<[string, HandleRequest]>([
    ["an object without text", post({ a: {} })],
    ["Media as text without a status", post(`${BODY}&Media=x`)],
    ["a byte order mark, which is part of the first name", post(Buffer.from("\ufeff" + BODY))],
    ["GET without a query", { method: "GET", url: "/fax", headers: {} }],
  ])("refuses as invalid-parameters: %s", async (_, sent) => {
    const webhook = setUp({ ...DELIVERIES, authToken: false });
    expect(await refusalOf(webhook, sent)).toEqual([400, "invalid-parameters", "invalid-parameters"]);
    expect(webhook.onFax).not.toHaveBeenCalled();
  });

  it.each<[string, (body: string) => unknown]>([
    ["text", (body) => body],
    ["an iterator", (body) => new URLSearchParams(body).entries()],
  ])("refuses a signed body with a repeated parameter as invalid-parameters: %s", async (_, convert) => {
    const { handle, refusals } = setUp();
    const body = `${TEXT}&From=other`;
    const headers = { "x-twilio-signature": signRequest({ authToken: TOKEN, url: `${ORIGIN}/fax`, params: body }) };
    expect(plain(await handle(request({ body: convert(body), headers })))).toEqual([400, "invalid-parameters"]);
    expect(refusals).toMatchObject([{ error: { issues: [{ parameter: "From", code: "repeated" }] } }]);
  });

  it("refuses a stream that fails as unreadable-body with the stream's error", async () => {
    const { handle, refusals } = setUp();
    const error = new Error("aborted");
    async function* failing() {
      yield bytes("FaxSid=");
      throw error;
    }
    expect(plain(await handle(request({ body: failing() })))).toEqual([400, "unreadable-body"]);
    expect([refusals[0]?.reason, refusals[0]?.error]).toEqual(["unreadable-body", error]);
  });

  it.each([
    ["application/json", /SWML/],
    ["application/x-www-form-urlencoded, text/plain", /malformed or ambiguous/],
    ["multipart/form-data; boundary=x, application/x-www-form-urlencoded", /malformed or ambiguous/],
    ["text/plain", /^(?!.*(SWML|malformed))/],
    [undefined, /^(?!.*(SWML|malformed))/],
  ])("refuses the Content-Type %s with 415 and a hint for its cause", async (type, message) => {
    const { handle, refusals, onFax } = setUp({ ...DELIVERIES, authToken: false });
    const headers: Record<string, string> = type ? { "content-type": type } : {};
    await handle({ method: "POST", url: "/", headers, body: BODY });
    expect(refusals[0]).toMatchObject({ status: 415, message: expect.stringMatching(message) });
    expect(onFax).not.toHaveBeenCalled();
  });
});

describe("readRequestParams", () => {
  const multipartBody = Buffer.from(`${part("a", "1")}--b--`);

  it.each<[string, unknown, Record<string, string>, boolean]>([
    ["text, without a promise", "a=1", TYPE, false],
    ["bytes, without a promise", bytes("a=1"), TYPE, false],
    ["an object, without a promise", { a: "1" }, TYPE, false],
    ["multipart bytes, without a promise", multipartBody, multipart("b"), false],
    ["a stream, in a promise", stream(multipartBody), multipart("b"), true],
  ])("returns the parameters of %s", async (_, body, headers, isPromise) => {
    const request = { method: "POST", url: "/", path: "/", headers, query: new URLSearchParams() };
    const result = readRequestParams(request, body, { maxFormBytes: 100, maxMediaBytes: 1000 });
    expect(result instanceof Promise).toBe(isPromise);
    expect(await result).toMatchObject({ count: 1, params: { a: "1" } });
  });
});

describe("handle, limits of a body", () => {
  const size = Buffer.byteLength(BODY);
  const fill = (length: number) => `${BODY}&x=`.padEnd(length, "x");

  it.each<[string, () => unknown]>([
    ["text", () => BODY],
    ["bytes", () => Buffer.from(BODY)],
    ["an ArrayBuffer", () => bytes(BODY).buffer],
    ["a stream", () => stream(Buffer.from(BODY))],
    ["a stream with a Content-Length", () => stream(Buffer.from(BODY))],
    ["a promise of text", () => Promise.resolve(BODY)],
  ])("returns 413 for one byte over maxFormBytes: %s", async (name, body) => {
    const headers: Record<string, string> = name.includes("Length") ? { "content-length": String(size) } : {};
    expect((await open({ maxFormBytes: size }).handle(post(body(), headers))).status).toBe(200);
    expect((await open({ maxFormBytes: size - 1 }).handle(post(body(), headers))).status).toBe(413);
  });

  it.each<[number, string, string]>([
    [200, "65,536 bytes", fill(65_536)],
    [413, "65,537 bytes", fill(65_537)],
    [413, "65,537 bytes in fewer characters", `${fill(65_535)}é`],
    [200, "65,536 bytes in fewer characters", `${fill(65_534)}é`],
  ])("returns %i for a form of %s by default", async (status, _, body) => {
    expect((await open().handle(post(body))).status).toBe(status);
  });

  it("stops reading a stream at the limit", async () => {
    let count = 0;
    async function* endless() {
      for (;;) {
        count++;
        yield new Uint8Array(1000);
      }
    }
    expect((await open({ maxFormBytes: 10_000 }).handle(post(endless()))).status).toBe(413);
    expect(count).toBe(11);
  });

  it.each<[string, number, HandleRequest]>([
    ["no signature", 403, requestWithout("x-twilio-signature", { body: unread() })],
    ["an unsupported type", 415, request({ body: unread(), headers: { "content-type": "text/plain" } })],
    ["a compressed body", 415, request({ body: unread(), headers: { "content-encoding": "gzip" } })],
    ["a Content-Length over the limit", 413, request({ body: unread(), headers: { "content-length": "65537" } })],
    ["multipart without maxMediaBytes", 415, request({ body: unread(), headers: multipart("b") })],
  ])("does not read the stream of a request with %s", async (_, status, sent) => {
    expect((await setUp().handle(sent)).status).toBe(status);
  });

  it.each(["a", ""])("returns 413 for more than 1,000 parameters named %j and a number", async (name) => {
    const more = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`${name}${i}`, ""]));
    expect((await setUp().handle(request({ params: { ...INCOMING, ...more(995) } }))).status).toBe(200);
    expect((await setUp().handle(request({ params: { ...INCOMING, ...more(996) } }))).status).toBe(413);
  });

  it.each<[string, HandleRequest]>([
    ["a form", post("a=1&".repeat(1001))],
    ["a query", { method: "GET", url: `/fax?${"a=1&".repeat(1001)}`, headers: {} }],
  ])("returns 413 for a parameter that is repeated 1,001 times in %s", async (_, sent) => {
    expect((await open().handle(sent)).status).toBe(413);
  });

  it.each<[string, number, Record<string, string>]>([
    ["small parameters", 200, {}],
    ["a long value", 413, { Long: "x".repeat(200) }],
    ["a long name", 413, { ["N".repeat(200)]: "" }],
    ["names and values of exactly maxFormBytes", 200, { x: "x".repeat(135) }],
    ["names and values of one byte more", 413, { x: "x".repeat(136) }],
  ])("limits the object of a body parser to maxFormBytes: %s", async (_, status, more) => {
    const webhook = setUp({ maxFormBytes: 200, authToken: false });
    expect((await webhook.handle(post({ ...INCOMING, ...more }))).status).toBe(status);
    expect(webhook.refusals.map(({ reason }) => reason)).toEqual(status === 413 ? ["too-large"] : []);
  });

  it.each([
    [PAGES.length, 200],
    [PAGES.length - 1, 413],
  ])("returns $1 for a parsed FormData with 1,000 bytes if maxMediaBytes is %i", async (maxMediaBytes, status) => {
    const { handle } = setUp({ authToken: false, maxMediaBytes });
    const data = deliveryForm({ ...INCOMING, FaxStatus: "received" });
    expect((await handle(post(data, multipart("x")))).status).toBe(status);
  });
});

describe("refuseIfFileWasConsumed", () => {
  function check(headers: Record<string, string>, fields: object): void {
    const callback = { faxStatus: "received", params: {}, ...fields } as FaxCallback;
    refuseIfFileWasConsumed({ method: "POST", url: "/", path: "/", headers, query: new URLSearchParams() }, callback);
  }

  it.each([
    ["no file", {}],
    ["an empty file", { media: new Blob([]) }],
  ])("refuseIfFileWasConsumed throws for a multipart callback with %s", (_, callback) => {
    const details = { reason: "unreadable-body", error: expect.any(Error) };
    expect(() => check(multipart("b"), callback)).toThrow(expect.objectContaining({ details }));
  });

  it.each<[string, Record<string, string>, object]>([
    ["pages", multipart("b"), { media: new Blob(["x"]) }],
    ["a MediaUrl", multipart("b"), { params: { MediaUrl: "https://files.example.com/1.pdf" } }],
    ["another status", multipart("b"), { faxStatus: "failed" }],
    ["another type", TYPE, {}],
    ["no type", {}, {}],
  ])("accepts a callback with %s", (_, headers, callback) => check(headers, callback));
});

describe("handle, multipart callbacks", () => {
  const CALLBACK = { ...INCOMING, FaxStatus: "received", NumPages: "1" };

  /** A multipart callback, signed over its text. `edit` changes the form before it is sent. */
  async function signedCallback(edit?: (form: FormData) => void, params: Record<string, string> = CALLBACK) {
    const sent = new Response(deliveryForm(params, edit));
    const headers = { "content-type": sent.headers.get("content-type")! };
    return request({ params, headers, body: new Uint8Array(await sent.arrayBuffer()) });
  }

  it.each<[string, (sent: HandleRequest) => unknown]>([
    ["bytes", ({ body }) => body],
    ["a stream of single bytes", ({ body }) => stream(...[...(body as Uint8Array)].map((byte) => Uint8Array.of(byte)))],
    ["FormData", () => deliveryForm(CALLBACK)],
  ])("passes the file to onCallback byte for byte: %s", async (_, convert) => {
    const { handle, onCallback } = setUp(DELIVERIES);
    const sent = await signedCallback();
    expect((await handle({ ...sent, body: convert(sent) })).status).toBe(200);
    const { media, params } = onCallback.mock.calls[0]![0];
    expect(media).toMatchObject({ type: "application/pdf", size: 1000 });
    expect(new Uint8Array(await media!.arrayBuffer())).toEqual(PAGES);
    expect(params).toEqual(Object.assign(Object.create(null), CALLBACK));
  });

  it.each<[string, (form: FormData) => void]>([
    ["a changed text part", (form) => form.set("From", "+1900")],
    ["an added text part", (form) => form.append("x", "1")],
    ["only files", (form) => Object.keys(CALLBACK).forEach((name) => form.delete(name))],
  ])("returns 403 for a multipart callback with %s", async (_, edit) => {
    const refusal = await refusalOf(setUp(DELIVERIES), await signedCallback(edit));
    expect(refusal).toEqual([403, "forbidden", "signature-mismatch"]);
  });

  it.each<[string, string, Record<string, string>]>([
    ["pages without a FaxStatus, which are no new fax", "FaxStatus missing", INCOMING],
    ["pages in a part without a filename", "Media invalid", { ...CALLBACK, Media: "%PDF-1.4" }],
  ])("refuses as invalid-parameters: %s", async (_, issue, params) => {
    const { handle, onFax, refusals } = setUp(DELIVERIES);
    const sent = await signedCallback((form) => params["Media"] && form.set("Media", params["Media"]), params);
    expect(plain(await handle(sent))).toEqual([400, "invalid-parameters"]);
    const issues = (refusals[0]?.error as FaxRequestError).issues.map(({ parameter, code }) => `${parameter} ${code}`);
    expect([issues, onFax.mock.calls]).toEqual([[issue], []]);
  });

  it.each([
    ["a second file named Media, with an issue", "Media", [{ code: "repeated" }]],
    ["a file of another name, without an issue", "Logo", []],
  ])("handle accepts a multipart callback with %s", async (_, name, issues) => {
    const { handle, onCallback } = setUp(DELIVERIES);
    const sent = await signedCallback((form) => form.append(name, new Blob(["x"]), "b.pdf"));
    expect((await handle(sent)).status).toBe(200);
    expect(onCallback.mock.calls[0]![0]).toMatchObject({ media: { size: 1000 }, issues });
  });

  it.each<[number, string, object, object?]>([
    [200, "pages of exactly maxMediaBytes", {}],
    [413, "pages over maxMediaBytes", { maxMediaBytes: 999 }],
    [413, "text over maxFormBytes", { maxFormBytes: 80 }],
    [413, "a body over both limits together", { maxFormBytes: 999 }, { headers: { "content-length": "2000" } }],
    [200, "a body of both limits together", { maxFormBytes: 1000 }, { headers: { "content-length": "2000" } }],
  ])("returns %i for a multipart callback with %s", async (status, _, options, announced?: { headers?: object }) => {
    const sent = await signedCallback();
    const headers = { ...(sent.headers as Record<string, string>), ...announced?.headers };
    const body = announced ? stream(sent.body) : sent.body;
    const { handle } = setUp({ ...DELIVERIES, maxMediaBytes: 1000, ...options });
    expect((await handle({ ...sent, headers, body })).status).toBe(status);
  });
});

describe("handle, multipart bodies", () => {
  const WHOLE = `${parts(new URLSearchParams(BODY))}--b--\r\n`;

  const quoted = Buffer.from(`${parts(new URLSearchParams(BODY), "a;b")}--a;b--\r\n`);
  it.each([
    ["text", "multipart/form-data; boundary=b", WHOLE],
    ["bytes with a quoted boundary", 'Multipart/Form-Data; charset=utf-8; Boundary="a;b"', quoted],
  ])("reads a multipart body that is %s", async (_, type, body) => {
    const { handle, onFax } = setUp({ ...DELIVERIES, authToken: false });
    expect((await handle(post(body, { "content-type": type }))).status).toBe(200);
    expect(onFax).toHaveBeenCalledOnce();
  });

  it.each<[string, unknown, object, string?]>([
    ["empty text", "", { status: 400, reason: "missing-body" }],
    ["no bytes", new Uint8Array(), { status: 400, reason: "missing-body" }],
    ["no boundary in its type", WHOLE, { reason: "unreadable-body", error: expect.any(Error) }, ""],
    ["U+FFFD in text", WHOLE.replace("FX1", "\ufffd"), { reason: "unreadable-body", error: expect.any(Error) }],
    ["1,001 parts", part("a", "1").repeat(1001), { status: 413, reason: "too-large" }],
  ])("refuses a multipart body with %s", async (_, body, refusal, boundary = "; boundary=b") => {
    const { handle, refusals, onFax } = setUp({ ...DELIVERIES, authToken: false });
    await handle(post(body, { "content-type": `multipart/form-data${boundary}` }));
    expect(refusals).toMatchObject([refusal]);
    expect(onFax).not.toHaveBeenCalled();
  });
});
