/** The offline provider: its options, its requests, and what a test asks of it. */
import { bringsPages, callbackParams, statusOf } from "./callback.js";
import { converse, type Fax, type FaxTranscript, judged } from "./conversation.js";
import { clock, type FaxExchange, limitsOf, type Line, once } from "./http-client.js";
import { FLAVORS, type FlavorRules } from "./flavors.js";
import {
  checkExchange,
  checkFax,
  checkOptions,
  checkParams,
  type FaxProviderOptions,
  type FaxToSend,
  fileOf,
  type ProviderRequest,
  splitParams,
} from "./options.js";
import { type FileToSend, platformRequest, signed } from "./request.js";

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
  const AccountSid = accountSid ?? rules.accountSid();
  const newFax = (fax: FaxToSend = {}) => ({
    ...{ FaxSid: rules.faxSid(), AccountSid, From: fax.from ?? "+15017122661" },
    ...{ To: fax.to ?? "+15558675310", ApiVersion: "v1" },
  });
  const request = (params: Params, file?: FileToSend) => {
    const toSend = { method: "POST", url, params, file, headers: rules.headers() } as const;
    return platformRequest(signed(toSend, authToken, rules)) as ProviderRequest;
  };
  const newLine = (): Line => ({
    ...{ authToken, rules, readMs: limitsOf(url, rules).readMs, deadline: clock() + timeoutMs },
    ...{ cookies: [], exchanges: [] },
    fetch: (request) => (fetch ?? globalThis.fetch)(request as never),
    isHandler: fetch !== undefined && fetch !== (globalThis.fetch as unknown),
  });
  return {
    sendFax: async (fax = {}) => converse(newLine(), url, settle(checkFax(fax), newFax(fax), now())),
    incoming: (params) => request({ ...newFax(), ...checkParams(params) }),
    callback: (params) => request(callbackOf({ ...newFax(), ...checkParams(params) }, now(), rules, "application/pdf")),
    delivery: (file, params) =>
      request(callbackOf({ ...newFax(), ...checkParams(params) }, now(), rules), fileOf(file)),
    resend: async (exchange) => {
      const line = newLine();
      return judged(line, await once(line, checkExchange(exchange).request));
    },
  };
}

type Params = Readonly<Record<string, string>>;

function callbackOf(params: Params, now: Date, rules: FlavorRules, kept?: FileToSend["type"]): Params {
  const { both: incoming, callback: given } = splitParams(params);
  return callbackParams({ incoming, given, outcome: "received", kept, now }, rules);
}

function settle(fax: FaxToSend, usual: Params, now: Date): Fax {
  const { method = "POST", outcome, pages, mediaUrl, params = {} } = fax;
  const { both, callback: given } = splitParams(params);
  const told = bringsPages(statusOf(given) ?? outcome ?? "received") ? "received" : "failed";
  const file = pages && fileOf(pages);
  return { method, outcome: told, file, mediaUrl, incoming: { ...usual, ...both }, given, now };
}
