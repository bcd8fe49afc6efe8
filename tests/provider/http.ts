// The provider as an HTTP client: signs, keeps cookies, follows redirects, revalidates what it cached.
import { CookieJar } from "./cookies.js";
import type { ErrorCode } from "./document.js";
import { SIGNATURE_HEADER } from "./sign.js";
import type { Flavor, Signer } from "./sign.js";
import type { Transport, TransportResponse } from "./transport.js";

export const MAX_REDIRECTS = 3;

export type Method = "GET" | "POST";

export interface FilePart {
  name: string;
  filename: string;
  type: string;
  bytes: Uint8Array<ArrayBuffer>;
}

export interface Exchange {
  purpose: "incoming" | "fallback" | "action" | "request";
  /** 1, and 2 or 3 for the retries of a callback. */
  attempt: number;
  request: {
    method: Method;
    /** As it went on the wire: no credentials, no fragment. */
    url: string;
    headers: Headers;
    /** The text parameters, wherever they travelled: query, form or multipart. */
    params: URLSearchParams;
    body?: Uint8Array<ArrayBuffer>;
  };
  /** Absent when none came: no connection, or not in time. */
  response?: TransportResponse & { body: string };
  redirectedFrom?: string;
  /** The answer was 304; `response` holds the cached document. */
  fromCache?: true;
  errorCode?: ErrorCode;
  error?: string;
}

/** One request to make. The parameters of a GET are already in the URL. */
export interface Outgoing {
  method: Method;
  url: URL;
  params: URLSearchParams;
  /** Given, even empty: the POST is multipart/form-data. */
  files?: readonly FilePart[];
  headers?: Record<string, string>;
}

export type Label = Pick<Exchange, "purpose" | "attempt" | "redirectedFrom">;

export interface ClientOptions {
  flavor: Flavor;
  authToken: string;
  sign: Signer;
  signedUrl: (url: string) => string;
  transport: Transport;
  timeoutMs: number;
  now: () => number;
}

export function outgoing(method: Method, url: string, params: URLSearchParams): Outgoing {
  const target = new URL(url);
  if (method === "GET") appendQuery(target, params);
  return { method, url: target, params };
}

export class Client {
  #options: ClientOptions;
  #jar: CookieJar;
  #cache = new Map<string, TransportResponse>();

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#jar = new CookieJar(options.now);
  }

  /** Sends a request and follows redirects; every hop is signed for its own URL. */
  async follow(
    first: Outgoing,
    label: Label,
    pair: string,
  ): Promise<{ exchanges: Exchange[]; last: Exchange; url: URL }> {
    const exchanges: Exchange[] = [];
    let request = first;
    let redirectedFrom: string | undefined;
    for (;;) {
      const last = await this.#hop(request, redirectedFrom === undefined ? label : { ...label, redirectedFrom }, pair);
      exchanges.push(last);
      const next = last.response && redirected(request, last.response);
      if (next && exchanges.length > MAX_REDIRECTS) last.errorCode = 11215;
      if (!next || last.errorCode) return { exchanges, last, url: request.url };
      redirectedFrom = last.request.url;
      request = next;
    }
  }

  /** One signed request and its answer as it comes: no cookie, no cache, no redirect. */
  async once(request: Outgoing, label: Label): Promise<Exchange> {
    return this.send(await this.#prepare(request), label);
  }

  async send(request: Exchange["request"], label: Label): Promise<Exchange> {
    const { transport, timeoutMs } = this.#options;
    try {
      const response = await transport({ ...request, timeoutMs });
      return { ...label, request, response: withText(response) };
    } catch (error) {
      return { ...label, request, errorCode: 11200, error: String(error) };
    }
  }

  async #hop(outgoing: Outgoing, label: Label, pair: string): Promise<Exchange> {
    const request = await this.#prepare(outgoing);
    const cookies = this.#jar.header(pair, outgoing.url);
    if (cookies) request.headers.set("cookie", cookies);
    // A POST is never cached (protocol section 4).
    const cached = request.method === "GET" ? this.#cache.get(request.url) : undefined;
    const etag = cached?.headers.get("etag");
    const modified = cached?.headers.get("last-modified");
    if (etag) request.headers.set("if-none-match", etag);
    if (modified) request.headers.set("if-modified-since", modified);

    const exchange = await this.send(request, label);
    const { response } = exchange;
    if (!response) return exchange;
    this.#jar.store(pair, outgoing.url, response.headers.getSetCookie());
    if (response.status === 304 && cached) {
      const headers = new Headers(cached.headers);
      response.headers.forEach((value, name) => headers.set(name, value));
      const document = withText({ ...cached, status: 304, headers });
      return { ...exchange, response: document, fromCache: true };
    }
    if (request.method === "GET" && response.status === 200) this.#remember(request.url, response);
    return exchange;
  }

  #remember(url: string, response: TransportResponse): void {
    const { headers } = response;
    const storable = !/\bno-store\b/i.test(headers.get("cache-control") ?? "") && !response.tooLarge;
    if (storable && (headers.has("etag") || headers.has("last-modified"))) this.#cache.set(url, response);
    else this.#cache.delete(url);
  }

  async #prepare({ method, url, params, files, headers }: Outgoing): Promise<Exchange["request"]> {
    const { flavor, authToken, sign, signedUrl } = this.#options;
    const wire = new URL(url);
    wire.hash = wire.username = wire.password = "";
    const signature = sign({ authToken, url: signedUrl(url.href), ...(method === "POST" ? { params } : {}) });
    const fields = new Headers({ accept: "text/xml, application/xml, */*", [SIGNATURE_HEADER[flavor]]: signature });
    if (url.username || url.password) {
      const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
      fields.set("authorization", `Basic ${Buffer.from(credentials).toString("base64")}`);
    }
    const request: Exchange["request"] = { method, url: wire.href, headers: fields, params };
    if (method === "POST") {
      const form = new Response(files ? multipart(params, files) : params);
      fields.set("content-type", form.headers.get("content-type") ?? "");
      request.body = new Uint8Array(await form.arrayBuffer());
    }
    // Last, so that a test can forge any of them.
    for (const [name, value] of Object.entries(headers ?? {})) fields.set(name, value);
    return request;
  }
}

/** The request that a redirect asks for; undefined when the answer is no redirect that can be followed. */
function redirected(request: Outgoing, { status, headers }: TransportResponse): Outgoing | undefined {
  const location = headers.get("location");
  if (![301, 302, 303, 307, 308].includes(status) || location === null) return undefined;
  if (!URL.canParse(location, request.url.href)) return undefined;
  const url = new URL(location, request.url);
  if (!/^https?:$/.test(url.protocol)) return undefined;
  if (request.method === "GET" || status === 307 || status === 308) return { ...request, url };
  // 301, 302 and 303 turn a POST into a GET: the parameters move into the query, files are lost.
  const { files: _lost, ...rest } = request;
  appendQuery(url, request.params);
  return { ...rest, method: "GET", url };
}

/** Leaves the URL's own query as it was written. */
function appendQuery(url: URL, params: URLSearchParams): void {
  url.search = [url.search.slice(1), params.toString()].filter(Boolean).join("&");
}

function multipart(params: URLSearchParams, files: readonly FilePart[]): FormData {
  const form = new FormData();
  for (const [name, value] of params) form.append(name, value);
  for (const { name, filename, type, bytes } of files) form.append(name, new Blob([bytes], { type }), filename);
  return form;
}

function withText(response: TransportResponse): TransportResponse & { body: string } {
  return { ...response, body: new TextDecoder().decode(response.bytes) };
}
