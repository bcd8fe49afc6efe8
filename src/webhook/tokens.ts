/** The tokens: the check of the option `authToken`, and the tokens of one request. */
import { hintFor, isPromise } from "../shared/messages.js";
import { copyText, isSid } from "../shared/values.js";
import { RefusedError } from "./refusal.js";

/** The checked option `authToken`: a list of tokens, or a function of the AccountSid. */
export type TokenSource = readonly string[] | ((accountSid: string) => unknown);

/** Returns the tokens of an option as a list. Throws a TypeError without the received value, which may be a secret. */
export function checkTokens(authToken: unknown): readonly string[] {
  const tokens = parseTokens(authToken);
  if (tokens !== undefined) return tokens;
  const expected = "a non-empty string without surrounding whitespace, or an array of such strings";
  throw new TypeError(`authToken must be ${expected}.${hintFor(authToken) || " Is the environment variable set?"}`);
}

/** The tokens of an account, or a promise if the function returns a promise. Refuses an account without a token. */
export function resolveTokens(
  source: TokenSource,
  accountSid: string | undefined,
): readonly string[] | Promise<readonly string[]> {
  if (typeof source !== "function") return source;
  // Only a well-formed SID is passed on: the function may use it in a query or a path.
  const found = isSid(accountSid) ? source(copyText(accountSid)) : undefined;
  return isPromise(found) ? Promise.resolve(found).then(requireTokens) : requireTokens(found);
}

function requireTokens(found: unknown): readonly string[] {
  const tokens = parseTokens(found);
  if (tokens === undefined) throw new RefusedError({ reason: "no-token" });
  return tokens;
}

/** The token or tokens in `value` as a list, or `undefined` if one is invalid. A hole in an array is invalid. */
function parseTokens(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return isToken(value) ? [value] : undefined;
  const tokens = [...(value as unknown[])];
  return tokens.length > 0 && tokens.every(isToken) ? tokens : undefined;
}

function isToken(token: unknown): token is string {
  return typeof token === "string" && token !== "" && token.trim() === token;
}
