// The conversation: an incoming fax, the answer's verb, and the callback that tells what became of it.
import { randomBytes, randomUUID } from "node:crypto";
import { ProviderError, readAnswer } from "./document.js";
import type { ErrorCode, FaxVerb } from "./document.js";
import { Client, outgoing } from "./http.js";
import type { Exchange, FilePart, Method, Outgoing } from "./http.js";
import { MEDIA_TYPES, blankPage } from "./pages.js";
import type { MediaType, PageSize, Pages } from "./pages.js";
import { sign } from "./sign.js";
import type { Flavor, Signer } from "./sign.js";
import { fetchTransport, nodeTransport } from "./transport.js";

/** A callback is tried this often in all (protocol section 4). */
export const MAX_ATTEMPTS = 3;

export interface ProviderOptions {
  flavor: Flavor;
  authToken: string;
  accountSid?: string;
  /** Milliseconds since 1970; for cookies and timestamps. */
  now?: () => number;
  /** What the sending machine transmits; a blank page when absent. */
  pages?: Pages;
  mediaBaseUrl?: string;
  /** Used instead of node:http and node:https; may be a handler in the same process. */
  fetch?: typeof globalThis.fetch;
  /** Certificate authority (PEM) to trust for https; without effect on `fetch`. */
  ca?: string | Uint8Array;
  /** Replaces the signer, to forge. */
  sign?: Signer;
  /** The URL that is signed, from the full one with credentials and fragment. Default: without the fragment. */
  signedUrl?: (url: string) => string;
  timeoutMs?: number;
}

export interface IncomingFax {
  from: string;
  to: string;
  webhookUrl: string;
  method?: Method;
  fallbackUrl?: string;
  faxSid?: string;
  /** Sent with every request of this fax, over what is sent otherwise. */
  extraParams?: Record<string, string>;
  /** How the transmission ends once `<Receive>` accepted it. */
  outcome?: "received" | "failed";
}

export interface Transcript {
  faxSid: string;
  /** "rejected" is FaxStatus canceled; "error": no usable answer to the incoming fax. */
  outcome: "received" | "failed" | "rejected" | "error";
  /** Why there was no usable answer, or beside "received" and "failed", why the callback was not delivered. */
  errorCode?: ErrorCode;
  error?: string;
  verb?: FaxVerb;
  /** Every request in order, redirects and retries included. */
  exchanges: Exchange[];
  /** True when storeMedia="false" and the pages reached nobody. */
  mediaLost?: boolean;
}

export interface RawRequest {
  url: string;
  method?: Method;
  params?: Record<string, string> | URLSearchParams;
  /** Files of a multipart/form-data POST; an empty list sends the text fields alone that way. */
  multipart?: readonly FilePart[];
  /** Over the provider's own headers, signature included. */
  headers?: Record<string, string>;
}

export interface Provider {
  sendFax(fax: IncomingFax): Promise<Transcript>;
  /** One signed request and its answer: no redirect, cookie, cache or retry. */
  request(request: RawRequest): Promise<Exchange>;
  /** Sends what was sent once more, byte for byte: same FaxSid, signature and idempotency token. */
  resend(exchange: Exchange): Promise<Exchange>;
}

export function createProvider(options: ProviderOptions): Provider {
  const { flavor, authToken, now = Date.now, mediaBaseUrl = "https://media.example.com/fax" } = options;
  const twilio = flavor === "twilio";
  const accountSid = options.accountSid ?? (twilio ? sid("AC") : randomUUID());
  const client = new Client({
    flavor,
    authToken,
    now,
    sign: options.sign ?? ((input) => sign(input, flavor)),
    signedUrl: options.signedUrl ?? ((url) => url.replace(/#.*$/s, "")),
    transport: options.fetch ? fetchTransport(options.fetch) : nodeTransport(options.ca),
    timeoutMs: options.timeoutMs ?? 5000,
  });

  async function sendFax(fax: IncomingFax): Promise<Transcript> {
    const { from, to, webhookUrl, method = "POST", fallbackUrl, extraParams, outcome = "received" } = fax;
    const faxSid = fax.faxSid ?? (twilio ? sid("FX") : randomUUID());
    const base = { FaxSid: faxSid, AccountSid: accountSid, From: from, To: to, ApiVersion: "v1" };
    const pair = JSON.stringify([from, to]);
    const exchanges: Exchange[] = [];

    async function call(request: Outgoing, purpose: Exchange["purpose"], attempts = 1): Promise<Answer> {
      // Twilio marks the retries of one request with one token.
      const headers: Record<string, string> = twilio ? { "i-twilio-idempotency-token": randomUUID() } : {};
      for (let attempt = 1; ; attempt++) {
        const hops = await client.follow({ ...request, headers }, { purpose, attempt }, pair);
        exchanges.push(...hops.exchanges);
        const status = hops.last.response?.status ?? 599;
        if (status < 500 || attempt >= attempts) return { ...judge(hops.last), url: hops.url, last: hops.last };
      }
    }

    function form(params: Record<string, string>): URLSearchParams {
      return new URLSearchParams({ ...base, ...params, ...extraParams });
    }

    let answer = await call(outgoing(method, webhookUrl, form({})), "incoming");
    if (answer.errorCode && fallbackUrl !== undefined) {
      answer = await call(outgoing(method, fallbackUrl, form({})), "fallback");
    }
    const { verb } = answer;
    if (!verb) return { faxSid, outcome: "error", ...problem(answer), exchanges };
    if (verb.name === "Reject") return { faxSid, outcome: "rejected", verb, exchanges };

    const transcript: Transcript = { faxSid, outcome, verb, exchanges };
    const { action, mediaType = "application/pdf", pageSize = "letter", storeMedia } = verb.attributes;
    const unstored = outcome === "received" && storeMedia === "false";
    if (unstored) transcript.mediaLost = true;
    if (action === undefined) return transcript;

    const pages = options.pages ?? blankPage(mediaType as MediaType, pageSize as PageSize);
    const extension = MEDIA_TYPES[mediaType as MediaType];
    const callbackMethod = verb.attributes["method"] === "GET" ? "GET" : "POST";
    const callback = outgoing(callbackMethod, new URL(action, answer.url).href, form(result()));
    if (unstored && callbackMethod === "POST") {
      callback.files = [{ name: "Media", filename: `${faxSid}.${extension}`, type: mediaType, bytes: pages.bytes }];
    }
    const told = await call(callback, "action", MAX_ATTEMPTS);
    // A redirect may have turned the delivery into a GET, and a refused one keeps nothing.
    const arrived = told.last.request.headers.get("content-type")?.startsWith("multipart/form-data");
    if (unstored) transcript.mediaLost = !(arrived && isSuccess(told.last));
    return { ...transcript, ...problem(told) };

    /** Section 3: what the action request tells beside the five parameters. */
    function result(): Record<string, string> {
      const timestamp: Record<string, string> = twilio
        ? {}
        : { Timestamp: new Date(now()).toISOString().replace(/\.\d+Z$/, "Z") };
      if (outcome === "failed") {
        const message = "Error during fax transmission";
        return { FaxStatus: "failed", ErrorCode: "34004", ErrorMessage: message, ...timestamp };
      }
      const received = { RemoteStationId: from, FaxStatus: "received", NumPages: String(pages.numPages), ...timestamp };
      if (unstored) return received;
      const id = twilio ? sid("ME") : randomUUID();
      const stored = { ...received, MediaUrl: `${mediaBaseUrl}/${id}.${extension}` };
      return twilio ? stored : { ...stored, MediaSid: id };
    }
  }

  async function request({ url, method = "POST", params, multipart, headers }: RawRequest): Promise<Exchange> {
    const message = outgoing(method, url, new URLSearchParams(params));
    if (multipart) message.files = multipart;
    if (headers) message.headers = headers;
    return client.once(message, { purpose: "request", attempt: 1 });
  }

  async function resend({ purpose, attempt, request }: Exchange): Promise<Exchange> {
    return client.send(request, { purpose, attempt: attempt + 1 });
  }

  return { sendFax, request, resend };
}

interface Answer {
  verb?: FaxVerb;
  errorCode?: ErrorCode;
  error?: string;
  url: URL;
  last: Exchange;
}

/** Reads the last answer of a call and notes on it why it was refused. */
function judge(exchange: Exchange): Pick<Answer, "verb" | "errorCode" | "error"> {
  try {
    const verb = usableVerb(exchange);
    return verb ? { verb } : {};
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    exchange.errorCode = error.code;
    exchange.error ??= error.message;
    return problem(exchange);
  }
}

function usableVerb(exchange: Exchange): FaxVerb | undefined {
  const { purpose, response, errorCode } = exchange;
  if (errorCode) throw new ProviderError(errorCode);
  if (!response || response.tooLarge) throw new ProviderError(response ? 11750 : 11200);
  const callback = purpose === "action";
  if (!(callback ? isSuccess(exchange) : response.status === 200 || exchange.fromCache)) {
    throw new ProviderError(11200, `status ${response.status}`);
  }
  const verb = readAnswer(response);
  if (callback) return undefined; // the fax is over: whatever it asks for comes too late
  if (!verb) throw new ProviderError(34106);
  const { action } = verb.attributes;
  const target = action !== undefined && URL.canParse(action, exchange.request.url);
  if (action !== undefined && !(target && /^https?:$/.test(new URL(action, exchange.request.url).protocol))) {
    throw new ProviderError(11100, "action");
  }
  return verb;
}

function isSuccess({ response, fromCache }: Exchange): boolean {
  return response !== undefined && (fromCache === true || (response.status >= 200 && response.status < 300));
}

function problem({ errorCode, error }: Pick<Exchange, "errorCode" | "error">): Pick<Exchange, "errorCode" | "error"> {
  return { ...(errorCode ? { errorCode } : {}), ...(error ? { error } : {}) };
}

function sid(prefix: string): string {
  return prefix + randomBytes(16).toString("hex");
}
