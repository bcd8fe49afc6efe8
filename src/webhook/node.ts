/** The adapter for Node's HTTP server: `(req, res)` for `http.createServer`, with `next` for Express and Connect. */
import { optionError } from "../shared/messages.js";
import type { HandleRequest, WebhookReply } from "./http.js";
import { PLAIN_TEXT } from "./reply.js";

/** The properties of an `http.IncomingMessage` that the webhook reads, with those that frameworks add. */
export interface NodeRequest extends AsyncIterable<unknown> {
  /** The HTTP method. */
  readonly method?: string | undefined;
  /** Path and query. */
  readonly url?: string | undefined;
  /** Express and Connect: the URL before a router removed its prefix. */
  readonly originalUrl?: string;
  /** The headers by lower-case name. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The result of a body parser. */
  readonly body?: unknown;
  /** Whether reading the body has begun. */
  readonly readableDidRead?: boolean;
  /** Whether the body was read to its end. */
  readonly readableEnded?: boolean;
  /** Iterates over the body. With `destroyOnReturn: false`, the socket stays open if the loop ends early. */
  iterator?(options?: { destroyOnReturn?: boolean }): AsyncIterable<unknown>;
  /** Reads and discards the rest of the body. */
  resume(): unknown;
  /** Closes the connection. */
  destroy(): unknown;
  /** Adds a listener, which is called once when the request is closed. */
  once(event: "close", listener: () => void): unknown;
}

/** The properties of an `http.ServerResponse` that the webhook uses. */
export interface NodeResponse {
  /** HTTP status of the response. */
  statusCode: number;
  /** Whether the headers were already sent. The webhook then sends nothing. */
  readonly headersSent: boolean;
  /** Sets a header. An array sets several headers of the same name. */
  setHeader(name: string, value: string | string[]): unknown;
  /** Sends the body and ends the response. */
  end(body: string): unknown;
  /** HTTP/2: the stream of the request and the response. */
  readonly stream?: {
    /** Closes the stream. The session continues. */
    destroy(): unknown;
  };
}

/** The next middleware. Only called with an error, because the webhook replies to every request. */
type Next = (error: Error) => void;

/** How long a client may continue to send after the reply. Closing the connection earlier could discard the reply. */
const LINGER_MS = 5_000;

const INTERNAL_ERROR: WebhookReply = {
  status: 500,
  headers: { "content-type": PLAIN_TEXT, "cache-control": "no-store" },
  body: "internal-error",
};

export function createNode(handle: (request: HandleRequest) => Promise<WebhookReply>) {
  const respond = async (req: NodeRequest, res: NodeResponse): Promise<void> => {
    checkNodeArguments(req, res);
    try {
      const { method = "", url = "", originalUrl = url, headers } = req;
      writeReply(res, await handle({ method, url: originalUrl, headers, body: getBody(req) }));
    } finally {
      if (!req.readableEnded) drain(req, res);
    }
  };
  return async (req: NodeRequest, res: NodeResponse, next?: Next): Promise<void> => {
    try {
      await respond(req, res);
    } catch (thrown) {
      await passError(toError(thrown), req, res, next);
    }
  };
}

/** Throws a TypeError for the arguments of another server. */
function checkNodeArguments(req: unknown, res: unknown): void {
  const isRequest = hasMethod(req, "resume");
  if (isRequest && hasMethod(res, "setHeader")) return;
  const expected = "Node's (Fastify: request.raw and reply.raw; for a Request, call webhook.fetch)";
  throw optionError("req and res", expected, isRequest ? res : req, true);
}

/** Whether an argument is Node's, by one of its methods. */
function hasMethod(value: unknown, name: string): boolean {
  return typeof (value as Record<string, unknown> | undefined | null)?.[name] === "function";
}

/**
 * The result of a body parser, or the stream if no parser has read it. Express 4's parsers set `{}` when they do not
 * read the stream, so an empty object does not count as a body.
 */
function getBody(req: NodeRequest): unknown {
  const { body } = req;
  if (body !== undefined && body !== null && !isLeftover(body)) return body;
  if (req.readableDidRead || req.readableEnded) return undefined;
  // By default, leaving the loop over the body destroys the socket, to which the refusal has yet to be written.
  return req.iterator?.({ destroyOnReturn: false }) ?? req;
}

function isLeftover(body: unknown): boolean {
  if (typeof body !== "object" || body === null || Object.keys(body).length > 0) return false;
  return ArrayBuffer.isView(body) || !(Symbol.iterator in body);
}

/** Express treats next(undefined) and next("route") as "continue", which would lose the fax. */
function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  return new Error("A handler of faxWebhook threw a value that is not an Error. See `cause`.", { cause: thrown });
}

/**
 * Passes an error to the framework. Without `next`, or if it fails, the client gets a 500. Never rejects, because an
 * unhandled rejection ends the process.
 */
async function passError(error: Error, req: NodeRequest, res: NodeResponse, next: Next | undefined): Promise<void> {
  const errors = new Set<unknown>([error]);
  const attempt = async (step: () => unknown): Promise<boolean> => {
    try {
      await step();
      return true;
    } catch (failed) {
      errors.add(failed);
      return false;
    }
  };
  if (typeof next === "function" && (await attempt(() => next(error)))) return;
  const response = findNodeResponse(req, res);
  if (!response || !(await attempt(() => writeReply(response, INTERNAL_ERROR)))) await attempt(() => req?.destroy?.());
  await attempt(() => errors.forEach((each) => console.error(each)));
}

/** `res`, or the response in Fastify's reply or Koa's context, for which the client would wait. */
function findNodeResponse(req: NodeRequest, res: NodeResponse): NodeResponse | undefined {
  if (hasMethod(res, "setHeader")) return res;
  return (res as { raw?: NodeResponse } | undefined)?.raw ?? (req as { res?: NodeResponse } | undefined)?.res;
}

/** Discards the rest of the body for at most `LINGER_MS`, then closes the connection, or the stream of HTTP/2. */
function drain(req: NodeRequest, res: NodeResponse): void {
  // Over HTTP/2, `req.destroy()` leaves the stream open.
  const timer = setTimeout(() => (res.stream ?? req).destroy(), LINGER_MS);
  req.once("close", () => clearTimeout(timer));
  req.resume();
}

function writeReply(res: NodeResponse, reply: WebhookReply): void {
  if (res.headersSent) return;
  res.statusCode = reply.status;
  for (const [name, value] of Object.entries(reply.headers)) res.setHeader(name, value);
  res.end(reply.body);
}
