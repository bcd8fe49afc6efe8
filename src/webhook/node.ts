/** Node's own server: `(req, res)` for `http.createServer`, `(req, res, next)` for Express and Connect. */
import type { HandleRequest, WebhookReply } from "./turn.js";

/** The parts of an `http.IncomingMessage` that are read, and what frameworks add to it; by structure. */
export interface NodeRequest extends AsyncIterable<any> {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** Express and Connect: the URL before a router cut its prefix off. */
  readonly originalUrl?: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** What a body parser left. */
  readonly body?: any;
  readonly readableDidRead?: boolean;
  readonly readableEnded?: boolean;
  iterator?(options?: { destroyOnReturn?: boolean }): AsyncIterable<any>;
  resume(): unknown;
  destroy(): unknown;
  once(event: "close", listener: () => void): unknown;
}

/** The parts of an `http.ServerResponse` that are used. */
export interface NodeResponse {
  statusCode: number;
  readonly headersSent: boolean;
  setHeader(name: string, value: string | string[]): unknown;
  end(body: string): unknown;
}

/** How long a client that was refused may go on sending; long enough to read the answer, which a reset would destroy. */
const LINGER_MS = 5_000;

export function createNode(handle: (request: HandleRequest) => Promise<WebhookReply>) {
  return async (req: NodeRequest, res: NodeResponse, next?: (error?: unknown) => void): Promise<void> => {
    try {
      const { method = "", url = "", originalUrl = url, headers } = req;
      write(res, await handle({ method, url: originalUrl, headers, body: bodyOf(req) }));
    } catch (thrown) {
      // Express takes next(undefined) and next("route") for "go on", which is how a fax gets lost.
      const error =
        thrown instanceof Error
          ? thrown
          : new Error("A callback of faxWebhook threw what is no Error.", { cause: thrown });
      try {
        if (typeof next === "function") return next(error);
        console.error(error);
        write(res, {
          status: 500,
          headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
          body: "internal-error",
        });
      } catch (failed) {
        console.error(failed);
      }
    } finally {
      if (!req.readableEnded) {
        const timer = setTimeout(() => req.destroy(), LINGER_MS);
        req.once("close", () => clearTimeout(timer));
        req.resume();
      }
    }
  };
}

/**
 * What a body parser left, or the stream when none has read it. Express 4's parsers leave `{}` beside a stream that they
 * did not touch, which is no body.
 */
function bodyOf(req: NodeRequest): unknown {
  const { body } = req;
  const leftover =
    typeof body === "object" &&
    body !== null &&
    Object.keys(body).length === 0 &&
    (ArrayBuffer.isView(body) || !(Symbol.iterator in body));
  if (body !== undefined && body !== null && !leftover) return body;
  if (req.readableDidRead || req.readableEnded) return undefined;
  // Leaving the loop over the body must not destroy the socket that the refusal is written to.
  return req.iterator?.({ destroyOnReturn: false }) ?? req;
}

function write(res: NodeResponse, reply: WebhookReply): void {
  if (res.headersSent) return;
  res.statusCode = reply.status;
  for (const [name, value] of Object.entries(reply.headers)) res.setHeader(name, value);
  res.end(reply.body);
}
