/** The adapter for servers of the Fetch standard: Hono, Next.js, Bun, Deno, Workers. */
import { optionError } from "../shared/messages.js";
import type { HandleRequest, HeadersObject, WebhookReply } from "./http.js";

/** A `Request`, typed by structure so that the declarations need neither DOM nor Node types. */
export interface FetchRequest {
  /** The HTTP method. */
  readonly method: string;
  /** The full URL. */
  readonly url: string;
  /** The `Headers` of the request. */
  readonly headers: HeadersObject;
  /** A `ReadableStream` of bytes, or `null`. */
  readonly body?: unknown;
  /** Whether the body was already read. The webhook then refuses a POST with `missing-body`. */
  readonly bodyUsed?: boolean;
}

/** The platform's `Response`, or, if its types are not installed, the members that it has on every runtime. */
export type FetchResponse = typeof globalThis extends { Response: { prototype: infer Type } }
  ? Type
  : { readonly status: number; text(): Promise<string> };

export function createFetch(handle: (request: HandleRequest) => Promise<WebhookReply>) {
  return async (request: FetchRequest): Promise<FetchResponse> => {
    checkFetchRequest(request);
    const { method, url, headers, bodyUsed } = request;
    const reply = await handle({ method, url, headers, body: bodyUsed ? undefined : request.body });
    const pairs = Object.entries(reply.headers).flatMap(([name, value]) =>
      [value].flat().map((each): [string, string] => [name, each]),
    );
    // The Fetch standard forbids a body for a 304, even an empty one.
    return new Response(reply.body || null, { status: reply.status, headers: pairs });
  };
}

/** Throws a TypeError for the context of a framework, or the request of Node. */
function checkFetchRequest(request: Partial<FetchRequest> | null | undefined): void {
  if (typeof request?.url === "string" && typeof request.headers?.forEach === "function") return;
  throw optionError("request", "a Request (Hono: c.req.raw; for Node's req, call webhook.node)", request, true);
}
