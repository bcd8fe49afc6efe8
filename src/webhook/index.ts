/** The entry "twiml-fax/webhook": signatures, and the whole turn for any server. */
import { createFetch, type FetchRequest, type FetchResponse } from "./fetch.js";
import type { HandleRequest, WebhookReply } from "./http.js";
import { createNode, type NodeRequest, type NodeResponse } from "./node.js";
import { checkWebhookOptions, type FaxWebhookOptions } from "./options.js";
import { handleRequest } from "./handle.js";

export { signRequest, type SignOptions, verifyRequest, type VerifyOptions } from "./signature.js";
export {
  fetchMedia,
  FaxMediaError,
  type FaxMediaErrorCode,
  type FaxMediaOptions,
  type FaxPages,
  MEDIA_ERROR_CODES,
  type MediaFetchInit,
  type MediaFetchResponse,
} from "./media.js";
export type { FetchRequest, FetchResponse } from "./fetch.js";
export type { HandleRequest, QueryParams, ReplyHeaders, WebhookReply, WebhookRequest } from "./http.js";
export type { NodeRequest, NodeResponse } from "./node.js";
export type { AuthTokens, FaxWebhookOptions, PublicUrl } from "./options.js";
export type { Refusal, RefusalReason } from "./refusal.js";
export type { FaxAnswer } from "./reply.js";

/** One webhook, in the form that your server takes; the functions may be passed on alone. */
export interface FaxWebhook {
  /** For any other server: the request's parts in, the reply's out. Rejects with what a callback of yours threw. */
  readonly handle: (request: HandleRequest) => Promise<WebhookReply>;
  /** For Hono, Next.js, Bun, Deno and Workers. Rejects with what a callback of yours threw. */
  readonly fetch: (request: FetchRequest) => Promise<FetchResponse>;
  /**
   * For `http.createServer`, Express and Connect. What a callback of yours throws goes to `next`; without one it is
   * written to the console and answered with a bare 500. Never rejects.
   */
  readonly node: (req: NodeRequest, res: NodeResponse, next?: (error: Error) => void) => Promise<void>;
}

/**
 * The whole webhook: verifies the signature, reads the parameters, calls your function, answers with TwiML. A request
 * that says how a fax went (with a `FaxStatus`, pages or their URL, …) is a callback and never a new fax, so one URL
 * can serve both.
 *
 * Replies: 200 TwiML; 304 for a GET that has not changed; 400, 404, 405, 413 and 415 as plain text with the reason
 * alone, 403 as `forbidden`, and `onRefused` (or the console, once) is told why.
 *
 * @returns `handle`, `fetch` and `node`
 * @throws {TypeError} for an empty `authToken`, an option that does not exist, and others that cannot work
 * @example
 * const webhook = faxWebhook({
 *   authToken: process.env.FAX_AUTH_TOKEN,
 *   publicUrl: "https://fax.example.com",
 *   onFax: (fax) => (fax.to === "+15558675310" ? receive({ action: "/fax" }) : reject()),
 *   onCallback: (callback) => console.log(callback.faxSid, callback.faxStatus, callback.mediaUrl),
 * });
 * http.createServer(webhook.node).listen(3000);
 * @see https://www.twilio.com/docs/usage/security
 * @see https://developer.signalwire.com/compatibility-api/guides/webhook-security
 */
export function faxWebhook(options: FaxWebhookOptions): FaxWebhook {
  const settings = checkWebhookOptions(options);
  const handle = (request: HandleRequest) => handleRequest(settings, request);
  return { handle, fetch: createFetch(handle), node: createNode(handle) };
}
