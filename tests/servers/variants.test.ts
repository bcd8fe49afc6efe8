/** Body parsers, mounts, error handlers, redirects and broken clients in front of the webhook. */
import { bodyParser } from "@koa/bodyparser";
import formbody from "@fastify/formbody";
import { createAdaptorServer } from "@hono/node-server";
import express from "express";
import express4 from "express4";
import Fastify, { type FastifyInstance, type RouteOptions } from "fastify";
import { Hono } from "hono";
import Koa from "koa";
import { createServer } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { receive } from "../../src/index.js";
import { type FaxWebhook, faxWebhook, type FaxWebhookOptions } from "../../src/webhook/index.js";
import { answer, INCOMING, provide, type RequestParts, signedRequest, statuses } from "./conversation.js";
import { TOKEN, Watch } from "./examples.js";
import { type AnyServer, close, portOf } from "./listen.js";

let watch: Watch;
let errors: ReturnType<typeof vi.spyOn>;
const servers: AnyServer[] = [];
beforeEach(() => {
  watch = new Watch();
  errors = vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(async () => {
  for (const server of servers.splice(0)) await close(server);
  vi.restoreAllMocks();
});

function hook(more: Partial<FaxWebhookOptions> = {}): FaxWebhook {
  return faxWebhook(
    watch.around({ authToken: TOKEN, onFax: () => receive({ action: "fax" }), ...more } as FaxWebhookOptions),
  );
}

/** An app or a server of any framework. */
interface Listener {
  listen(port: number, host: string): unknown;
}

async function start(listener: Listener): Promise<string> {
  const server = listener.listen(0, "127.0.0.1") as AnyServer;
  servers.push(server);
  return `http://127.0.0.1:${await portOf(server)}`;
}

const send = (url: string, parts?: RequestParts) => answer(fetch(signedRequest(url, parts)));
const PAGES = new Uint8Array(3000).fill(7);
const noDatabase = () => Promise.reject(new Error("no database"));

/** Expects both methods, a forgery and a multipart callback to be handled correctly at `url`. */
async function expectToServe(url: string, multipart = true): Promise<void> {
  for (const method of ["POST", "GET"] as const) {
    const transcript = await provide(url).sendFax({ method });
    expect([transcript.error, statuses(transcript)]).toEqual([undefined, [200, 200]]);
  }
  expect(watch.callbacks.map((each) => each.numPages)).toEqual([1, 1]);
  expect(await send(url, { authToken: "guessed" })).toEqual([403, "forbidden"]);
  if (!multipart) return;
  const [status] = await send(url, { params: { ...INCOMING, FaxStatus: "received", NumPages: "1" }, pages: PAGES });
  expect(status).toBe(200);
  expect(Buffer.compare(watch.media[0]!, PAGES)).toBe(0);
}

const EXPRESS = [
  ["Express 5", express],
  ["Express 4", express4],
] as const;

describe.each(EXPRESS)("%s", (_, express) => {
  it.each([
    ["urlencoded({ extended: false })", () => [express.urlencoded({ extended: false })]],
    ["urlencoded({ extended: true })", () => [express.urlencoded({ extended: true })]],
    ["json() alone (Express 4 leaves body = {})", () => [express.json()]],
    ["json() and urlencoded()", () => [express.json(), express.urlencoded({ extended: false })]],
    ["text()", () => [express.text({ type: "*/*" })]],
    ["text() for forms", () => [express.text({ type: "application/x-www-form-urlencoded" })]],
    ["raw()", () => [express.raw({ type: "*/*" })]],
  ])("receives faxes behind express.%s", async (name, parsers) => {
    const app = express();
    for (const parser of parsers()) app.use(parser);
    app.all("/fax", hook().node);
    // express.text() has already lost the bytes of a file.
    await expectToServe(`${await start(app)}/fax`, name !== "text()");
  });

  it("receives faxes in a router, in a nested router and with app.use", async () => {
    const router = express.Router().all("/fax", hook().node);
    const app = express().use("/hooks", router).use("/api", express.Router().use("/v1", router));
    const origin = await start(app.use("/direct/fax", hook().node));
    for (const path of ["/hooks/fax", "/api/v1/fax", "/direct/fax"]) {
      watch.callbacks.length = watch.media.length = 0;
      await expectToServe(origin + path);
    }
  });

  it("returns 403 for parameters that an extended parser has nested", async () => {
    const app = express().use(express.urlencoded({ extended: true }));
    const url = `${await start(app.all("/fax", hook().node))}/fax`;
    expect(await send(url, { params: { ...INCOMING, "a[b]": "1" } })).toEqual([403, "forbidden"]);
  });

  it("returns 400 missing-body if the stream was read and no body is left", async () => {
    const app = express().use((req, _res, next) => void req.on("end", next).resume());
    expect(await send(`${await start(app.all("/fax", hook().node))}/fax`)).toEqual([400, "missing-body"]);
    expect(watch.refusals[0]!.message).toContain("Mount the webhook before");
  });

  it("passes errors of onFax and authToken to the error handler", async () => {
    const seen: unknown[] = [];
    const thrown = new Error("no database");
    const fail = () => {
      throw thrown;
    };
    const app = express();
    app.all("/fax", hook({ onFax: fail }).node);
    app.all("/token", hook({ authToken: async () => fail() }).node);
    const onError: express.ErrorRequestHandler = (error, _req, res, _next) => {
      seen.push(error);
      res.status(503).send("later");
    };
    const origin = await start(app.use(onError));
    for (const path of ["/fax", "/token"]) expect(await send(origin + path)).toEqual([503, "later"]);
    expect(seen).toEqual([thrown, thrown]);
    expect(errors).not.toHaveBeenCalled();
  });
});

describe("Fastify", () => {
  const route = (url: string, { handle }: FaxWebhook): RouteOptions => ({
    method: ["GET", "POST"],
    url,
    handler: async ({ method, originalUrl, headers, body }, reply) => {
      const answer = await handle({ method, url: originalUrl, headers, body });
      return reply.code(answer.status).headers(answer.headers).send(answer.body);
    },
  });

  it("receives faxes behind @fastify/formbody", async () => {
    const app = Fastify();
    await app.register(formbody);
    await app.route(route("/fax", hook())).ready();
    await expectToServe(`${await start(app.server)}/fax`, false);
  });

  it("receives faxes in a Fastify plugin with a prefix and an unparsed stream", async () => {
    const app = Fastify();
    const plugin = async (scope: FastifyInstance) => {
      scope.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
      scope.route(route("/fax", hook()));
    };
    await app.register(plugin, { prefix: "/hooks" }).ready();
    const url = `${await start(app.server)}/hooks/fax`;
    await expectToServe(url);
    const params = { ...INCOMING, Padding: "x".repeat(300_000) };
    expect(await send(url, { params })).toEqual([413, "too-large"]);
  });

  it("passes errors of onFax to Fastify's error handler", async () => {
    const app = Fastify();
    await app.register(formbody);
    app.setErrorHandler((error, _request, reply) => void reply.code(503).send(`later: ${(error as Error).message}`));
    await app.route(route("/fax", hook({ onFax: noDatabase }))).ready();
    expect(await send(`${await start(app.server)}/fax`)).toEqual([503, "later: no database"]);
  });
});

describe("Koa", () => {
  const callNode =
    ({ node }: FaxWebhook): Koa.Middleware =>
    async (ctx) => {
      ctx.respond = false;
      await node(ctx.req, ctx.res, (error) => ctx.onerror(error as Error));
    };

  it("receives faxes with handle behind @koa/bodyparser", async () => {
    const { handle } = hook();
    const app = new Koa().use(bodyParser()).use(async (ctx) => {
      const body = ctx.is("multipart") ? ctx.req : ctx.request.body;
      const reply = await handle({ method: ctx.method, url: ctx.originalUrl, headers: ctx.headers, body });
      ctx.status = reply.status;
      ctx.set(reply.headers as Record<string, string>);
      ctx.body = reply.body;
    });
    await expectToServe(`${await start(app)}/fax`);
  });

  it("receives faxes with node behind @koa/bodyparser with patchNode", async () => {
    const app = new Koa().use(bodyParser({ patchNode: true })).use(callNode(hook()));
    await expectToServe(`${await start(app)}/fax`);
  });

  it("passes errors of onFax to the app's error event", async () => {
    const seen: unknown[] = [];
    const app = new Koa().use(callNode(hook({ onFax: noDatabase })));
    app.on("error", (error) => seen.push(error));
    expect(await send(`${await start(app)}/fax`)).toEqual([500, "Internal Server Error"]);
    expect(seen).toMatchObject([{ message: "no database" }]);
  });
});

describe("Hono", () => {
  const listen = ({ fetch }: Hono) => start(createAdaptorServer({ fetch }));

  it("receives faxes under a base path, and passes errors of onFax to onError", async () => {
    const app = new Hono().onError((error, c) => c.text(`later: ${error.message}`, 503));
    app.route(
      "/hooks",
      new Hono().all("/fax", (c) => hook().fetch(c.req.raw)),
    );
    app.all("/broken", (c) => hook({ onFax: noDatabase }).fetch(c.req.raw));
    const origin = await listen(app);
    await expectToServe(`${origin}/hooks/fax`);
    expect(await send(`${origin}/broken`)).toEqual([503, "later: no database"]);
  });

  it("returns 400 missing-body if a middleware has read the request", async () => {
    const app = new Hono().use(async (c, next) => {
      await c.req.raw.text();
      await next();
    });
    app.all("/fax", (c) => hook().fetch(c.req.raw));
    expect(await send(`${await listen(app)}/fax`)).toEqual([400, "missing-body"]);
  });
});

describe("a bare node:http listener", () => {
  const listen = async (options?: Partial<FaxWebhookOptions>) => `${await start(createServer(hook(options).node))}/fax`;

  it("returns 500 without details if onFax throws, and serves the next request", async () => {
    let isBroken = true;
    const url = await listen({
      onFax: () => {
        if (isBroken) throw new Error("password=hunter2");
        return receive();
      },
    });
    expect(await send(url)).toEqual([500, "internal-error"]);
    expect(errors.mock.calls).toMatchObject([[{ message: "password=hunter2" }]]);
    isBroken = false;
    expect((await send(url))[0]).toBe(200);
  });

  it("returns 500 if onFax returns nothing, and logs the reason", async () => {
    const url = await listen({ onFax: (() => undefined) as never });
    expect(await send(url)).toEqual([500, "internal-error"]);
    expect(errors.mock.calls).toMatchObject([[{ name: "TwimlError", code: "no-verb" }]]);
  });

  it.each([301, 302, 303, 307, 308])("verifies the signature at the target of a redirect with %i", async (status) => {
    const { node } = hook();
    const server = createServer((req, res) => {
      if (!req.url?.startsWith("/old")) return void node(req, res);
      const query = /\?.*/.exec(req.url)?.[0] ?? "";
      req.resume();
      res.writeHead(status, { location: `/new/fax${query}` }).end();
    });
    const transcript = await provide(`${await start(server)}/old/fax`).sendFax();
    expect([transcript.outcome, transcript.error]).toEqual(["received", undefined]);
    expect(statuses(transcript)).toEqual([status, 200, 200]);
    expect(transcript.exchanges[1]!.request.method).toBe(status < 304 ? "GET" : "POST");
  });

  it("reports unreadable-body to onRefused if the connection closes before the end of the body", async () => {
    const url = await listen();
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.write(head({ "content-length": "1000" }) + "FaxSid=FX1&Acc");
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    await vi.waitFor(() => expect(watch.refusals.map((each) => each.reason)).toEqual(["unreadable-body"]));
    expect((await send(url))[0]).toBe(200);
    expect(errors).not.toHaveBeenCalled();
  });
});

function head(headers: Record<string, string>): string {
  const all = {
    host: "fax.example.com",
    "content-type": "application/x-www-form-urlencoded",
    "x-twilio-signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST /fax HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/** Sends an endless body until the response arrives. Returns the response and the number of bytes sent. */
async function sendWithoutEnd(origin: string, headers: Record<string, string>): Promise<[reply: string, sent: number]> {
  const socket = connect(Number(new URL(origin).port), "127.0.0.1");
  const block = "a".repeat(16 * 1024);
  const piece = "transfer-encoding" in headers ? `${block.length.toString(16)}\r\n${block}\r\n` : block;
  let sent = 0;
  const timer = setInterval(() => {
    if (socket.writableLength < 1e6 && sent < 100e6) sent += socket.write(piece) ? block.length : 0;
  }, 1);
  socket.write(head(headers));
  try {
    let reply = "";
    for await (const data of socket) {
      reply += data;
      if (reply.includes("\r\n\r\n")) return [reply, sent];
    }
    throw new Error("The connection was closed without a response.");
  } finally {
    clearInterval(timer);
    socket.destroy();
  }
}

const LISTENERS: Record<string, (webhook: FaxWebhook) => Listener> = {
  "node:http": ({ node }) => createServer(node),
  "Express 5": ({ node }) => express().all("/fax", node),
  "Express 4 behind json()": ({ node }) => express4().use(express.json()).all("/fax", node),
  Koa: ({ node }) => new Koa().use(async (ctx) => ((ctx.respond = false), node(ctx.req, ctx.res))),
  "handle with a stream": ({ handle }) =>
    createServer(async (req, res) => {
      const { method = "", url = "", headers } = req;
      const reply = await handle({ method, url, headers, body: req });
      res.writeHead(reply.status, reply.headers).end(reply.body);
    }),
  Hono: ({ fetch }) => createAdaptorServer({ fetch: new Hono().all("/fax", (c) => fetch(c.req.raw)).fetch }),
};

describe.each(Object.entries(LISTENERS))("%s, with a body that does not end", (_, listener) => {
  const CHUNKED = { "transfer-encoding": "chunked" };
  it.each([
    [413, "too-large", "a chunked form", CHUNKED],
    [413, "too-large", "a form of 999,999,999 bytes", { "content-length": "999999999" }],
    [413, "too-large", "chunked multipart", { ...CHUNKED, "content-type": "multipart/form-data; boundary=x" }],
    [403, "forbidden", "a form without a signature, which is not read", { ...CHUNKED, "x-twilio-signature": "" }],
  ])("returns %i %s before the end of the body for %s", async (status, reason, _, headers) => {
    const origin = await start(listener(hook({ maxMediaBytes: 100_000 })));
    const [reply, sent] = await sendWithoutEnd(origin, headers);
    expect(reply).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(reply).toContain(reason);
    expect(sent).toBeLessThan(5e6);
  });
});
