/** A download protected against server-side request forgery: https, listed hosts, checked redirects, limited bytes. */
import { FaxMediaError } from "../shared/errors.js";
import { canParseUrl } from "../shared/values.js";
import { type Bytes, decodeUtf8, readBytes } from "./bytes.js";

/** The options that `fetchMedia` passes to `fetch`. Structural, so that the types need neither DOM nor Node types. */
export interface MediaFetchInit {
  /** Method of the request. */
  readonly method: "GET";
  /** By lower-case name. */
  readonly headers: Record<string, string>;
  /** `fetch` must return a redirect unfollowed, because its target is checked before anything is sent there. */
  readonly redirect: "manual";
  /** Aborted after `timeoutMs`. */
  readonly signal: typeof globalThis extends { AbortSignal: { prototype: infer Type } }
    ? Type
    : { readonly aborted: boolean };
}

/** The properties of a `Response` that `fetchMedia` reads. */
export interface MediaFetchResponse {
  /** HTTP status of the response. */
  readonly status: number;
  /** The `Headers` of the response. */
  readonly headers: {
    /** The value of a header by its name in any case, or `null`. */
    get(name: string): string | null;
  };
  /** A `ReadableStream` or another `AsyncIterable` of bytes, or `null`. */
  readonly body: unknown;
  /** Whether `fetch` followed a redirect, which is an error. */
  readonly redirected?: boolean;
}

/** Checked options of a download. */
export interface DownloadSettings {
  /** Hosts of the first URL and of redirects, in the form of `URL.host`. */
  readonly hosts: readonly string[];
  /** Further hosts of redirects. */
  readonly redirectHosts: readonly string[];
  /** By lower-case name. Sent only to the origin of the first URL. */
  readonly headers: Readonly<Record<string, string>>;
  readonly maxBytes: number;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly fetch: (url: string, init: MediaFetchInit) => Promise<MediaFetchResponse>;
}

const MAX_REDIRECTS = 3;

/** https://fetch.spec.whatwg.org/#redirect-status */
const REDIRECT_STATUSES = [301, 302, 303, 307, 308];

/**
 * Downloads the bytes at a URL, and tries again after 1, 2, 4, … seconds, because the callback can be sent before the
 * pages are available. Throws a FaxMediaError.
 */
export async function downloadMedia(mediaUrl: string, settings: DownloadSettings, signal: AbortSignal): Promise<Bytes> {
  const deadline = performance.now() + settings.timeoutMs;
  for (let retries = 0; ; retries++) {
    try {
      return await downloadOnce(mediaUrl, settings, signal);
    } catch (error) {
      if (retries === settings.retries || !isTransient(error)) throw error;
      const delayMs = retryDelays.get(error) ?? 1000 * 2 ** retries;
      // After this wait, the error would be a timeout, which says less.
      if (performance.now() + delayMs >= deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, delayMs));
    }
  }
}

/** Statuses other than 5xx after which a later request can succeed. */
const TRANSIENT_STATUSES = [404, 408, 425, 429];

function isTransient(error: unknown): error is FaxMediaError {
  if (!(error instanceof FaxMediaError)) return false;
  const { code, status = 0 } = error;
  return code === "network" || status >= 500 || TRANSIENT_STATUSES.includes(status);
}

/** Milliseconds of the Retry-After header with which a status was sent. */
const retryDelays = new WeakMap<FaxMediaError, number>();

/** Parses Retry-After: seconds, or a date (RFC 9110, section 10.2.3). Returns undefined for anything else. */
function parseRetryAfter(header: string | null): number | undefined {
  if (header !== null && /^\d+$/.test(header)) return Number(header) * 1000;
  const time = header?.endsWith(" GMT") ? Date.parse(header) : NaN;
  return Number.isNaN(time) ? undefined : Math.max(0, time - Date.now());
}

async function downloadOnce(mediaUrl: string, settings: DownloadSettings, signal: AbortSignal): Promise<Bytes> {
  // Destructured because workerd's fetch throws when called as a method.
  const { fetch, maxBytes } = settings;
  let url = checkMediaUrl(mediaUrl, settings);
  let headers = settings.headers;
  let status = 0;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await fetchOnce(fetch, url, headers, signal);
    if (response.status === 200) return readResponse(response, url.host, maxBytes, signal);
    cancelBody(response);
    const isRedirect = REDIRECT_STATUSES.includes(response.status);
    const location = isRedirect ? response.headers.get("location") : null;
    if (location === null) throw httpStatusError(response, url.host);
    const target = checkMediaUrl(decodeLocation(location), settings, url);
    // The headers are not sent again, even if a redirect leads back, because the other origin chose that URL. An origin
    // is scheme, host and port, as in the Fetch standard (https://fetch.spec.whatwg.org/#http-redirect-fetch).
    if (target.origin !== url.origin) headers = {};
    url = target;
    status = response.status;
  }
  const problem = `mediaUrl redirects more than ${MAX_REDIRECTS} times, the last time to ${url.host}.`;
  throw new FaxMediaError("http-status", `${problem} Open it in a browser to see why.`, { status });
}

/**
 * Returns the URL if it may be fetched; `from` is the URL that redirects to it. Checks the result of the WHATWG parser,
 * which is fetched, not the text.
 */
function checkMediaUrl(text: string, { hosts, redirectHosts }: DownloadSettings, from?: URL): URL {
  const source = from ? `The Location header of ${from.host}` : "mediaUrl";
  const url = toUrl(text, from?.href);
  if (url === undefined) throw hostNotAllowedError(`${source} is not a valid URL. Report this to the provider.`);
  if (url.username || url.password) {
    throw hostNotAllowedError(`${source} has a user name or password for ${url.host}. Pass them in headers instead.`);
  }
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname))) {
    // The scheme of `user:password@host` is the user name.
    const fact = url.host ? `has the origin ${url.protocol}//${url.host}` : "has no host";
    throw hostNotAllowedError(`${source} ${fact}. Use https, or http for a listed loopback host.`);
  }
  if (hosts.includes(url.host) || (from && redirectHosts.includes(url.host))) return url;
  const options = from ? "hosts or redirectHosts" : "hosts";
  const problem = `${source} has the host ${JSON.stringify(url.host)}, which is not in ${options}.`;
  throw hostNotAllowedError(`${problem} Add it only if you trust it.`);
}

/** Parses a URL. Returns `undefined` for an invalid one. */
export function toUrl(text: string, base?: string): URL | undefined {
  return canParseUrl(text, base) ? new URL(text, base) : undefined;
}

/**
 * Decodes a Location that is raw UTF-8, as browsers do: a header's text has one character for each byte. Keeps text
 * that is not UTF-8, or that `fetch` has decoded.
 */
function decodeLocation(header: string): string {
  const bytes = Buffer.from(header, "latin1");
  const isLatin1 = bytes.toString("latin1") === header;
  return (isLatin1 ? decodeUtf8(bytes) : undefined) ?? header;
}

/** Whether a host is a loopback host (RFC 6761, RFC 6890). The URL parser has normalized "127.1" and "2130706433". */
function isLoopback(hostname: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

function hostNotAllowedError(message: string): FaxMediaError {
  return new FaxMediaError("host-not-allowed", message);
}

/**
 * Requests the pages uncompressed, so that Content-Length is their size; PDF and TIFF are compressed already. If a
 * server compresses them anyway, most runtimes' `fetch` decompresses them, and the decompressed bytes are counted.
 * Node, Bun, Deno and workerd send this header.
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
    throw toMediaError(cause, `The request to ${url.host} failed; see \`cause\`. Try again later.`);
  }
  if (!response.redirected) return response;
  cancelBody(response);
  throw hostNotAllowedError(
    `The fetch option followed a redirect from ${url.host}. It must respect redirect: "manual".`,
  );
}

/** Closes the connection, which an unread body keeps open. Ignores a body that is missing or cannot be canceled. */
function cancelBody({ body }: MediaFetchResponse): void {
  const cancel = async () => (body as { cancel(): Promise<void> }).cancel();
  cancel().catch(() => {});
}

function httpStatusError({ status, headers }: MediaFetchResponse, host: string): FaxMediaError {
  const message = `${host} responded with status ${status}. ${statusHint(status)}`;
  const error = new FaxMediaError("http-status", message, { status });
  const delayMs = parseRetryAfter(headers.get("retry-after"));
  if (delayMs !== undefined) retryDelays.set(error, delayMs);
  return error;
}

function statusHint(status: number): string {
  if (status === 401 || status === 403) {
    return `Pass valid credentials in headers (authorization: "Basic …" or "Bearer …").`;
  }
  if (status === 410) return "The pages are deleted or expired. Look up the fax by its SID.";
  const cause = status === 404 ? "The pages may be late, deleted or expired. " : "";
  return `${cause}Try again later.`;
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
    throw mediaTooLargeError(maxBytes, `${host} announced ${announced} bytes`);
  }
  const incomplete = `The response of ${host} ended early. Try again later.`;
  const createTooLargeError = () => mediaTooLargeError(maxBytes, `${host} sent more`);
  const stream = (response.body ?? []) as AsyncIterable<Uint8Array>;
  const bytes = await readBytes(stream, maxBytes, createTooLargeError, signal).catch((cause: unknown) => {
    throw toMediaError(cause, incomplete);
  });
  // Built-in fetches throw here, a `fetch` option may not. The length of a compressed body is not that of the pages.
  const isCompressed = response.headers.get("content-encoding") !== null;
  if (announced > bytes.length && !isCompressed) throw new FaxMediaError("network", incomplete);
  return bytes;
}

/** Returns our own errors (such as the timeout, the signal's reason) unchanged, and others as a `network` error. */
function toMediaError(cause: unknown, message: string): unknown {
  return cause instanceof FaxMediaError ? cause : new FaxMediaError("network", message, { cause });
}

/** The error for pages over `maxBytes`. */
export function mediaTooLargeError(maxBytes: number, detail: string): FaxMediaError {
  const problem = `The pages exceed maxBytes (${maxBytes}): ${detail}`;
  return new FaxMediaError("too-large", `${problem}. Raise maxBytes if faxes can be that large.`);
}
