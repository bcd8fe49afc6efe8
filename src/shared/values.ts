/** The values that parameters and options hold: SIDs, URLs, counts and timestamps. */

/** The format of a SID, for messages. */
export const SID_FORMAT = "1 to 40 of A-Z a-z 0-9 _ -";

/** Whether a value has the format of a SID: safe in file names. Twilio's have 34 characters, SignalWire's 36. */
export function isSid(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= 40 && !NOT_SID.test(value);
}

const NOT_SID = /[^\w-]/;

/** RFC 3986, section 3.1. The scheme decides before the platform's parser may repair "https:/typo". */
const HTTP_URL = /^https?:\/\/[^/\\]/i;

/** A path makes a URL with any base, and is what nearly everyone writes: no need to ask the parser. */
const PLAIN_PATH = /^\/[^/\\\s]/;

/** A colon in the first segment makes a scheme of it (RFC 3986, section 4.2): "localhost:3000/x", "https:/typo". */
const HAS_SCHEME = /^[^/?#]*:/;

/** A host of 64 K international characters costs the platform's parser most of a second. */
const MAX_LENGTH = 2048;

/** The platform's URL parser, named by structure so that the core needs neither DOM nor Node types. */
declare const URL: { canParse(url: string, base?: string): boolean };

/** Whether `text` is an absolute http(s) URL that the WHATWG parser accepts. */
export function isHttpUrl(text: string): boolean {
  return text.length <= MAX_LENGTH && HTTP_URL.test(text) && URL.canParse(text);
}

/** Whether text from outside is an http(s) URL without what breaks a log or a header. */
export function isSafeHttpUrl(text: string): boolean {
  // The URL parser drops line ends, while whoever writes the text into a header or a log does not.
  return !/[\0-\x1f\x7f]/.test(text) && isHttpUrl(text);
}

/** Whether `text` is a reference that is resolved against the document, and makes a URL of it. */
export function isRelativeReference(text: string): boolean {
  if (PLAIN_PATH.test(text)) return true;
  return text.length <= MAX_LENGTH && !HAS_SCHEME.test(text) && URL.canParse(text, "http://provider.invalid/");
}

export function parseSid(text: string): string | undefined {
  return isSid(text) ? text : undefined;
}

export function parseUrl(text: string): string | undefined {
  return isSafeHttpUrl(text) ? text : undefined;
}

/** Whole and exact: no sign, fraction or exponent, nothing that a number would round. */
export function parseCount(text: string): number | undefined {
  const count = /^\d+$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(count) ? count : undefined;
}

/** The complete date, time and offset of ISO 8601. */
const ISO_TIME = /^(\d{4}-\d\d)-(\d\d)T(\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[+-]\d\d:?\d\d)$/;

/** RFC 2822, section 3.3: `Thu, 13 Jan 2022 21:54:46 +0000`. SignalWire's other webhooks have it. */
const MAIL_TIME = /^(?:[A-Z][a-z]{2}, *)?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d\d:\d\d)(:\d\d)? ([+-]\d{4}|GMT|UTC?)$/;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export function parseTimestamp(text: string): Date | undefined {
  const [, month, day, time, offset] = ISO_TIME.exec(text) ?? isoPartsOf(text) ?? [];
  if (month === undefined) return undefined;
  // Date moves a day that does not exist (February 30) to the next month, instead of refusing it.
  if (Number(day) > 28 && new Date(`${month}-${day}`).getUTCDate() !== Number(day)) return undefined;
  const date = new Date(`${month}-${day}T${time}${offset!.replace(/^(...)(..)$/, "$1:$2")}`);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** The parts of a time in RFC 2822, as `ISO_TIME` has them. */
function isoPartsOf(text: string): string[] | undefined {
  const [, day, name, year, time, seconds = ":00", zone] = MAIL_TIME.exec(text) ?? [];
  if (day === undefined || !MONTHS.includes(name!)) return undefined;
  const month = String(MONTHS.indexOf(name!) + 1).padStart(2, "0");
  return [text, `${year}-${month}`, day.padStart(2, "0"), time! + seconds, /^[+-]/.test(zone!) ? zone! : "Z"];
}
