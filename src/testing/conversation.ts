/** The whole conversation of one fax: the request, the verb, the callback. */
import { parseTwiml } from "../twiml/document.js";
import { TwimlError } from "../shared/errors.js";
import type { Receive, Verb } from "../twiml/verbs.js";
import { callbackParams } from "./callback.js";
import { requestWithRetries, recordError, type FaxExchange, type ConversationContext } from "./http-client.js";
import { emptyPage } from "./sample-pages.js";
import type { FileToSend, UnsignedRequest } from "./request.js";

/** How a fax ended. `error`: the server did something that a provider refuses. */
export type FaxOutcome = "received" | "failed" | "rejected" | "error";

/** What happened. */
export interface FaxTranscript {
  readonly faxSid: string;
  readonly outcome: FaxOutcome;
  /** What the server answered to the fax. */
  readonly verb?: Verb;
  /** The provider's error number, or our own code where a provider has none (`pages-lost`), and what to do. */
  readonly error?: { readonly code: number | string; readonly message: string };
  /**
   * Whether pages were taken that nobody has any more: they came once (`storeMedia: false`), and the server did not
   * take them. Pages that a provider keeps are not lost, whatever the server does.
   */
  readonly pagesLost: boolean;
  /** Every request with its answer, in order. */
  readonly exchanges: readonly FaxExchange[];
}

/** The fax of a conversation, with everything settled. */
export interface Fax {
  readonly method: "GET" | "POST";
  readonly outcome: "received" | "failed";
  /** Default: one empty page in the format that the answer asks for. */
  readonly file: FileToSend | undefined;
  readonly mediaUrl: string | undefined;
  readonly incoming: Readonly<Record<string, string>>;
  /** Parameters of the callback, over the usual ones. */
  readonly given: Readonly<Record<string, string>>;
  readonly now: Date;
}

/** Plays the conversation. Whatever the server does, it comes to an end by `line.deadline`. */
export async function runConversation(line: ConversationContext, url: string, fax: Fax): Promise<FaxTranscript> {
  const end = (outcome: FaxOutcome, more: Partial<FaxTranscript> = {}): FaxTranscript => ({
    ...{ faxSid: fax.incoming["FaxSid"]!, outcome, pagesLost: false },
    ...more,
    exchanges: line.exchanges,
  });
  const asked = await requestWithRetries(line, { method: fax.method, url, params: fax.incoming });
  const { verb, error } = readVerb(line, asked);
  if (error) return end("error", { error, pagesLost: error.code === "pages-lost" && fax.outcome === "received" });
  if (verb === undefined) return end("error", { error: missingVerbError(line, asked) });
  if (verb.verb === "Reject") return end("rejected", { verb });
  const { action } = verb.attributes;
  if (action === undefined) return end(fax.outcome, { verb });
  const told = await requestWithRetries(line, buildCallback(line, resolveAction(action, asked, url), verb, fax));
  const pagesLost = fax.outcome === "received" && verb.attributes.storeMedia === false && !isTaken(told);
  const failure = readVerb(line, told).error ?? (pagesLost ? LOST : undefined);
  return failure ? end("error", { verb, error: failure, pagesLost }) : end(fax.outcome, { verb });
}

const LOST = {
  code: "pages-lost",
  message: "Give <Receive> the exact URL as action, or redirect with 307: a GET has no pages.",
};

/** A redirect may have made a GET of the delivery, and a refused one keeps nothing. */
function isTaken({ request, response }: FaxExchange): boolean {
  return request.file !== undefined && response !== undefined && response.status < 300;
}

/** The exchange, with the error that a provider would log for its answer. */
export function withProviderError(line: ConversationContext, made: FaxExchange): FaxExchange {
  const { error } = readVerb(line, made);
  return error && typeof error.code === "number" ? { ...made, error: { ...error, code: error.code } } : made;
}

/** The answer as a provider reads it: in time, within 64 kB, with 200, as XML in UTF-8, and as TwiML. */
function readVerb(line: ConversationContext, made: FaxExchange): Pick<FaxTranscript, "verb" | "error"> {
  if (made.error) return { error: made.error };
  const { status, headers, body, isUtf8 } = made.response!;
  const wrong = (code: number, message: string) => ({ error: recordError(line, made, code, message).error! });
  if (status !== 200) return wrong(status >= 400 ? line.rules.statusError : 11200, formatStatusMessage(made));
  if (!/^(text|application)\/xml\s*(;|$)/i.test(headers["content-type"] ?? "")) {
    return wrong(12300, `Send TwiML as text/xml, not as ${headers["content-type"] ?? "nothing"}.`);
  }
  if (!isUtf8) return wrong(12100, "Send TwiML in UTF-8: there are bytes in it that are none.");
  try {
    const verb = parseTwiml(body);
    return verb === undefined ? {} : { verb };
  } catch (error) {
    if (!(error instanceof TwimlError)) throw error;
    if (error.providerError === undefined) return { error: { code: error.code, message: error.message } };
    return wrong(error.providerError, error.message);
  }
}

function formatStatusMessage({ response }: FaxExchange): string {
  const { status, headers, body } = response!;
  if (status >= 400) return `Look at the server: it answered ${status} (${JSON.stringify(body.slice(0, 100))}).`;
  const location = headers["location"];
  if (status < 300 || status === 304) return `Answer with status 200: it was ${status}.`;
  return `Answer with status 200, or redirect to an http(s) URL: it was ${status}, to ${location ?? "nowhere"}.`;
}

function missingVerbError(line: ConversationContext, made: FaxExchange): { code: number; message: string } {
  const message = "Answer a new fax with <Receive> or <Reject>: there was no verb.";
  return recordError(line, made, 34106, message).error!;
}

/** `action` is relative to the document; what stands at the same host is asked for with the same password. */
function resolveAction(action: string, { request }: FaxExchange, configured: string): string {
  const base = new URL(request.url);
  const { host, username, password } = new URL(configured);
  if (base.host === host) Object.assign(base, { username, password });
  return new URL(action, base).href;
}

function buildCallback(
  line: ConversationContext,
  url: string,
  verb: Receive,
  fax: Fax,
): Omit<UnsignedRequest, "headers"> {
  const { method = "POST", storeMedia, mediaType = "application/pdf" } = verb.attributes;
  const file = fax.file ?? { bytes: emptyPage(mediaType), type: mediaType };
  const comes = fax.outcome === "received" && storeMedia === false;
  const params = callbackParams({ ...fax, kept: comes ? undefined : file.type }, line.rules);
  return { method, url, params, file: comes ? file : undefined };
}
