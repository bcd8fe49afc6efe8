/** The parts of a request and of a reply, the same for every server. */
import { emptyRecord } from "../shared/objects.js";

/** A `URLSearchParams`, by structure, so that the declarations need neither DOM nor Node types. */
export interface QueryParams extends Iterable<[name: string, value: string]> {
  get(name: string): string | null;
  getAll(name: string): string[];
  has(name: string): boolean;
  toString(): string;
}

/** What the callbacks see of the HTTP request. */
export interface WebhookRequest {
  /** `GET`, `HEAD` or `POST`, but for refusals. */
  readonly method: string;
  /** As the server got it: path and query, or the whole URL. */
  readonly url: string;
  /** The parameters of the URL's query, which a POST may have beside its body; made anew each time it is read. */
  readonly query: QueryParams;
  /** By lower-case name, without a prototype; a repeated header's values are joined by `, ` (cookies: `; `). */
  readonly headers: Readonly<Record<string, string>>;
}

/** What `handle` takes. */
export interface HandleRequest {
  readonly method: string;
  /** Path and query as the client sent them (before a router cut a prefix off), or the whole URL. */
  readonly url: string;
  /** `IncomingMessage.headers`, a `Headers` object, or a record. */
  readonly headers:
    | Readonly<Record<string, string | readonly string[] | undefined>>
    | { forEach(callback: (value: string, name: string) => void): void };
  /**
   * The body: text, bytes (`Uint8Array`), a stream of them (any `AsyncIterable`, such as Node's or the web's), or what
   * a body parser made of it (an object, `FormData`).
   */
  readonly body?: unknown;
}

/** Headers of a reply, by name; several values for several `Set-Cookie`. */
export type ReplyHeaders = Readonly<Record<string, string | readonly string[]>>;

/** What `handle` gives back, to be written out as it is. */
export interface WebhookReply {
  readonly status: number;
  readonly headers: Record<string, string | string[]>;
  readonly body: string;
}

/** The request as the user's functions see it: the method in capitals, headers by lower-case name, frozen. */
export function normalizeRequest({ method, url, headers }: HandleRequest): WebhookRequest {
  return Object.freeze(new NormalizedRequest(method.toUpperCase(), url, Object.freeze(normalizeHeaders(headers))));
}

/** A class for its getter: nobody else pays for the query, and freezing an object's own getter is slow. */
class NormalizedRequest implements WebhookRequest {
  constructor(
    readonly method: string,
    readonly url: string,
    readonly headers: WebhookRequest["headers"],
  ) {}

  get query(): QueryParams {
    return new URLSearchParams(getQuery(this.url));
  }
}

/** The query of the very URL that is verified: what stands behind a "#" is signed by nobody. */
export function getQuery(url: string): string {
  const hash = url.indexOf("#");
  const start = url.indexOf("?");
  if (start < 0 || (hash >= 0 && hash < start)) return "";
  return hash < 0 ? url.slice(start) : url.slice(start, hash);
}

function normalizeHeaders(headers: HandleRequest["headers"]): Record<string, string> {
  const named = emptyRecord<string>();
  if (typeof headers.forEach === "function") headers.forEach((value, name) => addHeader(named, name, value));
  else for (const name of Object.keys(headers)) addHeader(named, name, (headers as HeaderRecord)[name]);
  return named;
}

type HeaderRecord = Readonly<Record<string, string | readonly string[] | undefined>>;

function addHeader(named: Record<string, string>, name: string, value: string | readonly string[] | undefined): void {
  if (value === undefined) return;
  const key = name.toLowerCase();
  const separator = key === "cookie" ? "; " : ", ";
  const text = typeof value === "string" ? value : value.join(separator);
  named[key] = named[key] === undefined ? text : named[key] + separator + text;
}
