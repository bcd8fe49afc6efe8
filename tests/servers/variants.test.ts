/** What people put in front of the webhook, and what goes wrong: body parsers, mounts, redirects, broken clients. */
import { bodyParser } from "@koa/bodyparser";
import formbody from "@fastify/formbody";
import { serve } from "@hono/node-server";
import express from "express";
import express4 from "express4";
import Fastify from "fastify";
import { Hono } from "hono";
import Koa from "koa";
import { createServer } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { receive } from "../../src/index.js";
import { type FaxWebhook, faxWebhook, type FaxWebhookOptions, signRequest } from "../../src/webhook/index.js";
import { answered, course, FROM, INCOMING, provider, TO } from "./conversation.js";
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

async function up(server: AnyServer): Promise<string> {
  servers.push(server);
  return `http://127.0.0.1:${await portOf(server)}`;
}

const MEDIA = { name: "Media", filename: "a.pdf", type: "application/pdf", bytes: new Uint8Array(3000).fill(7) };
const DELIVERY = { ...INCOMING, FaxStatus: "received", NumPages: "1" };

async function works(url: string, multipart = true): Promise<void> {
  for (const method of ["POST", "GET"] as const) {
    const transcript = await provider().sendFax({ from: FROM, to: TO, webhookUrl: url, method });
    expect([transcript.errorCode, course(transcript)]).toEqual([undefined, ["incoming 200", "action 200"]]);
  }
  expect(watch.callbacks.map((each) => each.numPages)).toEqual([1, 1]);
  const forged = await provider({ authToken: "guessed" }).request({ url, params: INCOMING });
  expect(answered(forged)).toEqual([403, "forbidden"]);
  if (!multipart) return;
  const delivery = await provider().request({ url, params: DELIVERY, multipart: [MEDIA] });
  expect(delivery.response?.status).toBe(200);
  expect(Buffer.compare(watch.media[0]!, MEDIA.bytes)).toBe(0);
}

const EXPRESS = [
  ["Express 5", express],
  ["Express 4", express4],
] as const;

describe.each(EXPRESS)("%s", (_, express) => {
  it.each([
    ["urlencoded, extended: false", () => [express.urlencoded({ extended: false })]],
    ["urlencoded, extended: true", () => [express.urlencoded({ extended: true })]],
    ["json alone, which leaves {} beside an unread stream in Express 4", () => [express.json()]],
    ["json and urlencoded", () => [express.json(), express.urlencoded({ extended: false })]],
    ["text", () => [express.text({ type: "*/*" })]],
    ["text for forms alone", () => [express.text({ type: "application/x-www-form-urlencoded" })]],
    ["raw", () => [express.raw({ type: "*/*" })]],
  ])("serves behind express.%s", async (name, parsers) => {
    const app = express();
    for (const parser of parsers()) app.use(parser);
    app.all("/fax", hook().node);
    const url = `${await up(app.listen(0, "127.0.0.1"))}/fax`;
    // Text has lost the bytes of a file already.
    await works(url, name !== "text");
  });

  it("serves in a router under a prefix, also with a nested one and app.use", async () => {
    const app = express();
    const router = express.Router();
    router.all("/fax", hook().node);
    app.use("/hooks", router);
    const outer = express.Router();
    outer.use("/v1", router);
    app.use("/api", outer);
    app.use("/direct/fax", hook().node);
    const origin = await up(app.listen(0, "127.0.0.1"));
    for (const path of ["/hooks/fax", "/api/v1/fax", "/direct/fax"]) {
      watch.callbacks.length = watch.media.length = 0;
      await works(origin + path);
    }
  });

  it("refuses what an extended parser made nested, rather than believe it", async () => {
    const app = express()
      .use(express.urlencoded({ extended: true }))
      .all("/fax", hook().node);
    const url = `${await up(app.listen(0, "127.0.0.1"))}/fax`;
    const exchange = await provider().request({ url, params: { ...INCOMING, "a[b]": "1" } });
    expect(answered(exchange)).toEqual([403, "forbidden"]);
  });

  it("says missing-body when the stream is gone and nothing is left", async () => {
    const app = express();
    app.use((req, _res, next) => void req.on("end", next).resume());
    app.all("/fax", hook().node);
    const url = `${await up(app.listen(0, "127.0.0.1"))}/fax`;
    expect(answered(await provider().request({ url, params: INCOMING }))).toEqual([400, "missing-body"]);
    expect(watch.refusals[0]?.message).toContain("Mount the webhook before");
  });

  it("gives what onFax, authToken or onRefused throws to the error handler", async () => {
    const seen: unknown[] = [];
    const thrown = new Error("no database");
    const fail = () => {
      throw thrown;
    };
    const app = express();
    app.all("/fax", hook({ onFax: fail }).node);
    app.all("/token", hook({ authToken: async () => fail() }).node);
    app.all("/refused", hook({ authToken: "other", onRefused: fail }).node);
    const onError: express.ErrorRequestHandler = (error, _req, res, _next) => {
      seen.push(error);
      res.status(503).send("later");
    };
    app.use(onError);
    const origin = await up(app.listen(0, "127.0.0.1"));
    for (const path of ["/fax", "/token", "/refused"]) {
      expect(answered(await provider().request({ url: origin + path, params: INCOMING }))).toEqual([503, "later"]);
    }
    expect(seen).toEqual([thrown, thrown, thrown]);
    expect(errors).not.toHaveBeenCalled();
  });
});

describe("Fastify", () => {
  it("serves behind @fastify/formbody", async () => {
    const app = Fastify();
    await app.register(formbody);
    const { handle } = hook();
    app.all("/fax", async ({ method, originalUrl, headers, body }, reply) => {
      const answer = await handle({ method, url: originalUrl, headers, body });
      return reply.code(answer.status).headers(answer.headers).send(answer.body);
    });
    await app.listen({ port: 0, host: "127.0.0.1" });
    await works(`${await up(app.server)}/fax`, false);
  });

  it("serves in a plugin under a prefix, with the stream itself", async () => {
    const app = Fastify();
    const { handle } = hook();
    await app.register(
      async (scope) => {
        scope.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
        scope.all("/fax", async ({ method, originalUrl, headers, body }, reply) => {
          const answer = await handle({ method, url: originalUrl, headers, body });
          return reply.code(answer.status).headers(answer.headers).send(answer.body);
        });
      },
      { prefix: "/hooks" },
    );
    await app.listen({ port: 0, host: "127.0.0.1" });
    const url = `${await up(app.server)}/hooks/fax`;
    await works(url);
    const large = await provider().request({ url, params: { ...INCOMING, Padding: "x".repeat(300_000) } });
    expect(answered(large)).toEqual([413, "too-large"]);
  });

  it("gives what onFax throws to Fastify's error handler", async () => {
    const app = Fastify();
    await app.register(formbody);
    const { handle } = hook({ onFax: () => Promise.reject(new Error("no database")) });
    app.post("/fax", ({ method, originalUrl, headers, body }) => handle({ method, url: originalUrl, headers, body }));
    app.setErrorHandler((error, _request, reply) => void reply.code(503).send(`later: ${(error as Error).message}`));
    await app.listen({ port: 0, host: "127.0.0.1" });
    const exchange = await provider().request({ url: `${await up(app.server)}/fax`, params: INCOMING });
    expect(answered(exchange)).toEqual([503, "later: no database"]);
  });
});

describe("Koa", () => {
  it("serves through handle, behind @koa/bodyparser", async () => {
    const { handle } = hook();
    const app = new Koa().use(bodyParser()).use(async (ctx) => {
      const body = ctx.is("multipart") ? ctx.req : ctx.request.body;
      const answer = await handle({ method: ctx.method, url: ctx.originalUrl, headers: ctx.headers, body });
      ctx.status = answer.status;
      ctx.set(answer.headers as Record<string, string>);
      ctx.body = answer.body;
    });
    await works(`${await up(app.listen(0, "127.0.0.1"))}/fax`);
  });

  it("serves through node, behind @koa/bodyparser with patchNode", async () => {
    const { node } = hook();
    const app = new Koa().use(bodyParser({ patchNode: true })).use(async (ctx) => {
      ctx.respond = false;
      await node(ctx.req, ctx.res, (error) => ctx.onerror(error as Error));
    });
    await works(`${await up(app.listen(0, "127.0.0.1"))}/fax`);
  });

  it("gives what onFax throws to the app's error event", async () => {
    const { node } = hook({ onFax: () => Promise.reject(new Error("no database")) });
    const seen: unknown[] = [];
    const app = new Koa().use(async (ctx) => {
      ctx.respond = false;
      await node(ctx.req, ctx.res, (error) => ctx.onerror(error as Error));
    });
    app.on("error", (error) => seen.push(error));
    const exchange = await provider().request({ url: `${await up(app.listen(0, "127.0.0.1"))}/fax`, params: INCOMING });
    expect(answered(exchange)).toEqual([500, "Internal Server Error"]);
    expect(seen).toMatchObject([{ message: "no database" }]);
  });
});

describe("Hono", () => {
  it("serves under a base path, and gives what onFax throws to onError", async () => {
    const app = new Hono();
    app.route(
      "/hooks",
      new Hono().all("/fax", (c) => hook().fetch(c.req.raw)),
    );
    app.all("/broken", (c) => hook({ onFax: () => Promise.reject(new Error("no database")) }).fetch(c.req.raw));
    app.onError((error, c) => c.text(`later: ${error.message}`, 503));
    const origin = await up(serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }));
    await works(`${origin}/hooks/fax`);
    const exchange = await provider().request({ url: `${origin}/broken`, params: INCOMING });
    expect(answered(exchange)).toEqual([503, "later: no database"]);
  });

  it("says missing-body when a middleware has read the request", async () => {
    const app = new Hono();
    app.use(async (c, next) => {
      await c.req.raw.text();
      await next();
    });
    app.all("/fax", (c) => hook().fetch(c.req.raw));
    const origin = await up(serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }));
    expect(answered(await provider().request({ url: `${origin}/fax`, params: INCOMING }))).toEqual([
      400,
      "missing-body",
    ]);
  });
});

describe("a bare node:http listener", () => {
  it("answers what onFax throws with a 500 without details, and lives on", async () => {
    let broken = true;
    const origin = await up(
      createServer(
        hook({
          onFax: () => {
            if (broken) throw new Error("password=hunter2");
            return receive();
          },
        }).node,
      ).listen(0, "127.0.0.1"),
    );
    const once = provider();
    expect(answered(await once.request({ url: `${origin}/fax`, params: INCOMING }))).toEqual([500, "internal-error"]);
    expect(errors.mock.calls).toMatchObject([[{ message: "password=hunter2" }]]);
    broken = false;
    expect((await once.request({ url: `${origin}/fax`, params: INCOMING })).response?.status).toBe(200);
  });

  it("answers an onFax that returns nothing with a 500, and says why on the console", async () => {
    const origin = await up(createServer(hook({ onFax: (() => undefined) as never }).node).listen(0, "127.0.0.1"));
    expect(answered(await provider().request({ url: `${origin}/fax`, params: INCOMING }))).toEqual([
      500,
      "internal-error",
    ]);
    expect(errors.mock.calls).toMatchObject([[{ name: "TwimlError", code: "no-verb" }]]);
  });

  it.each([301, 302, 303, 307, 308])("verifies at the target of a redirect: %i", async (status) => {
    const { node } = hook();
    const origin = await up(
      createServer((req, res) => {
        if (!req.url?.startsWith("/old")) return void node(req, res);
        const query = /\?.*/.exec(req.url)?.[0] ?? "";
        req.resume();
        res.writeHead(status, { location: `/new/fax${query}` }).end();
      }).listen(0, "127.0.0.1"),
    );
    const transcript = await provider().sendFax({ from: FROM, to: TO, webhookUrl: `${origin}/old/fax` });
    expect([transcript.outcome, transcript.errorCode]).toEqual(["received", undefined]);
    expect(course(transcript)).toEqual([`incoming ${status}`, "incoming 200", "action 200"]);
    expect(transcript.exchanges[1]?.request.method).toBe(status < 304 ? "GET" : "POST");
  });

  it("survives a client that hangs up in the middle of the body", async () => {
    const origin = await up(createServer(hook().node).listen(0, "127.0.0.1"));
    const { port } = new URL(origin);
    const socket = connect(Number(port), "127.0.0.1");
    socket.write(head("/fax", { "content-length": "1000" }) + "FaxSid=FX1&Acc");
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    await vi.waitFor(() => expect(watch.refusals.map((each) => each.reason)).toEqual(["unreadable-body"]));
    expect((await provider().request({ url: `${origin}/fax`, params: INCOMING })).response?.status).toBe(200);
    expect(errors).not.toHaveBeenCalled();
  });
});

const SIGNATURE = "AAAAAAAAAAAAAAAAAAAAAAAAAAA=";

function head(path: string, headers: Record<string, string>): string {
  const all = {
    host: "fax.example.com",
    "content-type": "application/x-www-form-urlencoded",
    "x-twilio-signature": SIGNATURE,
    ...headers,
  };
  return `POST ${path} HTTP/1.1\r\n${Object.entries(all)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("")}\r\n`;
}

/** Sends without end until an answer is there; its text, and how many bytes it took. */
function pour(
  origin: string,
  headers: Record<string, string>,
  chunked: boolean,
): Promise<{ answer: string; sent: number }> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(origin).port), "127.0.0.1");
    const block = "a".repeat(16 * 1024);
    const piece = chunked ? `${block.length.toString(16)}\r\n${block}\r\n` : block;
    let sent = 0;
    let answer = "";
    const timer = setInterval(() => {
      if (socket.writableLength < 1e6 && sent < 100e6) sent += socket.write(piece) ? block.length : 0;
    }, 1);
    const end = () => {
      clearInterval(timer);
      socket.destroy();
    };
    socket.write(head("/fax", headers));
    socket.on("data", (data) => {
      answer += data;
      if (!answer.includes("\r\n\r\n")) return;
      end();
      resolve({ answer, sent });
    });
    socket.on("error", (error) => {
      end();
      reject(error);
    });
    socket.on("close", () => {
      end();
      reject(new Error("closed without an answer"));
    });
  });
}

describe("a body that does not end", () => {
  const kinds: Record<string, (webhook: FaxWebhook) => AnyServer> = {
    "node:http": ({ node }) => createServer(node).listen(0, "127.0.0.1"),
    "Express 5": ({ node }) => express().all("/fax", node).listen(0, "127.0.0.1"),
    "Express 4 behind json()": ({ node }) =>
      EXPRESS[1][1]().use(express.json()).all("/fax", node).listen(0, "127.0.0.1"),
    Koa: ({ node }) =>
      new Koa().use(async (ctx) => ((ctx.respond = false), node(ctx.req, ctx.res))).listen(0, "127.0.0.1"),
    "handle, given the stream": ({ handle }) =>
      createServer(async (req, res) => {
        const { status, headers, body } = await handle({
          method: req.method ?? "",
          url: req.url ?? "",
          headers: req.headers,
          body: req,
        });
        res.writeHead(status, headers).end(body);
      }).listen(0, "127.0.0.1"),
    Hono: ({ fetch }) =>
      serve({ fetch: new Hono().all("/fax", (c) => fetch(c.req.raw)).fetch, port: 0, hostname: "127.0.0.1" }),
  };
  describe.each(Object.entries(kinds))("%s", (_, start) => {
    it.each([
      ["chunked", { "transfer-encoding": "chunked" }, true],
      ["announced", { "content-length": "999999999" }, false],
      [
        "multipart, chunked",
        { "transfer-encoding": "chunked", "content-type": "multipart/form-data; boundary=x" },
        true,
      ],
    ])("is cut off with 413: %s", async (_, headers, chunked) => {
      const origin = await up(start(hook({ maxMediaBytes: 100_000 })));
      const { answer, sent } = await pour(origin, headers, chunked);
      expect(answer).toMatch(/^HTTP\/1\.1 413 /);
      expect(answer).toContain("too-large");
      expect(sent).toBeLessThan(5e6);
    });

    it("is not read at all without a signature", async () => {
      const origin = await up(start(hook()));
      const { answer } = await pour(origin, { "transfer-encoding": "chunked", "x-twilio-signature": "" }, true);
      expect(answer).toMatch(/^HTTP\/1\.1 403 /);
      expect(answer).toContain("forbidden");
    });
  });
});

it("verifies what signRequest signs, over a real connection", async () => {
  const origin = await up(createServer(hook().node).listen(0, "127.0.0.1"));
  const body = new URLSearchParams(INCOMING);
  const signature = signRequest({ authToken: TOKEN, url: `${origin}/fax`, params: body });
  const response = await fetch(`${origin}/fax`, {
    method: "POST",
    body,
    headers: { "x-signalwire-signature": signature },
  });
  expect([response.status, await response.text()]).toEqual([200, expect.stringContaining("<Receive")]);
});
