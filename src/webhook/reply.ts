/** What a request is answered with: TwiML with its headers, or the reason of a refusal. */
import { createHash } from "node:crypto";
import { TwimlError } from "../errors.js";
import { type FaxResponse, toTwiml, TWIML_CONTENT_TYPE } from "../response.js";
import type { Verb } from "../verbs.js";
import type { ReplyHeaders, WebhookReply, WebhookRequest } from "./http.js";
import type { Refusal } from "./refusal.js";

/** What `onFax` answers: a verb, a response with a verb, or one of them with headers. */
export type FaxAnswer = Verb | FaxResponse | { readonly twiml: Verb | FaxResponse; readonly headers?: ReplyHeaders };

/** What `onCallback` may answer; nothing is the empty `<Response/>`, which is what providers expect. */
export type CallbackAnswer =
  Verb | FaxResponse | { readonly twiml?: Verb | FaxResponse; readonly headers?: ReplyHeaders } | void | undefined;

/** An answer taken apart. */
interface AnswerParts {
  readonly twiml: Verb | FaxResponse | undefined;
  readonly headers: ReplyHeaders;
}

/** The reply to an incoming fax, which needs a verb. */
export function replyToFax(request: WebhookRequest, answer: FaxAnswer): WebhookReply {
  const parts = partsOf(answer);
  if (!verbOf(parts.twiml)) {
    const reason = "or the fax is lost (the provider's error 34106)";
    throw new TwimlError("no-verb", `onFax must return receive() or reject(), ${reason}.`);
  }
  return twimlReply(request, parts);
}

/** The reply to a callback: `<Response/>` as a rule. */
export function replyToCallback(request: WebhookRequest, answer: CallbackAnswer): WebhookReply {
  return twimlReply(request, partsOf(answer));
}

/** The reply to a request that was refused; the provider is told no more than the reason. */
export function replyToRefused(request: WebhookRequest, { status, reason }: Refusal): WebhookReply {
  const headers: WebhookReply["headers"] = { "content-type": PLAIN_TEXT, "cache-control": "no-store" };
  if (status === 405) headers["allow"] = "GET, HEAD, POST";
  return { status, headers, body: request.method === "HEAD" ? "" : reason };
}

/** The content type of every reply that is not TwiML. */
export const PLAIN_TEXT = "text/plain; charset=utf-8";

function partsOf(answer: FaxAnswer | CallbackAnswer): AnswerParts {
  const isParts =
    typeof answer === "object" && answer !== null && !isFaxResponse(answer) && !Object.hasOwn(answer, "verb");
  const { twiml, headers = {} } = (isParts ? answer : { twiml: answer }) as Partial<AnswerParts>;
  return { twiml: twiml ?? undefined, headers };
}

/** By structure rather than by class: an ESM and a CommonJS copy of the library may meet. */
function isFaxResponse(value: object): value is FaxResponse {
  return typeof (value as Partial<FaxResponse>).comment === "function";
}

function verbOf(twiml: Verb | FaxResponse | undefined): Verb | undefined {
  return twiml && isFaxResponse(twiml) ? twiml.verb : twiml;
}

function twimlReply(request: WebhookRequest, { twiml, headers: own }: AnswerParts): WebhookReply {
  const headers = checkHeaders(own);
  const body = twiml && isFaxResponse(twiml) ? twiml.toString() : toTwiml(twiml);
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
  const tags = (ifNoneMatch ?? "").split(",").map(stripWeak);
  return tags.includes(etag) || ifNoneMatch?.trim() === "*";
}

function stripWeak(etag: string): string {
  return etag.trim().replace(/^W\//, "");
}

/** The headers of an answer by lower-case name, or an error now rather than when half of them are written. */
function checkHeaders(headers: ReplyHeaders): WebhookReply["headers"] {
  const checked: WebhookReply["headers"] = {};
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase();
    if (key === "content-length" || key === "transfer-encoding") {
      throw new TypeError(`${key} is set by the server, not by the answer.`);
    }
    const values = [value].flat().map(String);
    // The platform's own check; throws a TypeError.
    new Headers(values.map((each): [string, string] => [name, each]));
    checked[key] = Array.isArray(value) ? values : values[0]!;
  }
  return checked;
}
