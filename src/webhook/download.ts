/** One GET that is safe from server-side request forgery: https, listed hosts, checked redirects, limited bytes. */
import { FaxMediaError } from "../shared/errors.js";
import { type Bytes, readBytes } from "./bytes.js";

/** The options of `fetchMedia`'s `fetch`. Structural, so that the declarations need neither DOM nor Node types. */
export interface MediaFetchInit {
  readonly method: "GET";
  /** By lower-case name. */
  readonly headers: Record<string, string>;
  /** A redirect must be returned as the response, because its target is checked before anything is sent there. */
  readonly redirect: "manual";
  /** Aborted after `timeoutMs`. */
  readonly signal: typeof globalThis extends { AbortSignal: { prototype: infer Type } }
    ? Type
    : { readonly aborted: boolean };
}

/** The properties of a `Response` that `fetchMedia` reads. */
export interface MediaFetchResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  /** A `ReadableStream` or another `AsyncIterable` of bytes, or `null`. */
  readonly body: unknown;
  readonly redirected?: boolean;
}

/** Checked options of a download. */
export interface DownloadSettings {
  /** As `URL.host` has them. */
  readonly hosts: readonly string[];
  /** By lower-case name. Sent only to the origin of the first URL. */
  readonly headers: Readonly<Record<string, string>>;
  readonly maxBytes: number;
  readonly fetch: (url: string, init: MediaFetchInit) => Promise<MediaFetchResponse>;
}

const MAX_REDIRECTS = 3;

/** https://fetch.spec.whatwg.org/#redirect-status */
const REDIRECT_STATUSES = [301, 302, 303, 307, 308];

/** The bytes at a URL. Throws a FaxMediaError. */
export async function downloadMedia(mediaUrl: string, settings: DownloadSettings, signal: AbortSignal): Promise<Bytes> {
  // Destructured because workerd's fetch throws when called as a method.
  const { fetch, hosts, maxBytes } = settings;
  let url = checkMediaUrl(mediaUrl, hosts);
  let headers = settings.headers;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await fetchOnce(fetch, url, headers, signal);
    if (response.status === 200) return readResponse(response, url.host, maxBytes, signal);
    cancelBody(response);
    const isRedirect = REDIRECT_STATUSES.includes(response.status);
    const location = isRedirect ? response.headers.get("location") : null;
    if (location === null) throw httpStatusError(response.status, url.host);
    const target = checkMediaUrl(location, hosts, url);
    // Not sent again, even if a redirect leads back: the other origin chose what the credentials would open there. An
    // origin is scheme, host and port, as in the Fetch standard (https://fetch.spec.whatwg.org/#http-redirect-fetch).
    if (target.origin !== url.origin) headers = {};
    url = target;
  }
  throw new FaxMediaError(
    "http-status",
    `Look at mediaUrl in a browser: after ${MAX_REDIRECTS} redirects came another one, to ${url.host}.`,
  );
}

/** Returns the URL if it may be fetched. Checks what is fetched: the result of the WHATWG parser, not the text. */
function checkMediaUrl(text: string, hosts: readonly string[], from?: URL): URL {
  const source = from ? `the redirect from ${from.host}` : "mediaUrl";
  if (!URL.canParse(text, from?.href)) throw hostNotAllowedError(`Ask the provider: ${source} is not a URL.`);
  const url = new URL(text, from?.href);
  const shown = `${source} is ${url.host}`;
  if (url.username || url.password) {
    throw hostNotAllowedError(`Give user name and password as headers: in URLs they are not allowed; ${shown}.`);
  }
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname))) {
    const origin = `${url.protocol}//${url.host}`;
    throw hostNotAllowedError(
      `Only https is fetched, or http from a loopback host that is listed; ${source} is ${origin}.`,
    );
  }
  if (hosts.includes(url.host)) return url;
  throw hostNotAllowedError(
    `Add ${JSON.stringify(url.host)} to hosts only if you trust it: it is not listed; ${shown}.`,
  );
}

/** Whether a hostname is a loopback address. The URL parser has normalized "127.1" and "2130706433". RFC 6761, 6890. */
function isLoopback(hostname: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

function hostNotAllowedError(message: string): FaxMediaError {
  return new FaxMediaError("host-not-allowed", message);
}

/**
 * Makes the Content-Length that of the pages, which PDF and TIFF have compressed already. If a server compresses them
 * anyway, `fetch` decompresses them in most runtimes, and those bytes are counted. Node, Bun, Deno and workerd send
 * this header.
 */
const UNCOMPRESSED = { "accept-encoding": "identity" };

async function fetchOnce(
  fetch: DownloadSettings["fetch"],
  url: URL,
  headers: DownloadSettings["headers"],
  signal: AbortSignal,
): Promise<MediaFetchResponse> {
  // No other options: workerd throws for `credentials`, `cache` and `redirect: "error"`. With "manual" it returns the
  // redirect, as Node, Bun and Deno do. A browser returns status 0, which is refused.
  const init: MediaFetchInit = { method: "GET", headers: { ...headers, ...UNCOMPRESSED }, redirect: "manual", signal };
  let response: MediaFetchResponse;
  try {
    response = await fetch(url.href, init);
  } catch (cause) {
    throw toMediaError(cause, `Try again later: ${url.host} could not be reached.`);
  }
  if (!response.redirected) return response;
  cancelBody(response);
  throw hostNotAllowedError(`Give a fetch that heeds redirect: "manual": this one followed a redirect of ${url.host}.`);
}

/** Closes the connection, which an unread body keeps open. Ignores a body that is missing or cannot be canceled. */
function cancelBody({ body }: MediaFetchResponse): void {
  const cancel = async () => (body as { cancel(): Promise<void> }).cancel();
  cancel().catch(() => {});
}

function httpStatusError(status: number, host: string): FaxMediaError {
  return new FaxMediaError("http-status", `${statusHint(status)}: ${host} answered with status ${status}.`);
}

function statusHint(status: number): string {
  if (status === 401 || status === 403) {
    const credentials = `authorization: "Basic …" or "Bearer …", with the project's credentials`;
    return `Give headers (${credentials}), or check those that you gave`;
  }
  if (status === 404 || status === 410) return "Look the fax up by its SID: its pages are deleted or expired";
  return "Try again later";
}

async function readResponse(
  response: MediaFetchResponse,
  host: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Bytes> {
  const announced = Number(response.headers.get("content-length"));
  if (announced > maxBytes) {
    cancelBody(response);
    throw mediaTooLargeError(maxBytes, `${host} announces ${announced}`);
  }
  const cutShort = `Try again later: ${host} broke off before the last byte.`;
  const createTooLargeError = () => mediaTooLargeError(maxBytes, `${host} sends more`);
  const stream = (response.body ?? []) as AsyncIterable<Uint8Array>;
  const bytes = await readBytes(stream, maxBytes, createTooLargeError, signal).catch((cause: unknown) => {
    throw toMediaError(cause, cutShort);
  });
  // Every runtime's own fetch throws for this; a `fetch` option may not. The length of a compressed body says nothing.
  const isCompressed = response.headers.get("content-encoding") !== null;
  if (announced > bytes.length && !isCompressed) throw new FaxMediaError("network", cutShort);
  return bytes;
}

/** Our own errors (such as the timeout, which is the signal's reason) unchanged; any other as a `network` error. */
function toMediaError(cause: unknown, message: string): unknown {
  return cause instanceof FaxMediaError ? cause : new FaxMediaError("network", message, { cause });
}

/** The error for pages over `maxBytes`. */
export function mediaTooLargeError(maxBytes: number, problem: string): FaxMediaError {
  return new FaxMediaError("too-large", `Raise maxBytes (${maxBytes}) if pages can be that large: ${problem}.`);
}
