/** The parsers: `parseFaxRequest` for a new fax, `parseFaxCallback` for its result, `parseFax` for both. */
import { FaxRequestError, type FaxRequestIssue, createIssue } from "../shared/errors.js";
import { foldName, formatValue, hintFor } from "../shared/messages.js";
import { copyText, isSid, parseCount, parseSid, parseTimestamp, parseUrl, SID_FORMAT } from "../shared/values.js";
import {
  createListIssue,
  type FaxMedia,
  type FaxParamSource,
  readParams,
  type ReceivedParams,
} from "./received-params.js";
import { getSignedTexts } from "./signed-text.js";

/**
 * The statuses of a fax that the providers document.
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

/** The status of a fax: any text, because providers add statuses. Editors suggest the known ones. */
export type FaxStatus = (typeof FAX_STATUSES)[number] | (string & {});

/** The properties that a new fax and a callback have in common. */
interface FaxCommon {
  /** Identifier of the fax: 1 to 40 characters (`A-Z a-z 0-9 _ -`), so that it is safe in a file name. */
  readonly faxSid: string;
  /** Identifier of the account (SignalWire: the project), in the same format. */
  readonly accountSid: string;
  /** The caller: usually a number in E.164 format, otherwise a SIP URI or any text; empty if withheld. */
  readonly from: string;
  /** The called number, or a SIP URI. */
  readonly to: string;
  /** Version of the provider's API: `v1`. */
  readonly apiVersion: string;
  /** Every text parameter, known or unknown, by the name that the provider sent. Frozen, without a prototype. */
  readonly params: Readonly<Record<string, string>>;
  /** Non-fatal problems; usually empty. The raw values are in `params`. */
  readonly issues: readonly FaxRequestIssue[];
}

/** The names of the parameters that a new fax and a callback have in common. */
export const COMMON_PARAM_NAMES: readonly string[] = ["FaxSid", "AccountSid", "From", "To", "ApiVersion"];

/** The parameters of a new fax. Read-only. https://www.twilio.com/docs/fax/twiml */
export interface FaxRequest extends FaxCommon {
  /** Distinguishes a new fax from a callback. */
  readonly kind: "request";
  /** At the fallback URL: the provider's error code for the request to the first URL, as text. */
  readonly errorCode?: string;
  /** At the fallback URL: the first URL, which failed. */
  readonly errorUrl?: string;
}

/** A parameter that callbacks have. */
type CallbackParam = { readonly name: string } & (
  | {
      /** A request that has the parameter is a callback; for an error only if it does not have `ErrorUrl` as well. */
      readonly marksCallback: true | "without ErrorUrl";
      /** The parameter in a signed text: its name and the start of its value. `undefined` for a file. */
      readonly signedAs: RegExp | undefined;
    }
  | { readonly marksCallback: false }
);

/** A parameter whose parsed text becomes a property of {@link FaxCallback}. */
interface ParsedParam<Value = unknown> {
  readonly name: string;
  /** The accepted values, for messages. */
  readonly expected: string;
  /** Returns `undefined` for a text that is not accepted. */
  readonly parse: (text: string) => Value | undefined;
}

/** The row of a parameter that new faxes have at the fallback URL, too. */
const ERROR_CODE = {
  name: "ErrorCode",
  marksCallback: "without ErrorUrl",
  signedAs: /ErrorCode\d/,
  expected: "text",
  parse: String,
} as const;

/** The parameters that callbacks have, by property of {@link FaxCallback}. Editors show the comments of the rows. */
const CALLBACK_PARAMS = {
  faxStatus: { name: "FaxStatus", marksCallback: true, signedAs: /FaxStatus/ },
  // About half of the public programs read `Status`, although no provider documents it.
  status: { name: "Status", marksCallback: true, signedAs: /* @__PURE__ */ createStatusPattern() },
  /** TSID of the sending machine: free text chosen by the sender. */
  remoteStationId: { name: "RemoteStationId", marksCallback: false, expected: "text", parse: String },
  /** Number of pages. */
  numPages: {
    name: "NumPages",
    marksCallback: true,
    signedAs: /NumPages\d/,
    expected: "a whole number",
    parse: parseCount,
  },
  /** http(s) URL of the stored pages. */
  mediaUrl: {
    name: "MediaUrl",
    marksCallback: true,
    signedAs: /MediaUrlhttp/,
    expected: "an http(s) URL",
    parse: parseUrl,
  },
  /** SignalWire's identifier of the stored pages, in the format of `faxSid`. */
  mediaSid: { name: "MediaSid", marksCallback: true, signedAs: /MediaSid/, expected: SID_FORMAT, parse: parseSid },
  /** Outbound: the http(s) URL that was given when sending. */
  originalMediaUrl: {
    name: "OriginalMediaUrl",
    marksCallback: true,
    signedAs: /OriginalMediaUrlhttp/,
    expected: "an http(s) URL",
    parse: parseUrl,
  },
  /** On failure: the provider's error code, as text. */
  errorCode: ERROR_CODE,
  /** On failure: the provider's error message. */
  errorMessage: {
    name: "ErrorMessage",
    marksCallback: "without ErrorUrl",
    signedAs: /ErrorMessage/,
    expected: "text",
    parse: String,
  },
  /** SignalWire: time of the result. */
  timestamp: {
    name: "Timestamp",
    marksCallback: false,
    expected: "a time in ISO 8601 or RFC 2822",
    parse: parseTimestamp,
  },
  bitRate: { name: "BitRate", marksCallback: false },
  media: { name: "Media", marksCallback: true, signedAs: undefined },
} satisfies Record<string, CallbackParam & Partial<ParsedParam>>;

/** The parameter that the provider adds to a new fax that it sends to the fallback URL. */
const ERROR_URL: ParsedParam = { name: "ErrorUrl", expected: "text", parse: String };

/** `Status` and a known status in any case. A function, because bundlers keep a call that contains another call. */
function createStatusPattern(): RegExp {
  const statuses = FAX_STATUSES.join("|").replace(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
  return RegExp(`Status(?:${statuses})`);
}

type CallbackParams = typeof CALLBACK_PARAMS;
/** The properties of the rows that have a `parse`. */
type ParsedProperty = {
  [Property in keyof CallbackParams]: CallbackParams[Property] extends ParsedParam ? Property : never;
}[keyof CallbackParams];
type ParsedParams = Pick<CallbackParams, ParsedProperty>;
/** The parsed values by property. A mapped type over `keyof` keeps the comments of the table. */
type ParsedValues = {
  [Property in keyof ParsedParams]: ParsedParams[Property] extends ParsedParam<infer Value> ? Value : never;
};

/**
 * The parameters of an action or status callback. Read-only. Only `faxSid` and `faxStatus` are never empty:
 * `accountSid`, `from`, `to` and `apiVersion` are `""` if they are missing, and `accountSid` also if it is invalid.
 * https://www.twilio.com/docs/fax/twiml/receive
 */
export interface FaxCallback extends FaxCommon, Readonly<Partial<ParsedValues>> {
  /** Distinguishes a callback from a new fax. */
  readonly kind: "callback";
  /** Status of the fax: one of `FAX_STATUSES`, or a status that a provider added later. */
  readonly faxStatus: FaxStatus;
  /** The pages, if the verb had `storeMedia: false`. */
  readonly media?: FaxMedia;
}

/**
 * A parser that is also a Standard Schema, for the validators of frameworks. `validate` is synchronous and never
 * throws. Its issues have a `message`, and the parameter's name as `path`. It does not verify the signature: verify the
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

/** The result of a {@link FaxParser}'s `validate`: a value, or issues. */
export type FaxSchemaResult<Fax> =
  | { readonly value: Fax; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path: readonly PropertyKey[] }[] };

function createParser<Fax>(toFax: (received: ReceivedParams) => Fax): FaxParser<Fax> {
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

/** The issues of an error. A custom iterable may throw anything. */
function toSchemaIssues(error: unknown): { message: string; path: string[] }[] {
  if (!(error instanceof FaxRequestError)) return [{ message: "Reading the source threw an error.", path: [] }];
  return error.issues.map(({ message, parameter }) => ({ message, path: [parameter] }));
}

/**
 * Parses the parameters of a new fax.
 *
 * @param source form body, query string, iterable of pairs, or a body parser's object
 * @returns a frozen object with the five parameters, and every text parameter in `params`
 * @throws {FaxRequestError} with every issue, if `FaxSid`, `AccountSid`, `From`, `To` or `ApiVersion` is missing, empty
 * (except `From`), repeated or not text, or if a SID is invalid. Problems with other parameters are noted in `issues`
 * @example
 * const fax = parseFaxRequest("FaxSid=FX1&AccountSid=AC1&From=%2B15017122661&To=%2B15558675310&ApiVersion=v1");
 * fax.from; // "+15017122661"
 * @see https://www.twilio.com/docs/fax/twiml
 * @see https://url.spec.whatwg.org/#urlencoded-parsing
 */
export const parseFaxRequest: FaxParser<FaxRequest> = /* @__PURE__ */ createParser(toFaxRequest);

/** Converts received parameters to a new fax. The webhook calls it after verifying them. */
export function toFaxRequest(received: ReceivedParams): FaxRequest {
  const refused: FaxRequestIssue[] = [];
  const noted: FaxRequestIssue[] = [];
  const request: Mutable<FaxRequest> = {
    kind: "request",
    faxSid: readSid(received, "FaxSid", refused),
    accountSid: readSid(received, "AccountSid", refused),
    from: readValue(received, "From", refused),
    to: readNonEmpty(received, "To", refused),
    apiVersion: readNonEmpty(received, "ApiVersion", refused),
    params: received.params,
    issues: NO_ISSUES,
  };
  if (ERROR_URL.name in received.params) {
    setParsed(request, "errorCode", ERROR_CODE, received, noted);
    setParsed(request, "errorUrl", ERROR_URL, received, noted);
  }
  return freezeFax(request, received, refused, noted);
}

type Mutable<Type> = { -readonly [Property in keyof Type]: Type[Property] };

/**
 * Parses the parameters of a callback: the result of a received fax, sent to `action`, or the status of a fax that you
 * send. A callback can be the only notification about the pages, so it is refused only if it is unusable.
 *
 * @param source as for `parseFaxRequest`; a `FormData` can contain the pages
 * @returns a frozen object without the properties whose parameters are absent, empty, invalid, or repeated with
 * different values. An invalid parameter is noted in `issues`, and its text is in `params`
 * @throws {FaxRequestError} with every issue, if `FaxSid` is missing, empty, invalid, repeated or not text, if neither
 * `FaxStatus` nor `Status` has a value, or if `Media` has a value but no file, because the pages are then lost
 * @example
 * const callback = parseFaxCallback(await request.text());
 * if (callback.faxStatus === "received") console.log(callback.numPages, callback.mediaUrl);
 * @see https://developer.signalwire.com/compatibility-api/cxml/fax/receive
 */
export const parseFaxCallback: FaxParser<FaxCallback> = /* @__PURE__ */ createParser(toFaxCallback);

/** Converts received parameters to a callback. The webhook calls it after verifying them. */
export function toFaxCallback(received: ReceivedParams): FaxCallback {
  const refused: FaxRequestIssue[] = [];
  const noted: FaxRequestIssue[] = [];
  const callback: Mutable<FaxCallback> = {
    kind: "callback",
    faxSid: readSid(received, "FaxSid", refused),
    accountSid: readSid(received, "AccountSid", noted),
    from: readValue(received, "From", noted),
    to: readNonEmpty(received, "To", noted),
    apiVersion: readNonEmpty(received, "ApiVersion", noted),
    params: received.params,
    faxStatus: readStatus(received, refused, noted),
    issues: NO_ISSUES,
  };
  for (const [property, row] of PARSED_ROWS) setParsed(callback, property, row, received, noted);
  const media = readMedia(received, refused, noted);
  if (media !== undefined) callback.media = media;
  return freezeFax(callback, received, refused, noted);
}

/**
 * Parses the parameters of a new fax or a callback, distinguished by `kind`. For servers that receive both at one URL
 * and do not use `faxWebhook`, which does the same.
 *
 * @param source as for `parseFaxRequest`
 * @returns the result of `parseFaxCallback` if the source has any of `FaxStatus`, `Status`, `MediaUrl`, `MediaSid`,
 * `OriginalMediaUrl`, `NumPages` and `Media`, or `ErrorCode` or `ErrorMessage` without `ErrorUrl`; otherwise the result
 * of `parseFaxRequest`
 * @throws {FaxRequestError} as that parser does
 * @example
 * const fax = parseFax(await request.text());
 * if (fax.kind === "callback") console.log(fax.faxStatus, fax.mediaUrl);
 * else console.log("A fax from", fax.from);
 * @see https://www.twilio.com/docs/fax/twiml/receive
 */
export const parseFax: FaxParser<FaxRequest | FaxCallback> = /* @__PURE__ */ createParser(toFax);

function toFax(received: ReceivedParams): FaxRequest | FaxCallback {
  return isCallback(received) ? toFaxCallback(received) : toFaxRequest(received);
}

const CALLBACK_ROWS: readonly CallbackParam[] = /* @__PURE__ */ Object.values(CALLBACK_PARAMS);

/** The names of the parameters that only callbacks have. */
export const CALLBACK_PARAM_NAMES: readonly string[] = /* @__PURE__ */ CALLBACK_ROWS.map(({ name }) => name);

/** The parameters whose presence makes a request a callback. */
const MARKERS = /* @__PURE__ */ CALLBACK_ROWS.filter((row) => row.marksCallback !== false);

/** The same for a request with `ErrorUrl`, which the provider adds to a new fax that it sends to the fallback URL. */
const FALLBACK_MARKERS = /* @__PURE__ */ MARKERS.filter((row) => row.marksCallback === true);

/**
 * Whether a request is a callback. If a callback were treated as a new fax, its pages would be lost.
 *
 * @param signedTexts the result of `getSignedTexts`, for a caller that already has it
 */
export function isCallback(received: ReceivedParams, signedTexts = getSignedTexts(received)): boolean {
  const isReceived = ({ name }: { readonly name: string }): boolean =>
    name in received.params || getList(received, name) !== undefined;
  if (received.media !== undefined) return true;
  const markers = isReceived(ERROR_URL) ? FALLBACK_MARKERS : MARKERS;
  return markers.some(isReceived) || signedTexts.some(isResplitCallback);
}

/** All patterns of rows in one, which is faster. */
function joinPatterns(rows: typeof MARKERS): RegExp {
  return RegExp(rows.flatMap(({ signedAs }) => signedAs?.source ?? []).join("|"));
}

const CALLBACK_TEXT = /* @__PURE__ */ joinPatterns(MARKERS);
const FALLBACK_TEXT = /* @__PURE__ */ joinPatterns(FALLBACK_MARKERS);

/**
 * Whether a signed text is that of a callback. Names and values are signed without separators, so an attacker who has
 * captured a callback can re-split its signed text into different names and values with the same signature. Such a
 * request is treated as a callback without a status, which is refused.
 */
function isResplitCallback(signedText: string): boolean {
  return (signedText.includes("ErrorUrl") ? FALLBACK_TEXT : CALLBACK_TEXT).test(signedText);
}

/** The values of a repeated or non-text name, or `undefined`. */
function getList({ repeatedOrNonText: lists }: ReceivedParams, name: string): readonly unknown[] | undefined {
  // Reading the size is faster than a look-up in an empty map.
  return lists.size > 0 ? lists.get(name) : undefined;
}

/** Reads a value that may be empty. */
function readValue(received: ReceivedParams, name: string, issues: FaxRequestIssue[]): string {
  const value = received.params[name];
  const list = getList(received, name);
  if (list !== undefined) issues.push(createListIssue(name, list));
  else if (value === undefined) issues.push(createMissingIssue(received, name));
  return value ?? "";
}

/** Reads a value that must not be empty. */
function readNonEmpty(received: ReceivedParams, name: string, issues: FaxRequestIssue[]): string {
  const value = readValue(received, name, issues);
  if (value === "" && name in received.params) issues.push(createIssue(name, "empty", `${name} is empty.`));
  return value;
}

/** Reads a SID. Returns `""` for an invalid SID, because programs use SIDs in file names and queries. */
function readSid(received: ReceivedParams, name: string, issues: FaxRequestIssue[]): string {
  const value = readNonEmpty(received, name, issues);
  if (value === "" || isSid(value)) return copyText(value);
  issues.push(createInvalidIssue(name, SID_FORMAT, formatValue(value)));
  return "";
}

/** Reads `FaxStatus`, or `Status` if `FaxStatus` is missing or empty. */
function readStatus(received: ReceivedParams, refused: FaxRequestIssue[], noted: FaxRequestIssue[]): FaxStatus {
  const { params } = received;
  const { faxStatus, status } = CALLBACK_PARAMS;
  const { name } = params[faxStatus.name] || !params[status.name] ? faxStatus : status;
  return readNonEmpty(received, name, params[name] ? noted : refused);
}

/** The rows that have a `parse`, by property. */
const PARSED_ROWS = /* @__PURE__ */ Object.entries<object>(CALLBACK_PARAMS).filter(isParsed);

function isParsed(entry: [property: string, row: object]): entry is [ParsedProperty, ParsedParam] {
  return Object.hasOwn(entry[1], "parse");
}

/** Sets a property if its parameter was received and is valid. */
function setParsed(
  target: { [Property in ParsedProperty | "errorUrl"]?: unknown },
  property: ParsedProperty | "errorUrl",
  { name, expected, parse }: ParsedParam,
  received: ReceivedParams,
  noted: FaxRequestIssue[],
): void {
  const list = getList(received, name);
  if (list !== undefined) noted.push(createListIssue(name, list));
  // The same value twice is not ambiguous.
  if (list !== undefined && new Set(list.flat()).size > 1) return;
  const text = received.params[name];
  // An empty value is treated as absent.
  if (!text) return;
  const value = parse(text);
  if (value !== undefined) target[property] = value;
  // Whoever has the path of the pages can fetch them, so it must not be logged.
  else noted.push(createInvalidIssue(name, expected, name.endsWith("Url") ? describeLength(text) : formatValue(text)));
}

/** Reads the file `Media`. Returns the first of several files, because refusing the callback would lose the pages. */
function readMedia(
  received: ReceivedParams,
  refused: FaxRequestIssue[],
  noted: FaxRequestIssue[],
): FaxMedia | undefined {
  const { media, params } = received;
  const { name } = CALLBACK_PARAMS.media;
  const list = getList(received, name);
  if (list !== undefined) (media ? noted : refused).push(createListIssue(name, list));
  else if (!media && params[name]) {
    const cause = "A part without a filename is read as text, which corrupts the pages.";
    refused.push(createIssue(name, "invalid", `${name} must be a file, but received text. ${cause}`));
  }
  return media;
}

function createInvalidIssue(name: string, expected: string, received: string): FaxRequestIssue {
  return createIssue(name, "invalid", `${name} must be ${expected}, but received ${received}.`);
}

function describeLength({ length }: string): string {
  return `other text of length ${length}`;
}

function createMissingIssue(received: ReceivedParams, name: string): FaxRequestIssue {
  const near = Object.keys(received.params).find((each) => each.length < 24 && foldName(each) === foldName(name));
  const hint = near ? `, but ${formatValue(near)} was received. Names are case-sensitive` : "";
  return createIssue(name, "missing", `${name} is missing${hint}.`);
}

/** Notes the repeated and non-text names that have no issue yet, and returns the fax if no issue is fatal. */
function freezeFax<Fax extends Mutable<FaxCommon>>(
  fax: Fax,
  received: ReceivedParams,
  refused: FaxRequestIssue[],
  noted: FaxRequestIssue[],
): Fax {
  const lists = received.repeatedOrNonText;
  if (lists.size > 0) {
    const names = new Set(refused.concat(noted).map(({ parameter }) => parameter));
    for (const [name, values] of lists) if (!names.has(name)) noted.push(createListIssue(name, values));
  }
  if (refused.length > 0) throw parametersError(received, refused.concat(noted));
  if (noted.length > 0) fax.issues = Object.freeze(noted);
  return Object.freeze(fax);
}

/** Shared by all requests without issues, which are nearly all. */
const NO_ISSUES: readonly FaxRequestIssue[] = /* @__PURE__ */ Object.freeze([]);

function parametersError(received: ReceivedParams, issues: readonly FaxRequestIssue[]): FaxRequestError {
  const shown = issues.slice(0, 6).map((each) => each.message);
  if (issues.length > 6) shown.push(`See \`issues\` for ${issues.length - 6} more.`);
  if (received.count === 0) {
    const { source } = received;
    const fix = hintFor(source) || suggestSource(source);
    shown.unshift(`The source has no parameters (received ${formatValue(source)}).${fix}`);
  }
  return new FaxRequestError(shown.join(" "), Object.freeze(issues));
}

/** The fix for a source without parameters. */
function suggestSource(source: unknown): string {
  if (typeof source === "object" && source !== null) {
    if ("searchParams" in source) return " Pass its searchParams.";
    if ("arrayBuffer" in source) return " Await its text() or formData(), and pass the result.";
    if (Symbol.asyncIterator in source) return " If it is a request or another stream, pass its parsed body.";
  }
  return " Is a body parser for application/x-www-form-urlencoded missing?";
}
