/** The options of `faxWebhook`: their types, and the check that returns the settings. */
import { checkFunction, checkInteger } from "../shared/messages.js";
import { checkOptionNames } from "../shared/objects.js";
import type { FaxCallback, FaxRequest } from "../params/fax.js";
import type { BodyLimits } from "./multipart.js";
import type { WebhookRequest } from "./http.js";
import { log, type Refusal } from "./refusal.js";
import type { FaxAnswer } from "./reply.js";
import { checkTokens, type TokenSource } from "./tokens.js";
import { parsePublicUrl, type PublicUrlSource } from "./url-variants.js";

/** One token, several during a rotation, or nothing for an unknown account. */
export type AuthTokens = string | readonly string[] | null | undefined;

/** A URL as a string or a `URL`. */
export type PublicUrl =
  | string
  | {
      /** The URL as text. */
      readonly href: string;
    };

/**
 * Options of `faxWebhook`. Only own properties are read. `authToken` is required, and at least one of `onFax` and
 * `onCallback`.
 *
 * @example
 * const options: FaxWebhookOptions = { authToken: process.env.FAX_AUTH_TOKEN, onFax: () => receive() };
 */
export interface FaxWebhookOptions {
  /**
   * The token that signs the provider's requests. Twilio: the account's auth token. SignalWire: the project's signing
   * key (`PSK_…`), not an API token (`PT…`).
   *
   * - An array: several valid tokens, for a rotation.
   * - A function of the request's AccountSid, sync or async, for several accounts. If it returns nothing, the request
   *   is refused with `no-token`. An attacker can choose the AccountSid, so do not return `process.env[accountSid]`.
   * - `undefined` compiles, so that you can pass `process.env.X`, and throws at startup.
   * - `false` disables verification: anyone can send you faxes. For local development only. Logged once.
   * @example authToken: (accountSid) => new Map([["AC1", "token"]]).get(accountSid)
   */
  readonly authToken:
    | string
    | readonly (string | undefined)[]
    | false
    | undefined
    | ((accountSid: string) => AuthTokens | Promise<AuthTokens>);
  /**
   * The URL configured at the provider, or its beginning (the origin, or origin and prefix), or a function of the
   * request that returns it. The webhook tries it with the request's path appended, and with only the request's query
   * appended. If it has a query with the same parameters as the request's, it is also tried exactly as configured. A
   * request for which the function returns no URL is refused. Default: the Host header, with `https` and with `http`.
   * `X-Forwarded-*` is never trusted.
   * @example publicUrl: "https://fax.example.com"
   */
  readonly publicUrl?: PublicUrl | ((request: WebhookRequest) => PublicUrl) | undefined;
  /**
   * Answers a new fax. Returns `receive(…)`, `reject()`, a `FaxResponse`, or one of them with headers:
   * `{ twiml, headers }`. If there is an `onCallback`, and `<Receive>` has no `action`, the callback is sent to the URL
   * of this request. Without `onFax`, new faxes are refused with 404, and the provider requests the fallback URL of the
   * number.
   * @example onFax: (fax) => (fax.from === "" ? reject() : receive())
   */
  readonly onFax?: ((fax: FaxRequest, request: WebhookRequest) => FaxAnswer | Promise<FaxAnswer>) | undefined;
  /**
   * Receives the result of a fax: its status, and the pages or their URL. The provider gets a 200 after the returned
   * promise is fulfilled; the value is ignored. Without `onCallback`, callbacks get a 200 and are dropped.
   * @example onCallback: async (callback) => console.log(callback.faxSid, callback.faxStatus, callback.mediaUrl)
   */
  readonly onCallback?: ((callback: FaxCallback, request: WebhookRequest) => unknown) | undefined;
  /**
   * Called for every refused request, with the reason and how to fix it. Default: at most one `console.warn` per cause
   * and minute. An error that it throws is logged.
   * @example onRefused: (refusal, request) => console.warn(request.url, refusal.reason, refusal.message)
   */
  readonly onRefused?: ((refusal: Refusal, request: WebhookRequest) => unknown) | undefined;
  /** Maximum size in bytes of a form body, and of the text fields of a multipart callback. Default: 65,536. */
  readonly maxFormBytes?: number | undefined;
  /**
   * Maximum size in bytes of the pages in a multipart callback (`storeMedia: false`), which are held in memory before
   * the signature is verified. Requires `onCallback`. Default: 0, which refuses multipart callbacks.
   */
  readonly maxMediaBytes?: number | undefined;
}

/** The checked options, with defaults. */
export interface Settings extends BodyLimits {
  /** `false` disables verification. */
  readonly authToken: false | TokenSource;
  readonly publicUrl: PublicUrlSource;
  readonly onFax: FaxWebhookOptions["onFax"];
  readonly onCallback: FaxWebhookOptions["onCallback"];
  readonly onRefused: (refusal: Refusal, request: WebhookRequest) => unknown;
}

const OPTIONS = ["authToken", "publicUrl", "onFax", "onCallback", "onRefused", "maxFormBytes", "maxMediaBytes"];

const AUTH_DISABLED = "twiml-fax: authToken is false, so anyone can send you faxes. Set the token before deployment.";

/** Returns the settings. Throws a TypeError for unknown, invalid or contradictory options. */
export function checkWebhookOptions(options: unknown): Settings {
  const own: Partial<FaxWebhookOptions> = checkOptionNames("faxWebhook", options, OPTIONS);
  const { authToken, publicUrl, onFax, onCallback, onRefused, maxFormBytes = 64 * 1024, maxMediaBytes = 0 } = own;
  for (const [name, value] of Object.entries({ onFax, onCallback, onRefused })) {
    if (value !== undefined) checkFunction(name, value);
  }
  checkInteger("maxFormBytes", maxFormBytes, 1);
  checkInteger("maxMediaBytes", maxMediaBytes, 0);
  if (onFax === undefined && onCallback === undefined) {
    throw new TypeError("faxWebhook needs onFax (answers new faxes) or onCallback (receives the results).");
  }
  if (maxMediaBytes !== 0 && onCallback === undefined) {
    throw new TypeError("maxMediaBytes requires onCallback, which receives the pages.");
  }
  const sources = { authToken: checkAuthToken(authToken), publicUrl: checkPublicUrl(publicUrl) };
  if (authToken === false) log("warn", AUTH_DISABLED);
  const limits = { maxFormBytes, maxMediaBytes };
  return { ...sources, ...limits, onFax, onCallback, onRefused: onRefused ?? createRateLimitedWarnings() };
}

function checkAuthToken(authToken: FaxWebhookOptions["authToken"]): Settings["authToken"] {
  if (authToken === false || typeof authToken === "function") return authToken;
  return checkTokens(authToken);
}

function checkPublicUrl(publicUrl: FaxWebhookOptions["publicUrl"]): PublicUrlSource {
  if (publicUrl === undefined || typeof publicUrl === "function") return publicUrl;
  return parsePublicUrl(publicUrl);
}

/** Passes a refusal to `onRefused`. An error that it throws is logged, because the client must get the refusal. */
export async function reportRefusal(
  onRefused: Settings["onRefused"],
  refusal: Refusal,
  request: WebhookRequest,
): Promise<void> {
  try {
    await onRefused(refusal, request);
  } catch (error) {
    log("error", error);
  }
}

const MINUTE = 60_000;

/** The most causes of one reason that are logged in a minute. Some messages contain text of the client. */
const MAX_CAUSES = 10;

/**
 * The default `onRefused`: at most one console warning per cause and minute. A bare 403 takes days to debug.
 * The first refusal may be an attacker's and the next one the provider's, so the warning is repeated.
 */
function createRateLimitedWarnings(): Settings["onRefused"] {
  const shown = new Map<string, number>();
  return (refusal) => {
    const now = performance.now();
    for (const [cause, time] of shown) if (now - time >= MINUTE) shown.delete(cause);
    const cause = `${refusal.reason} ${refusal.message}`;
    const causes = [...shown.keys()].filter((each) => each.startsWith(`${refusal.reason} `));
    if (shown.has(cause) || causes.length >= MAX_CAUSES) return;
    shown.set(cause, now);
    log("warn", formatWarning(refusal));
  };
}

function formatWarning(refusal: Refusal): string {
  const { status, reason, message, urls } = refusal;
  const tried = urls && ` Tried: ${urls.join(" ") || "no URL"}`;
  // The message can be that of the error already.
  const isShown = !(refusal.error instanceof Error) || refusal.error.message === message;
  const more = tried ?? (isShown ? "" : ` Error: ${refusal.error.message}`);
  const text = `twiml-fax refused a request: ${status} ${reason}. ${message}${more}`;
  return `${text} (Logged once per cause and minute. Set onRefused to get every refusal.)`;
}
