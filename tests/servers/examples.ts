/** Starts the example files, each in a fresh module graph, and records the calls of their handlers. */
import { mkdtempSync } from "node:fs";
import { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import type { FaxWebhookOptions, Refusal, WebhookRequest } from "../../src/webhook/index.js";
import type { FaxCallback, FaxRequest, Verb } from "../../src/index.js";
import { fetchServer, googleServer, lambdaServer, loadBalancer, nextServer, restServer } from "./adapters.js";
import { type AnyServer, close, portOf } from "./listen.js";
import { registered } from "./platforms/registered.js";

export const TOKEN = "a-test-token";

/** The pages at every `mediaUrl`. The provider of these tests stores none. */
const PDF = "%PDF-1.4";

/** The calls of a webhook's handlers, and changes to what they return. */
export class Watch {
  faxes: FaxRequest[] = [];
  callbacks: FaxCallback[] = [];
  /** The pages of every multipart callback. */
  media: Uint8Array[] = [];
  refusals: Refusal[] = [];
  /** The request of each call above, in order. */
  requests: WebhookRequest[] = [];
  /** Returned instead of the result of the example's own `onFax`. */
  answer: { readonly twiml: Verb; readonly headers?: Record<string, string | string[]> } | undefined;
  /** How many calls of `onCallback` throw. */
  failures = 0;

  /** The options, with handlers that record each call. */
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

/** The server that a file starts: the examples do not export it. */
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

/** The handler that an example passes to the global of its runtime. */
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

/** Every example; a file for two servers is here twice. */
export const EXAMPLES = {
  "node:http": () => serverOf("server"),
  "Express 5": () => serverOf("express"),
  "Express 4": express4,
  "Fastify 5": () => serverOf("fastify"),
  "Koa 3": () => serverOf("koa"),
  "Hono on Node": () => serverOf("hono"),
  "a Next.js route": async () => {
    const { fetch } = (await load("fax")).webhook;
    return nextServer({ GET: fetch, POST: fetch }, "/fax");
  },
  Bun: () => servedBy("Bun", "bun"),
  Deno: () => servedBy("Deno", "deno"),
  Workers: async () => fetchServer((await load("worker")).default.fetch),
  "AWS Lambda, text bodies": async () => lambdaServer((await load("lambda")).handler, "binary"),
  "AWS Lambda, base64 bodies": async () => lambdaServer((await load("lambda")).handler, "always"),
  "AWS Lambda, REST API": async () => restServer((await load("lambda-rest")).handler),
  "AWS Lambda, load balancer": async () => loadBalancer((await load("lambda-alb")).handler, false),
  "AWS Lambda, load balancer with multi value headers": async () =>
    loadBalancer((await load("lambda-alb")).handler, true),
  "Azure Functions": async () => {
    await load("azure");
    return fetchServer(registered.get("fax") as (request: Request) => Promise<Response>);
  },
  "Google Cloud Functions": async () => {
    await load("google");
    return googleServer(registered.get("fax")!);
  },
  Vercel: async () => nextServer(await load("vercel"), "/fax"),
} satisfies Record<string, () => Promise<AnyServer>>;

export type ExampleName = keyof typeof EXAMPLES;

/** Starts an example whose handlers are watched, and which gets empty pages from `fetchMedia`. */
export async function startExample(name: ExampleName, publicUrl?: string): Promise<Running> {
  const watch = new Watch();
  vi.resetModules();
  vi.doMock("twiml-fax/webhook", async (importOriginal) => {
    const actual = await importOriginal<typeof import("../../src/webhook/index.js")>();
    const faxWebhook = (options: FaxWebhookOptions) => actual.faxWebhook(watch.around(options));
    const fetchMedia = (callback: FaxCallback) => {
      const { host } = new URL(callback.mediaUrl ?? "https://files.signalwire.com");
      return actual.fetchMedia(callback, { hosts: [host], fetch: async () => new Response(PDF) });
    };
    return { ...actual, faxWebhook, fetchMedia };
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
