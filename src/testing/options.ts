/** Validation of the arguments from a test. A typo is an error, because the test would otherwise prove nothing. */
import { CALLBACK_PARAM_NAMES, COMMON_PARAM_NAMES } from "../params/fax.js";
import { checkFunction, didYouMean, foldName, formatMismatch, formatValue, optionError } from "../shared/messages.js";
import { isPlainObject, checkOptionNames } from "../shared/objects.js";
import { isHttpUrl, isSid, SID_FORMAT } from "../shared/values.js";
import { detectPagesType } from "../webhook/media.js";
import { checkTokens } from "../webhook/tokens.js";
import { getStatus } from "./callback.js";
import { type Flavor, FLAVORS } from "./flavors.js";
import type { FaxExchange } from "./http-client.js";
import type { FileToSend } from "./request.js";

/** The `Request` of the platform's types, or, if these are not installed, the properties it has on every runtime. */
export type ProviderRequest = typeof globalThis extends { Request: { prototype: infer Type } }
  ? Type
  : { readonly method: string; readonly url: string; text(): Promise<string> };

/** The parts of a `Response` that the provider reads. */
export interface ProviderResponse {
  /** HTTP status of the response. */
  readonly status: number;
  /** The `Headers` of the response. */
  readonly headers: {
    /** Calls a function with the value and the name of each header. */
    forEach(callback: (value: string, name: string) => void): void;
  };
  /** The body as text. */
  text(): Promise<string>;
}

/** The pages as a `Response` of the platform's types, or, if these are not installed, the properties to read them. */
export type ProviderMedia = typeof globalThis extends { Response: { prototype: infer Type } }
  ? Type
  : {
      readonly status: number;
      readonly headers: { get(name: string): string | null };
      readonly body: unknown;
      arrayBuffer(): Promise<ArrayBuffer>;
    };

/** A server: the platform's `fetch`, or a handler in the same process. */
export type ProviderFetch = (request: ProviderRequest) => ProviderResponse | Promise<ProviderResponse>;

/** Options of `createFaxProvider`. */
export interface FaxProviderOptions {
  /** The URL configured at the provider. May have a query, `user:password@`, and a fragment with overrides. */
  readonly url: string;
  /** The auth token or signing key that signs the requests. */
  readonly authToken: string;
  /** The provider to imitate. Default: `"signalwire"`. */
  readonly flavor?: Flavor | undefined;
  /**
   * The number's fallback URL. If a URL fails, the same request is sent to it with `ErrorCode` and `ErrorUrl`.
   * Default: none.
   * @see https://www.twilio.com/docs/usage/security/availability-reliability
   */
  readonly fallbackUrl?: string | undefined;
  /**
   * The origin of a running server that has a fixed `publicUrl`. Requests to the origin of `url` are signed for `url`,
   * and sent to the same path here, as a proxy or tunnel does. Only for real HTTP. Default: the origin of `url`.
   * @example connectTo: "http://localhost:3000"
   */
  readonly connectTo?: string | undefined;
  /** The `AccountSid` of all requests. Default: a random SID in the format of the imitated provider. */
  readonly accountSid?: string | undefined;
  /**
   * A handler in the same process, such as `webhook.fetch`, called with one `Request`. An error that it throws counts
   * as a response with status 500. Default: real HTTP.
   */
  readonly fetch?: ProviderFetch | undefined;
  /** Milliseconds for a whole conversation. The limits of the imitated provider also apply. Default: 30,000. */
  readonly timeoutMs?: number | undefined;
  /** Returns the time for `Timestamp`. Default: the current time. */
  readonly now?: (() => Date) | undefined;
}

/** A fax to send. Every property has a default. */
export interface FaxToSend {
  /** The caller's number, or `""` for a withheld number. Default: a test number. */
  readonly from?: string | undefined;
  /** The called number. Default: a test number. */
  readonly to?: string | undefined;
  /** A PDF or TIFF. Default: one empty page in the verb's `mediaType`. */
  readonly pages?: Uint8Array | undefined;
  /** The URL of the pages, if the provider stores them. Default: a URL on the provider's host. */
  readonly mediaUrl?: string | undefined;
  /** Whether the fax is received or fails. Default: `"received"`. */
  readonly outcome?: "received" | "failed" | undefined;
  /** The method of the first request, as configured at the provider. Default: `"POST"`. */
  readonly method?: "GET" | "POST" | undefined;
  /** Parameters to add or replace. Those that only callbacks have are sent only in the callback. */
  readonly params?: Readonly<Record<string, string>> | undefined;
}

/** The options with their defaults, except for `fetch`. */
export interface CheckedOptions extends FaxProviderOptions {
  readonly flavor: Flavor;
  readonly timeoutMs: number;
  readonly now: () => Date;
}

/** The format of a URL, for messages. */
const URL_FORMAT = "an http(s) URL as a string of at most 2,048 characters";

const OPTIONS = [
  "url",
  "authToken",
  "flavor",
  "fallbackUrl",
  "connectTo",
  "accountSid",
  "fetch",
  "timeoutMs",
  "now",
] satisfies (keyof FaxProviderOptions)[];

/** Returns the options with their defaults. Throws a TypeError for an invalid option. */
export function checkProviderOptions(options: unknown): CheckedOptions {
  const own = checkOptionNames("createFaxProvider", options, OPTIONS) as Partial<FaxProviderOptions>;
  const { url, authToken, flavor = "signalwire", fallbackUrl, accountSid, fetch, timeoutMs = 30_000 } = own;
  const { now = () => new Date() } = own;
  checkUrl("url", url);
  if (fallbackUrl !== undefined) checkUrl("fallbackUrl", fallbackUrl);
  if (Array.isArray(authToken)) throw optionError("authToken", "one string", authToken);
  const [token] = checkTokens(authToken);
  checkChoice("flavor", Object.keys(FLAVORS), flavor);
  if (accountSid !== undefined && !isSid(accountSid)) throw optionError("accountSid", SID_FORMAT, accountSid);
  if (!(Number.isFinite(timeoutMs) && timeoutMs > 0)) {
    throw optionError("timeoutMs", "a finite number of milliseconds above 0", timeoutMs);
  }
  for (const [name, value] of Object.entries({ fetch, now })) {
    if (value !== undefined) checkFunction(name, value);
  }
  const urls = { url, fallbackUrl, connectTo: checkConnectTo(own) };
  return { ...urls, authToken: token!, flavor, accountSid, fetch, timeoutMs, now: () => checkDate(now()) };
}

function checkUrl(name: string, url: unknown): asserts url is string {
  if (typeof url !== "string" || !isHttpUrl(url)) throw optionError(name, URL_FORMAT, url);
}

/** Returns the origin as `URL.origin` has it. */
function checkConnectTo({ connectTo, fetch }: Partial<FaxProviderOptions>): string | undefined {
  if (connectTo === undefined) return undefined;
  const url = typeof connectTo === "string" && isHttpUrl(connectTo) ? new URL(connectTo) : undefined;
  if (url?.href !== `${url?.origin}/`) {
    throw optionError("connectTo", 'an http(s) origin such as "http://localhost:3000", without path', connectTo);
  }
  if (fetch === undefined) return url.origin;
  throw new TypeError("connectTo is for real HTTP, but fetch is set, too. Remove one of them.");
}

function checkDate(date: unknown): Date {
  if (date instanceof Date && !Number.isNaN(date.getTime())) return date;
  throw optionError("The value returned by now", "a Date whose time is not NaN", date);
}

function checkChoice(name: string, values: readonly string[], value: unknown): void {
  if (values.includes(value as string)) return;
  const expected = values.map((each) => JSON.stringify(each)).join(" or ");
  const hint = didYouMean(value, values);
  // Text that is not near a name may be a token.
  throw hint ? new TypeError(formatMismatch(name, expected, value, hint)) : optionError(name, expected, value);
}

const FAX = ["from", "to", "pages", "mediaUrl", "outcome", "method", "params"];

/** Returns the argument of `sendFax`. Throws a TypeError for an invalid property. */
export function checkFax(value: unknown): FaxToSend {
  const fax = checkOptionNames("sendFax", value, FAX) as FaxToSend;
  const { from, to, mediaUrl, outcome = "received", method = "POST", params } = fax;
  checkChoice("outcome", ["received", "failed"], outcome);
  checkChoice("method", ["GET", "POST"], method);
  for (const [name, value] of Object.entries({ from, to, mediaUrl })) {
    if (value !== undefined && typeof value !== "string") throw optionError(name, "a string", value);
  }
  if (mediaUrl !== undefined) checkUrl("mediaUrl", mediaUrl);
  checkDuplicates(fax, checkParams(params));
  return fax;
}

/** Throws a TypeError for a value that is set both as an option and in `params`. */
function checkDuplicates({ from, to, mediaUrl, outcome }: FaxToSend, params: Readonly<Record<string, string>>): void {
  const duplicate = Object.entries({ From: from, To: to, MediaUrl: mediaUrl }).find(
    ([name, value]) => value !== undefined && Object.hasOwn(params, name),
  );
  if (duplicate) {
    throw new TypeError(`"${duplicate[0]}" is set twice: as an option and in params. Remove one of them.`);
  }
  if (outcome !== undefined && getStatus(params) !== undefined) {
    throw new TypeError("The outcome is set twice: as an option and as a status in params. Remove one of them.");
  }
}

const NAMES = [...COMMON_PARAM_NAMES, ...CALLBACK_PARAM_NAMES];

/** Returns the parameters. Throws a TypeError for a misspelled known name, which servers would not read. */
export function checkParams(params: unknown = {}): Readonly<Record<string, string>> {
  if (!isPlainObject(params)) throw optionError("params", "an object of strings", params);
  for (const [name, value] of Object.entries(params as object)) {
    const near = NAMES.find((each) => each !== name && foldName(each) === foldName(name));
    if (near) {
      const problem = `unknown parameter ${formatValue(name)} (did you mean "${near}"?)`;
      throw new TypeError(`params: ${problem}. Names are case-sensitive.`);
    }
    if (typeof value !== "string") throw optionError(`params: ${formatValue(name)}`, "a string", value);
  }
  return params as Readonly<Record<string, string>>;
}

/** Splits the parameters into those of both requests and those of the callback alone. */
export function splitParams(
  params: Readonly<Record<string, string>>,
): Record<"both" | "callback", Readonly<Record<string, string>>> {
  const isCallbackParam = ([name]: [string, string]): boolean => CALLBACK_PARAM_NAMES.includes(name);
  const entries = Object.entries(params);
  return {
    both: Object.fromEntries(entries.filter((entry) => !isCallbackParam(entry))),
    callback: Object.fromEntries(entries.filter(isCallbackParam)),
  };
}

/** Throws a TypeError if the argument is not an exchange from a transcript. */
export function checkExchange(exchange: FaxExchange): FaxExchange {
  const url: unknown = exchange?.request?.url;
  if (typeof url === "string" && isHttpUrl(url)) return exchange;
  throw optionError("The argument of resend", "an exchange, such as transcript.exchanges[0]", exchange);
}

/** Returns the pages with their type. Throws a TypeError for formats other than PDF and TIFF. */
export function toFile(bytes: unknown): FileToSend {
  const type = bytes instanceof Uint8Array ? detectPagesType(bytes) : undefined;
  if (type === undefined) throw optionError("pages", "a Uint8Array that contains a PDF or TIFF", bytes);
  return { bytes: bytes as Uint8Array, type };
}
