/** The edges of the webhook: exact limits, rare forms of a request, and what options are refused with. */
import { createHmac } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import { receive, reject } from "../../src/index.js";
import {
  faxWebhook,
  type FaxWebhookOptions,
  type HandleRequest,
  signRequest,
  verifyRequest,
} from "../../src/webhook/index.js";

const FORM = "FaxSid=FX1&AccountSid=AC1&From=&To=%2B2&ApiVersion=v1";
const TYPE = { "content-type": "application/x-www-form-urlencoded" };
const open = (options: Partial<FaxWebhookOptions> = {}) =>
  faxWebhook({ authToken: false, onFax: () => reject(), ...options });
const post = (body: unknown, headers: Record<string, string> = {}): HandleRequest => ({
  method: "POST",
  url: "/fax",
  headers: { ...TYPE, ...headers },
  body,
});
const sign = (text: string) => createHmac("sha1", "t").update(text).digest("base64");

describe("verifyRequest, one spelling at a time", () => {
  it.each([
    ["http://x.example:80/fax", "http://x.example/fax"],
    ["https://x.example:443/fax", "https://x.example/fax"],
    ["http://x.example:8080/fax?a=b+c", "http://x.example:8080/fax?a=b%20c"],
    ["https://x.example/fax?a=b+c&d=e", "https://x.example/fax?a=b%20c&d=e"],
    ["https://x.example/fax?a=~%20b", "https://x.example/fax?a=~+b"],
    ["https://x.example/fax?a=it's:~", "https://x.example/fax?a=it%27s:~"],
    ["https://x.example/fax?a=it%27s:~", "https://x.example/fax?a=it's:~"],
    ["https://x.example/fax?a=it's~b+c", "https://x.example/fax?a=it%27s~b%20c"],
  ])("accepts %s when %s was signed", (url, signed) => {
    expect(verifyRequest({ authToken: "t", url, signature: sign(signed) })).toBe(true);
  });

  it("leaves undefined and null out, beside repeated names", () => {
    const params = { A: ["2", "1", undefined, null], B: undefined, C: null, D: "3" };
    expect(
      verifyRequest({ authToken: "t", url: "https://x.example/", params, signature: sign("https://x.example/A1A2D3") }),
    ).toBe(true);
  });

  it("signs nothing where one value of several is no text", () => {
    expect(() => signRequest({ authToken: "t", url: "https://x.example/", params: { a: ["1", "2"], b: {} } })).toThrow(
      new TypeError("A request can only be signed over parameters that are text."),
    );
  });
});

describe("faxWebhook, options", () => {
  it.each<[object, string]>([
    [{ onFax: 1 }, "onFax must be a function, not 1."],
    [{ onCallback: "x" }, 'onCallback must be a function, not "x".'],
    [{ onRefused: {} }, "onRefused must be a function, not an object."],
    [{ maxFormBytes: 0 }, "maxFormBytes must be a number of bytes, not 0."],
    [{ maxFormBytes: 1.5 }, "maxFormBytes must be a number of bytes, not 1.5."],
    [{ maxMediaBytes: 0 }, "maxMediaBytes must be a number of bytes, not 0."],
    [{ maxMediaBytes: "1" }, 'maxMediaBytes must be a number of bytes, not "1".'],
    [
      { publicUrl: 5 },
      'publicUrl must be an http(s) origin, with or without a path, such as "https://fax.example.com", not 5.',
    ],
    [
      { publicUrl: "fax.example.com" },
      'publicUrl must be an http(s) origin, with or without a path, such as "https://fax.example.com", not "fax.example.com".',
    ],
    [
      { publicUrl: "https://fax.example.com/?a=1" },
      'publicUrl must be an http(s) origin, with or without a path, such as "https://fax.example.com", not "https://fax.example.com/?a=1".',
    ],
  ])("refuses %j", (options, message) => {
    expect(() => open(options)).toThrow(new TypeError(message));
  });

  it("rejects when publicUrl is a function that returns no text", async () => {
    const webhook = open({ authToken: "t", publicUrl: () => undefined as unknown as string });
    await expect(webhook.handle(post(FORM, { "x-twilio-signature": sign("x") }))).rejects.toThrow(
      new TypeError("publicUrl must return text, not null."),
    );
  });

  it("asks the token function only for an AccountSid that came", async () => {
    const authToken = vi.fn(() => "t");
    const reply = await open({ authToken }).handle(post("FaxSid=FX1", { "x-twilio-signature": sign("x") }));
    expect([reply.status, reply.body, authToken.mock.calls]).toEqual([403, "no-token", []]);
  });
});

describe("handle, bodies", () => {
  const multipart = { "content-type": "multipart/form-data; boundary=b" };
  const delivery =
    FORM.split("&")
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
          yield FORM.slice(0, 9);
          yield FORM.slice(9);
        })(),
      ),
      200,
      undefined,
    ],
    ["an object that holds no text", post({ a: {} }), 400, "invalid-parameters"],
    ["Media as text, without a status", post(`${FORM}&Media=x`), 400, "invalid-parameters"],
    [
      "a byte order mark, which is a part of the first name",
      post(Buffer.from("\ufeff" + FORM)),
      400,
      "invalid-parameters",
    ],
    ["GET without a query", { method: "GET", url: "/fax", headers: {} }, 400, "invalid-parameters"],
    ["no Content-Type", { method: "POST", url: "/fax", headers: {}, body: FORM }, 415, "unsupported-media-type"],
  ])("answers %s", async (_, request, status, reason) => {
    const onFax = vi.fn(() => reject());
    const reply = await open({ onFax }).handle(request);
    expect([reply.status, status === 200 ? undefined : reply.body, onFax.mock.calls.length]).toEqual([
      status,
      reason,
      status === 200 ? 1 : 0,
    ]);
  });

  it("takes a body of exactly the limit, and not one byte more", async () => {
    const size = Buffer.byteLength(FORM);
    const bodies = () => [
      FORM,
      Buffer.from(FORM),
      (async function* () {
        yield Buffer.from(FORM);
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
    await open({ onRefused }).handle(post(delivery.replace("--b--\r\n", ""), multipart));
    expect(onRefused.mock.calls[0]![0]).toMatchObject({
      status: 400,
      reason: "unreadable-body",
      error: new Error("The closing boundary is missing."),
    });
  });
});

describe("handle, URLs and caches", () => {
  it("takes no URL in a query for the request's own", async () => {
    const url = "/fax?next=https://evil.example/x";
    const signature = signRequest({ authToken: "t", url: `https://fax.example${url}`, params: FORM });
    const reply = await open({ authToken: "t" }).handle({
      ...post(FORM, { host: "fax.example", "x-twilio-signature": signature }),
      url,
    });
    expect(reply.status).toBe(200);
  });

  it("knows its ETag in every form of If-None-Match, and no other", async () => {
    const webhook = open({ onFax: () => receive() });
    const get = (tag?: string) =>
      webhook.handle({
        method: "GET",
        url: `/fax?${FORM}`,
        headers: tag === undefined ? {} : { "if-none-match": tag },
      });
    const etag = (await get()).headers["etag"] as string;
    for (const tag of [etag, `W/${etag}`, `"a" , ${etag}`, `"a",W/${etag} `, "*", " * "])
      expect((await get(tag)).status, tag).toBe(304);
    for (const tag of ["", '""', `"x${etag}`, etag.slice(1, -1), `a W/${etag}`, "**"])
      expect((await get(tag)).status, tag).toBe(200);
  });
});

describe("node, by the state of the stream", () => {
  const response = () => ({
    statusCode: 0,
    headersSent: false,
    headers: {} as Record<string, unknown>,
    body: "",
    setHeader(name: string, value: unknown) {
      this.headers[name] = value;
    },
    end(body: string) {
      this.body = body;
    },
  });
  const request = (state: object) => ({
    method: "POST",
    url: "/fax",
    headers: TYPE,
    resume() {},
    destroy() {},
    once() {},
    async *[Symbol.asyncIterator]() {
      yield Buffer.from(FORM);
    },
    ...state,
  });

  it.each([
    ["reads a stream that has no iterator()", {}, 200],
    ["does not read a stream that was read before", { readableDidRead: true }, 400],
    ["does not read a stream that has ended", { readableEnded: true }, 400],
  ])("%s", async (_, state, status) => {
    const res = response();
    await open().node(request(state), res);
    expect(res.statusCode).toBe(status);
  });

  it("asks for an iterator that leaves the socket open", async () => {
    const iterator = vi.fn(async function* () {
      yield Buffer.from(FORM);
    });
    const res = response();
    await open().node(request({ iterator }), res);
    expect([res.statusCode, iterator.mock.calls]).toEqual([200, [[{ destroyOnReturn: false }]]]);
  });

  it("answers a request without method and URL, and 500 in plain text when onFax throws and there is no next", async () => {
    const log = vi.spyOn(console, "error").mockReturnValue();
    const [odd, broken] = [response(), response()];
    await open().node(request({ method: undefined, url: undefined }), odd);
    await open({
      onFax: () => {
        throw new Error("secret");
      },
    }).node(request({}), broken);
    log.mockRestore();
    expect([odd.statusCode, odd.body]).toEqual([405, "method-not-allowed"]);
    expect([broken.statusCode, broken.headers, broken.body]).toEqual([
      500,
      { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
      "internal-error",
    ]);
  });
});

describe("handle, against who would break it", () => {
  const signedPost = "FaxSid=FX1&AccountSid=AC1&From=%2B1&To=%2B2&ApiVersion=v1";

  it("reads no parameters from behind a fragment, which nobody signed", async () => {
    const onFax = vi.fn(() => reject());
    const webhook = open({ authToken: "t", publicUrl: "https://fax.example", onFax, onCallback: onFax as never });
    const text = "AccountSidAC1ApiVersionv1FaxSidFX1From+1To+2";
    const signature = signRequest({ authToken: "t", url: "https://fax.example/fax", params: signedPost });
    const evil = "#?FaxSid=EVIL&AccountSid=AC1&From=evil&To=x&ApiVersion=v1&FaxStatus=received";
    for (const url of [`/fax${text}${evil}`, `/fax${text}?${evil}`, `https://fax.example/fax${text}${evil}`]) {
      const reply = await webhook.handle({ method: "GET", url, headers: { "x-twilio-signature": signature } });
      expect(reply.status, url).not.toBe(200);
    }
    expect(onFax).not.toHaveBeenCalled();
  });

  const delivery = (boundary: string, parts: string) =>
    post(Buffer.from(parts), { "content-type": `multipart/form-data; boundary=${boundary}` });
  const part = (name: string, value: string) =>
    `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;

  it.each<[string, HandleRequest, number]>([
    ["text fields of more than a form's limit", delivery("b", part("a", "x".repeat(70_000)) + "--b--\r\n"), 413],
    ["a thousand parts and more", delivery("b", part("a", "").repeat(1100) + "--b--\r\n"), 413],
    ["a boundary of more than 70 characters", delivery("b".repeat(71), `--${"b".repeat(71)}--\r\n`), 400],
    [
      "a delivery that a text decoder has broken",
      post(part("a", "\ufffd") + "--b--\r\n", { "content-type": "multipart/form-data; boundary=b" }),
      400,
    ],
  ])("refuses %s", async (_, request, status) => {
    expect((await open().handle(request)).status).toBe(status);
  });

  const long = "b".repeat(70);
  const fields = (count: number) =>
    FORM.split("&")
      .map((pair) => part(...(pair.split("=").map(decodeURIComponent) as [string, string])))
      .join("") + Array.from({ length: count - 5 }, (_, i) => part(`p${i}`, "")).join("");
  it.each<[string, HandleRequest, Partial<FaxWebhookOptions>]>([
    [
      "a boundary of 70 characters",
      delivery(long, fields(5).replaceAll("--b\r\n", `--${long}\r\n`) + `--${long}--\r\n`),
      {},
    ],
    ["a thousand parts", delivery("b", fields(1000) + "--b--\r\n"), {}],
    [
      "text fields of exactly a form's limit",
      delivery("b", fields(5) + "--b--\r\n"),
      { maxFormBytes: "FaxSidFX1AccountSidAC1FromTo+2ApiVersionv1".length },
    ],
  ])("reads %s", async (_, request, options) => {
    expect((await open({ maxMediaBytes: 1_000_000, ...options }).handle(request)).status).toBe(200);
  });

  it("says that a delivery without a boundary, or with too long a one, is not closed", async () => {
    for (const type of [
      "multipart/form-data",
      `multipart/form-data; boundary=${"b".repeat(71)}`,
      'multipart/form-data; boundary=""',
    ]) {
      const onRefused = vi.fn();
      await open({ onRefused }).handle(
        post(Buffer.from(`--${"b".repeat(71)}--\r\n----\r\n`), { "content-type": type }),
      );
      expect(onRefused.mock.calls[0]![0]).toMatchObject({
        reason: "unreadable-body",
        error: new Error("The closing boundary is missing."),
      });
    }
  });

  it("says of broken text only that it is unreadable, before it is parsed", async () => {
    const onRefused = vi.fn();
    await open({ onRefused }).handle(
      post(fields(5).replace("FX1", "\ufffd") + "--b--\r\n", { "content-type": "multipart/form-data; boundary=b" }),
    );
    expect(onRefused.mock.calls[0]![0]).toMatchObject({ status: 400, reason: "unreadable-body" });
  });

  it("lists no more than fifty URLs of five hundred characters", async () => {
    const onRefused = vi.fn();
    const url = `/fax?${"a='b%20c+%27*~(&".repeat(100)}`;
    await open({ authToken: "t", onRefused }).handle({
      ...post(FORM, { host: "user.example:443", "x-twilio-signature": sign("x") }),
      url,
    });
    const { urls } = onRefused.mock.calls[0]![0] as { urls: string[] };
    expect(urls.length).toBeLessThanOrEqual(50);
    expect(Math.max(...urls.map((each) => each.length))).toBe(500);
  });

  it("keeps no chunk of a body that comes in single bytes", async () => {
    const body = FORM + "&" + "x".repeat(40_000);
    const single = (async function* () {
      for (const byte of Buffer.from(body)) yield Uint8Array.of(byte);
    })();
    expect((await open().handle(post(single))).status).toBe(200);
    const growing = (async function* () {
      for (let i = 0; i < 30; i++) yield Buffer.alloc(10_000, 0x78);
      yield Buffer.from("&" + FORM);
    })();
    const onFax = vi.fn(() => reject());
    expect((await open({ maxFormBytes: 400_000, onFax }).handle(post(growing))).status).toBe(200);
    expect(onFax.mock.calls).toHaveLength(1);
  });

  it.each<[string, Record<string, unknown>]>([
    ["a line end", { "x-a": "b\nc" }],
    ["a length of its own", { "Content-Length": "3" }],
    ["a transfer coding", { "transfer-encoding": "chunked" }],
  ])("rejects when onFax answers with a header of %s", async (_, headers) => {
    const webhook = open({ onFax: () => ({ twiml: reject(), headers: headers as Record<string, string> }) });
    await expect(webhook.handle(post(FORM))).rejects.toThrow(TypeError);
    if (!("x-a" in headers))
      await expect(webhook.handle(post(FORM))).rejects.toThrow(
        /^(content-length|transfer-encoding) is set by the server, not by the answer\.$/,
      );
  });

  it("gives next an Error, whatever was thrown", async () => {
    const res = { statusCode: 0, headersSent: false, setHeader() {}, end() {} };
    const req = {
      method: "POST",
      url: "/fax",
      headers: TYPE,
      body: FORM,
      readableEnded: true,
      resume() {},
      destroy() {},
      once() {},
      async *[Symbol.asyncIterator]() {},
    };
    for (const thrown of [undefined, "route", null, 0]) {
      const next = vi.fn();
      await open({ onFax: () => Promise.reject(thrown) }).node(req, res, next);
      expect(next.mock.calls).toEqual([
        [expect.objectContaining({ message: "A callback of faxWebhook threw what is no Error.", cause: thrown })],
      ]);
    }
  });

  it("never rejects in node, even when next throws", async () => {
    const log = vi.spyOn(console, "error").mockReturnValue();
    const req = {
      method: "POST",
      url: "/fax",
      headers: TYPE,
      body: FORM,
      readableEnded: true,
      resume() {},
      destroy() {},
      once() {},
      async *[Symbol.asyncIterator]() {},
    };
    const res = { statusCode: 0, headersSent: false, setHeader() {}, end() {} };
    await open({
      onFax: () => {
        throw new Error("first");
      },
    }).node(req, res, () => {
      throw new Error("second");
    });
    expect(log.mock.calls).toEqual([[new Error("second")]]);
    log.mockRestore();
  });
});
