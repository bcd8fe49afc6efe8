/** The whole conversation of one fax: the request, the verb, the callback. */
import { parseTwiml } from "../document.js";
import { TwimlError } from "../errors.js";
import type { Receive, Verb } from "../verbs.js";
import { exchange, failed, type FaxExchange, type FileToSend, type Line, type ToSend } from "./exchange.js";
import { emptyPage, typeOfPages } from "./pages.js";

/** A fax to send; everything has a default. */
export interface FaxToSend {
  /** The caller's number; `""` for a caller who withholds it. Default: a number of a test. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** A PDF or TIFF. Default: one empty page, in the format that the answer asks for. */
  readonly pages?: Uint8Array | undefined;
  /** Where the pages stand, when the provider keeps them. Default: an address of the provider's. */
  readonly mediaUrl?: string | undefined;
  /** Whether the pages come through. Default: `"received"`. */
  readonly outcome?: "received" | "failed" | undefined;
  /** Method of the first request, as it is configured at a number. Default: `"POST"`. */
  readonly method?: "GET" | "POST" | undefined;
  /** More parameters, or others than the usual ones. Those that only callbacks have are sent with the callback. */
  readonly params?: Readonly<Record<string, string>> | undefined;
}

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
  /** Whether the pages were taken and cannot be had any more. */
  readonly pagesLost: boolean;
  /** Every request with its answer, in order. */
  readonly exchanges: readonly FaxExchange[];
}

/** The parameters of both requests. */
export interface FaxParams {
  readonly incoming: Readonly<Record<string, string>>;
  /** Without the pages' own. */
  readonly callback: Readonly<Record<string, string>>;
}

/** Plays the conversation. Whatever the server does, it comes to an end by `line.deadline`. */
export async function converse(
  line: Line,
  url: string,
  fax: FaxToSend,
  params: FaxParams,
  now: Date,
): Promise<FaxTranscript> {
  const faxSid = params.incoming["FaxSid"]!;
  const end = (outcome: FaxOutcome, more: Partial<FaxTranscript> = {}): FaxTranscript => ({
    faxSid,
    outcome,
    pagesLost: false,
    ...more,
    exchanges: line.exchanges,
  });
  const asked = await exchange(line, { method: fax.method ?? "POST", url, params: params.incoming });
  const { verb, error } = verbOf(line, asked);
  if (error) return end("error", { error, pagesLost: error.code === "pages-lost" });
  if (verb === undefined) return end("error", { error: noVerb(line, asked) });
  if (verb.verb === "Reject") return end("rejected", { verb });
  const outcome = fax.outcome ?? "received";
  const { action, storeMedia } = verb.attributes;
  if (action === undefined) return end(outcome, { verb });
  const toSend = callbackOf(line, asked.request.url, verb, fax, params, now);
  const told = verbOf(line, await exchange(line, toSend));
  const brought = line.exchanges.at(-1)?.request.file !== undefined;
  const pagesLost = storeMedia === false && outcome === "received" && (told.error !== undefined || !brought);
  return told.error ? end("error", { verb, error: told.error, pagesLost }) : end(outcome, { verb, pagesLost });
}

/** The answer as a provider reads it: in time, with 200, as XML, and as TwiML. */
function verbOf(line: Line, made: FaxExchange): Pick<FaxTranscript, "verb" | "error"> {
  if (made.error) return { error: made.error };
  const { status, headers, body } = made.response!;
  if (status >= 400) {
    const message = `Look at the server: it answered ${status} (${JSON.stringify(body.slice(0, 100))}).`;
    return { error: failed(line, made, line.rules.statusError, message).error! };
  }
  if (!/^(text|application)\/xml\s*(;|$)/i.test(headers["content-type"] ?? "")) {
    const message = `Send TwiML as text/xml, not as ${headers["content-type"] ?? "nothing"}.`;
    return { error: failed(line, made, 12300, message).error! };
  }
  try {
    const verb = parseTwiml(body);
    return verb === undefined ? {} : { verb };
  } catch (error) {
    if (!(error instanceof TwimlError)) throw error;
    if (error.providerError === undefined) return { error: { code: error.code, message: error.message } };
    return { error: failed(line, made, error.providerError, error.message).error! };
  }
}

function noVerb(line: Line, made: FaxExchange): { code: number; message: string } {
  const message = "Answer a new fax with <Receive> or <Reject>: there was no verb.";
  return failed(line, made, 34106, message).error!;
}

/** The request to `action`, which stands relative to the document. */
function callbackOf(line: Line, document: string, verb: Receive, fax: FaxToSend, params: FaxParams, now: Date): ToSend {
  const { action, method = "POST", storeMedia, mediaType = "application/pdf" } = verb.attributes;
  const url = new URL(action!, document).href;
  const common = { ...params.incoming, ...line.rules.callbackParams(now) };
  if (fax.outcome === "failed") {
    const error = { FaxStatus: "failed", ErrorCode: "34007", ErrorMessage: "The sending machine hung up." };
    return { method, url, params: { ...common, ...error, ...params.callback } };
  }
  const { FaxSid, From = "" } = params.incoming;
  const received = { ...common, RemoteStationId: From, FaxStatus: "received", NumPages: "1" };
  const file = fileOf(fax.pages ?? emptyPage(mediaType));
  if (storeMedia === false) return { method, url, params: { ...received, ...params.callback }, file };
  const media = line.rules.mediaParams(`${FaxSid}.${file.type === "image/tiff" ? "tiff" : "pdf"}`);
  if (fax.mediaUrl !== undefined) media["MediaUrl"] = fax.mediaUrl;
  return { method, url, params: { ...received, ...media, ...params.callback } };
}

export function fileOf(bytes: Uint8Array): FileToSend {
  return { bytes, type: typeOfPages(bytes) };
}
