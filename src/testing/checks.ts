/** What a test may pass to the provider: a mistake in it is an error, because such a test would prove nothing. */
import { didYouMean, foldedName, quote } from "../message.js";
import { isPlainData, ownOptions } from "../objects.js";
import { typeOfPages } from "../webhook/media.js";
import { type Flavor, FLAVORS } from "./flavor.js";
import type { FaxProviderOptions, FaxToSend } from "./provider.js";
import type { FileToSend } from "./request.js";

/** The options with their defaults, but for `fetch`. */
export interface CheckedOptions extends FaxProviderOptions {
  readonly flavor: Flavor;
  readonly timeoutMs: number;
  readonly now: () => Date;
}

const OPTIONS = ["url", "authToken", "flavor", "accountSid", "fetch", "timeoutMs", "now"];

/** Throws a TypeError for options that cannot work. */
export function checkOptions(options: unknown): CheckedOptions {
  const own = ownOptions("createFaxProvider", options, OPTIONS) as Partial<FaxProviderOptions>;
  const { url, authToken, flavor = "signalwire", accountSid, fetch, timeoutMs = 30_000, now = () => new Date() } = own;
  if (!isHttpUrl(url)) throw wrong("url", "an http(s) URL", url);
  if (typeof authToken !== "string" || authToken.trim() === "") {
    throw new TypeError("authToken must be text that is not empty.");
  }
  checkOneOf("flavor", Object.keys(FLAVORS), flavor);
  if (accountSid !== undefined && !/^[\w-]{1,40}$/.test(accountSid)) {
    throw wrong("accountSid", "1 to 40 of A-Z a-z 0-9 _ -", accountSid);
  }
  if (!(Number.isFinite(timeoutMs) && timeoutMs > 0)) throw wrong("timeoutMs", "a number of milliseconds", timeoutMs);
  for (const [name, value] of Object.entries({ fetch, now })) {
    if (value !== undefined && typeof value !== "function") throw wrong(name, "a function", value);
  }
  return { url, authToken, flavor, accountSid, fetch, timeoutMs, now };
}

function isHttpUrl(url: unknown): url is string {
  return typeof url === "string" && /^https?:/i.test(url) && URL.canParse(url);
}

function wrong(name: string, expected: string, value: unknown): TypeError {
  return new TypeError(`${name} must be ${expected}, not ${quote(value)}.`);
}

function checkOneOf(name: string, values: readonly string[], value: unknown): void {
  if (values.includes(value as string)) return;
  throw wrong(name, values.map((each) => JSON.stringify(each)).join(" or ") + didYouMean(value, values), value);
}

const FAX = ["from", "to", "pages", "mediaUrl", "outcome", "method", "params"];

/** Throws a TypeError for a fax that cannot be sent. */
export function checkFax(given: unknown): FaxToSend {
  const fax = ownOptions("sendFax", given, FAX) as FaxToSend;
  const { from, to, mediaUrl, outcome = "received", method = "POST", params } = fax;
  checkOneOf("outcome", ["received", "failed"], outcome);
  checkOneOf("method", ["GET", "POST"], method);
  for (const [name, value] of Object.entries({ from, to, mediaUrl })) {
    if (value !== undefined && typeof value !== "string") throw wrong(name, "text", value);
  }
  if (mediaUrl !== undefined && !isHttpUrl(mediaUrl)) throw wrong("mediaUrl", "an http(s) URL", mediaUrl);
  const own = checkParams(params);
  const doubled = Object.entries({ From: from, To: to, MediaUrl: mediaUrl }).find(
    ([name, value]) => value !== undefined && Object.hasOwn(own, name),
  );
  if (doubled) throw new TypeError(`Give ${quote(doubled[0])} once: it is in params as well.`);
  return fax;
}

/** The names that come with a callback alone. */
const CALLBACK_NAMES = [
  ...["FaxStatus", "Status", "RemoteStationId", "NumPages", "MediaUrl", "MediaSid", "OriginalMediaUrl"],
  ...["ErrorCode", "ErrorMessage", "Timestamp", "BitRate"],
];
const NAMES = ["FaxSid", "AccountSid", "From", "To", "ApiVersion", ...CALLBACK_NAMES];

/** A name in the wrong case would be a parameter that nobody reads. */
export function checkParams(params: unknown = {}): Readonly<Record<string, string>> {
  if (!isPlainData(params)) throw wrong("params", "an object of text parameters", params);
  for (const [name, value] of Object.entries(params as object)) {
    const near = NAMES.find((each) => each !== name && foldedName(each) === foldedName(name));
    if (near) throw new TypeError(`Write ${quote(near)}, not ${quote(name)}: names are case-sensitive.`);
    if (typeof value !== "string") throw wrong(quote(name), "text", value);
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

/** The pages with their type; a provider has no others than these. */
export function fileOf(bytes: unknown): FileToSend {
  const type = bytes instanceof Uint8Array ? typeOfPages(bytes) : undefined;
  if (type === undefined) throw wrong("pages", "a Uint8Array that holds a PDF or TIFF", bytes);
  return { bytes: bytes as Uint8Array, type };
}
