/** The conversation about one fax: the request, the verb, the callback. */
import { TwimlError } from "../shared/errors.js";
import { formatValue } from "../shared/messages.js";
import { parseTwiml } from "../twiml/document.js";
import type { Receive, Verb } from "../twiml/verbs.js";
import { createCallbackParams } from "./callback.js";
import type { FlavorRules } from "./flavors.js";
import { type ConversationContext, type FaxExchange, recordError, requestWithRetries } from "./http-client.js";
import type { FileToSend, UnsignedRequest } from "./request.js";
import { emptyPage } from "./sample-pages.js";

/** The outcome of a fax. `error`: the provider logs an error, or the pages are lost. */
export type FaxOutcome = "received" | "failed" | "rejected" | "error";

/** The result of `sendFax`: the outcome, and all exchanges of one test fax. */
export interface FaxTranscript {
  /** Identifier of the fax. */
  readonly faxSid: string;
  /** The outcome of the fax. */
  readonly outcome: FaxOutcome;
  /** The verb in the response to the new fax. */
  readonly verb?: Verb;
  /** The error that the provider logs, or the loss of the pages, if there is one. */
  readonly error?: {
    /** The error number, or `"pages-lost"` or `"second-verb"`. */
    readonly code: number | string;
    /** The problem and its fix. */
    readonly message: string;
  };
  /**
   * Whether the pages were lost: they were sent only once (`storeMedia: false`), and the server did not accept them.
   * Pages that the provider stores are never lost.
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
  const faxExchange = await requestWithRetries(context, { method: fax.method, url, params: fax.incoming });
  const { verb, error } = readVerb(context, faxExchange);
  if (error) {
    return createTranscript("error", { error, pagesLost: error.code === "pages-lost" && fax.outcome === "received" });
  }
  if (verb === undefined) return createTranscript("error", { error: recordMissingVerb(context, faxExchange) });
  if (verb.verb === "Reject") return createTranscript("rejected", { verb });
  const { action } = verb.attributes;
  if (action === undefined) return createTranscript(fax.outcome, { verb });
  const callback = createCallbackRequest(context.rules, resolveAction(action, faxExchange, url), verb, fax);
  const callbackExchange = await requestWithRetries(context, callback);
  const pagesLost = isSentOnce(verb, fax) && !isAccepted(callbackExchange);
  const callbackError = readVerb(context, callbackExchange).error ?? (pagesLost ? PAGES_LOST : undefined);
  if (callbackError) return createTranscript("error", { verb, error: callbackError, pagesLost });
  return createTranscript(fax.outcome, { verb });
}

const PAGES_LOST = {
  code: "pages-lost",
  message: "A redirect changed the callback to a GET without the pages. Use the exact URL as action, or status 307.",
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
  const { error } = readVerb(context, exchange);
  return error && typeof error.code === "number" ? { ...exchange, error: { ...error, code: error.code } } : exchange;
}

/** Reads the response as a provider does: in time, at most 64 kB, status 200, XML, UTF-8 and TwiML. */
function readVerb(context: ConversationContext, exchange: FaxExchange): Pick<FaxTranscript, "verb" | "error"> {
  if (exchange.error) return { error: exchange.error };
  const { status, headers, body, isUtf8 } = exchange.response!;
  const { errorCodes } = context.rules;
  const createFailure = (code: number, message: string) => ({
    error: recordError(context, exchange, code, message).error,
  });
  if (status !== 200) {
    return createFailure(status >= 400 ? errorCodes.status : errorCodes.otherStatus, formatStatusMessage(exchange));
  }
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
    return verb === undefined ? {} : { verb };
  } catch (error) {
    if (!(error instanceof TwimlError)) throw error;
    if (error.providerError === undefined) return { error: { code: error.code, message: error.message } };
    return createFailure(error.providerError, error.message);
  }
}

function formatStatusMessage({ response }: FaxExchange): string {
  const { status, headers, body } = response!;
  const problem = `The server responded with status ${status}`;
  if (status >= 400) return `${problem} (${JSON.stringify(body.slice(0, 100))}). See the server's log for the reason.`;
  if (status < 300 || status === 304) return `${problem}. Respond with status 200.`;
  const { location } = headers;
  const target = location === undefined ? "no Location" : `the Location ${formatValue(location)}`;
  return `${problem} and ${target}. Respond with status 200, or redirect to an http(s) URL.`;
}

function recordMissingVerb(context: ConversationContext, exchange: FaxExchange): { code: number; message: string } {
  const message = "The response has no verb. Answer a new fax with <Receive> or <Reject>.";
  return recordError(context, exchange, context.rules.errorCodes.noVerb, message).error;
}

/** Resolves `action` against the document's URL. A URL on the configured host keeps the configured password. */
function resolveAction(action: string, { request }: FaxExchange, configured: string): string {
  const base = new URL(request.url);
  const { host, username, password } = new URL(configured);
  if (base.host === host) Object.assign(base, { username, password });
  return new URL(action, base).href;
}

function createCallbackRequest(
  rules: FlavorRules,
  url: string,
  verb: Receive,
  fax: ResolvedFax,
): Omit<UnsignedRequest, "headers"> {
  const { method = "POST", mediaType = "application/pdf" } = verb.attributes;
  const file = fax.file ?? { bytes: emptyPage(mediaType), type: mediaType };
  if (isSentOnce(verb, fax)) return { method, url, params: createCallbackParams(fax, rules), file };
  return { method, url, params: createCallbackParams({ ...fax, storedMediaType: file.type }, rules) };
}
