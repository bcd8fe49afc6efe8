/** Parameters to typed values: `parseFaxRequest` for an incoming fax, `parseFaxCallback` for how it went. */
import { FaxRequestError, issueOf } from "./errors.js";
import { foldedName, quote } from "./message.js";
import { type FaxMedia, type FaxParamSource, type Form, readForm } from "./params.js";
import { isHttpUrl } from "./url.js";

/**
 * The statuses a fax can have, by the providers' documentation.
 * @example FAX_STATUSES.some((status) => status === callback.faxStatus); // false for one that is new
 * @see https://www.twilio.com/docs/fax/api/fax-resource
 */
export const FAX_STATUSES = [
  "queued",
  "processing",
  "sending",
  "delivered",
  "receiving",
  "received",
  "no-answer",
  "busy",
  "failed",
  "canceled",
] as const;

/** A status of a fax. Open: providers add some, and editors still complete the known ones. */
export type FaxStatus = (typeof FAX_STATUSES)[number] | (string & {});

/** What comes with an incoming fax; read-only. https://www.twilio.com/docs/fax/twiml */
export interface FaxRequest {
  /** Identifier of the fax: 1 to 64 of `A-Z a-z 0-9 _ -`, so that it is safe in a file name. */
  readonly faxSid: string;
  /** Identifier of the account (SignalWire: the project), of the same form. */
  readonly accountSid: string;
  /** The caller: E.164 as a rule, a SIP URI or any text; empty when withheld. */
  readonly from: string;
  /** The called number, or a SIP URI. */
  readonly to: string;
  /** `v1` */
  readonly apiVersion: string;
  /** Every text parameter that came, known or not, by its name on the wire; frozen, without a prototype. */
  readonly params: Readonly<Record<string, string>>;
}

/** What comes with an action or status callback; read-only. https://www.twilio.com/docs/fax/twiml/receive */
export interface FaxCallback extends FaxRequest {
  /** How the fax stands; one of `FAX_STATUSES`, or one that a provider added since. */
  readonly faxStatus: FaxStatus;
  /** TSID of the sending machine: free text that the other side chose. */
  readonly remoteStationId?: string;
  /** Number of pages. */
  readonly numPages?: number;
  /** http(s) URL of the stored pages. */
  readonly mediaUrl?: string;
  /** SignalWire's identifier of the stored pages, of the form of `faxSid`. */
  readonly mediaSid?: string;
  /** Outbound: the http(s) URL that was given when sending. */
  readonly originalMediaUrl?: string;
  /** On failure: the provider's number for it, as text. */
  readonly errorCode?: string;
  /** On failure: the provider's words for it. */
  readonly errorMessage?: string;
  /** SignalWire: when it happened. */
  readonly timestamp?: Date;
  /** The pages themselves, with `storeMedia: false`. */
  readonly media?: FaxMedia;
}

/**
 * Reads the request that asks what to do with an incoming fax.
 *
 * @param source form body, query string, iterable of pairs, or a body parser's object
 * @returns the five parameters, and all that came in `params`; frozen
 * @throws {FaxRequestError} with every issue: one of the five is missing or (other than `From`) empty, one came
 * repeatedly or is not text, a SID is not of its form
 * @example
 * const fax = parseFaxRequest("FaxSid=FX1&AccountSid=AC1&From=%2B15017122661&To=%2B15558675310&ApiVersion=v1");
 * fax.from; // "+15017122661"
 * @see https://www.twilio.com/docs/fax/twiml
 * @see https://url.spec.whatwg.org/#urlencoded-parsing
 */
export function parseFaxRequest(source: FaxParamSource): FaxRequest {
  return toFaxRequest(readForm(source));
}

/** For the webhook, which has read the form already, to verify it. */
export function toFaxRequest(form: Form): FaxRequest {
  const request = commonOf(form);
  refuseIssues(form);
  return Object.freeze(request);
}

/**
 * Reads the request that says how a fax went: the callback to `action`, or the status callback of a fax you send.
 *
 * @param source as for `parseFaxRequest`; a `FormData` brings the pages of a multipart delivery
 * @returns the request's parameters and the callback's; what is absent or empty is left out; frozen
 * @throws {FaxRequestError} with every issue: as for `parseFaxRequest`; no `FaxStatus`; `NumPages` is not a whole
 * number; a URL is not http(s); `Timestamp` is not ISO 8601; `Media` is text
 * @example
 * const callback = parseFaxCallback(await request.text());
 * if (callback.faxStatus === "received") console.log(callback.numPages, callback.mediaUrl);
 * @see https://developer.signalwire.com/compatibility-api/cxml/fax/receive
 */
export function parseFaxCallback(source: FaxParamSource): FaxCallback {
  return toFaxCallback(readForm(source));
}

/** For the webhook, which has read the form already, to verify it. */
export function toFaxCallback(form: Form): FaxCallback {
  const { params, media } = form;
  // Grown, not spread: adding to the object is a hundred times faster than copying it.
  const callback = commonOf(form) as { -readonly [Name in keyof FaxCallback]: FaxCallback[Name] };
  callback.faxStatus = textOf(form, "FaxStatus");
  // An optional parameter that came empty is absent.
  if (params["RemoteStationId"]) callback.remoteStationId = params["RemoteStationId"];
  if (params["NumPages"]) callback.numPages = pagesOf(form, params["NumPages"]);
  if (params["MediaUrl"]) callback.mediaUrl = urlOf(form, "MediaUrl");
  if (params["MediaSid"]) callback.mediaSid = sidOf(form, "MediaSid");
  if (params["OriginalMediaUrl"]) callback.originalMediaUrl = urlOf(form, "OriginalMediaUrl");
  if (params["ErrorCode"]) callback.errorCode = params["ErrorCode"];
  if (params["ErrorMessage"]) callback.errorMessage = params["ErrorMessage"];
  if (params["Timestamp"]) callback.timestamp = dateOf(form, params["Timestamp"]);
  if (media) callback.media = media;
  else if (params["Media"]) {
    form.issues.push(issueOf("Media", "invalid", "Media came as text, without a filename: its bytes are lost."));
  }
  refuseIssues(form);
  return Object.freeze(callback);
}

function commonOf(form: Form): FaxRequest {
  return {
    faxSid: sidOf(form, "FaxSid"),
    accountSid: sidOf(form, "AccountSid"),
    from: valueOf(form, "From"),
    to: textOf(form, "To"),
    apiVersion: textOf(form, "ApiVersion"),
    params: form.params,
  };
}

/** The value, which may be empty. */
function valueOf(form: Form, name: string): string {
  const value = form.params[name];
  if (value === undefined) addMissing(form, name);
  return value ?? "";
}

/** The value, which may not be empty. */
function textOf(form: Form, name: string): string {
  const value = valueOf(form, name);
  if (value === "" && name in form.params) form.issues.push(issueOf(name, "empty", `${name} is empty.`));
  return value;
}

function addInvalid(form: Form, name: string, expected: string): void {
  form.issues.push(issueOf(name, "invalid", `${name} must be ${expected}, not ${quote(form.params[name])}.`));
}

/** Twilio's SIDs and SignalWire's UUIDs, and nothing that a file name or a look-up could trip over. */
const NOT_SID = /[^\w-]/;

/** Whether text has the form of a SID. A length and a search: V8 takes its time over a counted repetition. */
export function isSid(text: string): boolean {
  return text !== "" && text.length <= 64 && !NOT_SID.test(text);
}

function sidOf(form: Form, name: string): string {
  const value = textOf(form, name);
  if (value !== "" && !isSid(value)) addInvalid(form, name, "1 to 64 of A-Z a-z 0-9 _ -");
  return value;
}

function urlOf(form: Form, name: string): string {
  const value = form.params[name]!;
  // The URL parser drops line ends, while whoever writes the text into a header or a log does not.
  if (!isHttpUrl(value) || /[\0-\x1f\x7f]/.test(value)) addInvalid(form, name, "an http(s) URL");
  return value;
}

/** Whole and exact: no sign, fraction or exponent, nothing that a number would round. */
function pagesOf(form: Form, text: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(count)) addInvalid(form, "NumPages", "a whole number");
  return count;
}

/** The complete date, time and offset of ISO 8601; the day is captured for a check of its own. */
const ISO_TIME = /^(\d{4}-\d\d)-(\d\d)T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|([+-]\d\d)(?::?\d\d))$/;

function dateOf(form: Form, text: string): Date {
  const [, month, day, offset] = ISO_TIME.exec(text) ?? [];
  const time = new Date(offset ? text.replace(/(\d\d):?(\d\d)$/, "$1:$2") : text);
  // Date moves a day that does not exist (February 30) to the next month, instead of refusing it.
  const exists = month && (Number(day) <= 28 || new Date(`${month}-${day}`).getUTCDate() === Number(day));
  if (!exists || Number.isNaN(time.getTime())) addInvalid(form, "Timestamp", "ISO 8601");
  return time;
}

function addMissing(form: Form, name: string): void {
  // What came in another form (an array, an object) has its issue already.
  if (form.lists.has(name)) return;
  const near = Object.keys(form.params).find((each) => each.length < 24 && foldedName(each) === foldedName(name));
  const hint = near ? `; ${quote(near)} came, but names are case-sensitive` : "";
  form.issues.push(issueOf(name, "missing", `${name} is missing${hint}.`));
}

function refuseIssues(form: Form): void {
  if (form.issues.length === 0) return;
  const shown = form.issues.slice(0, 6).map((each) => each.message);
  if (form.issues.length > 6) shown.push(`And ${form.issues.length - 6} more.`);
  if (isEmpty(form)) {
    const what = form.source === undefined || form.source === null ? quote(form.source) : "nothing";
    const advice = "a body parser for application/x-www-form-urlencoded is probably missing.";
    shown.unshift(`No parameters can be read (${what} came): ${advice}`);
  }
  throw new FaxRequestError(shown.join(" "), Object.freeze(form.issues));
}

/** Whether a source held nothing that has the form of a parameter. */
export function isEmpty({ params, media, lists }: Form): boolean {
  return media === undefined && lists.size === 0 && Object.keys(params).length === 0;
}
