/** `fetchMedia`: gets the pages of a fax from the callback itself or from its `mediaUrl`. */
import { FaxMediaError } from "../shared/errors.js";
import { checkFunction, checkInteger, formatValue, hintFor, optionError } from "../shared/messages.js";
import { checkOptionNames } from "../shared/objects.js";
import { isSid, SID_FORMAT } from "../shared/values.js";
import type { FaxMedia } from "../params/received-params.js";
import type { FaxCallback } from "../params/fax.js";
import type { Bytes } from "./bytes.js";
import {
  downloadMedia,
  type DownloadSettings,
  type MediaFetchInit,
  type MediaFetchResponse,
  mediaTooLargeError,
  toUrl,
} from "./download.js";

/**
 * Options of {@link fetchMedia}. Only own properties are read.
 * @example const options: FaxMediaOptions = { headers: { authorization: "Bearer …" }, maxBytes: 8 * 1024 * 1024 };
 */
export interface FaxMediaOptions {
  /**
   * Hosts that `mediaUrl` may be on, and that get `headers`. Compared exactly; a port other than the default is part of
   * the host (`"media.example.com:8443"`). A listed loopback host may use plain http, for local development. Put hosts
   * that pages are only redirected to in `redirectHosts`. Default: `["files.signalwire.com"]`.
   */
  readonly hosts?: readonly string[] | undefined;
  /**
   * Further hosts that redirects may lead to, such as those of the provider's storage. They never get `headers`, and
   * `mediaUrl` itself cannot be on one of them. Default: none.
   */
  readonly redirectHosts?: readonly string[] | undefined;
  /**
   * Request headers, for protected pages: `authorization` with HTTP Basic or Bearer. Sent to the origin of `mediaUrl`,
   * which can be on any of `hosts`, and not sent again once a redirect leads to another origin. Default: none.
   */
  readonly headers?: Readonly<Record<string, string>> | Iterable<readonly [name: string, value: string]> | undefined;
  /** Maximum bytes of the pages, counted after decompression. They are held in memory. Default: 33,554,432 (32 MiB). */
  readonly maxBytes?: number | undefined;
  /** Maximum milliseconds for all requests, waits and reading; at most 2,147,483,647. Default: 30,000. */
  readonly timeoutMs?: number | undefined;
  /**
   * Maximum number of further tries within `timeoutMs`, after 1, 2, 4, … seconds or the time in `Retry-After`, because
   * the callback can be sent before the pages are available. The statuses 404, 408, 425, 429 and 5xx and network errors
   * are tried again, and nothing else is. Default: 3.
   */
  readonly retries?: number | undefined;
  /** Replaces the platform's `fetch`, for a proxy or a test. Must respect `redirect` and `signal`. */
  readonly fetch?: ((url: string, init: MediaFetchInit) => Promise<MediaFetchResponse>) | undefined;
}

/**
 * The pages of a fax: a `Blob` with a name, which is also a `FaxMedia`.
 * @example form.append("file", pages, pages.name);
 * @see https://www.w3.org/TR/FileAPI/
 */
export type FaxPages = FaxMedia & {
  /** `<faxSid>.pdf` or `<faxSid>.tiff`. Safe as a file name: the sender cannot choose any of it. */
  readonly name: string;
  /** Detected from the first bytes. The server's Content-Type is ignored. */
  readonly type: "application/pdf" | "image/tiff";
} & (typeof globalThis extends { Blob: { prototype: infer Type } } ? Type : unknown);

/**
 * Returns the pages of a received fax: those in the callback (`storeMedia: false`), or those at its `mediaUrl`.
 *
 * The URL is untrusted, even in a signed request. It is fetched only by https and only from `hosts`. At most three
 * redirects are followed, only to `hosts` and `redirectHosts`. At most `maxBytes` are read, and only PDF or TIFF is
 * returned. Pages that are late are tried again.
 *
 * A provider waits only seconds for the response to a callback. A handler that takes longer still completes, and
 * `deduplicate` lets a repeated callback wait for it.
 *
 * @param callback the value from `parseFaxCallback` or `onCallback`; `faxSid`, `media` and `mediaUrl` are read
 * @returns the pages as a `Blob` with `type` and `name`
 * @throws {FaxMediaError} with a `code`: `no-media`, `host-not-allowed`, `http-status`, `too-large`, `timeout`,
 * `not-a-fax`, `network`
 * @throws {TypeError} for invalid options, and if `callback` is not a callback
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
  const bytes = await limitTime(settings.timeoutMs, (signal) => getBytes(callback, settings, signal));
  const type = requirePagesType(bytes);
  return new File([bytes], `${faxSid}.${EXTENSIONS[type]}`, { type }) as File & FaxPages;
}

const OPTION_NAMES = [
  "hosts",
  "redirectHosts",
  "headers",
  "maxBytes",
  "timeoutMs",
  "retries",
  "fetch",
] satisfies (keyof FaxMediaOptions)[];

/** Timers have 32 bits, and a longer delay fires immediately. https://html.spec.whatwg.org/#timers */
const LONGEST_DELAY = 2 ** 31 - 1;

/** Checks the options and fills in the defaults. Throws a TypeError for invalid options. */
function checkMediaOptions(options: FaxMediaOptions): DownloadSettings {
  const own: FaxMediaOptions = checkOptionNames("fetchMedia", options, OPTION_NAMES);
  const { hosts = ["files.signalwire.com"], headers = {}, maxBytes = 32 * 1024 * 1024, timeoutMs = 30_000 } = own;
  const { redirectHosts = [], retries = 3, fetch = globalThis.fetch } = own;
  checkInteger("maxBytes", maxBytes, 1);
  checkInteger("timeoutMs", timeoutMs, 1, LONGEST_DELAY);
  checkInteger("retries", retries, 0);
  checkFunction("fetch", fetch);
  const allowed = {
    hosts: checkHosts("hosts", hosts, 1),
    redirectHosts: checkHosts("redirectHosts", redirectHosts, 0),
  };
  return { ...allowed, headers: checkRequestHeaders(headers), maxBytes, timeoutMs, retries, fetch };
}

function checkHosts(option: string, hosts: unknown, minimum: number): string[] {
  if (Array.isArray(hosts) && hosts.length >= minimum) {
    return hosts.map((host, index) => checkHost(`${option}[${index}]`, host));
  }
  throw optionError(option, minimum > 0 ? "an array of at least one host" : "an array of hosts", hosts);
}

/** Returns a host in the form of `URL.host`: lower case, punycode, without the default port. */
function checkHost(name: string, host: unknown): string {
  // Excludes path, query and user. "*" is valid in a URL's host, but would match no host.
  const isBare = typeof host === "string" && /^[^\s/\\?#@*]+$/.test(host);
  const url = isBare && toUrl(`https://${host}`);
  if (url) return url.host;
  const expected = 'a host such as "files.signalwire.com", without scheme, path or wildcard';
  throw optionError(name, expected, host);
}

/** Returns the headers by lower-case name. Errors contain no name, value or cause, because each can be a secret. */
function checkRequestHeaders(headers: NonNullable<FaxMediaOptions["headers"]>): Record<string, string> {
  if (typeof headers !== "object" || headers === null) {
    throw optionError("headers", "an object or an iterable of pairs", headers, true);
  }
  const sent = new Headers();
  for (const pair of Symbol.iterator in headers ? headers : Object.entries(headers)) {
    if (!Array.isArray(pair)) throw optionError("Each item of headers", "a pair", pair, true);
    const [name, value] = pair as [string, string];
    if (typeof value !== "string") throw optionError("The value of a header in headers", "a string", value, true);
    try {
      sent.append(name, value);
    } catch {
      const problem = "A header in headers has an invalid name or value.";
      throw new TypeError(`${problem} Look for line breaks, spaces in the name and characters that are not ASCII.`);
    }
  }
  return Object.fromEntries(sent);
}

/** Checks the SID again, because the callback may not be from our parser and the file is named after it. */
function checkFaxSid(callback: Pick<FaxCallback, "faxSid">): string {
  const faxSid: unknown = callback?.faxSid;
  if (isSid(faxSid)) return faxSid;
  const problem = `fetchMedia expects a callback whose faxSid is ${SID_FORMAT}, but received ${formatValue(faxSid)}.`;
  throw new TypeError(`${problem} Pass the value from parseFaxCallback or onCallback.${hintFor(callback)}`);
}

/** Runs `work` with a time limit, which applies even if the `fetch` option ignores the signal. */
async function limitTime<Result>(timeoutMs: number, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `The pages were not complete after ${timeoutMs} ms. Try again later, or raise timeoutMs.`;
      const error = new FaxMediaError("timeout", message);
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

async function getBytes(
  { media, mediaUrl }: Pick<FaxCallback, "media" | "mediaUrl">,
  settings: DownloadSettings,
  signal: AbortSignal,
): Promise<Bytes> {
  // After a round trip through JSON, `media` is an object without bytes.
  if (typeof media?.arrayBuffer === "function") return readCallbackMedia(media, settings.maxBytes);
  if (mediaUrl) return downloadMedia(mediaUrl, settings, signal);
  const message = 'The callback has neither pages nor a mediaUrl. Call fetchMedia only if faxStatus is "received".';
  throw new FaxMediaError("no-media", message);
}

async function readCallbackMedia(media: FaxMedia, maxBytes: number): Promise<Bytes> {
  if (media.size > maxBytes) throw mediaTooLargeError(maxBytes, `the callback contains ${media.size} bytes`);
  const buffer = await media.arrayBuffer().catch((cause: unknown) => {
    const message = "The pages in the callback could not be read; see `cause`. Ask the sender to send them again.";
    throw new FaxMediaError("no-media", message, { cause });
  });
  const bytes = new Uint8Array(buffer);
  // The `size` of an object that is not a real Blob is only a claim.
  if (bytes.length > maxBytes) throw mediaTooLargeError(maxBytes, `the callback contains ${bytes.length} bytes`);
  return bytes;
}

const EXTENSIONS = { "application/pdf": "pdf", "image/tiff": "tiff" } as const;

/** TIFF (TIFF 6.0, section 2) and BigTIFF (https://www.awaresystems.be/imaging/tiff/bigtiff.html), both byte orders. */
const TIFF_SIGNATURES = ["II*\0", "MM\0*", "II+\0", "MM\0+"];

/**
 * A PDF after the byte order mark and the line breaks that some writers and servers add. Viewers search 1024 bytes for
 * "%PDF-", which would accept an HTML page that mentions it.
 */
const PDF_START = /^(?:\xef\xbb\xbf)?[\t\n\f\r ]{0,12}%PDF-/;

/** Detects the type by the first bytes. */
export function detectPagesType(bytes: Uint8Array): FaxPages["type"] | undefined {
  const start = firstCharacters(bytes);
  if (PDF_START.test(start)) return "application/pdf";
  return TIFF_SIGNATURES.some((signature) => start.startsWith(signature)) ? "image/tiff" : undefined;
}

function firstCharacters(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, 20));
}

function requirePagesType(bytes: Uint8Array): FaxPages["type"] {
  const type = detectPagesType(bytes);
  if (type !== undefined) return type;
  const start = bytes.length === 0 ? "" : ` that begin with ${formatValue(firstCharacters(bytes))}`;
  const problem = `Expected a PDF or TIFF, but received ${bytes.length} bytes${start}.`;
  throw new FaxMediaError("not-a-fax", `${problem} If they are from mediaUrl, open it in a browser to see why.`);
}
