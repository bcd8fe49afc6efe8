/** What a request is answered with: TwiML with its headers, or the reason of a refusal. */
import { createHash } from "node:crypto";
import { TwimlError } from "../shared/errors.js";
import { hintFor, formatValue } from "../shared/messages.js";
import { emptyRecord, isPlainObject, readOwn } from "../shared/objects.js";
import { type FaxResponse, toTwiml, TWIML_CONTENT_TYPE } from "../twiml/response.js";
import type { Verb } from "../twiml/verbs.js";
import type { parseTwiml } from "../twiml/document.js";
import type { ReplyHeaders, WebhookReply, WebhookRequest } from "./http.js";
import type { Refusal } from "./refusal.js";

/** What `receive`, `reject` and `parseTwiml` give. (By the latter: the declarations of both entries share one file.) */
type AnyVerb = NonNullable<ReturnType<typeof parseTwiml>>;

/** What `onFax` answers: a verb, a response with a verb, or one of them with headers. */
export type FaxAnswer = AnyVerb | FaxResponse | { readonly twiml: Verb | FaxResponse; readonly headers?: ReplyHeaders };

/** An answer taken apart. */
interface AnswerParts {
  readonly twiml: Verb | FaxResponse | undefined;
  readonly headers: ReplyHeaders | undefined;
}

/** The reply to an incoming fax, which needs a verb, and one whose pages somebody takes. */
export function replyToFax(request: WebhookRequest, answer: FaxAnswer, maxMediaBytes: number): WebhookReply {
  const { twiml, headers } = splitAnswer(answer);
  const verb = twiml && isFaxResponse(twiml) ? twiml.verb : twiml;
  if (!verb || !Object.hasOwn(verb, "verb")) throw noVerbError(twiml ?? answer);
  const body = isFaxResponse(twiml!) ? twiml.toString() : toTwiml(twiml);
  if (maxMediaBytes === 0 && verb.verb === "Receive" && readOwn(readOwn(verb, "attributes"), "storeMedia") === false) {
    const problem = "set maxMediaBytes to take the pages that storeMedia: false brings; without it they are refused";
    throw new TwimlError("pages-lost", `<Receive>: ${problem}.`, { verb: "Receive", attribute: "storeMedia" });
  }
  return twimlReply(request, body, checkReplyHeaders(headers));
}

/** The reply to a callback. */
export function replyToCallback(request: WebhookRequest): WebhookReply {
  return twimlReply(request, toTwiml(), emptyRecord());
}

/** The reply to a request that was refused: a stranger is told no more than the reason, and of a 403 not even that. */
export function replyToRefused(request: WebhookRequest, { status, reason }: Refusal): WebhookReply {
  const headers: WebhookReply["headers"] = { "content-type": PLAIN_TEXT, "cache-control": "no-store" };
  if (status === 405) headers["allow"] = "GET, HEAD, POST";
  const body = status === 403 ? "forbidden" : reason;
  return { status, headers, body: request.method === "HEAD" ? "" : body };
}

/** The content type of every reply that is not TwiML. */
export const PLAIN_TEXT = "text/plain; charset=utf-8";

function splitAnswer(answer: FaxAnswer): AnswerParts {
  if (!isParts(answer)) return { twiml: answer, headers: undefined };
  const other = Object.keys(answer).find((name) => name !== "twiml" && name !== "headers");
  if (other) throw new TypeError(`An answer has "twiml" and "headers", not ${formatValue(other)}.`);
  return {
    twiml: readOwn(answer, "twiml") as AnswerParts["twiml"],
    headers: (readOwn(answer, "headers") ?? undefined) as AnswerParts["headers"],
  };
}

function isParts(answer: FaxAnswer): answer is Extract<FaxAnswer, { twiml: unknown }> {
  return (
    typeof answer === "object" &&
    answer !== null &&
    (Object.hasOwn(answer, "twiml") || Object.hasOwn(answer, "headers"))
  );
}

/** By structure rather than by class: an ESM and a CommonJS copy of the library may meet. */
function isFaxResponse(value: object): value is FaxResponse {
  return typeof (value as Partial<FaxResponse>).comment === "function" && "verb" in value;
}

function noVerbError(answer: unknown): TwimlError {
  const came =
    answer !== null && typeof answer === "object" && "comment" in answer && !("verb" in answer)
      ? "another library's response: parseTwiml(String(response)) makes a verb of it."
      : `${formatValue(answer)}${hintFor(answer) || "."}`;
  const cost = "or the fax is lost (the provider's error 34106)";
  const message = `onFax must return receive() or reject(), ${cost}, not ${came}`;
  return new TwimlError("no-verb", message);
}

function twimlReply(request: WebhookRequest, body: string, headers: WebhookReply["headers"]): WebhookReply {
  headers["content-type"] = TWIML_CONTENT_TYPE;
  if (request.method !== "POST") return cacheableReply(request, headers, body);
  headers["cache-control"] = "no-store";
  return { status: 200, headers, body };
}

/** Providers keep the answer to a GET, and ask with its ETag whether it is still the same. */
function cacheableReply(request: WebhookRequest, headers: WebhookReply["headers"], body: string): WebhookReply {
  const etag = `"${createHash("sha256").update(body).digest("base64url")}"`;
  headers["cache-control"] ??= "private, no-cache";
  headers["etag"] = etag;
  if (etagMatches(request.headers["if-none-match"], etag)) return { status: 304, headers, body: "" };
  if (request.method === "GET") return { status: 200, headers, body };
  headers["content-length"] = String(Buffer.byteLength(body));
  return { status: 200, headers, body: "" };
}

/** Weak comparison, as RFC 9110, section 13.1.2 has it for If-None-Match. */
function etagMatches(ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = (ifNoneMatch ?? "").split(",").map(stripWeakPrefix);
  return tags.includes(etag) || ifNoneMatch?.trim() === "*";
}

function stripWeakPrefix(etag: string): string {
  return etag.trim().replace(/^W\//, "");
}

/** RFC 9110, section 5.1 and 5.5, without obsolete line folding: what every runtime writes out. */
const HEADER_NAME = /^[!#$%&'*+.^`|~\w-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The headers of an answer by lower-case name, or an error now rather than when half of them are written. */
function checkReplyHeaders(headers: ReplyHeaders | undefined): WebhookReply["headers"] {
  if (headers === undefined) return emptyRecord();
  if (!isPlainObject(headers)) {
    throw new TypeError(
      `headers must be a plain object, such as { "set-cookie": "a=1" }, not ${formatValue(headers)}.`,
    );
  }
  const checked = emptyRecord<string | string[]>();
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase();
    if (key === "content-length" || key === "transfer-encoding") {
      throw new TypeError(`${key} is set by the server, not by the answer.`);
    }
    if (value === undefined || value === null) continue;
    const values = [value].flat().map(String);
    if (!HEADER_NAME.test(name)) throw new TypeError(`${formatValue(name)} cannot be the name of a header.`);
    // Cookies are secrets: the message does not hold the value.
    if (!values.every((each) => HEADER_VALUE.test(each))) {
      throw new TypeError(
        `The header ${formatValue(name)} holds a line end or another character that no header can carry.`,
      );
    }
    checked[key] = Array.isArray(value) ? values : values[0]!;
  }
  return checked;
}
