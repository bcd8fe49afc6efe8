/** The offline provider: `createFaxProvider`. */
import type { MediaType } from "../twiml/verbs.js";
import { createCallbackParams, getStatus, isSuccess, storePages } from "./callback.js";
import { type FaxTranscript, type ResolvedFax, runConversation, withProviderError } from "./conversation.js";
import { FLAVORS, type FlavorRules } from "./flavors.js";
import { clock, type ConversationContext, type FaxExchange, getLimits, requestOnce } from "./http-client.js";
import {
  type CheckedOptions,
  checkExchange,
  checkFax,
  checkProviderOptions,
  checkParams,
  type FaxProviderOptions,
  type FaxToSend,
  type ProviderMedia,
  type ProviderRequest,
  splitParams,
  toFile,
} from "./options.js";
import { type FileToSend, sign, toPlatformRequest } from "./request.js";
import { emptyPage } from "./sample-pages.js";

/** The provider of {@link createFaxProvider}. */
export interface FaxProvider {
  /** Runs a whole conversation. Rejects with a `TypeError` for an invalid argument, and never because of the server. */
  sendFax(fax?: FaxToSend): Promise<FaxTranscript>;
  /** Creates the signed request for a new fax, without sending it. */
  incoming(params?: Readonly<Record<string, string>>): ProviderRequest;
  /** Creates a signed callback with the status `received`, or with the status in `params`. */
  callback(params?: Readonly<Record<string, string>>): ProviderRequest;
  /** Creates the signed multipart callback that contains the pages (`storeMedia: false`). */
  delivery(file: Uint8Array, params?: Readonly<Record<string, string>>): ProviderRequest;
  /** Sends the request of an exchange again, unchanged. */
  resend(exchange: FaxExchange): Promise<FaxExchange>;
  /**
   * Serves the pages at every `MediaUrl` that this provider has sent, and responds with 404 to other URLs. Pass it as
   * `fetch` to `fetchMedia`, with the host of the flavor (Twilio: `hosts: ["media.twiliocdn.com"]`). For a server in
   * another process, serve it at a loopback host that its `fetchMedia` lists in `hosts`, and pass that `mediaUrl`.
   *
   * @example
   * const files = http.createServer(async (req, res) => {
   *   const response = await provider.mediaFetch(`http://127.0.0.1:8127${req.url}`);
   *   res.writeHead(response.status).end(new Uint8Array(await response.arrayBuffer()));
   * });
   * files.listen(8127, "127.0.0.1");
   * await provider.sendFax({ mediaUrl: "http://127.0.0.1:8127/fax.pdf" });
   */
  readonly mediaFetch: (url: string) => Promise<ProviderMedia>;
}

/**
 * Creates a fax provider that needs no account, tunnel or fax machine. It signs requests, keeps cookies, follows
 * redirects, reads the response as strictly as a provider, executes the verb and calls `action`. It tests your handler
 * in any test framework and on any runtime.
 *
 * @returns the provider
 * @throws {TypeError} for an invalid option. The provider's methods throw it for an invalid argument
 * @example
 * const provider = createFaxProvider({ url: "https://fax.example.com/fax", authToken: "key", fetch: webhook.fetch });
 * const { outcome, verb, error } = await provider.sendFax({ from: "" });
 * @see https://www.twilio.com/docs/fax/twiml
 * @see https://developer.signalwire.com/compatibility-api/cxml/fax/receive
 */
export function createFaxProvider(options: FaxProviderOptions): FaxProvider {
  const checked = checkProviderOptions(options);
  const { url, now } = checked;
  const rules = FLAVORS[checked.flavor];
  const storedPages = new Map<string, FileToSend>();
  const accountSid = checked.accountSid ?? rules.accountSid();
  const createIncoming = (fax?: FaxToSend) => createIncomingParams(rules, accountSid, fax);
  const createCallback = (params: Params | undefined, storedMediaType?: MediaType) => {
    const { both: incoming, callback: overrides } = splitParams({ ...createIncoming(), ...checkParams(params) });
    return createCallbackParams({ incoming, overrides, outcome: "received", storedMediaType, now: now() }, rules);
  };
  const createRequest = (params: Params, file?: FileToSend) => {
    const unsigned = { method: "POST", url, params, file, headers: rules.headers() } as const;
    return toPlatformRequest(sign(unsigned, checked.authToken, rules));
  };
  return {
    sendFax: async (fax = {}) =>
      runConversation(createContext(checked, storedPages), url, resolveFax(checkFax(fax), createIncoming(fax), now())),
    incoming: (params) => createRequest({ ...createIncoming(), ...checkParams(params) }),
    callback: (params) => {
      const type = "application/pdf";
      return createRequest(storePages(storedPages, createCallback(params, type), { bytes: emptyPage(type), type }));
    },
    delivery: (file, params) => createRequest(createCallback(params), toFile(file)),
    resend: (exchange) => resendExchange(createContext(checked, storedPages), exchange),
    mediaFetch: (url) => Promise.resolve(respondWithPages(storedPages, url)),
  };
}

/** The state of one conversation. */
function createContext(options: CheckedOptions, storedPages: Map<string, FileToSend>): ConversationContext {
  const { url, fallbackUrl, authToken, fetch, timeoutMs } = options;
  const rules = FLAVORS[options.flavor];
  const start = clock();
  return {
    authToken,
    rules,
    fallbackUrl,
    readMs: getLimits(url, rules).readMs,
    start,
    deadline: start + timeoutMs,
    cookies: [],
    exchanges: [],
    storedPages,
    getServerUrl: (requested) => getServerUrl(requested, options),
    fetch: (request) => (fetch ?? globalThis.fetch)(request),
    isHandler: fetch !== undefined && fetch !== globalThis.fetch,
  };
}

/** The URL on the origin `connectTo`, if the requested URL is on the origin of `url`. */
function getServerUrl(requested: string, { url, connectTo }: CheckedOptions): string {
  if (connectTo === undefined) return requested;
  const { origin, pathname, search } = new URL(requested);
  return origin === new URL(url).origin ? connectTo + pathname + search : requested;
}

function respondWithPages(storedPages: ReadonlyMap<string, FileToSend>, url: string): ProviderMedia {
  const file = storedPages.get(url);
  if (!file) return new Response("not found", { status: 404 });
  return new Response(file.bytes as Uint8Array<ArrayBuffer>, { headers: { "content-type": file.type } });
}

type Params = Readonly<Record<string, string>>;

/** The default parameters of a new fax. */
function createIncomingParams(rules: FlavorRules, accountSid: string, fax: FaxToSend = {}): Params {
  return {
    FaxSid: rules.faxSid(),
    AccountSid: accountSid,
    From: fax.from ?? "+15017122661",
    To: fax.to ?? "+15558675310",
    ApiVersion: "v1",
  };
}

/** The fax with defaults. `params` replaces default parameters, and a status in it determines the outcome. */
function resolveFax(fax: FaxToSend, defaults: Params, now: Date): ResolvedFax {
  const { method = "POST", pages, mediaUrl, params = {} } = fax;
  const { both, callback: overrides } = splitParams(params);
  const outcome = isSuccess(getStatus(overrides) ?? fax.outcome ?? "received") ? "received" : "failed";
  return {
    method,
    outcome,
    file: pages && toFile(pages),
    mediaUrl,
    incoming: { ...defaults, ...both },
    overrides,
    now,
  };
}

async function resendExchange(context: ConversationContext, exchange: FaxExchange): Promise<FaxExchange> {
  return withProviderError(context, await requestOnce(context, checkExchange(exchange).request));
}
