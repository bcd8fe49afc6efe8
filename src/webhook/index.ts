/** The entry point "twiml-fax/webhook": signatures, the webhook for any server, and the download of the pages. */
import { createFetch, type FetchRequest, type FetchResponse } from "./fetch.js";
import type { HandleRequest, WebhookReply } from "./http.js";
import { createNode, type NodeRequest, type NodeResponse } from "./node.js";
import { checkWebhookOptions, type FaxWebhookOptions } from "./options.js";
import { handleRequest } from "./handle.js";

export { deduplicate, type DeduplicateStore } from "./deduplicate.js";
export { signRequest, type SignOptions, verifyRequest, type VerifyOptions } from "./signature.js";
export { FaxMediaError, type FaxMediaErrorCode, MEDIA_ERROR_CODES } from "../shared/errors.js";
export { fetchMedia, type FaxMediaOptions, type FaxPages } from "./media.js";
export type { MediaFetchInit, MediaFetchResponse } from "./download.js";
export type { FetchRequest, FetchResponse } from "./fetch.js";
export type { HandleRequest, QueryParams, ReplyHeaders, WebhookReply, WebhookRequest } from "./http.js";
export type { NodeRequest, NodeResponse } from "./node.js";
export type { AuthTokens, FaxWebhookOptions, PublicUrl } from "./options.js";
export type { Refusal, RefusalReason } from "./refusal.js";
export type { FaxAnswer } from "./reply.js";

/** The webhook in one form for each kind of server. Each function also works detached from the object. */
export interface FaxWebhook {
  /**
   * For any other server: takes a request, returns a reply. Rejects with any error that your handlers throw, and with a
   * TypeError for an invalid argument.
   */
  readonly handle: (request: HandleRequest) => Promise<WebhookReply>;
  /**
   * For Hono, Next.js, Bun, Deno and Workers. Rejects with any error that your handlers throw, and with a TypeError for
   * anything but a `Request`.
   */
  readonly fetch: (request: FetchRequest) => Promise<FetchResponse>;
  /**
   * For `http.createServer`, Express and Connect. Passes any error that your handlers throw to `next`. Without `next`,
   * or if it fails, replies with 500 and logs the error. Never rejects.
   */
  readonly node: (req: NodeRequest, res: NodeResponse, next?: (error: Error) => void) => Promise<void>;
}

/**
 * Creates the webhook, which verifies the signature, parses the parameters, calls your handler and replies with TwiML.
 * One URL can serve new faxes and callbacks, because a request with parameters of a callback (`FaxStatus`, `MediaUrl`,
 * …) is never treated as a new fax.
 *
 * Replies with 200 and TwiML, or 304 for an unchanged GET. A refused request gets 400, 403, 404, 405, 413 or 415, and
 * only the reason as plain text (`forbidden` for every 403). `onRefused`, or the console, gets the details.
 *
 * @returns `handle`, `fetch` and `node`
 * @throws {TypeError} for a missing or empty `authToken`, and for unknown, invalid or contradictory options
 * @example
 * const webhook = faxWebhook({
 *   authToken: process.env.FAX_AUTH_TOKEN,
 *   publicUrl: "https://fax.example.com",
 *   onFax: (fax) => (fax.to === "+15558675310" ? receive() : reject()),
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
