/** Which URLs, tokens and signatures of a request are tried. */
import { quote } from "../message.js";
import type { Form } from "../params.js";
import { isSid } from "../request.js";
import type { WebhookRequest } from "./http.js";
import type { Settings } from "./options.js";
import { Refused } from "./refusal.js";
import { checkTokens, isSigned, readSignatures, signedTexts, signedUrls } from "./signature.js";

const SIGNATURE_HEADERS = ["x-twilio-signature", "x-signalwire-signature"];

/** Before the body is read: who does not even try to sign gets no memory of ours. */
export function requireSignature({ headers }: WebhookRequest): void {
  if (SIGNATURE_HEADERS.some((name) => headers[name])) return;
  throw new Refused({ reason: "missing-signature" });
}

/** Lets a request through whose signature fits one of its URLs and tokens. */
export async function verify(request: WebhookRequest, form: Form, settings: Settings): Promise<void> {
  const { authToken, publicUrl } = settings;
  if (authToken === false) return;
  const tokens = typeof authToken === "function" ? await findTokens(authToken, form) : (authToken as string);
  const signatures = readSignatures(SIGNATURE_HEADERS.map((name) => request.headers[name]));
  const texts = request.method === "POST" ? signedTexts(form) : [""];
  const urls = requestedUrls(request, publicUrl);
  const claim = { tokens: checkTokens(tokens), signatures, texts };
  if (signatures.length > 0 && urls.some((url) => isSigned(claim, url))) return;
  throw new Refused({ reason: "signature-mismatch", urls: triedUrls(urls) });
}

/** A stranger's text goes no further than a SID's form: the function may look it up in a database or a folder. */
async function findTokens(
  authToken: Extract<Settings["authToken"], (...args: never) => unknown>,
  { params }: Form,
): Promise<string | readonly string[]> {
  const accountSid = params["AccountSid"];
  const tokens = accountSid !== undefined && isSid(accountSid) ? await authToken(accountSid) : undefined;
  if (tokens === undefined || tokens === null || tokens.length === 0) throw new Refused({ reason: "no-token" });
  return tokens;
}

/** Origin with host, and what stands behind it. A path alone has no origin. */
const REQUEST_URL = /^(https?:\/\/([^/?#]*))?([^#]*)/is;

/** A Host header that holds more than a host could move a request to another path. */
const HOST = /^[^\s/?#@\\]+$/;

/** The URLs that the provider may have requested, before the variants that are tried of each. */
function requestedUrls(request: WebhookRequest, publicUrl: Settings["publicUrl"]): string[] {
  const [, origin, ownHost, path = ""] = REQUEST_URL.exec(request.url)!;
  if (typeof publicUrl === "string") return [joinUrl(publicUrl, path)];
  if (typeof publicUrl === "function") return [joinUrl(publicUrl(request), path)];
  const host = origin ? ownHost : (request.headers["host"] ?? request.headers[":authority"]);
  return host && HOST.test(host) ? [`https://${host}${path}`, `http://${host}${path}`] : [];
}

/** A base without its trailing slashes, and its fragment. */
function joinUrl(base: unknown, path: string): string {
  if (typeof base !== "string") throw new TypeError(`publicUrl must return text, not ${quote(base)}.`);
  const [, start = "", fragment = ""] = /^([^#]*?)\/*(#.*)?$/s.exec(base)!;
  return start + path + fragment;
}

/** What `onRefused` may know of what was tried: no passwords, and no megabytes. */
function triedUrls(urls: readonly string[]): string[] {
  const tried = urls.flatMap(signedUrls).map((url) => url.replace(/\/\/[^/?#]*@/, "//***@").slice(0, 500));
  return [...new Set(tried)].slice(0, 50);
}
