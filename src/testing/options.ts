/** What a test passes to the provider, checked: a mistake in it is an error, for such a test would prove nothing. */
import { didYouMean, foldName, formatValue, optionError } from "../shared/messages.js";
import { isPlainObject, checkOptionNames } from "../shared/objects.js";
import { isSid, SID_FORMAT } from "../shared/values.js";
import { detectPagesType } from "../webhook/media.js";
import type { FaxExchange } from "./http-client.js";
import { type Flavor, FLAVORS } from "./flavors.js";
import type { FileToSend } from "./request.js";

/** The `Request` of the platform's types; where there are none, what every runtime's has. */
export type ProviderRequest = typeof globalThis extends { Request: { prototype: infer Type } }
  ? Type
  : { readonly method: string; readonly url: string; text(): Promise<string> };

/** The parts of a `Response` that are read. */
export interface ProviderResponse {
  readonly status: number;
  readonly headers: { forEach(callback: (value: string, name: string) => void): void };
  text(): Promise<string>;
}

/** A server: the platform's `fetch`, or a handler in the same process. */
export type ProviderFetch = (request: ProviderRequest) => ProviderResponse | Promise<ProviderResponse>;

/** Options of `createFaxProvider`. */
export interface FaxProviderOptions {
  /** The URL that is configured at the number; may have a query, `user:password@`, and overrides behind a `#`. */
  readonly url: string;
  /** What signs the requests: the auth token or the signing key. */
  readonly authToken: string;
  /** Which provider is played. Default: `"signalwire"`. */
  readonly flavor?: Flavor | undefined;
  /** Default: one of the flavor's form. */
  readonly accountSid?: string | undefined;
  /**
   * Called with one `Request`: a handler in the same process, such as `webhook.fetch`; what it throws is the 500 of a
   * server. Default: real HTTP.
   */
  readonly fetch?: ProviderFetch | undefined;
  /** Milliseconds for a whole conversation. Default: 30,000; the flavor's own limit for one answer holds as well. */
  readonly timeoutMs?: number | undefined;
  /** The time of `Timestamp`. Default: now. */
  readonly now?: (() => Date) | undefined;
}

/** A fax to send; everything has a default. */
export interface FaxToSend {
  /** The caller's number; `""` for a caller who withholds it. Default: a number of a test. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** A PDF or TIFF. Default: one empty page, in the format that the answer asks for. */
  readonly pages?: Uint8Array | undefined;
  /** Where the pages stand, when the provider keeps them. Default: an address of the provider's. */
  readonly mediaUrl?: string | undefined;
  /** Whether the pages come through. Default: `"received"`. */
  readonly outcome?: "received" | "failed" | undefined;
  /** Method of the first request, as it is configured at a number. Default: `"POST"`. */
  readonly method?: "GET" | "POST" | undefined;
  /** More parameters, or others than the usual ones. Those that only callbacks have are sent with the callback. */
  readonly params?: Readonly<Record<string, string>> | undefined;
}

/** The options with their defaults, but for `fetch`. */
export interface CheckedOptions extends FaxProviderOptions {
  readonly flavor: Flavor;
  readonly timeoutMs: number;
  readonly now: () => Date;
}

const OPTIONS = ["url", "authToken", "flavor", "accountSid", "fetch", "timeoutMs", "now"];

/** Throws a TypeError for options that cannot work. */
export function checkProviderOptions(options: unknown): CheckedOptions {
  const own = checkOptionNames("createFaxProvider", options, OPTIONS) as Partial<FaxProviderOptions>;
  const { url, authToken, flavor = "signalwire", accountSid, fetch, timeoutMs = 30_000, now = () => new Date() } = own;
  if (!isAbsoluteHttpUrl(url)) throw optionError("url", "an http(s) URL, as text", url);
  if (typeof authToken !== "string" || authToken.trim() === "") {
    throw new TypeError("authToken must be text that is not empty.");
  }
  checkOneOf("flavor", Object.keys(FLAVORS), flavor);
  if (accountSid !== undefined && !isSid(accountSid)) throw optionError("accountSid", SID_FORMAT, accountSid);
  if (!(Number.isFinite(timeoutMs) && timeoutMs > 0))
    throw optionError("timeoutMs", "a number of milliseconds", timeoutMs);
  for (const [name, value] of Object.entries({ fetch, now })) {
    if (value !== undefined && typeof value !== "function") throw optionError(name, "a function", value);
  }
  return { url, authToken, flavor, accountSid, fetch, timeoutMs, now: () => checkDate(now()) };
}

function checkDate(date: unknown): Date {
  if (date instanceof Date && !Number.isNaN(date.getTime())) return date;
  throw optionError("What now() gives", "a Date", date);
}

function isAbsoluteHttpUrl(url: unknown): url is string {
  return typeof url === "string" && /^https?:/i.test(url) && URL.canParse(url);
}

function checkOneOf(name: string, values: readonly string[], value: unknown): void {
  if (values.includes(value as string)) return;
  throw optionError(name, values.map((each) => JSON.stringify(each)).join(" or ") + didYouMean(value, values), value);
}

const FAX = ["from", "to", "pages", "mediaUrl", "outcome", "method", "params"];

/** Throws a TypeError for a fax that cannot be sent. */
export function checkFax(given: unknown): FaxToSend {
  const fax = checkOptionNames("sendFax", given, FAX) as FaxToSend;
  const { from, to, mediaUrl, outcome = "received", method = "POST", params } = fax;
  checkOneOf("outcome", ["received", "failed"], outcome);
  checkOneOf("method", ["GET", "POST"], method);
  for (const [name, value] of Object.entries({ from, to, mediaUrl })) {
    if (value !== undefined && typeof value !== "string") throw optionError(name, "text", value);
  }
  if (mediaUrl !== undefined && !isAbsoluteHttpUrl(mediaUrl)) throw optionError("mediaUrl", "an http(s) URL", mediaUrl);
  const own = checkParams(params);
  const doubled = Object.entries({ From: from, To: to, MediaUrl: mediaUrl }).find(
    ([name, value]) => value !== undefined && Object.hasOwn(own, name),
  );
  if (doubled) throw new TypeError(`Give ${formatValue(doubled[0])} once: it is in params as well.`);
  if (fax.outcome !== undefined && (own["FaxStatus"] ?? own["Status"]) !== undefined) {
    throw new TypeError("Give outcome, or the status in params: both say how the fax went.");
  }
  return fax;
}

/** The names that come with a callback alone. */
const CALLBACK_NAMES = [
  ...["FaxStatus", "Status", "RemoteStationId", "NumPages", "MediaUrl", "MediaSid", "OriginalMediaUrl"],
  ...["ErrorCode", "ErrorMessage", "Timestamp", "BitRate", "Media"],
];
const NAMES = ["FaxSid", "AccountSid", "From", "To", "ApiVersion", ...CALLBACK_NAMES];

/** A name in the wrong case would be a parameter that nobody reads. */
export function checkParams(params: unknown = {}): Readonly<Record<string, string>> {
  if (!isPlainObject(params)) throw optionError("params", "an object of text parameters", params);
  for (const [name, value] of Object.entries(params as object)) {
    const near = NAMES.find((each) => each !== name && foldName(each) === foldName(name));
    if (near) throw new TypeError(`Write ${formatValue(near)}, not ${formatValue(name)}: names are case-sensitive.`);
    if (typeof value !== "string") throw optionError(formatValue(name), "text", value);
  }
  return params as Readonly<Record<string, string>>;
}

/** The parameters that both requests have, and those that only the callback has. */
export function splitParams(
  params: Readonly<Record<string, string>>,
): Record<"both" | "callback", Readonly<Record<string, string>>> {
  const isOfCallback = ([name]: [string, string]): boolean => CALLBACK_NAMES.includes(name);
  const entries = Object.entries(params);
  return {
    both: Object.fromEntries(entries.filter((entry) => !isOfCallback(entry))),
    callback: Object.fromEntries(entries.filter(isOfCallback)),
  };
}

/** Throws a TypeError for what is no exchange of a transcript. */
export function checkExchange(exchange: FaxExchange): FaxExchange {
  if (typeof exchange?.request?.url === "string") return exchange;
  throw new TypeError(`resend takes an exchange, such as transcript.exchanges[0], not ${formatValue(exchange)}.`);
}

/** The pages with their type; a provider has no others than these. */
export function toFile(bytes: unknown): FileToSend {
  const type = bytes instanceof Uint8Array ? detectPagesType(bytes) : undefined;
  if (type === undefined) throw optionError("pages", "a Uint8Array that holds a PDF or TIFF", bytes);
  return { bytes: bytes as Uint8Array, type };
}
