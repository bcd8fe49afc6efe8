/** The adapter for Node's HTTP server: requests, replies, errors, and clients that continue to send. */
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { receive, reject } from "../../src/index.js";
import { BODY, BY_HOST, CALLBACK, INCOMING, TEXT, TYPE, endless, incoming, likeNode, open } from "./support.js";
import { outgoing, setUp, stream, thrower } from "./support.js";

/** A promise with the functions that settle it, as `Promise.withResolvers`, which Node 20 does not have. */
function withResolvers<Value = void>() {
  let resolve!: (value: Value) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<Value>((...functions) => ([resolve, reject] = functions));
  return { promise, resolve, reject };
}

let errors: ReturnType<typeof vi.spyOn>;
beforeEach(() => {
  errors = vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("node: reply", () => {
  it("node writes the reply to the response, and does not call next", async () => {
    const res = outgoing();
    const next = vi.fn();
    const headers = { "Set-Cookie": ["a=1", "b=2"] };
    await setUp({ ...BY_HOST, onFax: () => ({ twiml: reject(), headers }) }).node(incoming(), res, next);
    expect(res).toMatchObject({ statusCode: 200, body: expect.stringContaining("<Reject/>") });
    expect(res.headers).toEqual({
      "content-type": "text/xml; charset=utf-8",
      "cache-control": "no-store",
      "set-cookie": ["a=1", "b=2"],
    });
    expect(next).not.toHaveBeenCalled();
  });

  it("node writes nothing if another middleware has already replied", async () => {
    const res = outgoing();
    await setUp({ ...BY_HOST, onFax: () => (res.end("timeout"), receive()) }).node(incoming(), res);
    expect([res.statusCode, res.body, res.headers]).toEqual([0, "timeout", {}]);
  });
});

describe("node: request", () => {
  /** The reply to a request after a body parser has read its stream. */
  async function sendParsed(body: unknown) {
    const req = incoming({ body });
    for await (const chunk of req) void chunk;
    const res = outgoing();
    await setUp(BY_HOST).node(req, res);
    return [res.statusCode, res.body];
  }

  it.each<[string, unknown]>([
    ["an object", INCOMING],
    ["an object without a prototype", Object.assign(Object.create(null), INCOMING)],
    ["a string", TEXT],
    ["a Buffer", Buffer.from(TEXT)],
    ["URLSearchParams", new URLSearchParams(TEXT)],
    ["a Map", new Map(Object.entries(INCOMING))],
  ])("node accepts a parsed body: %s", async (_, body) => {
    expect(await sendParsed(body)).toEqual([200, expect.stringContaining("<Receive")]);
  });

  it.each<[string, unknown]>([
    ["undefined", undefined],
    ["{}", {}],
    ["an empty string", ""],
  ])("node returns missing-body if the stream was read and the parsed body is %s", async (_, body) => {
    expect(await sendParsed(body)).toEqual([400, "missing-body"]);
  });

  it.each<[string, object]>([
    ["the body {} from a parser of Express 4", { body: {} }],
    ["an empty body without a prototype", { body: Object.create(null) }],
    ["the body undefined", { body: undefined }],
    ["the body null", { body: null }],
    ["an empty Buffer as body", { body: Buffer.alloc(0) }],
    ["an originalUrl, from which no router removes a prefix", { url: "/", originalUrl: "/fax" }],
  ])("node reads the stream of a request with %s", async (_, more) => {
    const res = outgoing();
    await setUp(BY_HOST).node(incoming(more), res);
    expect(res.statusCode).toBe(200);
  });

  it.each([
    [200, "a request without iterator()", {}],
    [400, "a stream that was read", { readableDidRead: true }],
    [400, "a stream that has ended", { readableEnded: true }],
    [405, "a request without method and URL", { method: undefined, url: undefined }],
  ])("node returns %d for %s", async (status, _, state) => {
    const res = outgoing();
    await open().node(likeNode(state), res);
    expect(res.statusCode).toBe(status);
  });

  it("node reads the stream with an iterator that does not destroy the socket", async () => {
    const iterator = vi.fn(() => stream(Buffer.from(BODY)));
    const res = outgoing();
    await open().node(likeNode({ iterator }), res);
    expect([res.statusCode, iterator.mock.calls]).toEqual([200, [[{ destroyOnReturn: false }]]]);
  });
});

describe("node: errors", () => {
  it("node passes an error of a handler to next, and writes nothing", async () => {
    const error = new Error("no database");
    const res = outgoing();
    const next = vi.fn();
    await open({ onFax: thrower(error) }).node(likeNode(), res, next);
    expect(next.mock.calls).toEqual([[error]]);
    expect([res.statusCode, res.headersSent, errors.mock.calls]).toEqual([0, false, []]);
  });

  it.each([undefined, "route", null, 0])("node passes an Error to next if a handler throws %j", async (cause) => {
    const next = vi.fn();
    await open({ onFax: () => Promise.reject(cause) }).node(likeNode(), outgoing(), next);
    expect(next.mock.calls).toEqual([[expect.objectContaining({ message: expect.stringContaining("Error"), cause })]]);
  });

  it.each<[string, unknown]>([
    ["without next", undefined],
    ["if next is not a function, as a framework's third argument may be", {}],
  ])("node logs an error of a handler and replies with 500 %s", async (_, next) => {
    const error = new Error("password=hunter2");
    const res = outgoing();
    await expect(open({ onFax: thrower(error) }).node(likeNode(), res, next as never)).resolves.toBeUndefined();
    const headers = { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" };
    expect(res).toMatchObject({ statusCode: 500, headers, body: "internal-error" });
    expect(errors.mock.calls).toEqual([[error]]);
  });

  const first = new Error("first");
  const second = new Error("second");

  it.each<[string, () => unknown]>([
    ["throws", thrower(second)],
    ["rejects", () => Promise.reject(second)],
  ])("node replies with 500, then logs, if next %s", async (_, next) => {
    const res = outgoing();
    const bodies: unknown[] = [];
    errors.mockImplementation(() => void bodies.push(res.body));
    await open({ onFax: thrower(first) }).node(likeNode(), res, next as never);
    expect([res.statusCode, res.body]).toEqual([500, "internal-error"]);
    expect(errors.mock.calls).toEqual([[first], [second]]);
    expect(bodies).toEqual(["internal-error", "internal-error"]);
  });

  it("node logs an error once if next throws it again, and writes nothing if next has replied", async () => {
    const res = outgoing();
    await open({ onFax: thrower(first) }).node(likeNode(), res, (error) => {
      res.end("later");
      throw error;
    });
    expect([res.statusCode, res.body, errors.mock.calls]).toEqual([0, "later", [[first]]]);
  });

  it("node replies with 500 if console.error throws", async () => {
    errors.mockImplementation(thrower(second));
    const res = outgoing();
    await open({ onFax: thrower(first) }).node(likeNode(), res);
    expect([res.statusCode, res.body]).toEqual([500, "internal-error"]);
  });

  it.each(["setHeader", "end"])("node closes the connection and logs if res.%s throws", async (name) => {
    const destroy = vi.fn();
    await open().node(likeNode({ destroy }), { ...outgoing(), [name]: thrower(first) });
    expect([destroy.mock.calls.length, errors.mock.calls]).toEqual([1, [[first]]]);
  });
});

describe("node: wrong arguments", () => {
  it.each<[string, unknown, unknown]>([
    ["an object", { raw: incoming(), headers: {} }, { raw: outgoing(), header() {} }],
    ["an object", { raw: incoming() }, outgoing()],
    ["an object", incoming(), { raw: outgoing() }],
    ["a Request", new Request("https://fax.example.com/fax"), { params: {} }],
    ["a string", TEXT, undefined],
    ["undefined", undefined, undefined],
    ["undefined", incoming(), undefined],
  ])("node passes a TypeError to next for %s", async (received, req, res) => {
    const next = vi.fn();
    await open().node(req as never, res as never, next);
    expect(next.mock.calls).toEqual([[expect.any(TypeError)]]);
    expect(next.mock.calls[0]![0].message).toMatch(
      new RegExp(`^req and res must be Node's \\(.*request\\.raw.*webhook\\.fetch\\), but received ${received}\\.$`),
    );
  });

  it.each<[string, (res: unknown) => [unknown, unknown]]>([
    ["the request and reply of Fastify", (raw) => [{ raw: incoming() }, { raw }]],
    ["the context and next of Koa", (res) => [{ req: incoming(), res }, () => Promise.resolve()]],
  ])("node replies with 500 for %s", async (_, wrap) => {
    const res = outgoing();
    const [first, second] = wrap(res);
    await open().node(first as never, second as never);
    expect([res.statusCode, res.body, errors.mock.calls]).toEqual([500, "internal-error", [[expect.any(TypeError)]]]);
  });

  it("node logs one error if there is no response to write to", async () => {
    await open().node(new Request("https://fax.example.com/fax") as never, undefined as never);
    await open().node(undefined as never, undefined as never);
    expect(errors.mock.calls).toEqual([[expect.any(TypeError)], [expect.any(TypeError)]]);
  });
});

/** Starts a server, and returns its origin. */
async function listen(server: http.Server | http2.Http2Server) {
  await once(server.listen(0, "127.0.0.1"), "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("node: over HTTP", () => {
  const servers: (http.Server | http2.Http2Server)[] = [];
  const sessions: http2.ClientHttp2Session[] = [];
  afterEach(async () => {
    for (const session of sessions.splice(0)) session.destroy();
    for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  });

  /** Starts a server, and sends it a POST, which `close` aborts. */
  async function send(version: string, node: (req: never, res: never) => unknown, body: string, end = true) {
    const server = version === "HTTP/1.1" ? http.createServer(node as never) : http2.createServer(node as never);
    servers.push(server);
    const origin = await listen(server);
    if (version === "HTTP/1.1") {
      const request = http
        .request(`${origin}/fax`, { method: "POST", headers: TYPE, agent: false })
        .on("error", () => {});
      request.end(body);
      return { close: () => request.destroy() };
    }
    const session = http2.connect(origin);
    sessions.push(session);
    const stream = session.request({ ":method": "POST", ":path": "/fax", ...TYPE }).on("error", () => {});
    if (end) stream.end(body);
    else stream.write(body);
    return { session, stream, close: () => stream.close(http2.constants.NGHTTP2_CANCEL) };
  }

  it.each(["HTTP/1.1", "HTTP/2"])(
    "node completes onCallback after the client has disconnected: %s",
    async (version) => {
      const [started, gone, finished] = [withResolvers(), withResolvers(), vi.fn()];
      const onCallback = async () => {
        started.resolve();
        await gone.promise;
        finished();
      };
      const { node } = open({ onCallback });
      const handled = withResolvers<unknown[]>();
      const { close } = await send(
        version,
        (req: http.IncomingMessage, res: http.ServerResponse) => {
          const end = vi.spyOn(res, "end");
          res.once("close", gone.resolve);
          void node(req, res, handled.reject).then(() => handled.resolve([finished.mock.calls.length, end.mock.calls]));
        },
        new URLSearchParams(CALLBACK).toString(),
      );
      await started.promise;
      close();
      expect(await handled.promise).toEqual([1, [[expect.stringContaining("<Response/>")]]]);
      expect(errors).not.toHaveBeenCalled();
    },
  );

  it("node closes the stream of a refused HTTP/2 client after five seconds, and the session continues", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { node } = setUp();
    const { session, stream } = await send("HTTP/2", node, "x", false);
    const [headers] = await once(stream!, "response");
    expect([headers[":status"], await text(stream!)]).toEqual([403, "forbidden"]);
    vi.advanceTimersByTime(4_999);
    await new Promise((resolve) => session!.ping(resolve));
    expect([stream!.destroyed, stream!.write("x")]).toEqual([false, true]);
    vi.advanceTimersByTime(1);
    await once(stream!, "close");
    expect(stream!.rstCode).toBe(http2.constants.NGHTTP2_NO_ERROR);
    const next = session!.request({ ":path": "/fax" });
    const [others] = await once(next.resume(), "response");
    expect([others[":status"], session!.destroyed]).toEqual([403, false]);
  });

  it("node passes only the path to handlers, also for a request target in absolute form", async () => {
    const { node, onFax } = setUp({ authToken: false });
    const server = http.createServer(node);
    servers.push(server);
    const { port } = new URL(await listen(server));
    for (const path of [`http://fax.example.com/a%2fb/fax?${TEXT}`, `/a%2fb/fax?${TEXT}`]) {
      const [response] = await once(http.get({ host: "127.0.0.1", port, path, agent: false }), "response");
      response.resume();
    }
    expect(onFax.mock.calls.map(([, request]) => request.path)).toEqual(["/a%2fb/fax", "/a%2fb/fax"]);
  });
});

describe("node: refused clients", () => {
  it("node reads the rest of a refused request for five seconds, then destroys it", async () => {
    vi.useFakeTimers();
    const req = incoming({ headers: { host: "fax.example.com" } }, endless());
    const res = outgoing();
    await setUp(BY_HOST).node(req, res);
    expect([res.statusCode, res.body]).toEqual([403, "forbidden"]);
    expect([req.readableFlowing, req.destroyed]).toEqual([true, false]);
    vi.advanceTimersByTime(4_999);
    expect(req.destroyed).toBe(false);
    vi.advanceTimersByTime(1);
    expect(req.destroyed).toBe(true);
  });

  it("node has no timer after the request has ended or closed", async () => {
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
