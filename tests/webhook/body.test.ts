/** Bodies to parameters, within limits. */
import { describe, expect, it, vi } from "vitest";
import { reject } from "../../src/index.js";
import { readRequestParams } from "../../src/webhook/body.js";
import { signRequest, type HandleRequest } from "../../src/webhook/index.js";
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
  plain,
  refusalOf,
  post,
  request,
  requestWithout,
  setUp,
  stream,
  unread,
} from "./support.js";

describe("handle: bodies", () => {
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
    ["a stream of bytes", () => stream(bytes(text.slice(0, half)), bytes(text.slice(half)))],
    ["a stream of text", () => stream(text.slice(0, half), text.slice(half))],
    ["a stream with empty chunks", () => stream(new Uint8Array(), bytes(text), new Uint8Array())],
    ["a web stream", () => new Response(text).body],
    ["URLSearchParams", () => form],
    ["FormData", () => data],
    ["a Map", () => new Map(form)],
    ["an object", () => record],
    ["an object without a prototype", () => Object.assign(Object.create(null), record)],
    ["an object with undefined", () => ({ ...record, Extra: undefined })],
    ["UTF-8 cut within a character", () => stream(...[...Buffer.from(text)].map((byte) => Uint8Array.of(byte)))],
  ])("reads %s", async (_, body) => {
    const { handle, onFax } = setUp();
    expect((await handle(request({ params: record, body: body() }))).status).toBe(200);
    expect(onFax.mock.calls[0]?.[0]).toMatchObject({ faxSid: "FX1", from: "Zoë +1" });
  });

  it("takes a content type in upper case and with parameters", async () => {
    const headers = {
      "content-type": "Application/X-WWW-Form-URLencoded ; charset=UTF-8",
      "content-encoding": "Identity",
    };
    expect((await setUp().handle(request({ headers, body: bytes(TEXT) }))).status).toBe(200);
  });

  it("takes a parsed body for what it is, although the request was compressed", async () => {
    expect((await setUp().handle(request({ headers: { "content-encoding": "gzip" }, body: INCOMING }))).status).toBe(
      200,
    );
  });

  it("takes a form with U+FFFD, which is a character like any other", async () => {
    expect((await open().handle(post(`${BODY}&x=\ufffd`))).status).toBe(200);
  });

  it("reads a body that comes in single bytes", async () => {
    const body = Buffer.from(`${BODY}&${"x".repeat(40_000)}`);
    expect((await open().handle(post(stream(...Array.from(body, (byte) => Uint8Array.of(byte)))))).status).toBe(200);
  });

  it("reads a body that outgrows every buffer", async () => {
    const chunks = Array.from({ length: 30 }, () => Buffer.alloc(10_000, 0x78));
    const onFax = vi.fn(() => reject());
    const sent = post(stream(...chunks, Buffer.from(`&${BODY}`)));
    expect((await open({ maxFormBytes: 400_000, onFax }).handle(sent)).status).toBe(200);
    expect(onFax).toHaveBeenCalledOnce();
  });

  it.each<[string, HandleRequest]>([
    ["an object that holds no text", post({ a: {} })],
    ["Media as text, without a status", post(`${BODY}&Media=x`)],
    ["a byte order mark, which is a part of the first name", post(Buffer.from("\ufeff" + BODY))],
    ["GET without a query", { method: "GET", url: "/fax", headers: {} }],
  ])("refuses with invalid-parameters %s", async (_, request) => {
    const onFax = vi.fn(() => reject());
    expect(plain(await open({ ...DELIVERIES, onFax }).handle(request))).toEqual([400, "invalid-parameters"]);
    expect(onFax).not.toHaveBeenCalled();
  });

  it.each<[string, (body: string) => unknown]>([
    ["text", (body) => body],
    ["pairs that can be read only once", (body) => new URLSearchParams(body).entries()],
  ])("refuses a repeated parameter by its issue, once its signature is verified: %s", async (_, bodyOf) => {
    const { handle, refusals } = setUp();
    const body = `${TEXT}&From=other`;
    const headers = { "x-twilio-signature": signRequest({ authToken: TOKEN, url: `${ORIGIN}/fax`, params: body }) };
    expect(plain(await handle(request({ body: bodyOf(body), headers })))).toEqual([400, "invalid-parameters"]);
    expect(refusals).toMatchObject([{ error: { issues: [{ parameter: "From", code: "repeated" }] } }]);
  });

  it("says unreadable-body, with the cause, when the stream fails", async () => {
    const { handle, refusals } = setUp();
    const error = new Error("aborted");
    async function* broken() {
      yield bytes("FaxSid=");
      throw error;
    }
    expect(plain(await handle(request({ body: broken() })))).toEqual([400, "unreadable-body"]);
    expect(refusals).toMatchObject([{ reason: "unreadable-body" }]);
    expect(refusals[0]?.error).toBe(error);
  });
});

describe("readRequestParams", () => {
  const limits = { maxFormBytes: 100, maxMediaBytes: 1000 };
  const multipartBody = Buffer.from(`${part("a", "1")}--b--`);

  it.each<[string, unknown, Record<string, string>]>([
    ["text", "a=1", TYPE],
    ["bytes", bytes("a=1"), TYPE],
    ["an object", { a: "1" }, TYPE],
    ["multipart bytes", multipartBody, multipart("b")],
  ])("returns the parameters of %s without a promise", (_, body, headers) => {
    const sent = { method: "POST", url: "/", headers, query: new URLSearchParams() };
    expect(readRequestParams(sent, body, limits)).toMatchObject({ count: 1, params: { a: "1" } });
  });

  it("returns a promise of the parameters of a stream", async () => {
    const sent = { method: "POST", url: "/", headers: multipart("b"), query: new URLSearchParams() };
    const read = readRequestParams(sent, stream(multipartBody), limits);
    expect(read).toBeInstanceOf(Promise);
    expect(await read).toMatchObject({ count: 1, params: { a: "1" } });
  });
});

describe("handle: the limits of a body", () => {
  const size = Buffer.byteLength(BODY);

  it.each<[string, () => unknown]>([
    ["text", () => BODY],
    ["bytes", () => Buffer.from(BODY)],
    ["a stream", () => stream(Buffer.from(BODY))],
  ])("takes %s of exactly the limit, and not one byte more", async (_, body) => {
    const announced = { "content-length": String(size) };
    expect((await open({ maxFormBytes: size }).handle(post(body(), announced))).status).toBe(200);
    expect((await open({ maxFormBytes: size - 1 }).handle(post(body()))).status).toBe(413);
  });

  it("reads nothing of a stream that is announced with one byte more", async () => {
    const announced = { "content-length": String(size + 1) };
    expect((await open({ maxFormBytes: size }).handle(post(unread(), announced))).status).toBe(413);
  });

  it("takes 64 KiB by default, and not a byte more", async () => {
    const fill = (size: number) => `${BODY}&x=`.padEnd(size, "x");
    expect((await open().handle(post(fill(65_536)))).status).toBe(200);
    expect((await open().handle(post(fill(65_537)))).status).toBe(413);
    const multibyte = `${BODY}&x=${"é".repeat(40_000)}`;
    expect((await open().handle(post(multibyte))).status).toBe(413);
  });

  it("reads no further than the limit, and nothing of an unsigned or unsupported body", async () => {
    let read = 0;
    async function* endless() {
      for (;;) {
        read++;
        yield new Uint8Array(1000);
      }
    }
    const { handle } = setUp({ maxFormBytes: 10_000 });
    expect((await handle(request({ body: endless() }))).status).toBe(413);
    expect(read).toBe(11);
    read = 0;
    await handle(requestWithout("x-twilio-signature", { body: endless() }));
    await handle(request({ body: endless(), headers: { "content-type": "text/plain" } }));
    await handle(request({ body: endless(), headers: { "content-encoding": "gzip" } }));
    await handle(request({ body: endless(), headers: { "content-length": "10001" } }));
    expect(read).toBe(0);
  });

  it("answers 413 to more than 1,000 parameters, however they are named", async () => {
    for (const name of ["a", ""]) {
      const more = (count: number) =>
        Object.fromEntries(Array.from({ length: count }, (_, i) => [name ? `a${i}` : `${i}`, ""]));
      expect((await setUp().handle(request({ params: { ...INCOMING, ...more(995) } }))).status).toBe(200);
      expect((await setUp().handle(request({ params: { ...INCOMING, ...more(996) } }))).status).toBe(413);
    }
    expect((await open().handle(post("a=1&".repeat(1001)))).status).toBe(413);
  });
});

describe("handle: a content type has one reading, or none", () => {
  it.each([
    "multipart/form-data; boundary=x, application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded, multipart/form-data; boundary=x",
    "multipart/form-data; boundary=a; boundary=b",
    "multipart/form-data; boundary=a; BOUNDARY=a",
    "multipart/form-data boundary=x",
    'multipart/form-data; boundary="x',
    "application/x-www-form-urlencoded x",
    "text/plain; x=application/x-www-form-urlencoded",
    "/x-www-form-urlencoded",
  ])("refuses %s", async (type) => {
    const onFax = vi.fn(() => reject());
    const reply = await open({ ...DELIVERIES, onFax }).handle(post(BODY, { "content-type": type }));
    expect([reply.status, onFax.mock.calls.length]).toEqual([415, 0]);
  });
});

describe("what a body parser has made", () => {
  const fits = { maxFormBytes: 200 };

  it("is held to the same limit, names and values alike", async () => {
    for (const more of [{ Long: "x".repeat(200) }, { ["N".repeat(200)]: "" }]) {
      const webhook = setUp({ ...fits, authToken: false });
      const params = { ...INCOMING, FaxSid: "FX1", AccountSid: "AC1", ...more };
      expect(await refusalOf(webhook, post(params))).toEqual([413, "too-large", "too-large"]);
    }
    const small = { FaxSid: "FX1", AccountSid: "AC1", From: "", To: "1", ApiVersion: "v1" };
    expect((await setUp({ ...fits, authToken: false }).handle(post(small))).status).toBe(200);
  });

  it("may hold pages, up to their own limit", async () => {
    const params = { ...INCOMING, FaxStatus: "received" };
    const headers = { "content-type": "multipart/form-data; boundary=x" };
    const options = { authToken: false, onCallback: () => {} } as const;
    for (const [maxMediaBytes, status] of [
      [PAGES.length, 200],
      [PAGES.length - 1, 413],
    ] as const) {
      const webhook = setUp({ ...options, maxMediaBytes });
      expect((await webhook.handle(post(deliveryForm(params), headers))).status).toBe(status);
      expect(webhook.refusals.map(({ reason }) => reason)).toEqual(status === 413 ? ["too-large"] : []);
    }
  });
});

describe("a query", () => {
  it("has the limits of the server in front, and none of a form", async () => {
    const webhook = setUp({ authToken: false, maxFormBytes: 50 });
    expect((await webhook.handle({ method: "GET", url: `/fax?${TEXT}`, headers: {} })).status).toBe(200);
  });
});

describe("the words for a content type", () => {
  it.each([
    ["application/json", /SWML/],
    ["application/x-www-form-urlencoded, text/plain", /more than one way, or in none/],
    ["text/plain", /^(?!.*(SWML|more than one way))/],
    [undefined, /^(?!.*(SWML|more than one way))/],
  ])("%s say what to do", async (type, words) => {
    const webhook = setUp({ authToken: false });
    await webhook.handle({ method: "POST", url: "/", headers: type ? { "content-type": type } : {}, body: "x" });
    expect(webhook.refusals[0]).toMatchObject({ status: 415, message: expect.stringMatching(words) });
  });

  it("of pages that were decoded as text say that bytes are needed", async () => {
    const webhook = setUp({ authToken: false, ...DELIVERIES });
    await webhook.handle(post("--b\ufffd", { "content-type": "multipart/form-data; boundary=b" }));
    expect(webhook.refusals[0]).toMatchObject({
      ...{ reason: "unreadable-body", message: expect.stringContaining("Pass the body as bytes") },
      error: new Error("Pass the body as bytes: it was decoded as text, which has broken the pages."),
    });
  });
});
