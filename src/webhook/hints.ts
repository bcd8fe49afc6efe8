/** The hints of a refusal: how to fix a request whose cause is known. For the log only; they never grant access. */
import { redactUrl } from "../shared/messages.js";
import type { WebhookRequest } from "./http.js";
import { matchesUrl, SIGNALWIRE_SIGNATURE, type SignedRequest, TWILIO_SIGNATURE } from "./signature.js";
import { getPath, isHost, trimTrailingSlashes } from "./url-variants.js";

/** The hint for a request of SignalWire's other product, which has a JSON body and a hex signature. */
export const SWML_HINT =
  "Set the phone number to cXML (Compatibility API) at SignalWire: this looks like SWML, which is not TwiML.";

const API_TOKEN_HINT =
  "Set authToken to the project's signing key (PSK_…): it is an API token (PT…), which signs no webhooks.";

/** The hint for a signature mismatch, if its cause can be found. */
export function findMismatchHint({ headers, url }: WebhookRequest, signed: SignedRequest): string | undefined {
  if (isHexSignature(headers[TWILIO_SIGNATURE]) || isHexSignature(headers[SIGNALWIRE_SIGNATURE])) return SWML_HINT;
  const path = getPath(url);
  const base = listForwardedBases(headers).find((each) => matchesUrl(signed, each + path));
  if (base !== undefined) return `Set publicUrl to ${redactUrl(base)}: the signature fits ${redactUrl(base + path)}.`;
  if (headers[SIGNALWIRE_SIGNATURE] !== undefined && signed.tokens.some(isApiToken)) return API_TOKEN_HINT;
  return undefined;
}

/** Whether a header has the hex HMAC-SHA1 that signs SWML requests. */
function isHexSignature(value = ""): boolean {
  return /^[\da-f]{40}$/i.test(value);
}

/** Whether a token is an API token of SignalWire. */
function isApiToken(token: string): boolean {
  return token.startsWith("PT");
}

/** At most this many forwarded bases: each one is a hash. */
const MAX_BASES = 8;

/** The origins, with and without a prefix, that the headers of a proxy name. */
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
  return [...bases].slice(0, MAX_BASES);
}

/** The first value of a list: each proxy in a chain appends its own after a comma. */
function firstValue(value = ""): string {
  return value.split(",", 1)[0]!.trim();
}

/** Reads one part of a `Forwarded` header (RFC 7239): `for=1.2.3.4;host=fax.example.com;proto=https`. */
function readForwardedPart(forwarded: string, name: string): string {
  const pairs = forwarded.split(";").map((part) => part.trim().split("=", 2));
  const found = pairs.find(([key]) => key!.toLowerCase() === name);
  return found?.[1]?.replaceAll('"', "") ?? "";
}
