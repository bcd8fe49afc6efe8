/** Which URLs, tokens and signatures of a request are tried, and what to say when none fits. */
import { CREDENTIALS } from "../shared/messages.js";
import { type ReceivedParams, getSignedTexts } from "../params/received-params.js";
import { isSid } from "../shared/values.js";
import { getQuery, type WebhookRequest } from "./http.js";
import { parsePublicUrlResult, type Settings, trimTrailingSlashes } from "./options.js";
import { RefusedError, SWML_HINT } from "./refusal.js";
import {
  type SignedRequest,
  toHashInput,
  matchesAnyVariant,
  matchesUrl,
  isTokens,
  parseSignatures,
  urlVariants,
} from "./signature.js";

const SIGNATURE_HEADERS = ["x-twilio-signature", "x-signalwire-signature"];

/** Before the body is read: who does not even try to sign gets no memory of ours. */
export function requireSignature({ headers }: WebhookRequest): void {
  if (SIGNATURE_HEADERS.some((name) => headers[name])) return;
  throw new RefusedError({ reason: "missing-signature" });
}

/** The tokens that a request may be signed with; of a function, when it has answered. */
export function tokensFor(
  { params }: ReceivedParams,
  authToken: Exclude<Settings["authToken"], false>,
): readonly string[] | Promise<readonly string[]> {
  return typeof authToken === "function" ? askForTokens(authToken, params["AccountSid"]) : authToken;
}

/** A stranger's text goes no further than a SID's form: the function may look it up in a database or a folder. */
async function askForTokens(
  authToken: (accountSid: string) => unknown,
  accountSid: string | undefined,
): Promise<readonly string[]> {
  const tokens = isSid(accountSid) ? await authToken(accountSid) : undefined;
  if (!isTokens(tokens)) throw new RefusedError({ reason: "no-token" });
  return [tokens].flat();
}

/** Lets a request through whose signature fits one of its URLs and tokens. */
export function verify(
  request: WebhookRequest,
  form: ReceivedParams,
  tokens: readonly string[],
  settings: Settings,
): void {
  const claim: SignedRequest = {
    tokens,
    signatures: parseSignatures(SIGNATURE_HEADERS.map((name) => request.headers[name])),
    texts: (request.method === "POST" ? getSignedTexts(form) : [""]).map(toHashInput),
  };
  const urls = candidateUrls(request, settings.publicUrl);
  if (claim.signatures.length > 0 && urls.some((url) => matchesAnyVariant(claim, url))) return;
  const reason = "signature-mismatch";
  const hint = settings.wantsRefusal(reason) ? findMismatchHint(request, claim) : undefined;
  throw new RefusedError({ reason, urls: redactUrls(urls) }, hint);
}

/** Origin with host, and what stands behind it. A path alone has no origin. */
const REQUEST_URL = /^(https?:\/\/([^/?#]*))?([^#]*)/is;

/** A Host header that holds more than a host could move a request to another path. */
const HOST = /^[^\s/?#@\\]+$/;

/** The URLs that the provider may have requested, before the variants that are tried of each. */
function candidateUrls(request: WebhookRequest, publicUrl: Settings["publicUrl"]): string[] {
  const [, origin, ownHost, path = ""] = REQUEST_URL.exec(request.url)!;
  if (publicUrl !== undefined) {
    const base = typeof publicUrl === "function" ? parsePublicUrlResult(publicUrl(request)) : publicUrl;
    if (base === undefined) return [];
    // The beginning of the URL with the request's path, and the whole of it with the request's query.
    const first = base.start + path + base.fragment;
    const second = base.whole + getQuery(request.url) + base.fragment;
    return first === second ? [first] : [first, second];
  }
  // Next.js gives every request a URL at localhost, whatever its Host header is.
  const hosts = new Set([origin && ownHost, request.headers["host"] ?? request.headers[":authority"]]);
  return [...hosts].filter(isHost).flatMap((host) => [`https://${host}${path}`, `http://${host}${path}`]);
}

/** Path and query of a request's URL, which may be absolute. */
function getPath(url: string): string {
  return REQUEST_URL.exec(url)?.[3] ?? "";
}

function isHost(host: string | undefined): host is string {
  return host !== undefined && HOST.test(host);
}

/** At most this much of a stranger's text in a log. */
const SHOWN_URLS = 8;
const SHOWN_LENGTH = 200;

/** What `onRefused` may know of what was tried. */
function redactUrls(urls: readonly string[]): string[] {
  const shown = new Set<string>();
  for (const url of [...urls, ...urls.flatMap((each) => urlVariants(each, false))]) {
    if (shown.size < SHOWN_URLS) shown.add(redactUrl(url));
  }
  return [...shown];
}

/** A URL without userinfo and nested credentials, short, and in ASCII. */
function redactUrl(url: string): string {
  const [target] = url.split("?", 1);
  const query = url.slice(target!.length);
  const [scheme] = /^https?:\/\//i.exec(target!) ?? [""];
  const place = target!.slice(scheme!.length).replace(CREDENTIALS, "***@");
  const shown = (scheme + place + query.replace(CREDENTIALS, "?***@")).slice(0, SHOWN_LENGTH + 1);
  const escaped = shown.replace(/[^\x20-\x7e]|[<>"]/g, percentEncode);
  return escaped.length > SHOWN_LENGTH ? escaped.slice(0, SHOWN_LENGTH - 3) + "..." : escaped;
}

function percentEncode(character: string): string {
  return "%" + character.charCodeAt(0).toString(16).padStart(2, "0");
}

/** The cure for a mismatch, when there is a better one than to compare. For the log alone: it lets nobody in. */
function findMismatchHint(request: WebhookRequest, claim: SignedRequest): string | undefined {
  const { headers } = request;
  if (SIGNATURE_HEADERS.some((name) => /^[\da-f]{40}$/i.test(headers[name] ?? ""))) return SWML_HINT;
  const path = getPath(request.url);
  const outside = listForwardedBases(headers).find((base) => matchesUrl(claim, base + path));
  if (outside !== undefined) {
    return `Set publicUrl to ${redactUrl(outside)}: the signature fits ${redactUrl(outside + path)}.`;
  }
  if (headers["x-signalwire-signature"] !== undefined && claim.tokens.some((token) => token.startsWith("PT"))) {
    return "Set authToken to the project's signing key (PSK_…): it is an API token (PT…), which signs no webhooks.";
  }
  return undefined;
}

/** The origins, with a prefix or without, that a proxy says it was asked for: eight at most. */
function listForwardedBases(headers: WebhookRequest["headers"]): string[] {
  const forwarded = firstValue(headers["forwarded"]);
  const hosts = [firstValue(headers["x-forwarded-host"]), readForwardedPart(forwarded, "host"), headers["host"]];
  const schemes = [firstValue(headers["x-forwarded-proto"]), readForwardedPart(forwarded, "proto"), "https", "http"];
  const prefix = trimTrailingSlashes(firstValue(headers["x-forwarded-prefix"]));
  const bases = new Set<string>();
  for (const host of hosts.filter(isHost)) {
    for (const scheme of schemes.filter((each) => each === "https" || each === "http")) {
      if (prefix.startsWith("/")) bases.add(`${scheme}://${host}${prefix}`);
      bases.add(`${scheme}://${host}`);
    }
  }
  return [...bases].slice(0, 8);
}

/** Proxies in a row add values behind a comma. */
function firstValue(value = ""): string {
  return value.split(",", 1)[0]!.trim();
}

/** RFC 7239: `for=1.2.3.4;host=fax.example.com;proto=https`. */
function readForwardedPart(forwarded: string, name: string): string {
  const pairs = forwarded.split(";").map((part) => part.trim().split("=", 2));
  const found = pairs.find(([key]) => key!.toLowerCase() === name);
  return found?.[1]?.replaceAll('"', "") ?? "";
}
