/** The hints of a refusal: the fix for a known cause. They are for the log, and never grant access. */
import { redactUrl } from "../shared/messages.js";
import type { WebhookRequest } from "./http.js";
import {
  isMoved,
  isShort,
  matchesUrl,
  SIGNALWIRE_SIGNATURE,
  type SignedRequest,
  TWILIO_SIGNATURE,
} from "./signature.js";
import { getPath, isHost, trimTrailingSlashes } from "./url-variants.js";

/** The hint for SWML, another product of SignalWire, which sends a JSON body and a hex signature. */
export const SWML_HINT =
  "The request looks like SWML, not TwiML. Configure the phone number for cXML (Compatibility API) at SignalWire.";

const API_TOKEN_HINT =
  "authToken is an API token (PT…). Set it to the project's signing key (PSK_…), which signs webhooks.";

const QUOTED_TOKEN_HINT = "authToken contains quotes, usually from an .env file. Remove them.";

const NESTED_HINT =
  "A body parser has nested the parameters. Mount the webhook before it, or set its option to parse flat names " +
  "(Express: urlencoded({ extended: false })).";

const SHARED_KEY_HINT =
  "The request is signed with a shared key (HMAC_SHA256), which is not supported. At Twilio, sign webhooks with the " +
  "auth token.";

const MOVED_HINT =
  "The URL or body contains the parameters of another request, which may have been captured. If the URL is yours, " +
  "remove FaxSid, AccountSid and ApiVersion from it.";

/** The hint for a function `publicUrl` whose result is not a URL. */
export const PUBLIC_URL_HINT =
  "publicUrl did not return an http(s) URL for this request. Return the URL configured at the provider, not a promise.";

/** The hint for a signature mismatch, or `undefined` if its cause is unknown. */
export function findMismatchHint(
  { headers, url }: WebhookRequest,
  signed: SignedRequest,
  urls: readonly string[],
): string | undefined {
  const { tokens, signedTexts } = signed;
  if (isHexSignature(headers[TWILIO_SIGNATURE]) || isHexSignature(headers[SIGNALWIRE_SIGNATURE])) return SWML_HINT;
  if (signedTexts.length === 0) return NESTED_HINT;
  if (urls.some((each) => signedTexts.some((text) => isMoved(each, text)))) return MOVED_HINT;
  if (tokens.every(isQuoted)) return QUOTED_TOKEN_HINT;
  if (headers[SIGNALWIRE_SIGNATURE] !== undefined && tokens.every(isApiToken)) return API_TOKEN_HINT;
  return findSchemeHint(headers) ?? findPublicUrlHint(headers, getPath(url), signed, urls);
}

/** The hint for another signature scheme: Twilio's public beta of 2026 with SHA-256. */
export function findSchemeHint(headers: WebhookRequest["headers"]): string | undefined {
  return headers["x-twilio-webhooks-signature-settings"]?.includes("HMAC_SHA256") ? SHARED_KEY_HINT : undefined;
}

function findPublicUrlHint(
  headers: WebhookRequest["headers"],
  path: string,
  signed: SignedRequest,
  urls: readonly string[],
): string | undefined {
  // Each URL is a hash of the whole text.
  const bases = isShort(signed) ? listForwardedBases(headers) : [];
  const base = bases.find((each) => matchesUrl(signed, each + path));
  if (base === undefined) return undefined;
  const [whole, origin] = [base + path.split("?", 1)[0]!, base].map(redactUrl);
  // publicUrl is the whole URL of another path: the whole URL of this path would break that one.
  const isOtherPath = urls.some((each) => each.startsWith(`${base}/`));
  const fix = isOtherPath ? `"${origin}"` : `"${whole}", or for several paths to "${origin}"`;
  return `The signature matches another URL. Set publicUrl to ${fix}.`;
}

/** Whether a token has the quotes that some readers of .env files keep. */
function isQuoted(token: string): boolean {
  return /^(["'`]).*\1$/.test(token);
}

/** Whether a header has the hex HMAC-SHA1 that signs SWML requests. */
function isHexSignature(value = ""): boolean {
  return /^[\da-f]{40}$/i.test(value);
}

/** Whether a token is an API token of SignalWire, not a signing key. */
function isApiToken(token: string): boolean {
  return token.startsWith("PT");
}

/** The base URLs in a proxy's headers, with and without the prefix: at most 12, because each one costs hashes. */
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
  return [...bases];
}

/** The first value of a list: each proxy in a chain appends its own after a comma. */
function firstValue(value = ""): string {
  return value.split(",", 1)[0]!.trim();
}

/** Reads one part of a `Forwarded` header (RFC 7239): `for=1.2.3.4;host=fax.example.com;proto=https`. */
function readForwardedPart(forwarded: string, name: string): string {
  return RegExp(`(?:^|;)\\s*${name}="?([^";]*)`, "i").exec(forwarded)?.[1]?.trim() ?? "";
}
