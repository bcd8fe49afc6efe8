/** The providers' request signature: `signRequest`, `verifyRequest`, and the forms of a URL that providers sign. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { isPromise, hintFor, formatValue } from "../shared/messages.js";
import { isPlainObject, readOwn } from "../shared/objects.js";
import { type FaxParamSource, readParams, getSignedTexts, joinRecord } from "../params/received-params.js";

/** What `signRequest` signs. */
export interface SignOptions {
  /** Twilio: the account's auth token. SignalWire: the project's signing key. Of several, the first signs. */
  readonly authToken: string | readonly string[];
  /** The full URL as the provider requests it, query included. */
  readonly url: string;
  /** The form parameters of a POST; leave out for GET, whose URL holds them. Files are not signed. */
  readonly params?: FaxParamSource | undefined;
}

/** What `verifyRequest` checks. */
export interface VerifyOptions extends SignOptions {
  /** Value of the `X-Twilio-Signature` or `X-SignalWire-Signature` header. */
  readonly signature: string | readonly string[] | null | undefined;
}

/**
 * Signs a request as a provider does, for tests, mocks and proxies.
 *
 * @returns Base64 of HMAC-SHA1 over the URL and the parameters, 28 characters
 * @throws {TypeError} for an empty token, a URL that is not the full one, a parameter that is not text
 * @example
 * signRequest({ authToken: "12345", url: "https://example.com/fax", params: { FaxSid: "FX1" } });
 * @see https://www.twilio.com/docs/usage/security#validating-requests
 */
export function signRequest(options: SignOptions): string {
  const [token] = readTokens("signRequest", "{ authToken, url, params }", options);
  const [text] = readSignedTexts(options.params);
  if (text === undefined) throw new TypeError("A request can only be signed over parameters that are text.");
  return hmac(token!, requireFullUrl(options.url), text);
}

/**
 * Whether a request was signed with the token (or one of several, while they rotate). It tries what providers do
 * inconsistently: the port, `user:password@` and a fragment, each present or absent, and the query as sent or encoded
 * anew. Synchronous, so that a forgotten `await` lets nothing in, and constant in time.
 *
 * @returns `false` for a missing or wrong signature, or one of any other form
 * @throws {TypeError} for an empty token, which would accept what anyone can sign, and for a URL that is not the full
 * one
 * @example
 * const signature = req.headers["x-twilio-signature"];
 * if (!verifyRequest({ authToken, signature, url: "https://example.com/fax", params: req.body })) res.sendStatus(403);
 * @see https://www.twilio.com/docs/usage/security#validating-requests
 */
export function verifyRequest(options: VerifyOptions): boolean {
  const tokens = readTokens("verifyRequest", "{ authToken, signature, url, params }", options);
  const url = requireFullUrl(options.url);
  const signatures = parseSignatures([options.signature]);
  if (signatures.length === 0) return false;
  return matchesAnyVariant({ tokens, signatures, texts: readSignedTexts(options.params).map(toHashInput) }, url);
}

/** One object, whose token is its own: a polluted prototype must not stand in for one that was left out. */
function readTokens(name: string, expected: string, options: SignOptions): readonly string[] {
  if (isPlainObject(options)) return checkTokens(readOwn(options, "authToken"));
  throw new TypeError(`${name} takes one object: ${expected}, not ${formatValue(options)}${hintFor(options)}.`);
}

/** What is the same for every URL that is tried. */
export interface SignedRequest {
  readonly tokens: readonly string[];
  /** Signatures that came, each 28 bytes of Base64. */
  readonly signatures: readonly Uint8Array[];
  /** The readings of the parameters, see `signedTexts` and {@link toHashInput}. */
  readonly texts: readonly (string | Uint8Array)[];
}

/** Whether `url` was signed, in any of the forms that providers sign. */
export function matchesAnyVariant(claim: SignedRequest, url: string): boolean {
  if (matchesUrl(claim, url)) return true;
  const isShort = claim.texts.every((text) => text.length <= MAX_SPELLED_TEXT);
  return urlVariants(url, isShort).some((form) => form !== url && matchesUrl(claim, form));
}

/** The text of a form, moved into the URL of a GET: a signature of a POST fits it as well, and must not. */
const SIGNED_FORM = /AccountSid[^=&]*ApiVersion/;

/** Whether `url` was signed as it is written. */
export function matchesUrl({ tokens, signatures, texts }: SignedRequest, url: string): boolean {
  if (texts[0] === "" && SIGNED_FORM.test(url)) return false;
  for (const token of tokens) {
    for (const text of texts) {
      const expected = Buffer.from(hmac(token, url, text), "latin1");
      for (const signature of signatures) if (timingSafeEqual(expected, signature)) return true;
    }
  }
  return false;
}

/** The header values that have the form of a signature. As text: Base64 of 20 bytes has four spellings, one is sent. */
export function parseSignatures(values: readonly unknown[]): Uint8Array[] {
  const signatures: Uint8Array[] = [];
  for (const value of values) if (isSignature(value)) signatures.push(Buffer.from(value, "latin1"));
  return signatures;
}

function isSignature(value: unknown): value is string {
  return typeof value === "string" && value.length === 28 && /^[A-Za-z0-9+/]+=$/.test(value);
}

/** The tokens of an option. An unset environment variable is the usual reason for an empty one: say so. */
export function checkTokens(authToken: unknown): readonly string[] {
  if (typeof authToken === "string" && isToken(authToken)) return [authToken];
  if (isTokens(authToken)) return authToken as readonly string[];
  const expected = "text that is not empty, without white space around it, or several such";
  throw new TypeError(`authToken must be ${expected}. Is the environment variable set?`);
}

/** Whether a value is a token, or several. */
export function isTokens(authToken: unknown): authToken is string | readonly string[] {
  return Array.isArray(authToken) ? authToken.length > 0 && authToken.every(isToken) : isToken(authToken);
}

function isToken(token: unknown): boolean {
  return typeof token === "string" && token !== "" && token.trim() === token;
}

/** Scheme, user:password, host, port, path, query and fragment, without the changes that a URL parser makes. */
const URL_PARTS = /^(https?:)\/\/(?:([^/?#]*)@)?([^/?#@]*?)(:\d*)?(\/[^?#]*)?(\?[^#]*)?(#.*)?$/is;

/** Every form in which a provider may have signed `url`, itself among them; `anew`: in other spellings as well. */
export function urlVariants(url: string, anew: boolean): string[] {
  const parts = URL_PARTS.exec(url);
  if (!parts) return [url];
  const [, scheme, user, host, port = "", path = "", query = "", fragment = ""] = parts;
  const standard = scheme!.toLowerCase() === "https:" ? ":443" : ":80";
  // Twilio signs any port or none, as its own validators know.
  const ports = port === "" ? ["", standard] : [port, ""];
  const users = user === undefined ? [""] : [user + "@", ""];
  const forms: string[] = [];
  for (const search of anew ? queryEncodings(query) : [query]) {
    for (const userinfo of users) {
      for (const each of ports) {
        forms.push(`${scheme}//${userinfo}${host}${each}${path}${search}${fragment}`);
        if (fragment) forms.push(`${scheme}//${userinfo}${host}${each}${path}${search}`);
      }
    }
  }
  return forms;
}

/** Who configures a URL writes a short query. A long one comes from a stranger, or has the parameters of a GET. */
const MAX_SPELLED_QUERY = 2048;

/** A provider's parameters have less than 2 KiB. Behind more a query counts as it was sent: a spelling is a hash. */
const MAX_SPELLED_TEXT = 8192;

/** The spellings of one query: as sent, and as frameworks write it anew. All decode to the same parameters. */
function queryEncodings(query: string): Iterable<string> {
  if (query.length < 2 || query.length > MAX_SPELLED_QUERY) return [query];
  const pairs = [...new URLSearchParams(query)];
  const percent =
    "?" + pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");
  const spellings = [query, percent, percent.replaceAll("%20", "+"), "?" + new URLSearchParams(pairs)];
  return new Set(spellings.flatMap((each) => [each, each.replaceAll("'", "%27"), each.replaceAll("%27", "'")]));
}

/** The texts of parameters from anywhere. A body parser's record of text alone needs no Form. */
function readSignedTexts(params: unknown): readonly string[] {
  const isSource =
    params === undefined || typeof params === "string" || (typeof params === "object" && !isPromise(params));
  if (!isSource) {
    throw new TypeError(`params must be the parameters, not ${formatValue(params)}${hintFor(params) || "."}`);
  }
  const text = isRecord(params) ? joinRecord(params) : undefined;
  return text === undefined ? getSignedTexts(readParams(params)) : [text];
}

function isRecord(params: unknown): params is Readonly<Record<string, unknown>> {
  return typeof params === "object" && params !== null && !(Symbol.iterator in params);
}

/** A long text in UTF-8: encoded once for all URLs and tokens. A short one is quicker as it is. */
export function toHashInput(text: string): string | Uint8Array {
  return text.length > 1024 ? Buffer.from(text) : text;
}

function hmac(token: string, url: string, text: string | Uint8Array): string {
  const hash = createHmac("sha1", token);
  if (typeof text === "string") return hash.update(url + text).digest("base64");
  return hash.update(url).update(text).digest("base64");
}

function requireFullUrl(url: unknown): string {
  if (typeof url === "string" && /^https?:\/\//i.test(url)) return url;
  throw new TypeError(`url must be the full URL as text, with https:// and the host, not ${formatValue(url)}.`);
}
