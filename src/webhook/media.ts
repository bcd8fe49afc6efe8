/** The pages of a fax: those that came with the callback, or those behind its `mediaUrl`, fetched without trust. */
import { formatValue, optionError } from "../shared/messages.js";
import { checkOptionNames } from "../shared/objects.js";
import { isSid, SID_FORMAT } from "../shared/values.js";
import { readBytes } from "./bytes.js";
import type { FaxMedia } from "../params/received-params.js";
import type { FaxCallback } from "../params/fax.js";

/**
 * Why a {@link FaxMediaError} was thrown. `no-media`: the callback has no pages; `host-not-allowed`: the URL, or the
 * target of a redirect, is not one of `hosts`; `http-status`: no 200 came; `too-large`: over `maxBytes`; `timeout`: not
 * there after `timeoutMs`; `not-a-fax`: neither PDF nor TIFF; `network`: no connection, or one that broke off.
 * @example MEDIA_ERROR_CODES.includes("timeout"); // true
 * @see https://owasp.org/www-community/attacks/Server_Side_Request_Forgery
 */
export const MEDIA_ERROR_CODES = [
  "no-media",
  "host-not-allowed",
  "http-status",
  "too-large",
  "timeout",
  "not-a-fax",
  "network",
] as const;

/** Why a {@link FaxMediaError} was thrown. */
export type FaxMediaErrorCode = (typeof MEDIA_ERROR_CODES)[number];

/**
 * The pages could not be had. `code` says why; the message says what to do first, and shows URLs without user name,
 * password, query and fragment. `cause` is what the platform threw, if anything; its words are the platform's and can
 * name the whole URL. Compare `name` or `code` rather than the class where an ESM and a CommonJS copy of this library
 * may meet.
 *
 * @example
 * const pages = await fetchMedia(callback).catch((error: unknown) => {
 *   if (!(error instanceof FaxMediaError)) throw error;
 *   console.error(callback.faxSid, error.code, error.message);
 * });
 * @see https://developer.mozilla.org/en-US/docs/Web/JavaScript/Reference/Global_Objects/Error/cause
 */
export class FaxMediaError extends Error {
  override readonly name = "FaxMediaError";
  constructor(
    readonly code: FaxMediaErrorCode,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
  }
}

/** What {@link fetchMedia} gives its `fetch` option; by structure, as the declarations need neither DOM nor Node. */
export interface MediaFetchInit {
  readonly method: "GET";
  /** By lower-case name. */
  readonly headers: Record<string, string>;
  /** A redirect must come back as the answer: its target has to be checked before anything is sent there. */
  readonly redirect: "manual";
  /** Aborted when the time is up. */
  readonly signal: typeof globalThis extends { AbortSignal: { prototype: infer Type } }
    ? Type
    : { readonly aborted: boolean };
}

/** The parts of a `Response` that are read. */
export interface MediaFetchResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  /** A `ReadableStream` or another `AsyncIterable` of bytes, or nothing. */
  readonly body: unknown;
  readonly redirected?: boolean;
}

/**
 * Options of {@link fetchMedia}, read as own properties.
 * @example const options: FaxMediaOptions = { headers: { authorization: "Bearer …" }, maxBytes: 8 * 1024 * 1024 };
 */
export interface FaxMediaOptions {
  /**
   * Hosts that pages may be fetched from, redirects included. Compared as a whole, never by its end; another port than
   * the usual one is part of it (`"media.example.com:8443"`). A loopback host that is listed may be plain http, to try
   * it at a desk. Default: `["files.signalwire.com"]`.
   */
  readonly hosts?: readonly string[] | undefined;
  /**
   * Headers for pages that are protected: `authorization` with HTTP Basic or Bearer. They go to the host of `mediaUrl`
   * (one of `hosts`), and no longer once a redirect has left it. Default: none.
   */
  readonly headers?: Readonly<Record<string, string>> | Iterable<readonly [name: string, value: string]> | undefined;
  /** Most bytes of the pages, which are held in memory; counted after decompression. Default: 33,554,432 (32 MiB). */
  readonly maxBytes?: number | undefined;
  /** Milliseconds for all of it, redirects and reading included; at most 2,147,483,647. Default: 30,000. */
  readonly timeoutMs?: number | undefined;
  /** In place of the platform's `fetch`, for a proxy or a test. Must heed `redirect` and `signal`. */
  readonly fetch?: ((url: string, init: MediaFetchInit) => Promise<MediaFetchResponse>) | undefined;
}

/**
 * The pages of a fax: a `Blob` of the platform, with a name. It is a `FaxMedia`.
 * @example form.append("file", pages, pages.name);
 * @see https://www.w3.org/TR/FileAPI/
 */
export type FaxPages = FaxMedia & {
  /** `<faxSid>.pdf` or `<faxSid>.tiff`: nothing that the sender chose, safe as a file's name. */
  readonly name: string;
  /** By the first bytes, whatever the server said. */
  readonly type: "application/pdf" | "image/tiff";
} & (typeof globalThis extends { Blob: { prototype: infer Type } } ? Type : unknown);

/**
 * The pages of a received fax: those that came with the callback (`storeMedia: false`), or those behind its `mediaUrl`.
 *
 * A URL comes from outside, even in a signed request. So it is fetched only by https, only from `hosts`, through at
 * most three redirects that are held to the same, into at most `maxBytes`; what is not PDF or TIFF is not returned.
 *
 * A provider waits only seconds for the answer to a callback: start this there, and answer without waiting for it.
 *
 * @param callback what `parseFaxCallback` returned and `onCallback` got; `faxSid`, `media` and `mediaUrl` are read
 * @returns the pages as a `Blob` with `type` and `name`
 * @throws {FaxMediaError} with a `code`: `no-media`, `host-not-allowed`, `http-status`, `too-large`, `timeout`,
 * `not-a-fax`, `network`
 * @throws {TypeError} for options that cannot work, and for what is not a callback
 * @example
 * const pages = await fetchMedia(callback, { headers: { authorization: `Bearer ${process.env.FAX_API_TOKEN}` } });
 * await writeFile(join("faxes", pages.name), new Uint8Array(await pages.arrayBuffer()));
 * @see https://developer.signalwire.com/compatibility-api/cxml/fax/receive
 * @see https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html
 */
export async function fetchMedia(
  callback: Pick<FaxCallback, "faxSid" | "media" | "mediaUrl">,
  options: FaxMediaOptions = {},
): Promise<FaxPages> {
  const settings = checkMediaOptions(options);
  const faxSid = checkFaxSid(callback);
  const bytes = await withinTime(settings.timeoutMs, (signal) => getBytes(callback, settings, signal));
  const type = requirePagesType(bytes);
  return new File([bytes], `${faxSid}.${EXTENSIONS[type]}`, { type }) as File & FaxPages;
}

/** The options with their defaults filled in. */
interface MediaSettings {
  /** As `URL.host` has them. */
  readonly hosts: readonly string[];
  /** By lower-case name. */
  readonly headers: Record<string, string>;
  readonly maxBytes: number;
  readonly timeoutMs: number;
  readonly fetch: NonNullable<FaxMediaOptions["fetch"]>;
}

const OPTION_NAMES = ["hosts", "headers", "maxBytes", "timeoutMs", "fetch"] satisfies (keyof FaxMediaOptions)[];

/** Longer delays end at once: timers have 32 bits (https://html.spec.whatwg.org/#timers). */
const LONGEST_DELAY = 2 ** 31 - 1;

/** The settings; throws a TypeError for options that cannot work. */
function checkMediaOptions(options: FaxMediaOptions): MediaSettings {
  const own: FaxMediaOptions = checkOptionNames("fetchMedia", options, OPTION_NAMES);
  const { hosts = ["files.signalwire.com"], headers = {}, maxBytes = 32 * 1024 * 1024, timeoutMs = 30_000 } = own;
  const { fetch = globalThis.fetch } = own;
  if (!Array.isArray(hosts) || hosts.length === 0) throw optionError("hosts", "an array with a host in it", hosts);
  if (!isPositiveInteger(maxBytes)) throw optionError("maxBytes", "a number of bytes", maxBytes);
  if (!isPositiveInteger(timeoutMs) || timeoutMs > LONGEST_DELAY) {
    throw optionError("timeoutMs", `a number of milliseconds, at most ${LONGEST_DELAY}`, timeoutMs);
  }
  if (typeof fetch !== "function") throw optionError("fetch", "a function", fetch);
  return { hosts: hosts.map(checkHost), headers: checkRequestHeaders(headers), maxBytes, timeoutMs, fetch };
}

function isPositiveInteger(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

/** A host as `URL.host` writes it: lower case, punycode, without the default port. */
function checkHost(host: unknown): string {
  // What could make a URL's path, query or user of it; "*" is allowed in a URL's host, and would never match one.
  const isBare = typeof host === "string" && /^[^\s/\\?#@*]+$/.test(host);
  if (isBare && URL.canParse(`https://${host}`)) return new URL(`https://${host}`).host;
  throw optionError("hosts", `names such as "files.signalwire.com", without scheme, path or wildcard`, host);
}

/** The headers by lower-case name. No message holds a value, and no cause: values are secrets. */
function checkRequestHeaders(headers: NonNullable<FaxMediaOptions["headers"]>): Record<string, string> {
  if (typeof headers !== "object" || headers === null) throw optionError("headers", "an object", headers);
  const pairs = (Symbol.iterator in headers ? [...headers] : Object.entries(headers)) as [string, string][];
  const sent = new Headers();
  for (const [name, value] of pairs) {
    if (typeof value !== "string") throw optionError(`headers[${formatValue(name)}]`, "text", value);
    try {
      sent.append(name, value);
    } catch {
      throw new TypeError(
        `headers[${formatValue(name)}] is not a header: look for line breaks and other odd characters.`,
      );
    }
  }
  return { ...Object.fromEntries(sent), ...UNCOMPRESSED };
}

/**
 * Asked for so that the announced length is that of the pages: PDF and TIFF are compressed as they are. A server that
 * compresses all the same is undone by `fetch` in most runtimes, and what comes out is counted. Node, Bun, Deno and
 * workerd let the header through.
 */
const UNCOMPRESSED = { "accept-encoding": "identity" };

/** Checked here once more, because a callback can have come from elsewhere, and a file is named by it. */
function checkFaxSid(callback: Pick<FaxCallback, "faxSid">): string {
  const faxSid: unknown = callback?.faxSid;
  if (isSid(faxSid)) return faxSid;
  const advice = "Pass fetchMedia what parseFaxCallback returned, or onCallback got";
  throw new TypeError(`${advice}: faxSid must be ${SID_FORMAT}, not ${formatValue(faxSid)}.`);
}

/** What `work` gives, or the error `timeout`, also when a `fetch` option does not heed the signal. */
async function withinTime<Result>(timeoutMs: number, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new FaxMediaError(
        "timeout",
        `Try again later, or raise timeoutMs: the pages were not there after ${timeoutMs} ms.`,
      );
      controller.abort(error);
      reject(error);
    }, timeoutMs);
  });
  try {
    return await Promise.race([work(controller.signal), expiry]);
  } finally {
    clearTimeout(timer);
  }
}

type Bytes = Uint8Array<ArrayBuffer>;

async function getBytes(
  { media, mediaUrl }: Pick<FaxCallback, "media" | "mediaUrl">,
  settings: MediaSettings,
  signal: AbortSignal,
): Promise<Bytes> {
  // A callback that was stored as JSON has an object without bytes in place of the pages.
  if (typeof media?.arrayBuffer === "function") return readDelivered(media, settings.maxBytes);
  if (mediaUrl) return download(mediaUrl, settings, signal);
  throw new FaxMediaError(
    "no-media",
    `Fetch pages only when faxStatus is "received": this callback has neither pages nor a mediaUrl.`,
  );
}

async function readDelivered(media: FaxMedia, maxBytes: number): Promise<Bytes> {
  const came = "came with the callback";
  if (media.size > maxBytes) throw mediaTooLargeError(maxBytes, `${media.size} ${came}`);
  const buffer = await media.arrayBuffer().catch((cause: unknown) => {
    throw new FaxMediaError("no-media", "Have the fax sent again: its pages came, but cannot be read.", { cause });
  });
  const bytes = new Uint8Array(buffer);
  // A size by structure is a claim.
  if (bytes.length > maxBytes) throw mediaTooLargeError(maxBytes, `${bytes.length} ${came}`);
  return bytes;
}

const MAX_REDIRECTS = 3;

/** https://fetch.spec.whatwg.org/#redirect-status */
const REDIRECT_STATUSES = [301, 302, 303, 307, 308];

async function download(mediaUrl: string, settings: MediaSettings, signal: AbortSignal): Promise<Bytes> {
  // Alone: called as a method of the settings, the platform's fetch throws in workerd.
  const { fetch, hosts, maxBytes } = settings;
  let url = checkMediaUrl(mediaUrl, hosts);
  let headers = settings.headers;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await fetchOnce(fetch, url, headers, signal);
    if (response.status === 200) return readResponse(response, url, maxBytes, signal);
    cancelBody(response);
    const isRedirect = REDIRECT_STATUSES.includes(response.status);
    const location = isRedirect ? response.headers.get("location") : null;
    if (location === null) throw httpStatusError(response.status, url);
    const target = checkMediaUrl(location, hosts, url);
    // Never again, also when a redirect leads back: the other host chose what the credentials would open there. As
    // the Fetch standard has it (https://fetch.spec.whatwg.org/#http-redirect-fetch): scheme, host and port count.
    if (target.origin !== url.origin) headers = UNCOMPRESSED;
    url = target;
  }
  throw new FaxMediaError(
    "http-status",
    `Look at mediaUrl in a browser: after ${MAX_REDIRECTS} redirects came another one, to ${formatMediaUrl(url)}.`,
  );
}

/** The URL, when it may be fetched. What the WHATWG parser makes of it is what is checked and fetched, not the text. */
function checkMediaUrl(text: string, hosts: readonly string[], from?: URL): URL {
  const source = from ? `the redirect from ${formatMediaUrl(from)}` : "mediaUrl";
  if (!URL.canParse(text, from?.href)) {
    throw hostNotAllowedError(`Ask the provider: ${source} is not a URL: ${formatValue(text.replace(/[?#].*/s, ""))}.`);
  }
  const url = new URL(text, from?.href);
  const shown = `${source} is ${formatMediaUrl(url)}`;
  if (url.username || url.password) {
    throw hostNotAllowedError(`Give user name and password as headers: in URLs they are not allowed; ${shown}.`);
  }
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname))) {
    throw hostNotAllowedError(`Only https is fetched, or http from a loopback host that is listed; ${shown}.`);
  }
  if (hosts.includes(url.host)) return url;
  throw hostNotAllowedError(
    `Add ${JSON.stringify(url.host)} to hosts only if you trust it: it is not listed; ${shown}.`,
  );
}

/** By the name alone, as the URL parser writes it: "127.1" and "2130706433" are 127.0.0.1 by now. RFC 6761, 6890. */
function isLoopback(hostname: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

function hostNotAllowedError(message: string): FaxMediaError {
  return new FaxMediaError("host-not-allowed", message);
}

/** Without user, password, query and fragment, where secrets stand; in ASCII, as the URL parser writes it. */
function formatMediaUrl({ protocol, host, pathname }: URL): string {
  // "blob:" and others have a whole URL, or anything, as their path.
  if (host === "") return `${protocol}…`;
  const path = pathname.length > 80 ? `${pathname.slice(0, 80)}…` : pathname;
  return `${protocol}//${host}${path}`;
}

async function fetchOnce(
  fetch: MediaSettings["fetch"],
  url: URL,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<MediaFetchResponse> {
  // Nothing more: workerd throws for `credentials`, `cache` and `redirect: "error"`. Its answer to a redirect is, like
  // Node's, Bun's and Deno's, the redirect itself; a browser's says nothing of it (status 0), and is refused.
  const init: MediaFetchInit = { method: "GET", headers: { ...headers }, redirect: "manual", signal };
  let response: MediaFetchResponse;
  try {
    response = await fetch(url.href, init);
  } catch (cause) {
    throw toMediaError(cause, `Try again later: ${formatMediaUrl(url)} could not be reached.`);
  }
  if (!response.redirected) return response;
  cancelBody(response);
  throw hostNotAllowedError(
    `Give a fetch that heeds redirect: "manual": this one followed a redirect of ${formatMediaUrl(url)}.`,
  );
}

/** Closes the connection, which an unread body would keep. A body that is not there or cannot be cancelled is fine. */
function cancelBody({ body }: MediaFetchResponse): void {
  const cancel = async () => (body as { cancel(): Promise<void> }).cancel();
  cancel().catch(() => {});
}

function httpStatusError(status: number, url: URL): FaxMediaError {
  return new FaxMediaError(
    "http-status",
    `${statusHint(status)}: ${formatMediaUrl(url)} answered with status ${status}.`,
  );
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
  url: URL,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Bytes> {
  const announced = Number(response.headers.get("content-length"));
  if (announced > maxBytes) {
    cancelBody(response);
    throw mediaTooLargeError(maxBytes, `${formatMediaUrl(url)} announces ${announced}`);
  }
  const body = (response.body ?? []) as AsyncIterable<Uint8Array>;
  const cutShort = `Try again later: ${formatMediaUrl(url)} broke off before the last byte.`;
  const createTooLargeError = () => mediaTooLargeError(maxBytes, `${formatMediaUrl(url)} sends more`);
  const bytes = await readBytes(body, maxBytes, createTooLargeError, signal).catch((cause: unknown) => {
    throw toMediaError(cause, cutShort);
  });
  // Every runtime's own fetch throws for this; a `fetch` option may not. Compressed, the length is another one.
  const isCompressed = response.headers.get("content-encoding") !== null;
  if (announced > bytes.length && !isCompressed) throw new FaxMediaError("network", cutShort);
  return bytes;
}

/** An error of ours as it is (the timeout's is what the signal aborts with); any other is the network's. */
function toMediaError(cause: unknown, message: string): unknown {
  return cause instanceof FaxMediaError ? cause : new FaxMediaError("network", message, { cause });
}

function mediaTooLargeError(maxBytes: number, problem: string): FaxMediaError {
  return new FaxMediaError("too-large", `Raise maxBytes (${maxBytes}) if pages can be that large: ${problem}.`);
}

const EXTENSIONS = { "application/pdf": "pdf", "image/tiff": "tiff" } as const;

/** Both byte orders: TIFF 6.0, section 2; and BigTIFF, https://www.awaresystems.be/imaging/tiff/bigtiff.html */
const TIFF_SIGNATURES = ["II*\0", "MM\0*", "II+\0", "MM\0+"];

/**
 * The type by the first bytes. At the very start, as https://mimesniff.spec.whatwg.org/ has it for PDF: the 1024 bytes
 * in which Acrobat looks for it would let an HTML page through that mentions it.
 */
export function detectPagesType(bytes: Uint8Array): FaxPages["type"] | undefined {
  const start = firstCharacters(bytes);
  if (start.startsWith("%PDF-")) return "application/pdf";
  return TIFF_SIGNATURES.some((signature) => start.startsWith(signature)) ? "image/tiff" : undefined;
}

function firstCharacters(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, 20));
}

function requirePagesType(bytes: Bytes): FaxPages["type"] {
  const type = detectPagesType(bytes);
  if (type !== undefined) return type;
  const start = firstCharacters(bytes);
  const problem = start === "" ? "nothing came" : `${bytes.length} bytes came that begin with ${formatValue(start)}`;
  throw new FaxMediaError("not-a-fax", `Look at mediaUrl in a browser: PDF or TIFF was expected, but ${problem}.`);
}
