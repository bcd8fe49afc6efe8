/** The offline provider: its options, its requests, and what a test asks of it. */
import { callbackParams } from "./callback.js";
import { checkFax, checkOptions, checkParams, fileOf, splitParams } from "./checks.js";
import { converse, type Fax, type FaxTranscript } from "./conversation.js";
import { type FaxExchange, limitsOf, type Line, once } from "./exchange.js";
import { FLAVORS, type Flavor, type FlavorRules } from "./flavor.js";
import { type FileToSend, platformRequest, signed } from "./request.js";

/** The `Request` of the platform's types; where there are none, what every runtime's has. */
export type ProviderRequest = typeof globalThis extends { Request: { prototype: infer Type } }
  ? Type
  : { readonly method: string; readonly url: string; text(): Promise<string> };

/** The parts of a `Response` that are read. */
export interface ProviderResponse {
  readonly status: number;
  readonly headers: Iterable<[string, string]> & { getSetCookie(): string[] };
  text(): Promise<string>;
}

/** A server: the platform's `fetch`, or a handler in the same process. */
export type ProviderFetch = (request: ProviderRequest) => ProviderResponse | Promise<ProviderResponse>;

/** Options of {@link createFaxProvider}. */
export interface FaxProviderOptions {
  /** The URL that is configured at the number; may have a query, `user:password@`, and overrides behind a `#`. */
  readonly url: string;
  /** What signs the requests: the auth token or the signing key. */
  readonly authToken: string;
  /** Which provider is played. Default: `"signalwire"`. */
  readonly flavor?: Flavor | undefined;
  /** Default: one of the flavor's form. */
  readonly accountSid?: string | undefined;
  /**
   * Called with one `Request`: a handler in the same process, such as `webhook.fetch`; what it throws is the 500 of a
   * server. Default: real HTTP.
   */
  readonly fetch?: ProviderFetch | undefined;
  /** Milliseconds for a whole conversation. Default: 30,000; the flavor's own limit for one answer holds as well. */
  readonly timeoutMs?: number | undefined;
  /** The time of `Timestamp`. Default: now. */
  readonly now?: (() => Date) | undefined;
}

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

/** The provider of {@link createFaxProvider}. */
export interface FaxProvider {
  /** Plays a whole conversation. Rejects with a `TypeError` for a wrong argument, never for what the server does. */
  sendFax(fax?: FaxToSend): Promise<FaxTranscript>;
  /** The signed request for a new fax, to be sent by yourself. */
  incoming(params?: Readonly<Record<string, string>>): ProviderRequest;
  /** The signed request that says how a fax went: `received`, or the `FaxStatus` that is given. */
  callback(params?: Readonly<Record<string, string>>): ProviderRequest;
  /** The signed request with pages that are not stored (`storeMedia: false`). */
  delivery(file: Uint8Array, params?: Readonly<Record<string, string>>): ProviderRequest;
  /** Sends the request of an exchange once more, to the letter. */
  resend(exchange: FaxExchange): Promise<FaxExchange>;
}

/**
 * A fax provider without an account, a tunnel and a fax machine: it signs, keeps cookies, follows redirects, reads the
 * answer as strictly as a provider, executes the verb and calls `action`. For tests of your own handler, in any test
 * framework, and on any runtime.
 *
 * @returns the provider
 * @throws {TypeError} for options that cannot work, and for a parameter in the wrong case
 * @example
 * const provider = createFaxProvider({ url: "https://fax.example.com/fax", authToken: "key", fetch: webhook.fetch });
 * const { outcome, verb, error } = await provider.sendFax({ from: "" });
 * @see https://www.twilio.com/docs/fax/twiml
 * @see https://developer.signalwire.com/compatibility-api/cxml/fax/receive
 */
export function createFaxProvider(options: FaxProviderOptions): FaxProvider {
  const { url, authToken, flavor, accountSid, fetch, timeoutMs, now } = checkOptions(options);
  const rules = FLAVORS[flavor];
  const newFax = (fax: FaxToSend = {}) => ({
    ...{ FaxSid: rules.faxSid(), AccountSid: accountSid ?? rules.accountSid() },
    ...{ From: fax.from ?? "+15017122661", To: fax.to ?? "+15558675310", ApiVersion: "v1" },
  });
  const callback = (given: Params = {}, kept?: FileToSend["type"]) =>
    callbackOf({ ...newFax(), ...checkParams(given) }, now(), rules, kept);
  const request = (params: Params, file?: FileToSend) => {
    const toSend = { method: "POST", url, params, file, headers: rules.headers() } as const;
    return platformRequest(signed(toSend, authToken, rules)) as ProviderRequest;
  };
  const newLine = (): Line => ({
    ...{ authToken, rules, readMs: limitsOf(url, rules).readMs, deadline: performance.now() + timeoutMs },
    ...{ cookies: [], exchanges: [] },
    fetch: (request) => (fetch ?? globalThis.fetch)(request as never),
    isHandler: fetch !== undefined && fetch !== (globalThis.fetch as unknown),
  });
  return {
    sendFax: async (fax = {}) => converse(newLine(), url, settle(checkFax(fax), newFax(fax), now())),
    incoming: (params) => request({ ...newFax(), ...checkParams(params) }),
    callback: (params) => request(callback(params, "application/pdf")),
    delivery: (file, params) => request(callback(params), fileOf(file)),
    resend: (exchange) => once(newLine(), exchange.request),
  };
}

type Params = Readonly<Record<string, string>>;

function callbackOf(params: Params, now: Date, rules: FlavorRules, kept?: FileToSend["type"]): Params {
  const { both, callback } = splitParams(params);
  const parts = { incoming: both, faxStatus: callback["FaxStatus"] ?? "received", kept, now };
  return { ...callbackParams(parts, rules), ...callback };
}

function settle(fax: FaxToSend, usual: Params, now: Date): Fax {
  const { method = "POST", outcome = "received", pages, mediaUrl, params = {} } = fax;
  const { both, callback } = splitParams(params);
  const file = pages && fileOf(pages);
  return { method, outcome, file, mediaUrl, incoming: { ...usual, ...both }, callback, now };
}
