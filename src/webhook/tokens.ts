/** The tokens a request may be signed with: the check of every token, and those of one request. */
import { hintFor, isPromise } from "../shared/messages.js";
import { isSid } from "../shared/values.js";
import { RefusedError } from "./refusal.js";

/** The option `authToken`, checked: a list of tokens, or a function of the AccountSid. */
export type TokenSource = readonly string[] | ((accountSid: string) => unknown);

/** The tokens of an option. Throws a TypeError for an unset one, usually an unset environment variable. */
export function checkTokens(authToken: unknown): readonly string[] {
  const tokens = parseTokens(authToken);
  if (tokens !== undefined) return tokens;
  const expected = "text that is not empty, without white space around it, or several such";
  throw new TypeError(`authToken must be ${expected}.${hintFor(authToken) || " Is the environment variable set?"}`);
}

/** The tokens for an AccountSid, or a promise of them if a function returns one. */
export function resolveTokens(
  source: TokenSource,
  accountSid: string | undefined,
): readonly string[] | Promise<readonly string[]> {
  if (typeof source !== "function") return source;
  // Only a well-formed SID is passed on: the function may use it in a query or a path.
  const found = isSid(accountSid) ? source(accountSid) : undefined;
  return isPromise(found) ? Promise.resolve(found).then(requireTokens) : requireTokens(found);
}

function requireTokens(found: unknown): readonly string[] {
  const tokens = parseTokens(found);
  if (tokens === undefined) throw new RefusedError({ reason: "no-token" });
  return tokens;
}

/** A list of the token or tokens in `value`, if all are valid. A hole in an array is not. */
function parseTokens(value: unknown): readonly string[] | undefined {
  const tokens: unknown[] = Array.isArray(value) ? [...value] : [value];
  return tokens.length > 0 && tokens.every(isToken) ? tokens : undefined;
}

function isToken(token: unknown): token is string {
  return typeof token === "string" && token !== "" && token.trim() === token;
}
