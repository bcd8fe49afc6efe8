/** The entry "twiml-fax/webhook": signatures, and the whole turn for any server. */
import { createFetch, type FetchRequest, type FetchResponse } from "./fetch.js";
import type { HandleRequest, WebhookReply } from "./http.js";
import { createNode, type NodeRequest, type NodeResponse } from "./node.js";
import { checkOptions, type FaxWebhookOptions } from "./options.js";
import { takeTurn } from "./turn.js";

export { signRequest, type SignOptions, verifyRequest, type VerifyOptions } from "./signature.js";
export type { FetchRequest, FetchResponse } from "./fetch.js";
export type { HandleRequest, ReplyHeaders, WebhookReply, WebhookRequest } from "./http.js";
export type { NodeRequest, NodeResponse } from "./node.js";
export type { AuthTokens, FaxWebhookOptions } from "./options.js";
export type { Refusal, RefusalReason } from "./refusal.js";
export type { CallbackAnswer, FaxAnswer } from "./reply.js";

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
  readonly node: (req: NodeRequest, res: NodeResponse, next?: (error?: unknown) => void) => Promise<void>;
}

/**
 * The whole webhook: verifies the signature, reads the parameters, calls your function, answers with TwiML. A request
 * with a `FaxStatus` (or with the pages) is a callback, so one URL can serve both.
 *
 * Replies: 200 TwiML; 304 for a GET that has not changed; 400, 403, 405, 413 and 415 as plain text with the reason
 * alone, and `onRefused` is told why.
 *
 * @returns `handle`, `fetch` and `node`
 * @throws {TypeError} for an empty `authToken` and other options that cannot work
 * @example
 * const webhook = faxWebhook({
 *   authToken: process.env.FAX_AUTH_TOKEN ?? "",
 *   publicUrl: "https://fax.example.com",
 *   onFax: (fax) => (fax.to === "+15558675310" ? receive({ action: "/fax" }) : reject()),
 *   onCallback: (callback) => console.log(callback.faxSid, callback.faxStatus, callback.mediaUrl),
 * });
 * http.createServer(webhook.node).listen(3000);
 * @see https://www.twilio.com/docs/usage/security
 * @see https://developer.signalwire.com/compatibility-api/guides/webhook-security
 */
export function faxWebhook(options: FaxWebhookOptions): FaxWebhook {
  const settings = checkOptions(options);
  const handle = (request: HandleRequest) => takeTurn(settings, request);
  return { handle, fetch: createFetch(handle), node: createNode(handle) };
}
