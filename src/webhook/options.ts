/** The options of `faxWebhook`, checked once into settled values. */
import { hintFor, optionError } from "../shared/messages.js";
import { checkOptionNames } from "../shared/objects.js";
import type { FaxCallback, FaxRequest } from "../params/fax.js";
import { isSafeHttpUrl } from "../shared/values.js";
import type { WebhookRequest } from "./http.js";
import type { Refusal, RefusalReason } from "./refusal.js";
import type { FaxAnswer } from "./reply.js";
import { isTokens } from "./signature.js";

/** One token, several while they rotate, or nothing when an account is not known. */
export type AuthTokens = string | readonly string[] | null | undefined;

/** A URL as text or as an object of the platform. */
export type PublicUrl = string | { readonly href: string };

/**
 * Options of `faxWebhook`, read as own properties. At least one of `onFax` and `onCallback` is required.
 *
 * @example
 * const options: FaxWebhookOptions = { authToken: process.env.FAX_AUTH_TOKEN, onFax: () => receive() };
 */
export interface FaxWebhookOptions {
  /**
   * Twilio: the account's auth token. SignalWire: the project's signing key. Several while they rotate; a function of
   * the request's AccountSid for several accounts, whose answer is awaited, and which refuses with `no-token` when it
   * gives nothing. Take care with `process.env[sid]` there: a stranger chooses the name. `undefined` compiles, so that
   * `process.env.X` can be written as it is, and throws at start-up. `false` switches verification off: anyone can then
   * send you faxes, so only for local work.
   * @example authToken: (accountSid) => new Map([["AC1", "token"]]).get(accountSid)
   */
  readonly authToken:
    | string
    | readonly (string | undefined)[]
    | false
    | undefined
    | ((accountSid: string) => AuthTokens | Promise<AuthTokens>);
  /**
   * The URL that stands at the provider (`https://fax.example.com/hooks/fax`), or its beginning: the origin, or origin
   * and prefix. Or a function of the request that gives one. Tried are this followed by the request's path, and this
   * itself with the request's query. Without it the Host header is taken, with both schemes. `X-Forwarded-*` is never
   * believed.
   */
  readonly publicUrl?: PublicUrl | ((request: WebhookRequest) => PublicUrl) | undefined;
  /**
   * Decides on a new fax: returns what `receive` or `reject` returned, a `FaxResponse`, or `{ twiml, headers }`.
   * Without it every new fax is refused with 404, and the provider requests the number's fallback URL.
   */
  readonly onFax?: ((fax: FaxRequest, request: WebhookRequest) => FaxAnswer | Promise<FaxAnswer>) | undefined;
  /**
   * Called with the result of a fax. The return value is ignored, but awaited: the provider gets its 200 when the
   * handler is done. Without it a callback is acknowledged and dropped.
   */
  readonly onCallback?: ((callback: FaxCallback, request: WebhookRequest) => unknown) | undefined;
  /**
   * Is told of every request that was refused, with the reason and what to do. Without it the first refusal of each
   * reason is written to `console.warn`, and once a minute from then on.
   */
  readonly onRefused?: ((refusal: Refusal, request: WebhookRequest) => unknown) | undefined;
  /** Most bytes of a form body, and of the text fields beside the pages. Default: 65,536. */
  readonly maxFormBytes?: number | undefined;
  /**
   * Most bytes of the pages in a multipart delivery (`storeMedia: false`), which is held in memory before its signature
   * can be checked. Default: 0, which refuses such deliveries.
   */
  readonly maxMediaBytes?: number | undefined;
}

/** A URL at the provider, taken apart. */
export interface PublicUrlParts {
  /** Without query, fragment, and the slashes at its end. */
  readonly start: string;
  /** The whole of it without query and fragment. */
  readonly whole: string;
  /** With its `#`, or nothing. */
  readonly fragment: string;
}

/** The options with their defaults filled in. */
export interface Settings {
  /** `false`, one or several tokens, or a function that has to be asked. */
  readonly authToken: false | readonly string[] | ((accountSid: string) => unknown);
  readonly publicUrl: PublicUrlParts | ((request: WebhookRequest) => unknown) | undefined;
  readonly onFax: FaxWebhookOptions["onFax"];
  readonly onCallback: FaxWebhookOptions["onCallback"];
  readonly onRefused: (refusal: Refusal, request: WebhookRequest) => unknown;
  /** Whether somebody listens: explaining a refusal takes time, which a stranger must not cost for nothing. */
  readonly wantsRefusal: (reason: RefusalReason) => boolean;
  readonly maxFormBytes: number;
  readonly maxMediaBytes: number;
}

const OPTIONS = ["authToken", "publicUrl", "onFax", "onCallback", "onRefused", "maxFormBytes", "maxMediaBytes"];

/** The settings; throws a TypeError for options that cannot work. */
export function checkWebhookOptions(options: unknown): Settings {
  const own = checkOptionNames("faxWebhook", options, OPTIONS);
  const { authToken, publicUrl, onFax, onCallback, onRefused, maxFormBytes = 64 * 1024, maxMediaBytes = 0 } = own;
  checkFunctions({ onFax, onCallback, onRefused });
  checkBytes("maxFormBytes", maxFormBytes, 1);
  checkBytes("maxMediaBytes", maxMediaBytes, 0);
  if (onFax === undefined && onCallback === undefined) {
    throw new TypeError("Give onFax, to decide on new faxes, or onCallback, to hear how they went, or both.");
  }
  if (maxMediaBytes !== 0 && onCallback === undefined) {
    throw new TypeError("Give onCallback as well: maxMediaBytes lets pages in, and nobody would take them.");
  }
  const listener = onRefused === undefined ? rateLimitedWarnings() : { onRefused, wantsRefusal: () => true };
  const settled = { authToken: checkAuthToken(authToken), publicUrl: checkPublicUrl(publicUrl), ...listener };
  return { ...settled, onFax, onCallback, maxFormBytes, maxMediaBytes } as Settings;
}

function checkAuthToken(authToken: unknown): Settings["authToken"] {
  if (authToken === false || typeof authToken === "function") return authToken as Settings["authToken"];
  if (isTokens(authToken)) return [authToken].flat();
  const hint = hintFor(authToken) || ". Is the environment variable set?";
  const expected = "text that is not empty, without white space around it, several such, a function, or false";
  throw new TypeError(`authToken must be ${expected}${hint}`);
}

function checkPublicUrl(publicUrl: unknown): Settings["publicUrl"] {
  if (publicUrl === undefined || typeof publicUrl === "function") return publicUrl as Settings["publicUrl"];
  return parsePublicUrl(publicUrl);
}

/** The parts of the URL of an option; throws a TypeError for what cannot be one. */
function parsePublicUrl(publicUrl: unknown): PublicUrlParts {
  const text = readUrlText(publicUrl);
  if (isPublicUrl(text)) return splitPublicUrl(text);
  const expected = `the http(s) URL at the provider, or its beginning, such as "https://fax.example.com"`;
  throw optionError("publicUrl", expected, text ?? publicUrl, hintFor(text ?? publicUrl) || ".");
}

/** The parts of what a function returned; nothing for text that is not a URL: it may be a stranger's Host. */
export function parsePublicUrlResult(publicUrl: unknown): PublicUrlParts | undefined {
  const text = readUrlText(publicUrl);
  return typeof text === "string" && !isPublicUrl(text) ? undefined : parsePublicUrl(publicUrl);
}

function readUrlText(publicUrl: unknown): unknown {
  return Object(publicUrl) === publicUrl ? (publicUrl as { href?: unknown }).href : publicUrl;
}

function isPublicUrl(text: unknown): text is string {
  // An "@" behind "?" or "#" is the end of a password that holds one of them, as a rule.
  if (typeof text !== "string" || !isSafeHttpUrl(text) || /\s/.test(text)) return false;
  const end = text.search(/[?#]/);
  return end < 0 || !text.includes("@", end);
}

function splitPublicUrl(text: string): PublicUrlParts {
  const hash = text.indexOf("#");
  const [whole] = text.split(/[?#]/, 1);
  return { start: trimTrailingSlashes(whole!), whole: whole!, fragment: hash < 0 ? "" : text.slice(hash) };
}

/** Without a pattern, which would try anew at every slash of a long run. */
export function trimTrailingSlashes(text: string): string {
  let end = text.length;
  while (text[end - 1] === "/") end--;
  return text.slice(0, end);
}

function checkFunctions(functions: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(functions)) {
    if (value !== undefined && typeof value !== "function")
      throw optionError(name, "a function", value, hintFor(value) || ".");
  }
}

function checkBytes(name: string, value: unknown, least: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= least) return;
  throw optionError(name, `a whole number of bytes from ${least} on`, value, hintFor(value) || ".");
}

const MINUTE = 60_000;

/**
 * Peers answer a bare 403, and people lose days: without `onRefused` the first refusal of each reason is shown, and
 * another a minute later, because the first one may have been a stranger's.
 */
function rateLimitedWarnings(): Pick<Settings, "onRefused" | "wantsRefusal"> {
  const shown = new Map<RefusalReason, number>();
  return {
    wantsRefusal: (reason) => performance.now() - (shown.get(reason) ?? -MINUTE) >= MINUTE,
    onRefused: (refusal) => {
      shown.set(refusal.reason, performance.now());
      console.warn(formatWarning(refusal));
    },
  };
}

function formatWarning(refusal: Refusal): string {
  const { status, reason, message, urls } = refusal;
  const more = reason === "invalid-parameters" ? ` ${refusal.error.message}` : urls && ` Tried: ${urls.join(" ")}`;
  const text = `twiml-fax refused a request: ${status} ${reason}. ${message}${more ?? ""}`;
  return `${text} (Shown once a minute; see onRefused.)`;
}
