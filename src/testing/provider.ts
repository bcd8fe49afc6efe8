/** The offline provider: its options, its requests, and what a test asks of it. */
import { bringsPages, callbackParams, getStatus } from "./callback.js";
import { runConversation, type Fax, type FaxTranscript, withProviderError } from "./conversation.js";
import { clock, type FaxExchange, getLimits, type ConversationContext, requestOnce } from "./http-client.js";
import { FLAVORS, type FlavorRules } from "./flavors.js";
import {
  type CheckedOptions,
  checkExchange,
  checkFax,
  checkProviderOptions,
  checkParams,
  type FaxProviderOptions,
  type FaxToSend,
  toFile,
  type ProviderRequest,
  splitParams,
} from "./options.js";
import { type FileToSend, toPlatformRequest, sign } from "./request.js";

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
  const checked = checkProviderOptions(options);
  const { url, authToken, flavor, accountSid, now } = checked;
  const rules = FLAVORS[flavor];
  const AccountSid = accountSid ?? rules.accountSid();
  const newFax = (fax: FaxToSend = {}) => ({
    ...{ FaxSid: rules.faxSid(), AccountSid, From: fax.from ?? "+15017122661" },
    ...{ To: fax.to ?? "+15558675310", ApiVersion: "v1" },
  });
  const callbackParamsFor = (params: Params | undefined, kept?: FileToSend["type"]) =>
    buildCallbackParams({ ...newFax(), ...checkParams(params) }, now(), rules, kept);
  const request = (params: Params, file?: FileToSend) => {
    const toSend = { method: "POST", url, params, file, headers: rules.headers() } as const;
    return toPlatformRequest(sign(toSend, authToken, rules)) as ProviderRequest;
  };
  const newContext = () => createContext(checked, rules);
  return {
    sendFax: async (fax = {}) => runConversation(newContext(), url, resolveFax(checkFax(fax), newFax(fax), now())),
    incoming: (params) => request({ ...newFax(), ...checkParams(params) }),
    callback: (params) => request(callbackParamsFor(params, "application/pdf")),
    delivery: (file, params) => request(callbackParamsFor(params), toFile(file)),
    resend: async (exchange) => {
      const context = newContext();
      return withProviderError(context, await requestOnce(context, checkExchange(exchange).request));
    },
  };
}

/** The state of one conversation. */
function createContext(options: CheckedOptions, rules: FlavorRules): ConversationContext {
  const { url, authToken, fetch, timeoutMs } = options;
  return {
    authToken,
    rules,
    readMs: getLimits(url, rules).readMs,
    deadline: clock() + timeoutMs,
    cookies: [],
    exchanges: [],
    fetch: (request) => (fetch ?? globalThis.fetch)(request as never),
    isHandler: fetch !== undefined && fetch !== (globalThis.fetch as unknown),
  };
}

type Params = Readonly<Record<string, string>>;

function buildCallbackParams(params: Params, now: Date, rules: FlavorRules, kept?: FileToSend["type"]): Params {
  const { both: incoming, callback: given } = splitParams(params);
  return callbackParams({ incoming, given, outcome: "received", kept, now }, rules);
}

function resolveFax(fax: FaxToSend, usual: Params, now: Date): Fax {
  const { method = "POST", outcome, pages, mediaUrl, params = {} } = fax;
  const { both, callback: given } = splitParams(params);
  const told = bringsPages(getStatus(given) ?? outcome ?? "received") ? "received" : "failed";
  const file = pages && toFile(pages);
  return { method, outcome: told, file, mediaUrl, incoming: { ...usual, ...both }, given, now };
}
