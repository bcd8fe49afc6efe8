/** Starts the very example files, each in a fresh module graph, and watches what their callbacks get. */
import { mkdtempSync } from "node:fs";
import { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import type { FaxWebhookOptions, Refusal, WebhookRequest } from "../../src/webhook/index.js";
import type { FaxCallback, FaxRequest, Verb } from "../../src/index.js";
import { fetchServer, lambdaServer, nextServer, restServer } from "./adapters.js";
import { type AnyServer, close, portOf } from "./listen.js";

export const TOKEN = "a-test-token";

/** What the webhook's functions were called with, and what they are made to do. */
export class Watch {
  faxes: FaxRequest[] = [];
  callbacks: FaxCallback[] = [];
  /** The pages of every delivery. */
  media: Uint8Array[] = [];
  refusals: Refusal[] = [];
  /** The request of each of the calls above, in order. */
  requests: WebhookRequest[] = [];
  /** Answers instead of the example's own `onFax`. */
  answer: { readonly twiml: Verb; readonly headers?: Record<string, string | string[]> } | undefined;
  /** Throws from `onCallback` this often. */
  failures = 0;

  /** The options with this watch around their functions. */
  around(options: FaxWebhookOptions): FaxWebhookOptions {
    return {
      maxMediaBytes: 1 << 20,
      ...options,
      onFax: (fax, request) => {
        this.faxes.push(fax);
        this.requests.push(request);
        return this.answer ?? options.onFax!(fax, request);
      },
      onCallback: async (callback, request) => {
        this.requests.push(request);
        this.callbacks.push(callback);
        if (this.failures-- > 0) throw new Error("The disk is full: secret-detail");
        if (callback.media) this.media.push(new Uint8Array(await callback.media.arrayBuffer()));
        return options.onCallback?.(callback, request);
      },
      onRefused: (refusal, request) => {
        this.refusals.push(refusal);
        this.requests.push(request);
        return options.onRefused?.(refusal, request);
      },
    };
  }
}

export interface Running {
  readonly origin: string;
  readonly watch: Watch;
  close(): Promise<void>;
}

// The examples save pages into a folder of the current one.
process.chdir(mkdtempSync(join(tmpdir(), "twiml-fax-examples-")));

const load = (name: string): Promise<any> => import(`../../docs/examples/${name}.mjs`);

/** The server that a file starts: examples export nothing that only a test would need. */
async function serverOf(name: string): Promise<AnyServer> {
  const { listen } = Server.prototype;
  let started: Server | undefined;
  const spy = vi.spyOn(Server.prototype, "listen").mockImplementation(function (this: Server, ...args: unknown[]) {
    started = this;
    return Reflect.apply(listen, this, args) as Server;
  });
  try {
    await load(name);
    return started!;
  } finally {
    spy.mockRestore();
  }
}

async function express4(): Promise<AnyServer> {
  vi.doMock("express", () => vi.importActual("express4"));
  try {
    return await serverOf("express");
  } finally {
    vi.doUnmock("express");
  }
}

/** What a runtime of its own is given to serve. */
async function servedBy(runtime: "Bun" | "Deno", name: string): Promise<AnyServer> {
  const serve = vi.fn();
  vi.stubGlobal(runtime, { serve });
  try {
    await load(name);
    const [options, handler] = serve.mock.calls[0]!;
    return fetchServer(handler ?? options.routes["/fax"]);
  } finally {
    vi.unstubAllGlobals();
  }
}

/** Every example, and where one file serves two, each of them. */
export const EXAMPLES = {
  "node:http": () => serverOf("server"),
  "Express 5": () => serverOf("express"),
  "Express 4": express4,
  "Fastify 5": () => serverOf("fastify"),
  "Koa 3": () => serverOf("koa"),
  "Hono on Node": () => serverOf("hono"),
  "a Next.js route": async () => {
    const { fetch } = (await load("fax")).webhook;
    return nextServer({ GET: fetch, POST: fetch }, "/fax").listen(0, "127.0.0.1");
  },
  Bun: () => servedBy("Bun", "bun"),
  Deno: () => servedBy("Deno", "deno"),
  Workers: async () => fetchServer((await load("worker")).default.fetch),
  "AWS Lambda, text bodies": async () => lambdaServer((await load("lambda")).handler, "binary").listen(0, "127.0.0.1"),
  "AWS Lambda, base64 bodies": async () =>
    lambdaServer((await load("lambda")).handler, "always").listen(0, "127.0.0.1"),
  "AWS Lambda, REST API": async () => restServer((await load("lambda-rest")).handler).listen(0, "127.0.0.1"),
} satisfies Record<string, () => Promise<AnyServer>>;

export type ExampleName = keyof typeof EXAMPLES;

export async function startExample(name: ExampleName, publicUrl?: string): Promise<Running> {
  const watch = new Watch();
  vi.resetModules();
  vi.doMock("twiml-fax/webhook", async (importOriginal) => {
    const actual = await importOriginal<typeof import("../../src/webhook/index.js")>();
    return { ...actual, faxWebhook: (options: FaxWebhookOptions) => actual.faxWebhook(watch.around(options)) };
  });
  vi.stubEnv("FAX_AUTH_TOKEN", TOKEN);
  vi.stubEnv("PUBLIC_URL", publicUrl);
  vi.stubEnv("PORT", "0");
  try {
    const server: AnyServer = await EXAMPLES[name]();
    const port = await portOf(server);
    return { origin: `http://127.0.0.1:${port}`, watch, close: () => close(server) };
  } finally {
    vi.unstubAllEnvs();
    vi.doUnmock("twiml-fax/webhook");
  }
}
