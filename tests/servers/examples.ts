/** Starts the very example files, each in a fresh module graph, and watches what their callbacks get. */
import { vi } from "vitest";
import type { FaxWebhookOptions, Refusal, WebhookRequest } from "../../src/webhook/index.js";
import type { FaxCallback, FaxRequest, Verb } from "../../src/index.js";
import { lambdaServer, nextServer } from "./adapters.js";
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

/** Every example, and where one file serves two, each of them. */
export const EXAMPLES = {
  "node:http": async () => (await import("./examples/node-http.js")).server,
  "Express 5": async () => (await import("./examples/express.js")).server,
  "Express 4": async () => {
    vi.doMock("express", () => vi.importActual("express4"));
    try {
      return (await import("./examples/express.js")).server;
    } finally {
      vi.doUnmock("express");
    }
  },
  "Fastify 5": async () => (await import("./examples/fastify.js")).server,
  "Koa 3": async () => (await import("./examples/koa.js")).server,
  "Hono on Node": async () => (await import("./examples/hono.js")).server,
  "a Next.js route": async () => nextServer(await import("./examples/nextjs.js"), "/fax").listen(0, "127.0.0.1"),
  "AWS Lambda, text bodies": async () =>
    lambdaServer((await import("./examples/lambda.js")).handler, "binary").listen(0, "127.0.0.1"),
  "AWS Lambda, base64 bodies": async () =>
    lambdaServer((await import("./examples/lambda.js")).handler, "always").listen(0, "127.0.0.1"),
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
