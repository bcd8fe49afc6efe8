/** Parameters to typed values: `parseFaxRequest` for an incoming fax, `parseFaxCallback` for how it went. */
import { FaxRequestError, type FaxRequestIssue, createIssue } from "../shared/errors.js";
import { foldName, isPromise, formatValue } from "../shared/messages.js";
import {
  type FaxMedia,
  type FaxParamSource,
  type ReceivedParams,
  createListIssue,
  readParams,
} from "./received-params.js";
import { isResplitCallback } from "./signed-text.js";
import { isSid, parseCount, parseSid, parseTimestamp, parseUrl, SID_FORMAT } from "../shared/values.js";

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

/** What a new fax and a callback have in common. */
interface FaxCommon {
  /** Identifier of the fax: 1 to 40 of `A-Z a-z 0-9 _ -`, so that it is safe in a file name. */
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
  /** What was odd and did not cost the request; empty as a rule. The values stand in `params`. */
  readonly issues: readonly FaxRequestIssue[];
}

/** What comes with an incoming fax; read-only. https://www.twilio.com/docs/fax/twiml */
export interface FaxRequest extends FaxCommon {
  /** Tells a new fax from a callback. */
  readonly kind: "request";
}

/**
 * What comes with an action or status callback; read-only. Only `faxSid` and `faxStatus` are certain: `accountSid`,
 * `from`, `to` and `apiVersion` are empty where they did not come. https://www.twilio.com/docs/fax/twiml/receive
 */
export interface FaxCallback extends FaxCommon {
  /** Tells a callback from a new fax. */
  readonly kind: "callback";
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
 * A parser that is a Standard Schema as well, so that the validators of frameworks take it. `validate` is synchronous
 * and never throws; its issues have a `message` and the parameter's name as `path`. It checks no signature: verify the
 * request first. https://standardschema.dev
 */
export interface FaxParser<Fax> {
  (source: FaxParamSource): Fax;
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: "twiml-fax";
    readonly validate: (value: unknown) => FaxSchemaResult<Fax>;
    readonly types?: { readonly input: FaxParamSource; readonly output: Fax } | undefined;
  };
}

/** What `validate` of a {@link FaxParser} gives: a value, or issues. */
export type FaxSchemaResult<Fax> =
  | { readonly value: Fax; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path: readonly PropertyKey[] }[] };

function createParser<Fax>(toFax: (form: ReceivedParams) => Fax): FaxParser<Fax> {
  const parse = (source: unknown): Fax => toFax(readParams(source));
  const validate = (value: unknown): FaxSchemaResult<Fax> => {
    try {
      return { value: parse(value) };
    } catch (error) {
      return { issues: toSchemaIssues(error) };
    }
  };
  return Object.assign(parse, { "~standard": { version: 1, vendor: "twiml-fax", validate } as const });
}

/** A source of one's own may throw anything while it is read. */
function toSchemaIssues(error: unknown): { message: string; path: string[] }[] {
  if (!(error instanceof FaxRequestError)) return [{ message: "The parameters cannot be read.", path: [] }];
  return error.issues.map(({ message, parameter }) => ({ message, path: [parameter] }));
}

/**
 * Reads the request that asks what to do with an incoming fax.
 *
 * @param source form body, query string, iterable of pairs, or a body parser's object
 * @returns the five parameters, and all that came in `params`; frozen
 * @throws {FaxRequestError} with every issue: one of the five is missing or (other than `From`) empty, came repeatedly
 * or is not text, a SID does not have its form. An unknown parameter that is odd stands in `issues`
 * @example
 * const fax = parseFaxRequest("FaxSid=FX1&AccountSid=AC1&From=%2B15017122661&To=%2B15558675310&ApiVersion=v1");
 * fax.from; // "+15017122661"
 * @see https://www.twilio.com/docs/fax/twiml
 * @see https://url.spec.whatwg.org/#urlencoded-parsing
 */
export const parseFaxRequest: FaxParser<FaxRequest> = /* @__PURE__ */ createParser(toFaxRequest);

/** For the webhook, which has read the form already, to verify it. A fax that is refused goes to the fallback URL. */
export function toFaxRequest(form: ReceivedParams): FaxRequest {
  const refused: FaxRequestIssue[] = [];
  const request = {
    kind: "request" as const,
    faxSid: readSid(form, "FaxSid", refused),
    accountSid: readSid(form, "AccountSid", refused),
    from: readValue(form, "From", refused),
    to: readNonEmpty(form, "To", refused),
    apiVersion: readNonEmpty(form, "ApiVersion", refused),
    params: form.params,
    issues: listUnknownIssues(form, isCommon),
  };
  if (refused.length > 0) throw parametersError(form, refused.concat(request.issues));
  return Object.freeze(request);
}

const COMMON: readonly string[] = ["FaxSid", "AccountSid", "From", "To", "ApiVersion"];

/**
 * Reads the request that says how a fax went: the callback to `action`, or the status callback of a fax you send. It
 * may be the only word of the pages, so nothing but a missing FaxSid or status refuses it.
 *
 * @param source as for `parseFaxRequest`; a `FormData` brings the pages of a multipart delivery
 * @returns the request's parameters and the callback's; what is absent, empty or unreadable is left out; frozen. What
 * could not be read stands in `issues`, and its text in `params`
 * @throws {FaxRequestError} with every issue: no `FaxSid` of its form, or several; neither `FaxStatus` nor `Status`;
 * `Media` as text, because its bytes are lost then
 * @example
 * const callback = parseFaxCallback(await request.text());
 * if (callback.faxStatus === "received") console.log(callback.numPages, callback.mediaUrl);
 * @see https://developer.signalwire.com/compatibility-api/cxml/fax/receive
 */
export const parseFaxCallback: FaxParser<FaxCallback> = /* @__PURE__ */ createParser(toFaxCallback);

/** For the webhook, which has read the form already, to verify it. */
export function toFaxCallback(form: ReceivedParams): FaxCallback {
  const refused: FaxRequestIssue[] = [];
  const noted: FaxRequestIssue[] = [];
  const callback: Record<string, unknown> = {
    kind: "callback",
    faxSid: readSid(form, "FaxSid", refused),
    accountSid: readSid(form, "AccountSid", noted),
    from: readValue(form, "From", noted),
    to: readNonEmpty(form, "To", noted),
    apiVersion: readNonEmpty(form, "ApiVersion", noted),
    params: form.params,
    faxStatus: readStatus(form, refused, noted),
  };
  for (const optional of OPTIONAL) {
    const value = readOptional(form, optional, noted);
    if (value !== undefined) callback[optional.property] = value;
  }
  addMedia(callback, form, refused, noted);
  noted.push(...listUnknownIssues(form, isKnown));
  if (refused.length > 0) throw parametersError(form, refused.concat(noted));
  callback["issues"] = Object.freeze(noted);
  return Object.freeze(callback) as unknown as FaxCallback;
}

/**
 * Reads a request of either kind: a new fax, or how one went, told apart by `kind`. For whoever serves both at one URL
 * and does not use `faxWebhook`, which does the same.
 *
 * @param source as for `parseFaxRequest`
 * @returns what `parseFaxCallback` does when there is any parameter that only callbacks have (`FaxStatus`, `Status`,
 * `MediaUrl`, `MediaSid`, `OriginalMediaUrl`, `NumPages`, `ErrorCode`, `ErrorMessage`, `Media`), or else what
 * `parseFaxRequest` does
 * @throws {FaxRequestError} as that one does
 * @example
 * const fax = parseFax(await request.text());
 * if (fax.kind === "callback") console.log(fax.faxStatus, fax.mediaUrl);
 * else console.log("A fax from", fax.from);
 * @see https://www.twilio.com/docs/fax/twiml/receive
 */
export const parseFax: FaxParser<FaxRequest | FaxCallback> = /* @__PURE__ */ createParser(toFax);

function toFax(form: ReceivedParams): FaxRequest | FaxCallback {
  return isCallback(form) ? toFaxCallback(form) : toFaxRequest(form);
}

/** What the provider may add. */
interface OptionalParam {
  readonly property: string;
  readonly name: string;
  /** What it holds, in words. */
  readonly expected: string;
  readonly read: (text: string) => unknown;
}

const OPTIONAL: readonly OptionalParam[] = [
  { property: "remoteStationId", name: "RemoteStationId", expected: "text", read: String },
  { property: "numPages", name: "NumPages", expected: "a whole number", read: parseCount },
  { property: "mediaUrl", name: "MediaUrl", expected: "an http(s) URL", read: parseUrl },
  { property: "mediaSid", name: "MediaSid", expected: SID_FORMAT, read: parseSid },
  { property: "originalMediaUrl", name: "OriginalMediaUrl", expected: "an http(s) URL", read: parseUrl },
  { property: "errorCode", name: "ErrorCode", expected: "text", read: String },
  { property: "errorMessage", name: "ErrorMessage", expected: "text", read: String },
  { property: "timestamp", name: "Timestamp", expected: "a time in ISO 8601 or RFC 2822", read: parseTimestamp },
];

function isCommon(name: string): boolean {
  return COMMON.includes(name);
}

function isKnown(name: string): boolean {
  return isCommon(name) || CALLBACK_PARAMS.includes(name) || OPTIONAL.some((optional) => optional.name === name);
}

/** Half of the programs in the wild read `Status`, which no provider documents. */
const CALLBACK_PARAMS = [
  "FaxStatus",
  "Status",
  "MediaUrl",
  "MediaSid",
  "OriginalMediaUrl",
  "NumPages",
  "ErrorCode",
  "ErrorMessage",
  "Media",
];

/** Whether a request says how a fax went. Who takes it for a new fax answers `<Receive>` again and loses the pages. */
export function isCallback(form: ReceivedParams): boolean {
  if (form.media !== undefined) return true;
  return (
    CALLBACK_PARAMS.some((name) => name in form.params || form.repeatedOrNonText.has(name)) || isResplitCallback(form)
  );
}

/** The value, which may be empty. */
function readValue(form: ReceivedParams, name: string, issues: FaxRequestIssue[]): string {
  const value = form.params[name];
  const list = form.repeatedOrNonText.get(name);
  if (list !== undefined) issues.push(createListIssue(name, list));
  else if (value === undefined) issues.push(createMissingIssue(form, name));
  return value ?? "";
}

/** The value, which may not be empty. */
function readNonEmpty(form: ReceivedParams, name: string, issues: FaxRequestIssue[]): string {
  const value = readValue(form, name, issues);
  if (value === "" && name in form.params) issues.push(createIssue(name, "empty", `${name} is empty.`));
  return value;
}

/** The SID_FORMAT, or nothing: people put it in file names. */
function readSid(form: ReceivedParams, name: string, issues: FaxRequestIssue[]): string {
  const value = readNonEmpty(form, name, issues);
  if (value === "" || isSid(value)) return value;
  issues.push(createInvalidIssue(name, SID_FORMAT, value));
  return "";
}

const STATUSES = ["FaxStatus", "Status"];

function readStatus(form: ReceivedParams, refused: FaxRequestIssue[], noted: FaxRequestIssue[]): string {
  const [name, other] = form.params["FaxStatus"] || !form.params["Status"] ? STATUSES : [...STATUSES].reverse();
  const list = form.repeatedOrNonText.get(other!);
  if (list !== undefined) noted.push(createListIssue(other!, list));
  return readNonEmpty(form, name!, form.params[name!] ? noted : refused);
}

function readOptional(
  form: ReceivedParams,
  { name, expected, read }: OptionalParam,
  noted: FaxRequestIssue[],
): unknown {
  const list = form.repeatedOrNonText.size > 0 ? form.repeatedOrNonText.get(name) : undefined;
  if (list !== undefined) noted.push(createListIssue(name, list));
  // The same value twice has one reading.
  if (list !== undefined && new Set(list.flat()).size > 1) return undefined;
  const text = form.params[name];
  // One that came empty is absent.
  if (!text) return undefined;
  const value = read(text);
  if (value === undefined) noted.push(createInvalidIssue(name, expected, text));
  return value;
}

/** Of several files the first: that is better than none. */
function addMedia(
  callback: Record<string, unknown>,
  { media, params, repeatedOrNonText: lists }: ReceivedParams,
  refused: FaxRequestIssue[],
  noted: FaxRequestIssue[],
): void {
  const list = lists.get("Media");
  if (list !== undefined) (media ? noted : refused).push(createListIssue("Media", list));
  else if (!media && params["Media"]) {
    refused.push(createIssue("Media", "invalid", "Media came as text, without a filename: its bytes are lost."));
  }
  if (media) callback["media"] = media;
}

function createInvalidIssue(name: string, expected: string, value: string): FaxRequestIssue {
  return createIssue(name, "invalid", `${name} must be ${expected}, not ${formatValue(value)}.`);
}

function createMissingIssue(form: ReceivedParams, name: string): FaxRequestIssue {
  const near = Object.keys(form.params).find((each) => each.length < 24 && foldName(each) === foldName(name));
  const hint = near ? `; ${formatValue(near)} came, but names are case-sensitive` : "";
  return createIssue(name, "missing", `${name} is missing${hint}.`);
}

const NO_ISSUES: readonly FaxRequestIssue[] = /* @__PURE__ */ Object.freeze([]);

/** What is odd about the names that are not known: it does not cost the request. */
function listUnknownIssues(
  { repeatedOrNonText: lists }: ReceivedParams,
  isKnown: (name: string) => boolean,
): readonly FaxRequestIssue[] {
  if (lists.size === 0) return NO_ISSUES;
  const unknown = [...lists].filter(([name]) => !isKnown(name));
  return Object.freeze(unknown.map(([name, values]) => createListIssue(name, values)));
}

function parametersError(form: ReceivedParams, issues: FaxRequestIssue[]): FaxRequestError {
  const shown = issues.slice(0, 6).map((each) => each.message);
  if (issues.length > 6) shown.push(`And ${issues.length - 6} more.`);
  if (hasNoParams(form)) shown.unshift(`No parameters can be read (${sourceHint(form.source)}`);
  return new FaxRequestError(shown.join(" "), Object.freeze(issues));
}

/** Whether nothing came that has the form of a parameter. */
function hasNoParams({ count, media }: ReceivedParams): boolean {
  return count === 0 && media === undefined;
}

/** What came that held no parameters, and what to pass instead. */
function sourceHint(source: unknown): string {
  const came = `${formatValue(source)} came)`;
  if (isPromise(source)) return `${came}: is an await missing?`;
  if (typeof source === "object" && source !== null) {
    if ("searchParams" in source) return `${came}: pass its searchParams.`;
    if ("arrayBuffer" in source) return `${came}: pass what its text() or formData() gives.`;
    if (Symbol.asyncIterator in source) return "a request or another stream came): pass its body.";
  }
  const isAbsent = source === undefined || source === null;
  const parser = "a body parser for application/x-www-form-urlencoded is probably missing.";
  return `${isAbsent ? came : "nothing came)"}: ${parser}`;
}
