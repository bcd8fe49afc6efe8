/** Bodies to parameters, within limits. */
import { describe, expect, it, vi } from "vitest";
import { type FaxRequestError, reject } from "../../src/index.js";
import { type HandleRequest, signRequest } from "../../src/webhook/index.js";
import {
  BODY,
  DELIVERIES,
  INCOMING,
  ORIGIN,
  TOKEN,
  bytes,
  open,
  plain,
  post,
  request,
  setUp,
  stream,
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
    expect((await setUp().handle(request({ headers, body: bytes(`${new URLSearchParams(INCOMING)}`) }))).status).toBe(
      200,
    );
  });

  it("takes a parsed body for what it is, although the request was compressed", async () => {
    expect((await setUp().handle(request({ headers: { "content-encoding": "gzip" }, body: INCOMING }))).status).toBe(
      200,
    );
  });

  it("reads pairs that can be read only once as it reads the same body as text", async () => {
    const body = `${new URLSearchParams(INCOMING)}&From=other`;
    const signature = signRequest({ authToken: TOKEN, url: `${ORIGIN}/fax`, params: body });
    const headers = { "x-twilio-signature": signature };
    for (const each of [body, new URLSearchParams(body).entries()]) {
      expect(plain(await setUp().handle(request({ body: each, headers })))).toEqual([400, "invalid-parameters"]);
    }
  });

  it("refuses a repeated parameter by its issue, once its signature is verified", async () => {
    const { handle, refusals } = setUp();
    const body = `${new URLSearchParams(INCOMING)}&From=other`;
    const signature = signRequest({ authToken: TOKEN, url: `${ORIGIN}/fax`, params: body });
    expect(plain(await handle(request({ body, headers: { "x-twilio-signature": signature } })))).toEqual([
      400,
      "invalid-parameters",
    ]);
    expect((refusals[0]?.error as FaxRequestError).issues).toMatchObject([{ parameter: "From", code: "repeated" }]);
  });
});

describe("handle, bodies", () => {
  const multipart = { "content-type": "multipart/form-data; boundary=b" };
  const delivery =
    BODY.split("&")
      .map((pair) => pair.split("="))
      .map(([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
      .join("") + "--b--\r\n";

  it.each<[string, HandleRequest, number, string | undefined]>([
    ["a delivery as text", post(delivery, multipart), 200, undefined],
    ["an empty delivery as text", post("", multipart), 400, "missing-body"],
    ["an empty delivery as bytes", post(new Uint8Array(), multipart), 400, "missing-body"],
    [
      "a stream of text",
      post(
        (async function* () {
          yield BODY.slice(0, 9);
          yield BODY.slice(9);
        })(),
      ),
      200,
      undefined,
    ],
    ["an object that holds no text", post({ a: {} }), 400, "invalid-parameters"],
    ["Media as text, without a status", post(`${BODY}&Media=x`), 400, "invalid-parameters"],
    [
      "a byte order mark, which is a part of the first name",
      post(Buffer.from("\ufeff" + BODY)),
      400,
      "invalid-parameters",
    ],
    ["GET without a query", { method: "GET", url: "/fax", headers: {} }, 400, "invalid-parameters"],
    ["no Content-Type", { method: "POST", url: "/fax", headers: {}, body: BODY }, 415, "unsupported-media-type"],
  ])("answers %s", async (_, request, status, reason) => {
    const onFax = vi.fn(() => reject());
    const reply = await open({ ...DELIVERIES, onFax }).handle(request);
    expect([reply.status, status === 200 ? undefined : reply.body, onFax.mock.calls.length]).toEqual([
      status,
      reason,
      status === 200 ? 1 : 0,
    ]);
  });

  it("takes a body of exactly the limit, and not one byte more", async () => {
    const size = Buffer.byteLength(BODY);
    const bodies = () => [
      BODY,
      Buffer.from(BODY),
      (async function* () {
        yield Buffer.from(BODY);
      })(),
    ];
    for (const body of bodies())
      expect((await open({ maxFormBytes: size }).handle(post(body, { "content-length": String(size) }))).status).toBe(
        200,
      );
    for (const body of bodies()) expect((await open({ maxFormBytes: size - 1 }).handle(post(body))).status).toBe(413);
    const unread = (async function* () {
      throw new Error("was read");
      yield Buffer.from("");
    })();
    expect(
      (await open({ maxFormBytes: size }).handle(post(unread, { "content-length": String(size + 1) }))).status,
    ).toBe(413);
  });

  it("tells onRefused why a delivery cannot be read", async () => {
    const onRefused = vi.fn();
    await open({ ...DELIVERIES, onRefused }).handle(post(delivery.replace("--b--\r\n", ""), multipart));
    expect(onRefused.mock.calls[0]![0]).toMatchObject({
      status: 400,
      reason: "unreadable-body",
      error: expect.objectContaining({ name: "MultipartError" }),
    });
  });
});

describe("handle: a body in pieces", () => {
  it("keeps no chunk of a body that comes in single bytes", async () => {
    const body = BODY + "&" + "x".repeat(40_000);
    const single = (async function* () {
      for (const byte of Buffer.from(body)) yield Uint8Array.of(byte);
    })();
    expect((await open().handle(post(single))).status).toBe(200);
    const growing = (async function* () {
      for (let i = 0; i < 30; i++) yield Buffer.alloc(10_000, 0x78);
      yield Buffer.from("&" + BODY);
    })();
    const onFax = vi.fn(() => reject());
    expect((await open({ maxFormBytes: 400_000, onFax }).handle(post(growing))).status).toBe(200);
    expect(onFax.mock.calls).toHaveLength(1);
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

  it("refuses every delivery with 415 unless maxMediaBytes is set, before a byte of it is read", async () => {
    const unread = (async function* () {
      throw new Error("was read");
      yield Buffer.from("");
    })();
    const type = { "content-type": "multipart/form-data; boundary=b" };
    expect((await open().handle(post(unread, type))).status).toBe(415);
  });

  it("takes 64 KiB by default, and not a byte more", async () => {
    const fill = (size: number) => `${BODY}&x=`.padEnd(size, "x");
    expect((await open().handle(post(fill(65_536)))).status).toBe(200);
    expect((await open().handle(post(fill(65_537)))).status).toBe(413);
    const multibyte = `${BODY}&x=${"é".repeat(40_000)}`;
    expect((await open().handle(post(multibyte))).status).toBe(413);
  });

  it("takes a form with U+FFFD, which is a character like any other", async () => {
    expect((await open().handle(post(`${BODY}&x=\ufffd`))).status).toBe(200);
  });
});
