/** The conversation about one fax: the request, the verb, the callback. */
import { TwimlError } from "../shared/errors.js";
import { formatValue } from "../shared/messages.js";
import { parseTwiml } from "../twiml/document.js";
import type { Receive, Verb } from "../twiml/verbs.js";
import { createCallbackParams, getStatus, storePages } from "./callback.js";
import {
  type ConversationContext,
  type FaxExchange,
  type ReceivedResponse,
  recordError,
  requestWithRetries,
} from "./http-client.js";
import { type FileToSend, toRequestedUrl, type UnsignedRequest } from "./request.js";
import { emptyPage } from "./sample-pages.js";

/** The outcome of a fax. `error`: the provider logs an error, ignores a second verb, or loses the pages. */
export type FaxOutcome = "received" | "failed" | "rejected" | "error";

/** The result of `sendFax`: the outcome, and all exchanges of one test fax. */
export interface FaxTranscript {
  /** Identifier of the fax. */
  readonly faxSid: string;
  /** The outcome of the fax. */
  readonly outcome: FaxOutcome;
  /** The verb in the response to the new fax. */
  readonly verb?: Verb;
  /**
   * The provider's error number and a message with the fix, or one of our codes for mistakes that a provider does not
   * report: `pages-lost`, `second-verb` and `verb-in-callback`. Errors after which the fallback URL succeeded are only
   * in `exchanges`.
   */
  readonly error?: {
    /** The error number, or one of the three codes. */
    readonly code: number | string;
    /** The problem and its fix. */
    readonly message: string;
  };
  /**
   * Whether the pages were lost: the provider does not store them (`storeMedia: false`), and the server did not receive
   * or accept them. Pages that the provider stores are never lost.
   */
  readonly pagesLost: boolean;
  /** All requests with their responses, in order. */
  readonly exchanges: readonly FaxExchange[];
}

/** The fax of a conversation, with defaults. */
export interface ResolvedFax {
  readonly method: "GET" | "POST";
  readonly outcome: "received" | "failed";
  /** Default: one empty page in the verb's `mediaType`. */
  readonly file: FileToSend | undefined;
  readonly mediaUrl: string | undefined;
  readonly incoming: Readonly<Record<string, string>>;
  /** Parameters that replace the default ones of the callback. */
  readonly overrides: Readonly<Record<string, string>>;
  readonly now: Date;
}

/** Runs the conversation. Ends at `context.deadline` at the latest. */
export async function runConversation(
  context: ConversationContext,
  url: string,
  fax: ResolvedFax,
): Promise<FaxTranscript> {
  const createTranscript = (outcome: FaxOutcome, more: Partial<FaxTranscript> = {}): FaxTranscript => {
    const faxSid = fax.incoming["FaxSid"]!;
    return { faxSid, outcome, pagesLost: false, ...more, exchanges: context.exchanges };
  };
  const request = { method: fax.method, url, params: fax.incoming };
  const { verb, error, ...answered } = await requestWithFallback(context, request, readVerb);
  if (verb === undefined) {
    const pagesLost = error?.code === "pages-lost" && fax.outcome === "received";
    return createTranscript("error", { ...(error && { error }), pagesLost });
  }
  if (verb.verb === "Reject") return createTranscript("rejected", { verb });
  const { action } = verb.attributes;
  if (action === undefined) return createTranscript(fax.outcome, { verb });
  const callback = createCallbackRequest(context, resolveAction(action, answered), verb, fax);
  const result = await requestWithFallback(context, callback, readCallbackResponse);
  const pagesLost = isSentOnce(verb, fax) && !isAccepted(result.exchange);
  const callbackError = result.error ?? (pagesLost ? PAGES_LOST : undefined);
  if (callbackError) return createTranscript("error", { verb, error: callbackError, pagesLost });
  return createTranscript(fax.outcome, { verb });
}

type Answer = Pick<FaxTranscript, "verb" | "error">;
type ReadResponse = (context: ConversationContext, exchange: FaxExchange) => Answer;

interface Answered extends Answer {
  readonly exchange: FaxExchange;
  /** The configured URL, with its password. */
  readonly url: string;
}

/** Sends the request, and, if its URL fails, sends it with the error to the fallback URL. */
async function requestWithFallback(
  context: ConversationContext,
  request: Omit<UnsignedRequest, "headers">,
  read: ReadResponse,
): Promise<Answered> {
  const exchange = await requestWithRetries(context, request);
  const answer = read(context, exchange);
  const url = context.fallbackUrl;
  if (typeof answer.error?.code !== "number" || url === undefined) return { ...answer, exchange, url: request.url };
  // The callback of a failed fax keeps the error of the fax.
  const { ErrorCode = String(answer.error.code) } = request.params;
  const params = { ...request.params, ErrorCode, ErrorUrl: toRequestedUrl(request.url).href };
  const last = await requestWithRetries(context, { ...request, url, params });
  return { ...read(context, last), exchange: last, url };
}

const PAGES_LOST = {
  code: "pages-lost",
  message: "A redirect changed the callback to a GET without the pages. Use the final URL as action, or status 307.",
};

/** Whether the callback contains the pages, so that the provider does not store them. */
function isSentOnce({ attributes }: Receive, { outcome }: ResolvedFax): boolean {
  return outcome === "received" && attributes.storeMedia === false;
}

/** Whether the server accepted the pages. A redirect may have changed the multipart callback to a GET without them. */
function isAccepted({ request, response }: FaxExchange): boolean {
  return request.file !== undefined && response !== undefined && response.status < 300;
}

/** The exchange with the error that a provider logs for the response. */
export function withProviderError(context: ConversationContext, exchange: FaxExchange): FaxExchange {
  const read = getStatus(exchange.request.params) === undefined ? readVerb : readCallbackResponse;
  const { error } = read(context, exchange);
  return error && typeof error.code === "number" ? { ...exchange, error: { ...error, code: error.code } } : exchange;
}

/** Reads the response to a new fax as a provider does: in time, at most 64 kB, status 200, XML, UTF-8 and one verb. */
function readVerb(context: ConversationContext, exchange: FaxExchange): Answer {
  if (exchange.error) return { error: exchange.error };
  const { status, headers, body, isUtf8 } = exchange.response!;
  const { errorCodes } = context.rules;
  const createFailure = (code: number, message: string) => ({
    error: recordError(context, exchange, code, message).error,
  });
  if (status !== 200) return createStatusFailure(context, exchange);
  const contentType = headers["content-type"];
  if (!/^(text|application)\/xml\s*(;|$)/i.test(contentType ?? "")) {
    const problem = contentType
      ? `The Content-Type is ${formatValue(contentType)}`
      : "The response has no Content-Type";
    return createFailure(errorCodes.contentType, `${problem}. Send TwiML as text/xml.`);
  }
  if (!isUtf8) return createFailure(errorCodes.notUtf8, "The response is not valid UTF-8. Send TwiML in UTF-8.");
  try {
    const verb = parseTwiml(body);
    if (verb !== undefined) return { verb };
    return createFailure(errorCodes.noVerb, "The response has no verb. Answer a new fax with <Receive> or <Reject>.");
  } catch (error) {
    if (!(error instanceof TwimlError)) throw error;
    if (error.providerError === undefined) return { error: { code: error.code, message: error.message } };
    return createFailure(error.providerError, error.message);
  }
}

/** Reads the response to a callback. Most servers send an empty 200 or "OK", and SignalWire's page asks for no more. */
function readCallbackResponse(context: ConversationContext, exchange: FaxExchange): Answer {
  if (exchange.error) return { error: exchange.error };
  const { status, body } = exchange.response!;
  if (status < 200 || status >= 300) return createStatusFailure(context, exchange);
  return hasVerb(body) ? { error: VERB_IN_CALLBACK } : {};
}

const VERB_IN_CALLBACK = {
  code: "verb-in-callback",
  message: "The response to the callback has a verb: the server treated the callback as a new fax. Send <Response/>.",
};

/** Whether a document has a verb, even an invalid one. */
function hasVerb(body: string): boolean {
  try {
    return parseTwiml(body) !== undefined;
  } catch (error) {
    return error instanceof TwimlError && error.verb !== undefined;
  }
}

function createStatusFailure(context: ConversationContext, exchange: FaxExchange): Answer {
  const { status, otherStatus } = context.rules.errorCodes;
  const code = exchange.response!.status >= 400 ? status : otherStatus;
  return { error: recordError(context, exchange, code, formatStatusMessage(exchange)).error };
}

function formatStatusMessage({ response }: FaxExchange): string {
  const { status, headers } = response!;
  const problem = `The server responded with status ${status}`;
  if (status >= 400) {
    const reason = JSON.stringify(readResponseText(response!).slice(0, 100));
    return `${problem} (${reason}). See the server's log for the reason.`;
  }
  if (status < 300 || status === 304) return `${problem}. Respond with status 200.`;
  const { location } = headers;
  const target = location === undefined ? "no Location" : `the Location ${formatValue(location)}`;
  return `${problem} and ${target}. Respond with status 200, or redirect to an http(s) URL.`;
}

/** The body. For HTML, its text, because markup fills the beginning of an error page. */
export function readResponseText({ headers, body }: ReceivedResponse): string {
  if (!/html/i.test(headers["content-type"] ?? "")) return body;
  return body
    .slice(Math.max(0, body.search(/<body/i)))
    .replace(/<(script|style)\b[^<]*<\/\1>|<[^<>]*>|&nbsp;/gi, " ")
    .replace(/\s+/g, " ")
    .trim();
}

/** Resolves `action` against the document's URL. On the configured host, adds the configured user and password. */
function resolveAction(action: string, { exchange, url }: Answered): string {
  const base = new URL(exchange.request.url);
  const { host, username, password } = new URL(url);
  if (base.host === host) Object.assign(base, { username, password });
  return new URL(action, base).href;
}

function createCallbackRequest(
  { rules, storedPages }: ConversationContext,
  url: string,
  verb: Receive,
  fax: ResolvedFax,
): Omit<UnsignedRequest, "headers"> {
  const { method = "POST", mediaType = "application/pdf" } = verb.attributes;
  const file = fax.file ?? { bytes: emptyPage(mediaType), type: mediaType };
  if (isSentOnce(verb, fax)) return { method, url, params: createCallbackParams(fax, rules), file };
  const params = createCallbackParams({ ...fax, storedMediaType: file.type }, rules);
  return { method, url, params: storePages(storedPages, params, file) };
}
