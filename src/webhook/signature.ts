/** The providers' request signature: `signRequest`, `verifyRequest`, and the forms of a URL that providers sign. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { type FaxParamSource, isMedia, pairsOf } from "../params.js";
import { bare, quote } from "../text.js";

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
 * @throws {TypeError} for an empty token, a URL that is no text, a parameter that is no text
 * @example
 * signRequest({ authToken: "12345", url: "https://example.com/fax", params: { FaxSid: "FX1" } });
 * @see https://www.twilio.com/docs/usage/security#validating-requests
 */
export function signRequest(options: SignOptions): string {
  const [token] = tokensOf(options.authToken);
  const [params] = readings(options.params);
  if (params === undefined) throw new TypeError("A request can only be signed over parameters that are text.");
  return hmac(token!, checkUrl(options.url) + params);
}

/**
 * Whether a request was signed with the token (or one of several, while they rotate). It tries what providers do
 * inconsistently: the port (https: any, http: 80), `user:password@` and a fragment, each present or absent, and the query
 * as sent or encoded anew.
 * Synchronous, so that a forgotten `await` lets nothing in, and constant in time.
 *
 * @returns `false` for a missing or wrong signature, or one of any other form
 * @throws {TypeError} for an empty token, which would accept what anyone can sign, and for a URL that is no text
 * @example
 * const signature = req.headers["x-twilio-signature"];
 * if (!verifyRequest({ authToken, signature, url: "https://example.com/fax", params: req.body })) res.sendStatus(403);
 * @see https://www.twilio.com/docs/usage/security#validating-requests
 */
export function verifyRequest(options: VerifyOptions): boolean {
  const { signature } = options;
  const tokens = tokensOf(options.authToken);
  const url = checkUrl(options.url);
  if (typeof signature !== "string" || !/^[A-Za-z0-9+/]{27}=$/.test(signature)) return false;
  const given = Buffer.from(signature);
  const params = readings(options.params);
  for (const signedUrl of signedUrls(url)) {
    for (const token of tokens) {
      // As text: Base64 of 20 bytes has four spellings, and a provider sends one.
      if (params.some((each) => timingSafeEqual(Buffer.from(hmac(token, signedUrl + each)), given))) return true;
    }
  }
  return false;
}

/** The tokens of an option. An unset environment variable is the usual reason for an empty one: say so, never accept it. */
export function tokensOf(authToken: unknown): readonly string[] {
  const tokens: readonly unknown[] = Array.isArray(authToken) ? authToken : [authToken];
  if (tokens.length === 0 || !tokens.every((token) => typeof token === "string" && token.trim() !== "")) {
    throw new TypeError("authToken must be text that is not empty, or several such. Is the environment variable set?");
  }
  return tokens as readonly string[];
}

/** Scheme, user:password, host, port, path, query and fragment, without the changes that a URL parser makes. */
const URL_PARTS = /^(https?:)\/\/(?:([^/?#]*)@)?([^/?#@]*?)(:\d*)?(\/[^?#]*)?(\?[^#]*)?(#.*)?$/is;

/** Every form in which a provider may have signed `url`; as given first. */
export function* signedUrls(url: string): Generator<string> {
  yield url;
  const parts = URL_PARTS.exec(url);
  if (!parts) return;
  const [, scheme, user, host, port = "", path = "", query = "", fragment = ""] = parts;
  const standard = scheme!.toLowerCase() === "https:" ? ":443" : ":80";
  // Of https URLs Twilio signs any port or none, as its own validators know.
  const ports = port === "" ? ["", standard] : port === standard || standard === ":443" ? [port, ""] : [port];
  for (const search of queries(query)) {
    for (const userinfo of user === undefined ? [""] : [user + "@", ""]) {
      for (const each of ports) {
        for (const hash of fragment ? [fragment, ""] : [""]) {
          const form = `${scheme}//${userinfo}${host}${each}${path}${search}${hash}`;
          if (form !== url) yield form;
        }
      }
    }
  }
}

/** The spellings of one query: as sent, and as frameworks write it anew. All decode to the same parameters. */
function queries(query: string): Iterable<string> {
  if (query.length < 2) return [query];
  const pairs = [...new URLSearchParams(query)];
  const percent =
    "?" + pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");
  const spellings = [query, percent, percent.replaceAll("%20", "+"), "?" + new URLSearchParams(pairs)];
  return new Set(spellings.flatMap((each) => [each, each.replaceAll("'", "%27"), each.replaceAll("%27", "'")]));
}

/**
 * The signed text of the parameters: every name followed by its value, sorted by name. For a repeated name Twilio takes
 * each distinct value once, sorted, and SignalWire's SDK all of them in order, so there may be two readings; there is
 * none where a value is no text, as after a parser that nests, because what was signed is not known then.
 */
function readings(params: unknown): string[] {
  const values = byName(params);
  const names = Object.keys(values).sort();
  if (names.every((name) => typeof values[name] === "string"))
    return [names.reduce((text, name) => text + name + values[name], "")];
  const lists = names.map((name) =>
    [values[name]].flat().filter((each) => each !== undefined && each !== null && !isMedia(each)),
  );
  if (!lists.flat().every((each) => typeof each === "string")) return [];
  const join = (pick: (all: unknown[]) => unknown[]) =>
    lists
      .map((all, i) =>
        pick(all)
          .map((each) => names[i]! + each)
          .join(""),
      )
      .join("");
  return [join((all) => [...new Set(all)].sort()), join((all) => all)];
}

/** A parser's record as it is; pairs gathered to one, a repeated name's values in an array. */
function byName(params: unknown): Readonly<Record<string, unknown>> {
  if (typeof params === "object" && params !== null && !(Symbol.iterator in params))
    return params as Record<string, unknown>;
  const gathered = bare<unknown>();
  for (const [name, value] of pairsOf(params)) {
    const before = gathered[name];
    if (before === undefined) gathered[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else gathered[name] = [before, value];
  }
  return gathered;
}

function hmac(token: string, text: string): string {
  return createHmac("sha1", token).update(text).digest("base64");
}

function checkUrl(url: unknown): string {
  if (typeof url !== "string" || url === "")
    throw new TypeError(`url must be the full URL as text, not ${quote(url)}.`);
  return url;
}
