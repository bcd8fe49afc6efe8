/** Node's own server: `(req, res)` for `http.createServer`, `(req, res, next)` for Express and Connect. */
import type { HandleRequest, WebhookReply } from "./http.js";
import { PLAIN_TEXT } from "./reply.js";

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

/** Always with an error: the webhook answers everything else by itself. */
type Next = (error: Error) => void;

/** How long a client that was refused may go on sending; long enough to read the answer before a reset destroys it. */
const LINGER_MS = 5_000;

export function createNode(handle: (request: HandleRequest) => Promise<WebhookReply>) {
  return async (req: NodeRequest, res: NodeResponse, next?: Next): Promise<void> => {
    try {
      const { method = "", url = "", originalUrl = url, headers } = req;
      writeReply(res, await handle({ method, url: originalUrl, headers, body: getBody(req) }));
    } catch (thrown) {
      passError(toError(thrown), res, next);
    } finally {
      if (!req.readableEnded) drain(req);
    }
  };
}

/**
 * What a body parser left, or the stream when none has read it. Express 4's parsers leave `{}` beside a stream that
 * they did not touch, which is not a body.
 */
function getBody(req: NodeRequest): unknown {
  const { body } = req;
  if (body !== undefined && body !== null && !isLeftover(body)) return body;
  if (req.readableDidRead || req.readableEnded) return undefined;
  // Leaving the loop over the body must not destroy the socket that the refusal is written to.
  return req.iterator?.({ destroyOnReturn: false }) ?? req;
}

function isLeftover(body: unknown): boolean {
  if (typeof body !== "object" || body === null || Object.keys(body).length > 0) return false;
  return ArrayBuffer.isView(body) || !(Symbol.iterator in body);
}

/** Express takes next(undefined) and next("route") for "go on", which is how a fax gets lost. */
function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  return new Error("A callback of faxWebhook threw something that is not an Error.", { cause: thrown });
}

/** To the server's own error path; a bare `http.createServer` has none. */
function passError(error: Error, res: NodeResponse, next: Next | undefined): void {
  try {
    if (typeof next === "function") return next(error);
    console.error(error);
    const headers = { "content-type": PLAIN_TEXT, "cache-control": "no-store" };
    writeReply(res, { status: 500, headers, body: "internal-error" });
  } catch (failed) {
    console.error(failed);
  }
}

/** Reads and drops what a refused client still sends, for a while. */
function drain(req: NodeRequest): void {
  const timer = setTimeout(() => req.destroy(), LINGER_MS);
  req.once("close", () => clearTimeout(timer));
  req.resume();
}

function writeReply(res: NodeResponse, reply: WebhookReply): void {
  if (res.headersSent) return;
  res.statusCode = reply.status;
  for (const [name, value] of Object.entries(reply.headers)) res.setHeader(name, value);
  res.end(reply.body);
}
