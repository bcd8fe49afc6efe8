/** Node's requests and responses: what is read of them, what is written, and where errors go. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { receive, reject } from "../../src/index.js";
import {
  BODY,
  BY_HOST,
  INCOMING,
  TEXT,
  endless,
  incoming,
  likeNode,
  open,
  outgoing,
  setUp,
  stream,
  thrower,
} from "./support.js";

let errors: ReturnType<typeof vi.spyOn>;
beforeEach(() => {
  errors = vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("node: the reply", () => {
  it("writes the reply, and does not call next", async () => {
    const res = outgoing();
    const next = vi.fn();
    await setUp({ ...BY_HOST, onFax: () => ({ twiml: reject(), headers: { "Set-Cookie": ["a=1", "b=2"] } }) }).node(
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

  it("writes nothing when something else has answered in the meantime", async () => {
    const res = outgoing();
    await setUp({ ...BY_HOST, onFax: () => (res.end("timeout"), receive()) }).node(incoming(), res);
    expect([res.statusCode, res.body, res.headers]).toEqual([0, "timeout", {}]);
  });
});

describe("node: the request", () => {
  it.each<[string, unknown]>([
    ["an object", INCOMING],
    ["an object without a prototype", Object.assign(Object.create(null), INCOMING)],
    ["text", TEXT],
    ["a Buffer", Buffer.from(TEXT)],
    ["URLSearchParams", new URLSearchParams(TEXT)],
    ["a Map", new Map(Object.entries(INCOMING))],
  ])("takes what a body parser left after reading the stream: %s", async (_, body) => {
    const req = incoming({ body });
    for await (const chunk of req) void chunk;
    const res = outgoing();
    await setUp(BY_HOST).node(req, res);
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
    await setUp(BY_HOST).node(incoming({ body }), res);
    expect(res.statusCode).toBe(200);
  });

  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["{}", {}],
    ["empty text", ""],
  ])("says missing-body when the stream is gone and %s is left", async (_, body) => {
    const req = incoming({ body });
    for await (const chunk of req) void chunk;
    const res = outgoing();
    await setUp(BY_HOST).node(req, res);
    expect([res.statusCode, res.body]).toEqual([400, "missing-body"]);
  });

  it.each([
    ["reads a stream that has no iterator()", {}, 200],
    ["does not read a stream that was read before", { readableDidRead: true }, 400],
    ["does not read a stream that has ended", { readableEnded: true }, 400],
  ])("%s", async (_, state, status) => {
    const res = outgoing();
    await open().node(likeNode(state), res);
    expect(res.statusCode).toBe(status);
  });

  it("asks for an iterator that leaves the socket open", async () => {
    const iterator = vi.fn(() => stream(Buffer.from(BODY)));
    const res = outgoing();
    await open().node(likeNode({ iterator }), res);
    expect([res.statusCode, iterator.mock.calls]).toEqual([200, [[{ destroyOnReturn: false }]]]);
  });

  it("verifies originalUrl, which routers do not cut", async () => {
    const res = outgoing();
    await setUp(BY_HOST).node(incoming({ url: "/", originalUrl: "/fax" }), res);
    expect(res.statusCode).toBe(200);
  });

  it("reads header values in lists", async () => {
    const req = incoming();
    const res = outgoing();
    await setUp(BY_HOST).node(Object.assign(req, { headers: { ...req.headers, cookie: ["a=1", "b=2"] } }), res);
    expect(res.statusCode).toBe(200);
  });

  it("answers 405 to a request without method and URL", async () => {
    const res = outgoing();
    await open().node(likeNode({ method: undefined, url: undefined }), res);
    expect([res.statusCode, res.body]).toEqual([405, "method-not-allowed"]);
  });
});

describe("node: what a callback throws", () => {
  it("gives what a callback throws to next, and writes nothing", async () => {
    const error = new Error("no database");
    const res = outgoing();
    const next = vi.fn();
    await setUp({ ...BY_HOST, onFax: () => Promise.reject(error) }).node(incoming(), res, next);
    expect(next.mock.calls).toEqual([[error]]);
    expect([res.statusCode, res.headersSent, errors.mock.calls]).toEqual([0, false, []]);
  });

  it.each([undefined, "route", null, 0])("gives next an Error when %j was thrown", async (thrown) => {
    const next = vi.fn();
    await open({ onFax: () => Promise.reject(thrown) }).node(likeNode(), outgoing(), next);
    const message = "A callback of faxWebhook threw something that is not an Error.";
    expect(next.mock.calls).toEqual([[expect.objectContaining({ message, cause: thrown })]]);
  });

  it.each<[string, unknown]>([
    ["without next", undefined],
    ["when next is no function, as a framework's third argument may be", {}],
  ])("answers 500 without details, and resolves: %s", async (_, next) => {
    const error = new Error("password=hunter2");
    const res = outgoing();
    await expect(
      setUp({ ...BY_HOST, onFax: () => Promise.reject(error) }).node(incoming(), res, next as never),
    ).resolves.toBeUndefined();
    expect([res.statusCode, res.headers, res.body]).toEqual([
      500,
      { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
      "internal-error",
    ]);
    expect(errors.mock.calls).toEqual([[error]]);
  });

  it("never rejects, even when next throws", async () => {
    const onFax = thrower(new Error("first"));
    await open({ onFax }).node(likeNode(), outgoing(), thrower(new Error("second")));
    expect(errors.mock.calls).toEqual([[new Error("second")]]);
  });
});

describe("node: a client that still sends", () => {
  it("is read on when it is refused, and cut off after five seconds", async () => {
    vi.useFakeTimers();
    const req = incoming({ headers: { host: "fax.example.com" } }, endless());
    const res = outgoing();
    const { node, refusals } = setUp(BY_HOST);
    await node(req, res);
    expect([res.statusCode, res.body, refusals[0]?.reason]).toEqual([403, "forbidden", "missing-signature"]);
    expect([req.readableFlowing, req.destroyed]).toEqual([true, false]);
    vi.advanceTimersByTime(5_100);
    expect(req.destroyed).toBe(true);
  });

  it("leaves no timer behind when it has ended or closes", async () => {
    vi.useFakeTimers();
    await setUp(BY_HOST).node(incoming(), outgoing());
    expect(vi.getTimerCount()).toBe(0);
    const req = incoming({ method: "PUT", headers: {} }, endless());
    await setUp(BY_HOST).node(req, outgoing());
    expect(vi.getTimerCount()).toBe(1);
    req.emit("close");
    expect(vi.getTimerCount()).toBe(0);
  });
});
