/** The types of a request and a reply, the same for every server, and the normalization of a request. */
import { isPromise, optionError } from "../shared/messages.js";
import { emptyRecord } from "../shared/objects.js";
import { RefusedError } from "./refusal.js";

/** A `URLSearchParams`, typed by structure so that the declarations need neither DOM nor Node types. */
export interface QueryParams extends Iterable<[name: string, value: string]> {
  /** The first value of a name, or `null`. */
  get(name: string): string | null;
  /** All values of a name, in order. */
  getAll(name: string): string[];
  /** Whether the query has the name. */
  has(name: string): boolean;
  /** The query, encoded as a form. */
  toString(): string;
}

/** The HTTP request that your handlers receive. */
export interface WebhookRequest {
  /** `GET`, `HEAD` or `POST`; for `onRefused` any method. In upper case. */
  readonly method: string;
  /** The URL as the server received it: path and query, or the full URL. */
  readonly url: string;
  /** The path of the URL, without query and fragment, the same for every server. Percent-encoded as received. */
  readonly path: string;
  /** The parameters in the URL, which a POST can have in addition to its body. Parsed on each access. */
  readonly query: QueryParams;
  /** The headers by lower-case name, without a prototype. Repeated values are joined by `, ` (cookies: `; `). */
  readonly headers: Readonly<Record<string, string>>;
}

/** A `Headers` object, typed by structure so that the declarations need neither DOM nor Node types. */
export interface HeadersObject {
  /** Calls a function with the value and the name of each header. */
  forEach(callback: (value: string, name: string) => void): void;
}

/** The request that `handle` takes. */
export interface HandleRequest {
  /** The HTTP method, in upper or lower case. */
  readonly method: string;
  /** Path and query as the client sent them, including a prefix that a router removes, or the full URL. */
  readonly url: string;
  /** `IncomingMessage.headers`, a `Headers` object, or a record. A value of `null` or `undefined` is absent. */
  readonly headers: HeaderRecord | HeadersObject;
  /**
   * The body: text, bytes (an `ArrayBuffer` or any view), a stream of bytes (any `AsyncIterable`, such as Node's or the
   * web's), or the result of a body parser (an object, `FormData`). A promise of one of these is awaited.
   */
  readonly body?: unknown;
}

/** Headers of a reply by name. An array sends the header several times, such as `Set-Cookie`. */
export type ReplyHeaders = Readonly<Record<string, string | readonly string[]>>;

/** The reply that `handle` returns, to be sent unchanged. */
export interface WebhookReply {
  /** HTTP status: 200, 304, or that of a refusal. */
  readonly status: number;
  /** The headers by lower-case name. Send an array as several headers of the same name. */
  readonly headers: Record<string, string | string[]>;
  /** The TwiML document, or the reason of a refusal. Empty for HEAD and for status 304. */
  readonly body: string;
}

/**
 * Returns a frozen request with the method in upper case and the headers by lower-case name. Throws a TypeError for an
 * invalid request, which is a mistake of the program: no client can cause it.
 */
export function normalizeRequest(request: HandleRequest): WebhookRequest {
  if (Object(request) !== request) throw optionError("request", "{ method, url, headers, body }", request, true);
  const { method, url, headers } = request;
  for (const [name, value] of Object.entries({ method, url })) {
    if (typeof value !== "string") throw optionError(name, "a string", value);
  }
  if (Object(headers) !== headers || Array.isArray(headers) || isPromise(headers)) {
    throw optionError("headers", "a Headers object or a record", headers, true);
  }
  return Object.freeze(new NormalizedRequest(method.toUpperCase(), url, Object.freeze(normalizeHeaders(headers))));
}

/** A class, so that `path` and `query` are parsed lazily: freezing an object with an own getter is slow. */
class NormalizedRequest implements WebhookRequest {
  constructor(
    readonly method: string,
    readonly url: string,
    readonly headers: WebhookRequest["headers"],
  ) {}

  get path(): string {
    return REQUEST_URL.exec(this.url)![3] || "/";
  }

  get query(): QueryParams {
    return new URLSearchParams(getQuery(this.url));
  }
}

/**
 * Groups: the origin, its host, the path, the query with its `?`, and the fragment with its `#`. A relative URL has no
 * origin. Providers never sign parameters in a fragment.
 */
export const REQUEST_URL = /^(https?:\/\/([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?/is;

/** The query of a URL, with its `?`. */
export function getQuery(url: string): string {
  return REQUEST_URL.exec(url)![4] ?? "";
}

function normalizeHeaders(headers: HandleRequest["headers"]): Record<string, string> {
  const named = emptyRecord<string>();
  if (typeof headers.forEach === "function") headers.forEach((value, name) => addHeader(named, name, value));
  else for (const name of Object.keys(headers)) addHeader(named, name, (headers as HeaderRecord)[name]);
  return named;
}

type HeaderValue = string | readonly string[] | null | undefined;
type HeaderRecord = Readonly<Record<string, HeaderValue>>;

function addHeader(named: Record<string, string>, name: string, value: HeaderValue): void {
  if (value === undefined || value === null) return;
  const key = name.toLowerCase();
  const separator = key === "cookie" ? "; " : ", ";
  const text = typeof value === "string" ? value : [value].flat().join(separator);
  named[key] = named[key] === undefined ? text : named[key] + separator + text;
}

/** Refuses methods that providers do not use. */
export function requireMethod({ method }: WebhookRequest): void {
  if (method === "POST" || method === "GET" || method === "HEAD") return;
  throw new RefusedError({ reason: "method-not-allowed" });
}
