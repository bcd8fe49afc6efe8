/** The offline provider: its options, its requests, and what a test asks of it. */
import { didYouMean, foldedName, quote } from "../message.js";
import { emptyRecord, isPlainData } from "../objects.js";
import { converse, type FaxParams, type FaxToSend, type FaxTranscript, fileOf } from "./conversation.js";
import { type FaxExchange, type Line, once, platformRequest, signed, type ToSend } from "./exchange.js";
import { FLAVORS, type Flavor } from "./flavor.js";

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
  /** Called with one `Request`: a handler in the same process, such as `webhook.fetch`. Default: real HTTP. */
  readonly fetch?: ProviderFetch | undefined;
  /** Milliseconds for a whole conversation. Default: 30,000; the flavor's own limit for one answer holds as well. */
  readonly timeoutMs?: number | undefined;
  /** The time of `Timestamp`. Default: now. */
  readonly now?: (() => Date) | undefined;
}

/** The provider of {@link createFaxProvider}. */
export interface FaxProvider {
  /** Plays a whole conversation. Never rejects for what the server does. */
  sendFax(fax?: FaxToSend): Promise<FaxTranscript>;
  /** The signed request for a new fax, to be sent by yourself. */
  incoming(params?: Readonly<Record<string, string>>): ProviderRequest;
  /** The signed request that says how a fax went. */
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
  const common = (fax: FaxToSend = {}) => ({
    FaxSid: rules.faxSid(),
    AccountSid: accountSid ?? rules.accountSid(),
    From: fax.from ?? "+15017122661",
    To: fax.to ?? "+15558675310",
    ApiVersion: "v1",
  });
  const request = (toSend: Omit<ToSend, "url" | "method">) =>
    platformRequest(signed({ method: "POST", url, ...toSend }, { authToken, rules })) as ProviderRequest;
  const newLine = (): Line => ({
    ...{ authToken, rules, fetch: fetch as Line["fetch"], deadline: performance.now() + timeoutMs },
    ...{ cookies: new Map(), exchanges: [] },
  });
  return {
    sendFax: async (fax = {}) => converse(newLine(), url, fax, paramsOf(common(fax), fax.params), now()),
    incoming: (params) => request({ params: { ...common(), ...checkParams(params) } }),
    callback: (params) => request({ params: { ...common(), FaxStatus: "received", ...checkParams(params) } }),
    delivery: (file, params) =>
      request({ params: { ...common(), FaxStatus: "received", ...checkParams(params) }, file: fileOf(file) }),
    resend: (exchange) => once(newLine(), exchange.request),
  };
}

const OPTIONS = ["url", "authToken", "flavor", "accountSid", "fetch", "timeoutMs", "now"];

function checkOptions(options: unknown) {
  if (!isPlainData(options))
    throw new TypeError(`createFaxProvider takes an object of options, not ${quote(options)}.`);
  const unknown = Object.keys(options as object).find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined) {
    throw new TypeError(
      `There is no option ${quote(unknown)}${didYouMean(unknown, OPTIONS)}; there are: ${OPTIONS.join(", ")}.`,
    );
  }
  const own = Object.assign(emptyRecord<unknown>(), options) as unknown as FaxProviderOptions;
  const { url, authToken, flavor = "signalwire", accountSid, timeoutMs = 30_000 } = own;
  if (!URL.canParse(url) || !/^https?:/i.test(url))
    throw new TypeError(`url must be an http(s) URL, not ${quote(url)}.`);
  if (typeof authToken !== "string" || authToken === "")
    throw new TypeError("authToken must be text that is not empty.");
  if (!Object.hasOwn(FLAVORS, flavor)) {
    throw new TypeError(
      `flavor must be "signalwire" or "twilio", not ${quote(flavor)}${didYouMean(flavor, Object.keys(FLAVORS))}.`,
    );
  }
  const { fetch = globalThis.fetch as unknown as ProviderFetch, now = () => new Date() } = own;
  return { url, authToken, flavor, accountSid, timeoutMs, fetch: (request: ProviderRequest) => fetch(request), now };
}

/** The names that a provider sends, and those of them that come with a callback alone. */
const CALLBACK_NAMES = [
  ...["FaxStatus", "Status", "RemoteStationId", "NumPages", "MediaUrl", "MediaSid", "OriginalMediaUrl"],
  ...["ErrorCode", "ErrorMessage", "Timestamp", "BitRate"],
];
const NAMES = ["FaxSid", "AccountSid", "From", "To", "ApiVersion", ...CALLBACK_NAMES];

/** A name in the wrong case would be a parameter that nobody reads: a test would prove nothing. */
function checkParams(params: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(params)) {
    const near = NAMES.find((each) => each !== name && foldedName(each) === foldedName(name));
    if (near) throw new TypeError(`Write ${quote(near)}, not ${quote(name)}: names are case-sensitive.`);
    if (typeof value !== "string") throw new TypeError(`${quote(name)} must be text, not ${quote(value)}.`);
  }
  return params;
}

function paramsOf(common: Readonly<Record<string, string>>, params?: Readonly<Record<string, string>>): FaxParams {
  const entries = Object.entries(checkParams(params));
  const isOfCallback = ([name]: [string, string]): boolean => CALLBACK_NAMES.includes(name);
  const incoming = Object.fromEntries(entries.filter((entry) => !isOfCallback(entry)));
  return { incoming: { ...common, ...incoming }, callback: Object.fromEntries(entries.filter(isOfCallback)) };
}
