/** The request signature of the providers: `signRequest`, `verifyRequest`, and the comparison that both share. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { isPromise, optionError } from "../shared/messages.js";
import { isPlainObject, readOwn } from "../shared/objects.js";
import { type FaxParamSource, readParams } from "../params/received-params.js";
import { getSignedTexts, joinRecord } from "../params/signed-text.js";
import { checkTokens } from "./tokens.js";
import { MAX_REENCODED_TEXT, urlVariants } from "./url-variants.js";

/** The names of the signature headers, in lower case. */
export const TWILIO_SIGNATURE = "x-twilio-signature";
export const SIGNALWIRE_SIGNATURE = "x-signalwire-signature";

/** The request that `signRequest` signs. */
export interface SignOptions {
  /**
   * Twilio: the account's auth token. SignalWire: the project's signing key. Of several, `signRequest` signs with the
   * first, and `verifyRequest` accepts any.
   */
  readonly authToken: string | readonly string[];
  /** The full URL as the provider requests it, including the query. */
  readonly url: string;
  /** The form parameters of a POST. Omit them for a GET, whose URL contains them. Files are not signed. */
  readonly params?: FaxParamSource | undefined;
}

/** The request that `verifyRequest` verifies. */
export interface VerifyOptions extends SignOptions {
  /** Value of the `X-Twilio-Signature` or `X-SignalWire-Signature` header. One of several values has to match. */
  readonly signature: string | readonly string[] | null | undefined;
}

/**
 * Signs a request as a provider does, for tests, mocks and proxies.
 *
 * @returns Base64 of HMAC-SHA1 over the URL and the parameters, 28 characters
 * @throws {TypeError} for an empty token, a relative URL, and a parameter that cannot be signed, such as an object
 * @example
 * signRequest({ authToken: "12345", url: "https://example.com/fax", params: { FaxSid: "FX1" } });
 * @see https://www.twilio.com/docs/usage/security#validating-requests
 */
export function signRequest(options: SignOptions): string {
  const [token] = readTokens("signRequest", "{ authToken, url, params }", options);
  const [text] = readSignedTexts(options.params);
  if (text === undefined) throw new TypeError("params has a value that cannot be signed. Convert it to a string.");
  return hmac(token!, requireFullUrl(options.url), text);
}

/**
 * Verifies that a request was signed with the token, or with one of several during a rotation. Tries the URL variants
 * that providers sign: the port, `user:password@` and the fragment each present or absent, and the query as sent or
 * re-encoded. Synchronous, so that a forgotten `await` cannot accept a forgery. Compares in constant time.
 *
 * @returns `false` for a missing, malformed or wrong signature
 * @throws {TypeError} for an empty token, with which anyone could sign, and for a relative URL
 * @example
 * const signature = req.headers["x-twilio-signature"] ?? req.headers["x-signalwire-signature"];
 * if (!verifyRequest({ authToken, signature, url: "https://example.com/fax", params: req.body })) {
 *   return res.sendStatus(403);
 * }
 * @see https://www.twilio.com/docs/usage/security#validating-requests
 */
export function verifyRequest(options: VerifyOptions): boolean {
  const tokens = readTokens("verifyRequest", "{ authToken, signature, url, params }", options);
  const url = requireFullUrl(options.url);
  const { signature } = options;
  const signatures = parseSignatures(Array.isArray(signature) ? signature : [signature]);
  if (signatures.length === 0) return false;
  return matchesAnyVariant({ tokens, signatures, signedTexts: readSignedTexts(options.params).map(toHashInput) }, url);
}

/** Reads `authToken` as an own property, so a polluted prototype cannot supply a missing one. */
function readTokens(name: string, expected: string, options: SignOptions): readonly string[] {
  if (isPlainObject(options)) return checkTokens(readOwn(options, "authToken"));
  throw optionError(`The argument of ${name}`, expected, options, true);
}

/** A signed request without its URL: the parts that are the same for every URL variant. */
export interface SignedRequest {
  readonly tokens: readonly string[];
  /** The received signatures, each 28 bytes of Base64. */
  readonly signatures: readonly Uint8Array[];
  /** The signed text for each interpretation of the parameters, see `getSignedTexts` and {@link toHashInput}. */
  readonly signedTexts: readonly (string | Buffer)[];
}

/** Whether any variant of `url` was signed. */
export function matchesAnyVariant(signed: SignedRequest, url: string): boolean {
  if (matchesUrl(signed, url)) return true;
  const variants = urlVariants(url, { reencode: isShort(signed) });
  return variants.some((variant) => variant !== url && matchesUrl(signed, variant));
}

/** Whether the signed texts have at most the length for which more URLs are tried. */
export function isShort({ signedTexts }: SignedRequest): boolean {
  return signedTexts.every((text) => text.length <= MAX_REENCODED_TEXT);
}

/** Whether exactly `url` was signed. */
export function matchesUrl({ tokens, signatures, signedTexts }: SignedRequest, url: string): boolean {
  for (const token of tokens) {
    for (const text of signedTexts) {
      const expected = Buffer.from(hmac(token, url, text), "latin1");
      for (const signature of signatures) {
        if (timingSafeEqual(expected, signature) && !isMoved(url, text)) return true;
      }
    }
  }
  return false;
}

/** A SID in the signed text of a form, or only its name if the URL ends there. In a query, "=" follows the name. */
const FORM_TEXT = /(?:AccountSid|FaxSid)(?:[\w-]|$)/;

/** Parameters that the URL of every new fax by GET has. */
const QUERY_PARAMS = [/[?&]FaxSid=/, /[?&]AccountSid=/, /[?&]ApiVersion=/];

/**
 * Whether a signed request may be a captured one whose parameters were moved. URL and text are signed without a
 * separator, so that a POST whose text is moved into the URL has the same signature as a GET with other parameters, or
 * as a POST without the moved ones, and a GET the same as a POST whose body is the end of the URL.
 */
export function isMoved(url: string, text: string | Buffer): boolean {
  // These searches are faster than the patterns. Two of the parameters end with "Sid=", and only one of them can be
  // partly in the URL and partly in the text.
  const isInUrl = url.includes("Sid");
  if (isInUrl && FORM_TEXT.test(url)) return true;
  if (text.length === 0 || (!isInUrl && !text.includes("Sid="))) return false;
  const signed = `${url}${text.toString()}`;
  return QUERY_PARAMS.every((param) => param.test(signed));
}

/** The well-formed signatures. Not decoded, because 20 bytes have four Base64 encodings and providers send only one. */
export function parseSignatures(values: readonly unknown[]): Uint8Array[] {
  const signatures: Uint8Array[] = [];
  for (const value of values) if (isSignature(value)) signatures.push(Buffer.from(value, "latin1"));
  return signatures;
}

function isSignature(value: unknown): value is string {
  return typeof value === "string" && value.length === 28 && /^[A-Za-z0-9+/]+=$/.test(value);
}

/** The signed texts of any parameter source. A record that contains only text is joined without a copy. */
function readSignedTexts(params: unknown): readonly string[] {
  const isSource =
    params === undefined || typeof params === "string" || (typeof params === "object" && !isPromise(params));
  if (!isSource) throw optionError("params", "a string, an object or an iterable of pairs", params);
  const text = isRecord(params) ? joinRecord(params) : undefined;
  return text === undefined ? getSignedTexts(readParams(params)) : [text];
}

function isRecord(params: unknown): params is Readonly<Record<string, unknown>> {
  return typeof params === "object" && params !== null && !(Symbol.iterator in params);
}

/** Encodes a long text as UTF-8 once for all URLs and tokens. A short text is faster as a string. */
export function toHashInput(text: string): string | Buffer {
  return text.length > 1024 ? Buffer.from(text) : text;
}

function hmac(token: string, url: string, text: string | Buffer): string {
  const hash = createHmac("sha1", token);
  if (typeof text === "string") return hash.update(url + text).digest("base64");
  return hash.update(url).update(text).digest("base64");
}

function requireFullUrl(url: unknown): string {
  if (typeof url === "string" && /^https?:\/\//i.test(url)) return url;
  throw optionError("url", 'a full URL as a string, such as "https://fax.example.com/fax"', url);
}
