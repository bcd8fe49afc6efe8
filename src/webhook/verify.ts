/** Which URLs, tokens and signatures of a request are tried. */
import type { Form } from "../params.js";
import { isSid } from "../request.js";
import type { WebhookRequest } from "./http.js";
import { baseOf, type Settings } from "./options.js";
import { Refused } from "./refusal.js";
import { checkTokens, type Claim, isSigned, readSignatures, signedTexts, signedUrls } from "./signature.js";

const SIGNATURE_HEADERS = ["x-twilio-signature", "x-signalwire-signature"];

/** Before the body is read: who does not even try to sign gets no memory of ours. */
export function requireSignature({ headers }: WebhookRequest): void {
  if (SIGNATURE_HEADERS.some((name) => headers[name])) return;
  throw new Refused({ reason: "missing-signature" });
}

/** The tokens that a request may be signed with, or a promise of them. */
export function tokensFor(form: Form, authToken: Settings["authToken"]): unknown {
  return typeof authToken === "function" ? findTokens(authToken, form) : authToken;
}

/** A stranger's text goes no further than a SID's form: the function may look it up in a database or a folder. */
async function findTokens(
  authToken: Extract<Settings["authToken"], (...args: never) => unknown>,
  { params }: Form,
): Promise<unknown> {
  const accountSid = params["AccountSid"];
  const tokens = accountSid !== undefined && isSid(accountSid) ? await authToken(accountSid) : undefined;
  if (tokens === undefined || tokens === null || tokens.length === 0) throw new Refused({ reason: "no-token" });
  return tokens;
}

/** Lets a request through whose signature fits one of its URLs and tokens. */
export function verify(request: WebhookRequest, form: Form, tokens: unknown, { publicUrl }: Settings): void {
  const claim: Claim = {
    tokens: checkTokens(tokens),
    signatures: readSignatures(SIGNATURE_HEADERS.map((name) => request.headers[name])),
    texts: request.method === "POST" ? signedTexts(form) : [""],
  };
  const urls = requestedUrls(request, publicUrl);
  if (claim.signatures.length > 0 && urls.some((url) => isSigned(claim, url))) return;
  throw new Refused({ reason: "signature-mismatch", urls: triedUrls(urls) });
}

/** Origin with host, and what stands behind it. A path alone has no origin. */
const REQUEST_URL = /^(https?:\/\/([^/?#]*))?([^#]*)/is;

/** A Host header that holds more than a host could move a request to another path. */
const HOST = /^[^\s/?#@\\]+$/;

/** The URLs that the provider may have requested, before the variants that are tried of each. */
function requestedUrls(request: WebhookRequest, publicUrl: Settings["publicUrl"]): string[] {
  const [, origin, ownHost, path = ""] = REQUEST_URL.exec(request.url)!;
  if (publicUrl !== undefined) {
    const { start, fragment } = typeof publicUrl === "function" ? baseOf(publicUrl(request)) : publicUrl;
    return [start + path + fragment];
  }
  const host = origin ? ownHost : (request.headers["host"] ?? request.headers[":authority"]);
  return host && HOST.test(host) ? [`https://${host}${path}`, `http://${host}${path}`] : [];
}

/** What `onRefused` may know of what was tried: no passwords, and no megabytes. */
function triedUrls(urls: readonly string[]): string[] {
  const tried = urls.flatMap(signedUrls).map((url) => url.replace(/\/\/[^/?#]*@/, "//***@").slice(0, 500));
  return [...new Set(tried)].slice(0, 50);
}
