/** The options of `faxWebhook`, checked once into settled values. */
import { quote } from "../message.js";
import type { FaxCallback, FaxRequest } from "../request.js";
import { isHttpUrl } from "../url.js";
import type { WebhookRequest } from "./http.js";
import type { Refusal } from "./refusal.js";
import type { CallbackAnswer, FaxAnswer } from "./reply.js";
import { checkTokens } from "./signature.js";

/** One token, several while they rotate, or nothing when an account is not known. */
export type AuthTokens = string | readonly string[] | null | undefined;

/** Options of `faxWebhook`. */
export interface FaxWebhookOptions {
  /**
   * Twilio: the account's auth token. SignalWire: the project's signing key. Several while they rotate; a function of
   * the request's AccountSid for several accounts, whose answer is awaited. `false` switches verification off: anyone
   * can then send you faxes, so only for local work.
   */
  readonly authToken: string | readonly string[] | false | ((accountSid: string) => AuthTokens | Promise<AuthTokens>);
  /**
   * Origin, and path prefix if there is one, of the URL that the provider requests (`https://fax.example.com/hooks`),
   * to which the request's path and query are added; or a function of the request that returns it. Without it the Host
   * header is taken, with both schemes. `X-Forwarded-*` is never believed.
   */
  readonly publicUrl?: string | ((request: WebhookRequest) => string) | undefined;
  /** Decides on an incoming fax. */
  readonly onFax: (fax: FaxRequest, request: WebhookRequest) => FaxAnswer | Promise<FaxAnswer>;
  /** Is told how a fax went. A provider that got no answer tells it again, with the same FaxSid. */
  readonly onCallback?:
    ((callback: FaxCallback, request: WebhookRequest) => CallbackAnswer | Promise<CallbackAnswer>) | undefined;
  /** Is told of every request that was refused, with the reason. */
  readonly onRefused?: ((refusal: Refusal, request: WebhookRequest) => void | Promise<void>) | undefined;
  /** Most bytes of a form body. Default: 65,536. */
  readonly maxFormBytes?: number | undefined;
  /** Most bytes of the pages in a multipart delivery, which is held in memory. Default: 33,554,432 (32 MiB). */
  readonly maxMediaBytes?: number | undefined;
}

/** A base without its trailing slashes, and its fragment. */
export interface BaseUrl {
  readonly start: string;
  readonly fragment: string;
}

/** The options with their defaults filled in. */
export interface Settings {
  readonly authToken: FaxWebhookOptions["authToken"];
  readonly publicUrl: BaseUrl | ((request: WebhookRequest) => string) | undefined;
  readonly onFax: FaxWebhookOptions["onFax"];
  readonly onCallback: NonNullable<FaxWebhookOptions["onCallback"]>;
  readonly onRefused: NonNullable<FaxWebhookOptions["onRefused"]>;
  readonly maxFormBytes: number;
  readonly maxMediaBytes: number;
}

/** The settings; throws a TypeError for options that cannot work. */
export function checkOptions(options: FaxWebhookOptions): Settings {
  const { authToken, publicUrl, onFax, onCallback = ignore, onRefused = ignore } = options;
  const { maxFormBytes = 64 * 1024, maxMediaBytes = 32 * 1024 * 1024 } = options;
  if (authToken !== false && typeof authToken !== "function") checkTokens(authToken);
  for (const [name, value] of Object.entries({ onFax, onCallback, onRefused })) {
    if (typeof value !== "function") throw wrongOption(name, "a function", value);
  }
  for (const [name, value] of Object.entries({ maxFormBytes, maxMediaBytes })) {
    if (!(Number.isSafeInteger(value) && value > 0)) throw wrongOption(name, "a number of bytes", value);
  }
  return { authToken, publicUrl: checkPublicUrl(publicUrl), onFax, onCallback, onRefused, maxFormBytes, maxMediaBytes };
}

function checkPublicUrl(publicUrl: FaxWebhookOptions["publicUrl"]): Settings["publicUrl"] {
  if (publicUrl === undefined || typeof publicUrl === "function") return publicUrl;
  if (typeof publicUrl === "string" && isHttpUrl(publicUrl) && !/[?\s]/.test(publicUrl)) return baseOf(publicUrl);
  const expected = `an http(s) origin, with or without a path, such as "https://fax.example.com"`;
  throw wrongOption("publicUrl", expected, publicUrl);
}

/** Taken apart once, for the text of an option; every time, for what a function returns. */
export function baseOf(publicUrl: unknown): BaseUrl {
  if (typeof publicUrl !== "string") throw new TypeError(`publicUrl must return text, not ${quote(publicUrl)}.`);
  const [, start = "", fragment = ""] = /^([^#]*?)\/*(#.*)?$/s.exec(publicUrl)!;
  return { start, fragment };
}

function ignore(): void {}

function wrongOption(name: string, expected: string, value: unknown): TypeError {
  return new TypeError(`${name} must be ${expected}, not ${quote(value)}.`);
}
