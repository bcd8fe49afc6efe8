/** The reply to a request: TwiML with headers, or the reason of a refusal. */
import { createHash } from "node:crypto";
import { TwimlError } from "../shared/errors.js";
import { didYouMean, formatValue, hintFor, optionError } from "../shared/messages.js";
import { emptyRecord, isPlainObject, readOwn } from "../shared/objects.js";
import { type FaxResponse, toTwiml, TWIML_CONTENT_TYPE } from "../twiml/response.js";
import type { Verb } from "../twiml/verbs.js";
import type { parseTwiml } from "../twiml/document.js";
import { formatAttribute } from "../twiml/xml-write.js";
import { TOKEN } from "./content-type.js";
import type { ReplyHeaders, WebhookReply, WebhookRequest } from "./http.js";
import { REFUSALS, type RefusalReason } from "./refusal.js";

/** Any verb. Derived from `parseTwiml`, because the declarations of both entry points share one file. */
type AnyVerb = NonNullable<ReturnType<typeof parseTwiml>>;

/** The result of `onFax`: a verb, a `FaxResponse` with a verb, or one of them with headers. */
export type FaxAnswer =
  | AnyVerb
  | FaxResponse
  | {
      /** The response to the fax. */
      readonly twiml: Verb | FaxResponse;
      /** Headers of the reply, such as `Set-Cookie`. */
      readonly headers?: ReplyHeaders;
    };

/** What the reply to a new fax depends on, besides the request. */
export interface FaxReplyContext {
  readonly maxMediaBytes: number;
  /** Returns the `action` for a `<Receive>` that has none; `undefined` if the webhook receives no callbacks. */
  readonly getAction: (() => string) | undefined;
}

/** The reply to a new fax. Throws a TwimlError if there is no verb, or if the verb would lose the pages. */
export function replyToFax(
  request: WebhookRequest,
  reply: FaxAnswer,
  { maxMediaBytes, getAction }: FaxReplyContext,
): WebhookReply {
  const { twiml, headers } = splitReply(reply);
  const response = isFaxResponse(twiml) ? twiml : undefined;
  const verb = response ? response.verb : (twiml as Verb | undefined);
  if (!verb || !Object.hasOwn(verb, "verb")) throw noVerbError(twiml ?? reply);
  const body = response ? response.toString() : toTwiml(verb);
  const attributes = readOwn(verb, "attributes");
  if (maxMediaBytes === 0 && verb.verb === "Receive" && readOwn(attributes, "storeMedia") === false) {
    const problem = "storeMedia: false requires the option maxMediaBytes; otherwise the pages are lost";
    throw new TwimlError("pages-lost", `<Receive>: ${problem}.`, { verb: "Receive", attribute: "storeMedia" });
  }
  const hasAction = verb.verb !== "Receive" || (readOwn(attributes, "action") ?? undefined) !== undefined;
  const document = hasAction || getAction === undefined ? body : insertAction(body, getAction());
  return twimlReply(request, document, checkReplyHeaders(headers));
}

/** Adds the default action to the only start tag of the verb. A comment can contain the same text. */
function insertAction(twiml: string, action: string): string {
  return twiml.replace(/<!--[^]*?-->|<Receive/g, (text) =>
    text === "<Receive" ? text + formatAttribute("action", action) : text,
  );
}

/** The reply to a callback. */
export function replyToCallback(request: WebhookRequest): WebhookReply {
  return twimlReply(request, toTwiml(), emptyRecord());
}

/** The reply to a refused request. The body is only the reason, or "forbidden" for every 403. */
export function replyToRefused(request: WebhookRequest, reason: RefusalReason): WebhookReply {
  const [status] = REFUSALS[reason];
  const headers: WebhookReply["headers"] = { "content-type": PLAIN_TEXT, "cache-control": "no-store" };
  if (status === 405) headers["allow"] = "GET, HEAD, POST";
  const body = status === 403 ? "forbidden" : reason;
  return { status, headers, body: request.method === "HEAD" ? "" : body };
}

/** The content type of every reply that is not TwiML. */
export const PLAIN_TEXT = "text/plain; charset=utf-8";

/** The unchecked parts of the result of `onFax`. */
interface ReplyParts {
  readonly twiml: unknown;
  readonly headers: unknown;
}

const ANSWER_PARTS = ["twiml", "headers"];

function splitReply(reply: FaxAnswer): ReplyParts {
  if (!hasParts(reply)) return { twiml: reply, headers: undefined };
  const other = Object.keys(reply).find((name) => !ANSWER_PARTS.includes(name));
  if (other !== undefined) {
    const hint = didYouMean(other, ANSWER_PARTS);
    throw new TypeError(`onFax: unknown property ${formatValue(other)}${hint}. Known properties: twiml, headers.`);
  }
  return { twiml: readOwn(reply, "twiml"), headers: readOwn(reply, "headers") ?? undefined };
}

function hasParts(reply: FaxAnswer): boolean {
  if (typeof reply !== "object" || reply === null) return false;
  return Object.hasOwn(reply, "twiml") || Object.hasOwn(reply, "headers");
}

/** Checks the structure, not the class, because an ESM and a CommonJS copy of the library can coexist. */
function isFaxResponse(value: unknown): value is FaxResponse {
  return typeof (value as Partial<FaxResponse> | undefined)?.comment === "function" && "verb" in (value as object);
}

function noVerbError(reply: unknown): TwimlError {
  const message = `onFax must return receive() or reject(), but returned ${describeReply(reply)}`;
  return new TwimlError("no-verb", `${message} The provider would drop the fax (error 34106).`);
}

function describeReply(reply: unknown): string {
  // A string is not shown, because it can be a token.
  if (typeof reply === "string") return "a string. Convert XML to a verb with parseTwiml(xml).";
  if (Object(reply) !== reply || !("comment" in (reply as object))) return `${formatValue(reply)}.${hintFor(reply)}`;
  if ("verb" in (reply as object)) return "a FaxResponse without a verb. Call its method receive() or reject().";
  return "another library's response. Convert it with parseTwiml(String(response)).";
}

function twimlReply(request: WebhookRequest, body: string, headers: WebhookReply["headers"]): WebhookReply {
  headers["content-type"] = TWIML_CONTENT_TYPE;
  if (request.method !== "POST") return cacheableReply(request, headers, body);
  headers["cache-control"] = "no-store";
  return { status: 200, headers, body };
}

/** The reply to a GET or HEAD. Providers cache it, and revalidate it with its ETag. */
function cacheableReply(request: WebhookRequest, headers: WebhookReply["headers"], body: string): WebhookReply {
  const etag = `"${createHash("sha256").update(body).digest("base64url")}"`;
  headers["cache-control"] ??= "private, no-cache";
  headers["etag"] = etag;
  if (etagMatches(request.headers["if-none-match"], etag)) return { status: 304, headers, body: "" };
  if (request.method === "GET") return { status: 200, headers, body };
  headers["content-length"] = String(Buffer.byteLength(body));
  return { status: 200, headers, body: "" };
}

/** Compares weakly, as RFC 9110, section 13.1.2, requires for If-None-Match. */
function etagMatches(ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = (ifNoneMatch ?? "").split(",").map(stripWeakPrefix);
  return tags.includes(etag) || ifNoneMatch?.trim() === "*";
}

function stripWeakPrefix(etag: string): string {
  return etag.trim().replace(/^W\//, "");
}

/** RFC 9110, section 5.5, without obsolete line folding. Every runtime sends these values. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Returns the headers by lower-case name. Checked here, because a server would throw after it has set some of them. */
function checkReplyHeaders(headers: unknown): WebhookReply["headers"] {
  const checked = emptyRecord<string | string[]>();
  if (headers === undefined) return checked;
  if (!isPlainObject(headers)) throw optionError("headers", 'a plain object, such as { "set-cookie": "a=1" }', headers);
  for (const [name, value] of Object.entries(headers as object)) {
    const key = name.toLowerCase();
    if (key === "content-length" || key === "transfer-encoding") {
      throw new TypeError(`The server sets ${key}. Remove it from headers.`);
    }
    if (value === undefined || value === null) continue;
    if (!TOKEN.test(name))
      throw new TypeError(`headers: ${formatValue(name)} is not a valid header name. Use letters, digits and hyphens.`);
    const values = [value].flat().map((each) => checkHeaderValue(name, String(each)));
    checked[key] = Array.isArray(value) ? values : values[0]!;
  }
  return checked;
}

function checkHeaderValue(name: string, value: string): string {
  if (HEADER_VALUE.test(value)) return value;
  // Cookies are secrets, so the message does not contain the value.
  const problem = "contains a line break or another invalid character. Remove or encode it";
  throw new TypeError(`The value of the header ${formatValue(name)} ${problem}.`);
}
