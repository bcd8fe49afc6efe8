/** Checks and parsers for values: SIDs, URLs, counts and timestamps. */

/** The format of a SID, for messages. */
export const SID_FORMAT = "1 to 40 characters (A-Z a-z 0-9 _ -)";

/** Whether a value has the format of a SID and is safe in file names. Twilio's have 34 characters, SignalWire's 36. */
export function isSid(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= 40 && !NOT_SID.test(value);
}

const NOT_SID = /[^\w-]/;

/** RFC 3986, section 3.1. Checked first, because the URL parser silently repairs "https:/typo". */
const HTTP_URL = /^https?:\/\/[^/\\]/i;

/**
 * The URLs that providers send, accepted without the slower URL parser. The parser accepts every host of these
 * characters except an invalid IPv4 address (its last label starts with a digit) and invalid Punycode (it contains
 * "--"). This pattern matches neither. https://url.spec.whatwg.org/#host-parsing
 */
const PLAIN_URL = /^https?:\/\/(?:[A-Za-z\d]+[.-])*[A-Za-z][A-Za-z\d]*(?:\/[!-~]*)?$/;

/** Absolute paths, accepted without the slower URL parser. Most users write one. */
const PLAIN_PATH = /^\/[^/\\\s]/;

/** A first segment with a colon is read as a scheme (RFC 3986, section 4.2): "localhost:3000/x", "https:/typo". */
const HAS_SCHEME = /^[^/?#]*:/;

/** The maximum length of a URL. The URL parser takes most of a second for a host of 64 K international characters. */
export const MAX_URL_LENGTH = 2048;

/** The platform's URL parser, declared by structure so that the core needs neither DOM nor Node types. */
declare const URL: new (url: string, base?: string) => { readonly href: string };

/**
 * Whether the WHATWG parser accepts `text`. Not with `URL.canParse`: in Node 20 and 22, after some thousand calls, it
 * returns `false` for valid URLs with characters such as "é".
 */
export function canParseUrl(text: string, base?: string): boolean {
  try {
    return new URL(text, base).href !== "";
  } catch {
    return false;
  }
}

/** Whether `text` is an absolute http(s) URL of at most 2,048 characters that the WHATWG parser accepts. */
export function isHttpUrl(text: string): boolean {
  return text.length <= MAX_URL_LENGTH && (PLAIN_URL.test(text) || (HTTP_URL.test(text) && canParseUrl(text)));
}

/** Whether untrusted text is an http(s) URL free of control characters. */
export function isSafeHttpUrl(text: string): boolean {
  // The URL parser strips line breaks; code that writes the raw text to a header or log does not.
  return isHttpUrl(text) && !/[\0-\x1f\x7f]/.test(text);
}

/** Whether `text` is a valid reference relative to an http(s) URL. Callers must check its length. */
export function isRelativeReference(text: string): boolean {
  return PLAIN_PATH.test(text) || (!HAS_SCHEME.test(text) && canParseUrl(text, "http://provider.invalid/"));
}

/**
 * Copies a short text. V8 stores a part of a text as a reference to the whole, so a SID that is kept, such as the key
 * of a cache, would keep the whole body in memory. A concatenation is copied when it is sliced: the fastest copy.
 */
export function copyText(text: string): string {
  return (" " + text).slice(1);
}

/** Returns `text` if it is a SID, otherwise `undefined`. */
export function parseSid(text: string): string | undefined {
  return isSid(text) ? text : undefined;
}

/** Returns `text` if it is an http(s) URL, otherwise `undefined`. */
export function parseUrl(text: string): string | undefined {
  return isSafeHttpUrl(text) ? text : undefined;
}

/** Parses a whole number. Returns `undefined` for a sign, a fraction, an exponent, or a value that would be rounded. */
export function parseCount(text: string): number | undefined {
  const count = /^\d+$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(count) ? count : undefined;
}

/** ISO 8601, in the format that ECMAScript requires `Date` to read: a complete date and time with an offset. */
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** RFC 2822, section 3.3: `Thu, 13 Jan 2022 21:54:46 +0000`. SignalWire documents it for its other webhooks. */
const MAIL_TIME = /^(?:[A-Z][a-z]{2}, *)?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d\d:\d\d)(:\d\d)? ([+-]\d{4}|GMT|UTC?)$/;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Parses a time in ISO 8601 or RFC 2822. Returns `undefined` for any other text. */
export function parseTimestamp(text: string): Date | undefined {
  const iso = ISO_TIME.test(text) ? text : toIsoTime(text);
  const day = iso.slice(8, 10);
  // Date moves a nonexistent day (February 30) to the next month instead of rejecting it.
  if (day > "28" && new Date(iso.slice(0, 10)).getUTCDate() !== Number(day)) return undefined;
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/**
 * Converts RFC 2822, and ISO 8601 without a colon in the offset, to {@link ISO_TIME}; returns "" for any other text.
 * Engines parse these formats differently, and accept invalid offsets and seconds.
 */
function toIsoTime(text: string): string {
  const [, day, month, year, time, seconds = ":00", zone] = MAIL_TIME.exec(text) ?? [];
  const number = String(MONTHS.indexOf(month!) + 1).padStart(2, "0");
  const date = year && `${year}-${number}-${day!.padStart(2, "0")}T${time}${seconds}${zone!.replace(/[A-Z]+/, "Z")}`;
  const iso = (date ?? text).replace(/\d\d$/, ":$&");
  return ISO_TIME.test(iso) ? iso : "";
}
