import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { receive, reject } from "../../src/index.js";
import { faxWebhook, type FaxWebhookOptions, type NodeRequest, signRequest } from "../../src/webhook/index.js";
import { BODY, INCOMING, open, TOKEN, TYPE } from "./support.js";

const TEXT = new URLSearchParams(INCOMING).toString();

/** An `IncomingMessage` in all that is read of it; `more` is what a framework adds. */
function incoming(chunks: readonly unknown[] = [Buffer.from(TEXT)], more: object = {}): NodeRequest & Readable {
  const signature = signRequest({ authToken: TOKEN, url: "https://fax.example.com/fax", params: INCOMING });
  const headers = {
    host: "fax.example.com",
    "content-type": "application/x-www-form-urlencoded",
    "x-twilio-signature": signature,
  };
  return Object.assign(Readable.from(chunks, { objectMode: false }), {
    method: "POST",
    url: "/fax",
    headers,
    ...more,
  }) as never;
}

function outgoing() {
  const headers: Record<string, string | string[]> = {};
  const res = {
    statusCode: 0,
    headersSent: false,
    headers,
    body: undefined as string | undefined,
    setHeader: (name: string, value: string | string[]) => void (headers[name] = value),
    end: (body?: string) => {
      res.headersSent = true;
      res.body = body;
    },
  };
  return res;
}

function hook(options: Partial<FaxWebhookOptions> = {}) {
  return faxWebhook({ authToken: TOKEN, onFax: () => receive({ action: "/fax" }), ...options } as FaxWebhookOptions)
    .node;
}

let errors: ReturnType<typeof vi.spyOn>;
beforeEach(() => {
  errors = vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("node", () => {
  it("writes the reply, and does not call next", async () => {
    const res = outgoing();
    const next = vi.fn();
    await hook({ onFax: () => ({ twiml: reject(), headers: { "Set-Cookie": ["a=1", "b=2"] } }) })(
      incoming(),
      res,
      next,
    );
    expect(res).toMatchObject({ statusCode: 200, body: expect.stringContaining("<Reject/>") });
    expect(res.headers).toEqual({
      "content-type": "text/xml; charset=utf-8",
      "cache-control": "no-store",
      "set-cookie": ["a=1", "b=2"],
    });
    expect(next).not.toHaveBeenCalled();
  });

  it.each<[string, unknown]>([
    ["an object", INCOMING],
    ["an object without a prototype", Object.assign(Object.create(null), INCOMING)],
    ["text", TEXT],
    ["a Buffer", Buffer.from(TEXT)],
    ["URLSearchParams", new URLSearchParams(TEXT)],
    ["a Map", new Map(Object.entries(INCOMING))],
  ])("takes what a body parser left after reading the stream: %s", async (_, body) => {
    const req = incoming([Buffer.from(TEXT)], { body });
    for await (const chunk of req) void chunk;
    const res = outgoing();
    await hook()(req, res);
    expect([res.statusCode, res.body]).toEqual([200, expect.stringContaining("<Receive")]);
  });

  it.each<[string, unknown]>([
    ["{}", {}],
    ["an empty object without a prototype", Object.create(null)],
    ["undefined", undefined],
    ["null", null],
    ["an empty Buffer", Buffer.alloc(0)],
  ])("reads the stream when a parser left %s beside it", async (_, body) => {
    const res = outgoing();
    await hook()(incoming(undefined, { body }), res);
    expect(res.statusCode).toBe(200);
  });

  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["{}", {}],
    ["empty text", ""],
  ])("says missing-body when the stream is gone and %s is left", async (_, body) => {
    const req = incoming([Buffer.from(TEXT)], { body });
    for await (const chunk of req) void chunk;
    const res = outgoing();
    await hook()(req, res);
    expect([res.statusCode, res.body]).toEqual([400, "missing-body"]);
  });

  it("verifies originalUrl, which routers do not cut", async () => {
    const res = outgoing();
    await hook()(incoming(undefined, { url: "/", originalUrl: "/fax" }), res);
    expect(res.statusCode).toBe(200);
  });

  it("reads header values in lists", async () => {
    const req = incoming();
    const res = outgoing();
    await hook()(Object.assign(req, { headers: { ...req.headers, cookie: ["a=1", "b=2"] } }), res);
    expect(res.statusCode).toBe(200);
  });

  it("gives what a callback throws to next, and writes nothing", async () => {
    const error = new Error("no database");
    const res = outgoing();
    const next = vi.fn();
    await hook({ onFax: () => Promise.reject(error) })(incoming(), res, next);
    expect(next.mock.calls).toEqual([[error]]);
    expect([res.statusCode, res.headersSent, errors.mock.calls]).toEqual([0, false, []]);
  });

  it.each<[string, unknown]>([
    ["without next", undefined],
    ["when next is no function, as a framework's third argument may be", {}],
  ])("answers 500 without details and resolves: %s", async (_, next) => {
    const error = new Error("password=hunter2");
    const res = outgoing();
    await expect(hook({ onFax: () => Promise.reject(error) })(incoming(), res, next as never)).resolves.toBeUndefined();
    expect([res.statusCode, res.body]).toEqual([500, "internal-error"]);
    expect(errors.mock.calls).toEqual([[error]]);
  });

  it("writes nothing when something else has answered in the meantime", async () => {
    const res = outgoing();
    await hook({ onFax: () => (res.end("timeout"), receive()) })(incoming(), res);
    expect([res.statusCode, res.body, res.headers]).toEqual([0, "timeout", {}]);
  });

  it("drains what a refused client still sends, and cuts it off after five seconds", async () => {
    vi.useFakeTimers();
    const headers = { host: "fax.example.com" };
    const req = Object.assign(new Readable({ read() {} }), {
      method: "POST",
      url: "/fax",
      headers,
    }) as never as NodeRequest & Readable;
    const res = outgoing();
    await hook()(req, res);
    expect([res.statusCode, res.body]).toEqual([403, "forbidden"]);
    expect([req.readableFlowing, req.destroyed]).toEqual([true, false]);
    vi.advanceTimersByTime(5_100);
    expect(req.destroyed).toBe(true);
  });

  it("leaves no timer behind when the request has ended or closes", async () => {
    vi.useFakeTimers();
    await hook()(incoming(), outgoing());
    expect(vi.getTimerCount()).toBe(0);
    const req = Object.assign(new Readable({ read() {} }), {
      method: "PUT",
      url: "/fax",
      headers: {},
    }) as never as NodeRequest & Readable;
    await hook()(req, outgoing());
    expect(vi.getTimerCount()).toBe(1);
    req.emit("close");
    expect(vi.getTimerCount()).toBe(0);
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
      yield Buffer.from(BODY);
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
      yield Buffer.from(BODY);
    });
    const res = response();
    await open().node(request({ iterator }), res);
    expect([res.statusCode, iterator.mock.calls]).toEqual([200, [[{ destroyOnReturn: false }]]]);
  });

  it(
    "answers a request without method and URL, and 500 in plain text when onFax throws and there " + "is no next",
    async () => {
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
    },
  );
});

describe("node, when something throws", () => {
  it("gives next an Error, whatever was thrown", async () => {
    const res = { statusCode: 0, headersSent: false, setHeader() {}, end() {} };
    const req = {
      method: "POST",
      url: "/fax",
      headers: TYPE,
      body: BODY,
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
        [
          expect.objectContaining({
            message: "A callback of faxWebhook threw something that is not an Error.",
            cause: thrown,
          }),
        ],
      ]);
    }
  });

  it("never rejects in node, even when next throws", async () => {
    const log = vi.spyOn(console, "error").mockReturnValue();
    const req = {
      method: "POST",
      url: "/fax",
      headers: TYPE,
      body: BODY,
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
